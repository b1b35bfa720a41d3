"""Pages of decks as slides: PDFs by page, presentations through LibreOffice."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Folder
from PIL import Image

from movie_build.errors import SlideError
from movie_build.look import Look, Slide
from movie_build.slides import office
from movie_build.slides.deck import DeckPages, is_office
from movie_build.slides.registry import SlideMakers

LOOK = Look(width_px=960, height_px=540)
COLORS = ("#c00000", "#00a000", "#0000c0", "#c0c000")


def save_pdf(path: Path, sizes: tuple[tuple[int, int], ...] = ((320, 180),) * 4) -> Path:
    """A PDF with a page of each colour, its size in points."""
    pages = [Image.new("RGB", size, color) for size, color in zip(sizes, COLORS, strict=False)]
    pages[0].save(path, "PDF", save_all=True, append_images=pages[1:], resolution=72, quality=95)
    return path


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return save_pdf(tmp_path / "talk.pdf")


def page(deck: Path, number: int) -> Slide:
    return Slide("full", "", deck=deck, page=number)


def drawn(deck: Path, number: int, look: Look = LOOK) -> Image.Image:
    return Image.open(io.BytesIO(DeckPages().make(page(deck, number), look)))


def is_near(image: Image.Image, at: tuple[int, int], color: str) -> bool:
    found = image.getpixel(at)
    wanted = Image.new("RGB", (1, 1), color).getpixel((0, 0))
    assert isinstance(found, tuple)
    assert isinstance(wanted, tuple)
    return all(abs(a - b) < 12 for a, b in zip(found, wanted, strict=True))


def test_each_page_is_drawn_by_its_number_at_the_movies_size(pdf: Path) -> None:
    for number, color in enumerate(COLORS, 1):
        image = drawn(pdf, number)
        assert image.size == (960, 540)
        for at in ((0, 0), (480, 270), (959, 539)):
            assert is_near(image, at, color), (number, at)


def test_a_page_of_another_shape_is_whole_on_the_colour_of_its_edge(tmp_path: Path) -> None:
    deck = tmp_path / "old.pdf"
    white = Image.new("RGB", (400, 300), "#f4f0e8")
    white.paste("#0000c0", (150, 100, 250, 200))
    mixed = Image.new("RGB", (400, 300), "#c00000")
    mixed.paste("#00a000", (200, 0, 400, 300))
    white.save(deck, "PDF", save_all=True, append_images=[mixed], resolution=72, quality=95)
    image = drawn(deck, 1)
    assert is_near(image, (2, 270), "#f4f0e8")
    assert is_near(image, (480, 270), "#0000c0")
    image = drawn(deck, 2)
    assert is_near(image, (2, 270), "#000000"), "no colour of its own: black"
    assert is_near(image, (130, 5), "#c00000")
    assert is_near(image, (829, 535), "#00a000")


def test_odd_page_sizes_give_exactly_the_frame(tmp_path: Path) -> None:
    sizes = ((333, 187), (1, 1), (2000, 50), (50, 2000))
    deck = save_pdf(tmp_path / "odd.pdf", sizes)
    for look in (LOOK, replace(LOOK, width_px=540, height_px=960)):
        for number in range(1, 5):
            assert drawn(deck, number, look).size == (look.width_px, look.height_px)


def test_pages_are_drawn_from_many_threads(pdf: Path) -> None:
    maker = DeckPages()
    with ThreadPoolExecutor(8) as pool:
        numbers = [1, 2, 3, 4] * 6
        made = list(pool.map(lambda n: maker.make(page(pdf, n), LOOK), numbers))
    for number, png in zip(numbers, made, strict=True):
        assert is_near(Image.open(io.BytesIO(png)), (480, 270), COLORS[number - 1])


def test_what_is_not_there_is_told(pdf: Path, tmp_path: Path) -> None:
    for number in (0, 5, -1):
        with pytest.raises(SlideError, match=rf"talk\.pdf has 4 pages, and no page {number}$"):
            drawn(pdf, number)
    with pytest.raises(SlideError, match="one page"):
        drawn(save_pdf(tmp_path / "one.pdf", ((320, 180),)), 2)
    with pytest.raises(SlideError, match=r"none\.pdf"):
        DeckPages().identity(page(tmp_path / "none.pdf", 1), LOOK)


def test_damaged_and_locked_files_are_told(pdf: Path, tmp_path: Path) -> None:
    import pypdfium2

    whole = pdf.read_bytes()
    cases = {"text.pdf": b"hello", "empty.pdf": b"", "html.pdf": b"<html>not found</html>"}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SlideError, match=f"{name} is no PDF, or a damaged one"):
            drawn(tmp_path / name, 1)
    (tmp_path / "locked.pdf").write_bytes(locked())
    with pytest.raises(SlideError, match=r"locked\.pdf is locked with a password"):
        drawn(tmp_path / "locked.pdf", 1)
    # A failure leaves nothing locked behind.
    (tmp_path / "again.pdf").write_bytes(whole)
    assert drawn(tmp_path / "again.pdf", 1).size == (960, 540)
    assert pypdfium2.PdfDocument(whole)


def locked() -> bytes:
    """A PDF that opens only with a password (ISO 32000-1, 7.6.3: no password fits these keys)."""
    parts = [
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n",
        b"4 0 obj<</Filter/Standard/V 1/R 2/P -44/Length 40/O<%s>/U<%s>>>endobj\n"
        % (b"11" * 32, b"22" * 32),
    ]
    body, places = b"%PDF-1.4\n", []
    for part in parts:
        places.append(len(body))
        body += part
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<33><33>]>>"
    return (
        body
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer"
        + trailer
        + b"\nstartxref\n%d\n%%%%EOF" % len(body)
    )


def test_the_identity_is_the_deck_the_page_and_the_size(pdf: Path, tmp_path: Path) -> None:
    maker = DeckPages()
    same = maker.identity(page(pdf, 2), LOOK)
    moved = tmp_path / "moved.pdf"
    shutil.copy(pdf, moved)
    assert maker.identity(page(moved, 2), LOOK) == same
    assert maker.identity(replace(page(pdf, 2), title="T", logo=pdf), LOOK) == same
    others = [
        maker.identity(page(pdf, 3), LOOK),
        maker.identity(page(pdf, 2), replace(LOOK, width_px=640)),
        maker.identity(page(save_pdf(tmp_path / "new.pdf", ((320, 180),) * 2), 2), LOOK),
    ]
    assert all(other != same for other in others)
    assert maker.files(page(pdf, 2), LOOK) == (pdf,)


def test_a_section_with_a_page_is_that_page_and_nothing_else(pdf: Path, tmp_path: Path) -> None:
    makers = SlideMakers(tmp_path)
    asked = Slide("", "T", bullets=("a",), deck=pdf, page=2, prompt="p", movie_title="M")
    slide = makers.settled(asked)
    assert (slide.template, slide.title, slide.bullets, slide.prompt) == ("full", "", (), "")
    assert isinstance(makers.picture_maker(slide), DeckPages)
    beside = makers.settled(replace(asked, template="picture"))
    assert (beside.template, beside.title, beside.page) == ("picture", "T", 2)
    for wrong, words in (
        (replace(asked, deck=None), "page 2 of what"),
        (replace(asked, picture=pdf), "not both"),
        (replace(asked, deck=tmp_path / "talk.docx"), r"talk\.docx is no deck"),
    ):
        with pytest.raises(SlideError, match=words):
            makers.settled(wrong)


# ---- presentations

_ODP = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
  xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.2"
  office:mimetype="application/vnd.oasis.opendocument.presentation">
 <office:body><office:presentation>
  <draw:page draw:name="one"/>
  <draw:page draw:name="two"><draw:frame svg:x="2cm" svg:y="2cm" svg:width="20cm"
   svg:height="5cm"><draw:text-box><text:p>Words</text:p></draw:text-box></draw:frame></draw:page>
 </office:presentation></office:body>
</office:document>
"""


def test_a_presentation_is_drawn_by_libreoffice_or_it_is_told_what_to_install(
    tmp_path: Path,
) -> None:
    deck = tmp_path / "talk.fodp"
    deck.write_text(_ODP)
    assert is_office(deck)
    if shutil.which("soffice") or shutil.which("libreoffice"):
        ink = [drawn(deck, number).convert("L").getextrema() for number in (1, 2)]
        assert ink[0][0] == ink[0][1], "the first page is empty"
        assert ink[1][0] < 60 < ink[1][1], "the second has words"
    else:
        with pytest.raises(SlideError, match=r"talk\.fodp needs LibreOffice.*apt install"):
            drawn(deck, 1)


def test_without_libreoffice_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "talk.pptx").write_bytes(b"PK")
    with pytest.raises(SlideError, match=r"apt install libreoffice-impress.*save.*as PDF"):
        drawn(tmp_path / "talk.pptx", 1)


@pytest.fixture
def office_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a soffice on PATH that runs some Python: `source`, `out` and `profile` are given."""

    def put(program: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "soffice"
        script.write_text(
            f"#!{sys.executable}\n"
            "import os, pathlib, shutil, subprocess, sys, time\n"
            "told = sys.argv[1:]\n"
            "assert told[:2] == ['--headless', '--norestore'], told\n"
            "assert told[3:6] == ['--convert-to', 'pdf', '--outdir'], told\n"
            "profile = told[2].removeprefix('-env:UserInstallation=')\n"
            "out, source = pathlib.Path(told[6]), pathlib.Path(told[7])\n" + program
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return put


def test_what_libreoffice_makes_is_drawn_and_its_scratch_removed(
    office_that, pdf: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    office_that(
        f"shutil.copy({str(pdf)!r}, out / (source.stem + '.pdf'))\n"
        f"pathlib.Path({str(seen)!r}).write_text(str(out))\n"
    )
    deck = tmp_path / "講演 資料.pptx"
    deck.write_bytes(b"PK")
    assert is_near(drawn(deck, 3), (480, 270), COLORS[2])
    assert not Path(seen.read_text()).exists()


def test_libreoffice_that_makes_nothing_is_told_in_its_own_words(
    office_that, tmp_path: Path
) -> None:
    office_that("print('Error: source file could not be loaded')\n")
    (tmp_path / "talk.pptx").write_bytes(b"no presentation")
    with pytest.raises(SlideError, match=r"cannot read talk\.pptx \(Error: source file could not"):
        drawn(tmp_path / "talk.pptx", 1)


def test_libreoffice_that_hangs_is_ended_with_all_that_it_started(
    office_that, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    office_that(
        "started = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(started.pid))\n"
        "time.sleep(600)\n"
    )
    (tmp_path / "talk.pptx").write_bytes(b"PK")
    with pytest.raises(SlideError, match=r"not done with talk\.pptx after 2 s"):
        office.to_pdf(tmp_path / "talk.pptx", timeout_s=2)
    # It is dead at once, but a busy machine may take a while to bury it.
    ends_s = time.monotonic() + 10
    while (state := state_of(child.read_text())) not in "Z" and time.monotonic() < ends_s:
        time.sleep(0.02)
    assert state in "Z", "nothing goes on"


def state_of(pid: str) -> str:
    """A process's state as Linux writes it, `Z` where it is dead; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_a_page_in_a_small_movie_is_not_called_small(folder: Folder) -> None:
    save_pdf(folder.path / "talk.pdf")
    folder.write(
        "script.yaml",
        "title: T\ndeck: talk.pdf\nsections: [{title: S, page: 2, narrations: [Hello.]}]\n",
    )
    assert "pixels" not in folder.doit("slides").err
