from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import AccessPermission
from fpdf.prefs import ViewerPreferences
from PIL import Image
from services.site import Site

from movie_build import browser, pdf_lines
from movie_build.article import Article, Bullets, Code, Heading, Paragraph, Table
from movie_build.errors import SourceError
from movie_build.pdf import from_pdf
from movie_build.source import read

ROOT = Path(__file__).parent.parent
WORDS = "A build system remakes only what has changed and leaves all the rest alone "
LONG = (WORDS * 4).strip() + "."


class Paper(FPDF):
    """A paper with a running head and numbered pages, as a word processor makes it."""

    running = "Proceedings on Building, vol. 3"
    numbered = True

    def header(self) -> None:
        if self.running:
            self.set_font("Helvetica", size=8)
            self.cell(0, 8, self.running)
            self.ln(14)

    def footer(self) -> None:
        if self.numbered:
            self.set_y(-15)
            self.set_font("Helvetica", size=8)
            self.cell(0, 8, f"- {self.page_no()} -", align="C")

    def say(self, text: str, size: float = 11, style: str = "", gap: float = 3) -> None:
        self.set_font("Courier" if style == "code" else "Times", style.replace("code", ""), size)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(gap)

    @property
    def body(self) -> bytes:
        return bytes(self.output())


@pytest.fixture
def paper() -> Paper:
    made = Paper()
    made.running = ""
    made.add_page()
    made.running = Paper.running
    return made


def article(paper: Paper) -> Article:
    return from_pdf(paper.body, "paper.pdf")


def test_a_paper_is_its_title_headings_and_paragraphs(paper: Paper) -> None:
    paper.say("Building only what has changed", 22, "B")
    paper.say(LONG)
    paper.say("1 How it works", 15, "B")
    paper.say(LONG)
    paper.say("1.1 In small steps", 11, "B")
    paper.say(LONG)
    got = article(paper)
    assert got.title == "Building only what has changed"
    assert got.language == "en"
    assert got.blocks == (
        Paragraph(LONG),
        Heading(2, "1 How it works"),
        Paragraph(LONG),
        Heading(3, "1.1 In small steps"),
        Paragraph(LONG),
    )


def test_a_title_over_two_lines_is_one_and_what_stands_above_it_is_left_out(paper: Paper) -> None:
    paper.say("Technical Report 12")
    paper.say(f"On {WORDS}", 24, "B")
    paper.say(LONG)
    got = article(paper)
    assert got.title == f"On {WORDS}".strip()
    assert got.blocks == (Paragraph(LONG),)


def test_running_heads_and_page_numbers_are_left_out_and_paragraphs_go_on_over_pages(
    paper: Paper,
) -> None:
    text = " ".join(f"{WORDS.strip()} {n}," for n in range(170)) + " and so on."
    paper.say("Builds", 20, "B")
    paper.say(text)
    assert paper.page_no() >= 3
    assert article(paper).blocks == (Paragraph(text),)


def test_running_heads_that_change_with_the_chapter_are_known_by_their_numbers() -> None:
    paper = Paper()
    paper.numbered = False
    sentences = []
    for n, chapter in enumerate(["Apples", "Pears", "Plums", "Grapes"]):
        paper.running = f"{n + 7} {chapter}"
        paper.add_page()
        sentences.append(f"{chapter} are told of. {LONG}")
        paper.say(sentences[-1])
    assert article(paper).blocks == tuple(map(Paragraph, sentences))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["it re-", "mains the best"], "it remains the best"),
        (["in 2020-", "2021 it grew"], "in 2020-2021 it grew"),
        (["by Hewlett-", "Packard it is"], "by Hewlett-Packard it is"),
        (["is well-", "known to all"], "is well-known to all"),
        (["of soft\u00ad", "ware and more"], "of software and more"),
    ],
)
def test_words_broken_at_a_line_end_are_whole_again(
    paper: Paper, lines: list[str], text: str
) -> None:
    paper.numbered = False
    paper.running = ""
    paper.say("A well-known idea: " + WORDS)
    paper.set_font("Times", size=11)
    for line in lines:
        paper.cell(0, 5.5, line, align="R", new_x="LMARGIN", new_y="NEXT")
    told = article(paper).blocks[-1]
    assert isinstance(told, Paragraph)
    assert told.text == text


def test_lists_code_and_tables_are_told_apart(paper: Paper) -> None:
    paper.say("Builds", 20, "B")
    paper.say(LONG)
    for item in (f"\x95 {LONG}", "\x95 second", "\x95 third"):
        paper.say(item, gap=0)
    paper.ln(4)
    paper.say(LONG)
    paper.say("1. first step\n2. second step")
    paper.say("def f(x):\n    if x:\n        return {\n            x\n        }", style="code")
    paper.set_font("Times", size=11)
    for row in (("Name", "Speed", "Size"), ("doit", "fast", "small"), ("make", "faster", "tiny")):
        for cell in row:
            paper.cell(45, 6, cell)
        paper.ln()
    assert article(paper).blocks == (
        Paragraph(LONG),
        Bullets((LONG, "second", "third")),
        Paragraph(LONG),
        Bullets(("first step", "second step"), ordered=True),
        Code("def f(x):\n    if x:\n        return {\n            x\n        }"),
        Table((("Name", "Speed", "Size"), ("doit", "fast", "small"), ("make", "faster", "tiny"))),
    )


def test_a_line_that_was_ended_on_purpose_ends_a_paragraph(paper: Paper) -> None:
    texts = [LONG, f"{WORDS.strip()}.", LONG, "So it is.", LONG]
    for text in texts:
        paper.say(text, gap=0)
    assert article(paper).blocks == tuple(map(Paragraph, texts))


def test_two_columns_are_read_one_after_the_other(paper: Paper) -> None:
    paper.say("Builds", 20, "B")
    paper.set_font("Times", size=10)
    left, right = f"Left side. {LONG}", f"Right side. {LONG}"
    with paper.text_columns(ncols=2, gutter=8, text_align="J") as columns:
        columns.write(left)
        columns.new_column()
        columns.write(right)
    assert article(paper).blocks == (Paragraph(left), Paragraph(right))


def test_notes_references_contents_and_water_marks_are_left_out(paper: Paper) -> None:
    paper.say("Builds", 20, "B")
    paper.say("Contents", 15, "B")
    paper.say("1 Why ........................ 1\n2 How ........................ 2")
    paper.say("Why", 15, "B")
    paper.set_font("Times", size=11)
    paper.write(5.5, WORDS)
    paper.char_vpos = "SUP"
    paper.write(5.5, "12")
    paper.char_vpos = "LINE"
    paper.write(5.5, "as is known.")
    paper.ln(10)
    paper.say("References", 15, "B")
    paper.say("[1] S. Feldman, Make, 1979.")
    with paper.rotation(90, 10, 150):
        paper.text(10, 150, "arXiv:2601.00001 1 Jan 2026")
    paper.set_y(-45)
    paper.say("12 A note at the foot of the page, in small print.", 8)
    assert article(paper).blocks == (Heading(2, "Why"), Paragraph(f"{WORDS}as is known."))


@pytest.mark.parametrize(
    ("named", "title"),
    [("On Builds", "On Builds"), ("Microsoft Word - final2.docx", "My paper"), ("", "My paper")],
)
def test_without_a_heading_the_documents_own_title_counts(named: str, title: str) -> None:
    paper = Paper()
    paper.set_title(named)
    paper.add_page()
    paper.say(LONG)
    assert from_pdf(paper.body, "docs/my-paper.pdf").title == title


def test_the_stated_language_counts() -> None:
    paper = Paper()
    paper.set_lang("en-GB")
    paper.viewer_preferences = ViewerPreferences(display_doc_title=True)
    paper.add_page()
    paper.say(LONG)
    assert article(paper).language == "en-GB"


PRINTED = """<html lang=ja><title>題</title><style>body{font-family:'Noto Sans CJK JP'}</style>
<h1>変わったところだけを作る</h1>
<p>ビルドシステムは、変わったところだけを作り直すので、とても速く終わります。長い文章でも、途中で改行されても、\
文はつながっていなければなりません。Python で書かれたプログラムも同じです。</p>
<h2>仕組み</h2><p>すべての<ruby>部品<rt>ぶひん</rt></ruby>はほかの部品から作られます。</p>
<p>次の段落です。</p></html>"""


@pytest.fixture(scope="module")
def printed() -> Iterator[bytes]:
    """A page as Chromium prints it to PDF."""

    async def made(chromium: browser.PlaywrightBrowser) -> bytes:
        tab = await chromium.new_page()
        await tab.set_content(PRINTED)
        number = "<div style='font-size:9px'><span class=pageNumber></span> / 1</div>"
        edges = {"top": "2cm", "bottom": "2cm", "left": "2cm", "right": "2cm"}
        body = await tab.pdf(
            display_header_footer=True, header_template=number, footer_template=" ", margin=edges
        )
        await tab.close()
        return body

    yield browser.shared().lend(made, 30)
    browser.close_shared()


def test_japanese_text_is_joined_without_spaces(printed: bytes) -> None:
    got = from_pdf(printed, "a.pdf")
    assert (got.title, got.language) == ("変わったところだけを作る", "ja")
    assert got.blocks == (
        Paragraph(
            "ビルドシステムは、変わったところだけを作り直すので、とても速く終わります。長い文章でも、途中で改行されても、"
            "文はつながっていなければなりません。Python で書かれたプログラムも同じです。"
        ),
        Heading(2, "仕組み"),
        Paragraph("すべての部品はほかの部品から作られます。"),
        Paragraph("次の段落です。"),
    )


def scan() -> bytes:
    """A picture, as a scanner gives a page."""
    file = io.BytesIO()
    Image.new("L", (200, 300), 230).save(file, "PNG")
    return file.getvalue()


def test_scanned_pages_are_an_error_or_are_told_of(paper: Paper) -> None:
    scanned = FPDF()
    for _ in range(2):
        scanned.add_page()
        scanned.image(scan())
    with pytest.raises(SourceError, match=r"a\.pdf holds no text: its 2 pages are pictures.*OCR"):
        from_pdf(bytes(scanned.output()), "a.pdf")
    paper.say(LONG)
    paper.running = ""
    paper.numbered = False
    paper.add_page()
    paper.image(scan())
    told: list[str] = []
    assert from_pdf(paper.body, "a.pdf", report=told.append).blocks == (Paragraph(LONG),)
    assert told == ["a.pdf: no text on page 2 of 2: it is empty or a picture"]


def test_a_pdf_that_may_not_be_printed_is_read(paper: Paper) -> None:
    paper.say(LONG)
    paper.set_encryption("owner", permissions=AccessPermission.none())
    assert article(paper).blocks == (Paragraph(LONG),)


def test_a_locked_pdf_is_an_error(paper: Paper) -> None:
    paper.say(LONG)
    paper.set_encryption("owner", user_password="user")
    with pytest.raises(SourceError, match=r"paper\.pdf is locked with a password; save a copy"):
        article(paper)


def test_what_is_no_pdf_or_a_damaged_one_is_an_error(paper: Paper) -> None:
    paper.say(LONG)
    for body in (b"", b"%PDF-1.7", b"%PDF-1.7\n" + b"x" * 1000, paper.body[:300]):
        with pytest.raises(SourceError, match=r"a\.pdf is no PDF, or a damaged one"):
            from_pdf(body, "a.pdf")


def test_a_pdf_without_letters_for_its_glyphs_is_an_error(tmp_path: Path) -> None:
    font = TTFont(ROOT / "templates/default/fonts/inter-latin.woff2")
    font.flavor = None
    font.save(tmp_path / "inter.ttf")
    paper = FPDF()
    paper.add_font("Inter", fname=tmp_path / "inter.ttf")
    paper.add_page()
    paper.set_font("Inter", size=11)
    paper.multi_cell(0, 6, LONG)
    body = bytes(paper.output())
    assert from_pdf(body, "a.pdf").blocks == (Paragraph(LONG),)
    # Without this map of the font's, its glyphs are mere numbers.
    mute = body.replace(b"/ToUnicode", b"/Nothing  ")
    with pytest.raises(SourceError, match=r"a\.pdf does not tell which letters .*OCR"):
        from_pdf(mute, "a.pdf")


def test_a_pdf_that_is_too_long_is_an_error(paper: Paper) -> None:
    paper.running = ""
    for _ in range(pdf_lines.MAX_PAGES):
        paper.add_page()
    with pytest.raises(SourceError, match="has 501 pages, and at most 500 are read"):
        article(paper)


def test_a_pdf_is_read_from_a_file_and_from_a_server_that_calls_it_anything(
    paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    paper.say("Builds", 20, "B")
    paper.say(LONG)
    (tmp_path / "a.pdf").write_bytes(paper.body)
    got = read("a.pdf", base=tmp_path, cache=tmp_path / "cache")
    assert (got.title, got.origin, got.blocks) == ("Builds", "a.pdf", (Paragraph(LONG),))
    site = Site()
    for kind in ("application/pdf", "application/octet-stream", "text/plain"):
        url = site.serve(f"/{kind}", paper.body, Content_Type=kind)
        assert read(url, base=tmp_path, cache=tmp_path / "cache").title == "Builds"
    site.close()
