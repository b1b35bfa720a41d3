"""PDFs that are made to fill the memory are refused in a moment; broken and heavy ones are read."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from movie_build.article import Paragraph
from movie_build.errors import SlideError, SourceError
from movie_build.look import Look, Slide
from movie_build.pdf import from_pdf
from movie_build.pdf_content import MAX_STREAM, TooHeavy
from movie_build.pdf_weight import Scales
from movie_build.slides.deck import DeckPages
from movie_build.source import read

SENTENCE = "A build system remakes only what has changed and leaves all the rest alone."
TEXT = f"BT /F 9 Tf 20 100 Td ({SENTENCE}) Tj ET\n".encode()
FORM = "/Type/XObject/Subtype/Form/BBox[0 0 600 200]"
HEAVY = r"unfolds to more than 20 MB of drawing, .* print it to a new PDF as images"


def stream(content: bytes, says: str = "") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (says.encode(), len(content), content)


def pdf(pages: Sequence[dict[str, str]], *objects: bytes, head: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF with the font /F; the objects after the pages are numbered from 10."""
    kids = " ".join(f"{4 + n} 0 R" for n in range(len(pages)))
    numbered = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode(),
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for n, says in enumerate(pages):
        more = "".join(f"/{key} {value}" for key, value in says.items())
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 200]{more}>>"
        numbered[4 + n] = page.encode()
    numbered |= {10 + n: content for n, content in enumerate(objects)}
    file, places = bytearray(head), {}
    for number, content in numbered.items():
        places[number] = len(file)
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    size = max(numbered) + 1
    table = b"".join(
        b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n"
        for n in range(size)
    )
    start = len(file)
    file += b"xref\n0 %d\n%s" % (size, table)
    file += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, start)
    return bytes(file)


def page(content: int = 10, forms: str = "", **more: str) -> dict[str, str]:
    says = {"Contents": f"{content} 0 R", "Resources": resources(forms)}
    return says | more


def resources(forms: str = "") -> str:
    return f"<</Font<</F 3 0 R>>/XObject<<{forms}>>>>"


def laughs(draws: bytes = b"/A Do ", levels: int = 9, *, own: bool = True) -> list[bytes]:
    """Objects 10 to 10 + `levels`: each draws the next one ten times."""
    made = []
    for number in range(10, 10 + levels):
        says = f"{FORM}/Resources{resources(f'/A {number + 1} 0 R')}" if own else FORM
        made.append(stream(draws * 10, says))
    return [*made, stream(TEXT, f"{FORM}/Resources{resources()}")]


PLAIN = pdf([page()], stream(TEXT))
LAUGHS = pdf([page(forms="/A 11 0 R")], *laughs())


def text_of(file: bytes) -> list[str]:
    blocks = from_pdf(file, "a.pdf").blocks
    return [block.text for block in blocks if isinstance(block, Paragraph)]


def drawn(file: bytes, number: int, folder: Path) -> Image.Image:
    deck = folder / "talk.pdf"
    deck.write_bytes(file)
    slide = Slide("full", "", deck=deck, page=number)
    return Image.open(io.BytesIO(DeckPages().make(slide, Look(width_px=300, height_px=100))))


def test_forms_that_draw_forms_without_end_are_no_source(tmp_path: Path) -> None:
    assert text_of(PLAIN) == [SENTENCE]
    (tmp_path / "a.pdf").write_bytes(LAUGHS)
    with pytest.raises(SourceError, match=rf"^a\.pdf: page 1 {HEAVY}"):
        read("a.pdf", base=tmp_path, cache=tmp_path / "cache")


def test_of_a_deck_only_the_page_that_does_so_is_refused(tmp_path: Path) -> None:
    pages = [page(20), page(forms="/A 11 0 R")]
    file = pdf(pages, *laughs(), stream(TEXT))
    assert drawn(file, 1, tmp_path).convert("L").getextrema()[0] < 100, "there is text"
    with pytest.raises(SlideError, match=rf"^talk\.pdf: page 2 {HEAVY}"):
        drawn(file, 2, tmp_path)


@pytest.mark.parametrize(
    "draws", [b"/A%why\nDo ", b"(A) Do ", b"<41>Do ", b"/#41 Do ", b"/A\x00Do\r", b"/A Do/B Do[]"]
)
def test_however_a_form_is_drawn_it_is_weighed(draws: bytes) -> None:
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(pdf([page(forms="/A 11 0 R")], *laughs(draws)), "a.pdf")


def test_forms_that_use_what_their_page_names_are_weighed() -> None:
    names = "".join(f"/A{n} {n} 0 R" for n in range(11, 20))
    objects = [stream(b"/A%d Do " % (n + 1) * 10, FORM) for n in range(10, 19)]
    file = pdf([page(forms=names)], *objects, stream(TEXT, FORM))
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(file, "a.pdf")


def test_what_shows_an_annotation_is_weighed(tmp_path: Path) -> None:
    note = "<</Type/Annot/Subtype/Stamp/Rect[0 0 600 200]/AP<</N %s>>>>"
    for shown in ("11 0 R", "<</On 11 0 R/Off 20 0 R>>"):
        file = pdf([page(20, Annots=f"[{note % shown}]")], *laughs(), stream(TEXT))
        with pytest.raises(SlideError, match=HEAVY):
            drawn(file, 1, tmp_path)


def test_a_page_that_repeats_its_content_without_end_is_refused() -> None:
    content = stream(TEXT * 1000)
    parts = f"[{'10 0 R ' * 1000}]"
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(pdf([page() | {"Contents": parts}], content), "a.pdf")


def nested(levels: int, draws: str, says: str, named: str, wrap: str = "{}") -> bytes:
    """A page that is painted with what is painted, ten times, with what is painted, …"""
    paints = f"{draws} " + "0 0 5 5 re f " * 10

    def names(number: int) -> str:
        return f"<<{named.format(wrap.format(f'{number} 0 R'))}>>"

    objects = [
        stream(paints.encode(), f"{says}/Resources{names(n + 1)}") for n in range(10, 10 + levels)
    ]
    last = stream(b"0 0 5 5 re f", says)
    return pdf(
        [{"Contents": f"{11 + levels} 0 R", "Resources": names(10)}],
        *objects,
        last,
        stream(paints.encode()),
    )


PAINTED = {
    "patterns": (
        "/Pattern cs /P scn",
        "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 5 5]/XStep 5/YStep 5",
        "/Pattern<</P {}>>",
    ),
    "soft masks": (
        "/G gs",
        f"{FORM}/Group<</S/Transparency/CS/DeviceRGB>>",
        "/ExtGState<</G<</SMask<</S/Luminosity/G {}>>>>>>",
    ),
    "glyphs": (
        "BT /T 9 Tf (aaaaaaaaaa) Tj ET",
        "",
        "/Font<</T<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[1 0 0 1 0 0]/FirstChar 97"
        "/LastChar 97/Widths[1]/Encoding<</Differences[97/a]>>/CharProcs<</a {}>>>>>>",
    ),
}


@pytest.mark.parametrize(("draws", "says", "named"), PAINTED.values(), ids=PAINTED)
def test_what_is_painted_with_what_is_painted_is_weighed(
    tmp_path: Path, draws: str, says: str, named: str
) -> None:
    assert drawn(nested(1, draws, says, named), 1, tmp_path)
    with pytest.raises(SlideError, match=HEAVY):
        drawn(nested(9, draws, says, named), 1, tmp_path)


@pytest.mark.parametrize(
    ("kind", "draws"),
    [
        ("patterns", "/Pattern cs /P%\n scn"),
        ("soft masks", "/#47%\ngs"),
        ("soft masks", "(G)gs"),
        ("glyphs", "BT /T%\n9 Tf (aaaaaaaaaa) Tj ET"),
        ("glyphs", "BT (T) 9 Tf (aaaaaaaaaa) Tj ET"),
    ],
)
def test_however_it_is_said_it_is_weighed(tmp_path: Path, kind: str, draws: str) -> None:
    _, says, named = PAINTED[kind]
    with pytest.raises(SlideError, match=HEAVY):
        drawn(nested(9, draws, says, named), 1, tmp_path)


def test_what_is_written_with_what_is_written_is_weighed(tmp_path: Path) -> None:
    _, says, named = PAINTED["glyphs"]
    for text in ("a" * 100, "(a)" * 50):
        with pytest.raises(SlideError, match=HEAVY):
            drawn(nested(5, f"BT /T 9 Tf ({text}) Tj ET", says, named), 1, tmp_path)


def test_a_glyph_that_draws_forms_without_end_is_no_source() -> None:
    font = PAINTED["glyphs"][2].format("21 0 R").replace("<</T<<", "<</T<</Resources<<%s>>", 1)
    font = font % "/XObject<</A 11 0 R>>"
    file = pdf(
        [{"Contents": "20 0 R", "Resources": f"<<{font}>>"}],
        *laughs(),
        stream(b"BT /T 9 Tf (a) Tj ET"),
        stream(b"1 0 d0 /A Do"),
    )
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(file, "a.pdf")


def bomb(says: str = "") -> bytes:
    """A stream of some hundred kilobytes that unpacks to more than is unpacked."""
    packer, packed = zlib.compressobj(1), bytearray()
    for _ in range(MAX_STREAM // 1_000_000 + 2):
        packed += packer.compress(b"q " * 500_000)
    packed += packer.flush()
    return stream(bytes(packed), f"{says}/Filter/FlateDecode")


def test_a_stream_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    for says in ("", "/Type/ObjStm/N 1/First 4/Subtype/Image"):
        file = pdf([page(20)], bomb(says), *[b"null"] * 9, stream(TEXT))
        for refused, asked in (
            (SourceError, lambda file=file: from_pdf(file, "a.pdf")),
            (SlideError, lambda file=file: drawn(file, 1, tmp_path)),
        ):
            with pytest.raises(refused, match=r"\.pdf holds a stream that unpacks to more than"):
                asked()


@pytest.mark.parametrize(
    "says",
    [
        "/Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]",
        "/Type/#4fbjStm/Filter[/ASCIIHexDecode /Fl#61teDecode]/N 1/First 4/X(endstream obj)",
        "/Type/XRef/Filter[/AHx/Fl]/Size 9/W[1 2 1]",
    ],
)
def test_objects_that_are_packed_twice_are_refused(says: str) -> None:
    file = pdf([page()], stream(TEXT), stream(b"x", says))
    with pytest.raises(SourceError, match=r"a\.pdf holds objects that are packed more than once"):
        from_pdf(file, "a.pdf")


def test_objects_in_streams_are_read() -> None:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(PLAIN))
    for number, says in enumerate(("/FlateDecode", "/Fl")):
        file = io.BytesIO()
        writer.write(file)
        objects = zlib.compress(b"30 0 <<>>")
        extra = stream(objects, f"/Type/ObjStm/N 1/First 5/Filter{says}")
        whole = file.getvalue() + b"\n%d 0 obj\n%s\nendobj\n" % (40 + number, extra)
        assert text_of(whole) == [SENTENCE]


def test_a_stream_that_is_packed_twice_is_refused() -> None:
    once = zlib.compress(b"q " * (MAX_STREAM // 2), 1)
    twice = stream(zlib.compress(once), "/Filter[/FlateDecode/FlateDecode]")
    with pytest.raises(SourceError, match=r"a\.pdf: page 1 holds a stream that unpacks without"):
        from_pdf(pdf([page()], twice), "a.pdf")


def test_a_form_that_draws_itself_is_read_as_deep_as_pdfium_goes() -> None:
    own = f"{FORM}/Resources{resources('/A 11 0 R')}"
    file = pdf([page(forms="/A 11 0 R")], stream(b"/A Do"), stream(TEXT + b"/A Do", own))
    assert SENTENCE in text_of(file)[0]
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(file.replace(b"/A Do", b"/A Do/A Do"), "a.pdf")


def test_forms_that_draw_all_others_are_refused() -> None:
    numbers = range(11, 31)
    names = "".join(f"/A{n} {n} 0 R" for n in numbers)
    draws = stream(b"".join(b"/A%d Do " % n for n in numbers), FORM)
    file = pdf([page(forms=names)], *[draws] * 21)
    with pytest.raises(SourceError, match=HEAVY):
        from_pdf(file, "a.pdf")


def test_a_page_of_many_stamps_and_pictures_is_read() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Times", size=11)
    paper.multi_cell(0, 6, SENTENCE)
    picture = io.BytesIO()
    Image.effect_noise((400, 400), 80).save(picture, "PNG")
    for n in range(200):
        paper.image(picture, x=n, y=100, w=20)
    assert text_of(bytes(paper.output())) == [SENTENCE]
    stamps = pdf(
        [page(forms="/A 11 0 R")],
        stream(TEXT + b"q 1 0 0 1 0 0 cm /A Do Q " * 5000),
        stream(b"0 0 1 rg 0 0 3 3 re f " * 100, FORM),
    )
    assert text_of(stamps) == [SENTENCE]


PACKED = zlib.compress(TEXT + b"0 0 1 1 re f " * 300)


def packed(content: bytes) -> bytes:
    return pdf([page()], stream(content, "/Filter/FlateDecode"))


BROKEN = {
    "a packed page cut off": packed(PACKED[:-3]),
    "a packed page with a wrong checksum": packed(PACKED[:-4] + b"1234"),
    "a packed page with something behind it": packed(PACKED + b"\r\r"),
    "no cross-reference table": PLAIN[: PLAIN.index(b"xref")] + b"trailer<</Root 1 0 R>>",
    "a table that points elsewhere": PLAIN.replace(b"0000000", b"0000009"),
    "a wrong start": PLAIN.replace(b"startxref\n", b"startxref\n9"),
    "something before it": b"junk\n" * 50 + PLAIN,
    "a wrong length": PLAIN.replace(b"/Length 1", b"/Length 9"),
    "no length": PLAIN.replace(b"/Length ", b"/Lenkth "),
    "no count of pages": PLAIN.replace(b"/Count 1", b""),
    "no resources to speak of": pdf([page() | {"XObject": "7"}], stream(TEXT)),
}


@pytest.mark.parametrize("file", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_that_can_be_read_is_read(file: bytes) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    there = document[0].get_textpage().get_text_range()
    document.close()
    assert SENTENCE in there, "PDFium reads it"
    assert text_of(file) == [SENTENCE]


def test_a_broken_file_is_weighed_as_pdfium_mends_it() -> None:
    for file in (
        LAUGHS[: LAUGHS.index(b"xref")] + b"trailer<</Root 1 0 R>>",
        b"junk\n" * 50 + LAUGHS,
        LAUGHS.replace(b"/Length ", b"/Lenkth "),
        # An update at the end replaces a harmless first object.
        PLAIN[: PLAIN.index(b"xref")]
        + LAUGHS[LAUGHS.index(b"4 0 obj") : LAUGHS.index(b"xref")]
        + b"trailer<</Root 1 0 R>>",
    ):
        with pytest.raises(SourceError, match=HEAVY):
            from_pdf(file, "a.pdf")


@given(st.lists(st.lists(st.integers(1, 6), max_size=4), min_size=1, max_size=6))
def test_a_page_weighs_what_it_draws_as_often_as_it_draws_it(steps: list[list[int]]) -> None:
    """`steps`: how far from itself each form draws others, in order."""
    n_forms = len(steps)
    names = "".join(f"/A{n} {10 + n} 0 R" for n in range(1, n_forms))
    contents = []
    for n, draws in enumerate(steps):
        reached = [n + step for step in draws if n + step < n_forms]
        contents.append(b"".join(b"/A%d Do " % other for other in reached))

    def weight(n: int) -> int:
        reached = [n + step for step in steps[n] if n + step < n_forms]
        return len(contents[n]) + sum(map(weight, reached))

    file = pdf([page(forms=names)], *[stream(content, FORM) for content in contents])
    assert Scales(file).weigh(0) == weight(0) + 1, "and a line's end"


def test_a_weight_is_told_before_it_is_worked_out_to_the_end() -> None:
    with pytest.raises(TooHeavy):
        Scales(pdf([page(forms="/A 11 0 R")], *laughs(b"/A Do " * 100, levels=50))).weigh(0)
