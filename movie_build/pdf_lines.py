"""The bytes of a PDF → its lines of text, each with its place and its looks, in reading order."""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from movie_build.errors import SourceError
from movie_build.pdfium import Pdf, opened

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

MAX_PAGES = 500
MAX_CHARS = 2_000_000

# What PDFium puts for a hyphen at a line's end; the line break after it is not there.
_LINE_END_HYPHEN = "\x02"
_HYPHENS = frozenset({_LINE_END_HYPHEN, "-", "\u2010", "\u00ad"})
# FPDFText_GetFontInfo's flags, PDF 32000-1 table 123.
_FIXED_PITCH = 1 << 0
_FORCE_BOLD = 1 << 18
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|demi|-medi\b|CMBX|-W[6-9]\b", re.I)
_MONO_NAME = re.compile(r"mono|courier|consol|menlo|typewriter|CMTT|\bcode\b", re.I)
# A gap wider than this is not a space but the next column of a table.
_CELL_GAP_EM = 1.6
_MARK_SIZE = 0.75


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. Lengths are in points; `top` and `bottom` count from the page's top.

    `hyphen` is whether its last word goes on in the next line, `first_pt` the width of its
    first word, and `cells` are its pieces where wide gaps part them.
    """

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float
    size: float
    bold: bool
    mono: bool
    hyphen: bool
    first_pt: float
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PdfText:
    """All text of a PDF: `pages` hold their lines, `heights` are theirs, in points."""

    pages: tuple[tuple[Line, ...], ...]
    heights: tuple[float, ...]
    title: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Char:
    text: str
    size: float
    left: float
    right: float
    top: float
    bottom: float
    index: int


def read_lines(body: bytes, name: str) -> PdfText:
    """The text of the PDF `body`, which messages call `name`.

    Raises:
        SourceError: it is no PDF, damaged, locked, too long, or has no text to read.
        MissingExtra: what reads PDFs is not installed.
    """
    with opened(body, name, SourceError) as pdf:
        return _text_of(pdf, name)


def _text_of(pdf: Pdf, name: str) -> PdfText:
    if not len(pdf):
        raise SourceError(f"{name} is a PDF without pages")
    if len(pdf) > MAX_PAGES:
        what = f"{name} has {len(pdf)} pages, and at most {MAX_PAGES} are read"
        raise SourceError(f"{what}; give the part that the movie is about")
    pages: list[tuple[Line, ...]] = []
    heights: list[float] = []
    n_chars = n_unknown = 0
    for number in range(len(pdf)):
        page = pdf.page(number)
        textpage = page.get_textpage()
        chars = list(_chars(page, textpage))
        n_chars += len(chars)
        n_unknown += sum(char.text == "�" for char in chars)
        if n_chars > MAX_CHARS:
            what = f"{name} holds more than {MAX_CHARS:,} characters"
            raise SourceError(f"{what}; give the part that the movie is about")
        pages.append(tuple(_lines(textpage.raw, chars, number)))
        heights.append(page.get_height())
        textpage.close()
        page.close()
    _check(name, pages, n_chars, n_unknown)
    told = pdf.document.get_metadata_dict(skip_empty=True)
    return PdfText(tuple(pages), tuple(heights), told.get("Title", ""), _language(pdf.document))


def _check(name: str, pages: list[tuple[Line, ...]], n_chars: int, n_unknown: int) -> None:
    if not any(pages):
        what = f"{name} holds no text: its {len(pages)} pages are pictures, as of a scanner"
        raise SourceError(
            f"{what}; put text into it with OCR, for instance: ocrmypdf in.pdf out.pdf"
        )
    if n_unknown > 0.3 * n_chars:
        what = f"{name} does not tell which letters its text is made of"
        raise SourceError(f"{what}; read it with OCR: ocrmypdf --force-ocr in.pdf out.pdf")


def _language(document: PdfDocument) -> str:
    import pypdfium2.raw as pdfium

    length = pdfium.FPDFCatalog_GetLanguage(document.raw, None, 0)
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDFCatalog_GetLanguage(
        document.raw, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length
    )
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0").strip()


def _chars(page: PdfPage, textpage: PdfTextPage) -> Iterator[_Char]:
    """The characters of `page` as PDFium orders them, its own spaces and line breaks included.

    Text that does not stand upright is left out: water marks, and notes along the edge.
    """
    import pypdfium2.raw as pdfium

    raw: Any = textpage.raw
    height, turned = page.get_height(), page.get_rotation()
    matrix, box = pdfium.FS_MATRIX(), pdfium.FS_RECTF()
    for index in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(raw, index)
        # A font that does not say which letter a glyph is makes PDFium give the glyph's number.
        known = code and pdfium.FPDFText_HasUnicodeMapError(raw, index) != 1
        text = chr(code) if known else "�"
        if text in "\r\n \u00a0" and pdfium.FPDFText_IsGenerated(raw, index):
            yield _Char("\n" if text in "\r\n" else " ", 0, 0, 0, 0, 0, index)
            continue
        pdfium.FPDFText_GetMatrix(raw, index, matrix)
        angle = math.degrees(math.atan2(matrix.b, matrix.a)) - turned
        if abs((angle + 180) % 360 - 180) > 20:
            continue
        pdfium.FPDFText_GetLooseCharBox(raw, index, box)
        size = pdfium.FPDFText_GetFontSize(raw, index) * math.hypot(matrix.c, matrix.d)
        top, bottom = height - box.top, height - box.bottom
        yield _Char(text, size, box.left, box.right, top, bottom, index)


def _lines(raw: Any, chars: list[_Char], number: int) -> Iterator[Line]:
    run: list[_Char] = []
    for char in chars:
        if char.text != "\n":
            run.append(char)
        if char.text in ("\n", _LINE_END_HYPHEN):
            if line := _line(raw, run, number):
                yield line
            run = []
    if line := _line(raw, run, number):
        yield line


def _line(raw: Any, run: list[_Char], number: int) -> Line | None:
    seen = [char for char in run if char.text.strip() and char.size]
    if not seen:
        return None
    hyphen = seen[-1].text in _HYPHENS and len(seen) > 1 and seen[-2].text.isalnum()
    end = seen[-1].index if hyphen else None
    sizes = Counter(round(char.size * 2) / 2 for char in seen)
    size = max(sizes, key=lambda one: (sizes[one], one))
    kept = [
        char
        for char in run
        # The marks of footnotes are small digits.
        if not (char.text.isdigit() and char.size and char.size < _MARK_SIZE * size)
        and char.index != end
    ]
    cells = tuple(_cells(kept, size))
    if not cells:
        return None
    words = _first_word(kept)
    looks = [_looks(raw, seen[at].index) for at in (0, len(seen) // 2, -1 - hyphen)]
    return Line(
        text=" ".join(cells),
        page=number,
        left=min(char.left for char in seen),
        right=max(char.right for char in seen),
        top=min(char.top for char in seen),
        bottom=max(char.bottom for char in seen),
        size=size,
        bold=all(bold for bold, _ in looks),
        mono=all(mono for _, mono in looks),
        hyphen=hyphen,
        first_pt=words[-1].right - words[0].left if words else 0.0,
        cells=cells,
    )


def _cells(run: list[_Char], size: float) -> Iterator[str]:
    """The texts of a line between its wide gaps."""
    text, right = "", math.inf
    for char in run:
        if char.size and char.text.strip():
            if char.left - right > _CELL_GAP_EM * size and text.strip():
                yield " ".join(text.split())
                text = ""
            right = char.right
        text += char.text
    if text.strip():
        yield " ".join(text.split())


def _first_word(run: list[_Char]) -> list[_Char]:
    """The characters that cannot be parted from the line's beginning."""
    word: list[_Char] = []
    for char in run:
        if char.text.isspace():
            if word:
                break
            continue
        if word and ord(char.text[0]) >= 0x2E80:
            break
        word.append(char)
    return [char for char in word if char.size]


def _looks(raw: Any, index: int) -> tuple[bool, bool]:
    """Whether a character is bold, and whether its font is of one width."""
    import pypdfium2.raw as pdfium

    flags, buffer = ctypes.c_int(), ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(raw, index, buffer, 128, flags)
    name = buffer.value.decode("utf-8", "replace")
    heavy = pdfium.FPDFText_GetFontWeight(raw, index) >= _BOLD_WEIGHT
    bold = heavy or flags.value & _FORCE_BOLD or _BOLD_NAME.search(name)
    return bool(bold), bool(flags.value & _FIXED_PITCH or _MONO_NAME.search(name))
