"""The bytes of a page → its text, in whichever encoding it came."""

from __future__ import annotations

import codecs
import re

# What pages call an encoding, and what browsers read it as (WHATWG Encoding Standard, 4.2).
_READ_AS = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "ms_kanji": "cp932",
    "x-euc-jp": "euc-jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "unicode-1-1-utf-8": "utf-8",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]+?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]+?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_JAPANESE = ("cp932", "euc-jp")
_KANA = re.compile("[\u3041-\u30fe]")


def decode(body: bytes, header_charset: str = "") -> str:
    """`body` as text: by its byte-order mark, the HTTP header, the page's own word, or detection.

    Bytes that fit no guess become U+FFFD; nothing is raised.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, errors="replace")
    utf8 = _strictly(body, "utf-8")
    declared = _codec(header_charset) or _codec(_in_page(body))
    if declared:
        single_byte = declared.startswith(("cp125", "iso8859"))
        # Text in a one-byte encoding is never valid UTF-8 by chance, so such a header is wrong.
        if utf8 is not None and (single_byte or declared == "utf-8"):
            return utf8
        text = _strictly(body, declared)
        return text if text is not None else utf8 or body.decode(declared, errors="replace")
    return utf8 if utf8 is not None and b"\x1b$" not in body else _detected(body)


def _in_page(body: bytes) -> str:
    found = _META.search(body[:4096]) or _XML.search(body[:200])
    name = found[1].decode("ascii", "replace") if found else ""
    # A declaration readable as ASCII cannot stand in UTF-16.
    return "utf-8" if name.lower().startswith("utf-16") else name


def _codec(name: str) -> str:
    known = _READ_AS.get(name.strip().lower(), name.strip().lower())
    try:
        return codecs.lookup(known).name if known else ""
    except LookupError:
        return ""


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _detected(body: bytes) -> str:
    """The likeliest text of bytes that nothing declares; Japanese is tried first, by its kana."""
    from charset_normalizer import from_bytes

    if b"\x1b$" in body and (text := _strictly(body, "iso2022_jp")) is not None:
        return text
    guesses = [text for name in _JAPANESE if (text := _strictly(body, name)) is not None]
    kana = {text: len(_KANA.findall(text)) / len(text) for text in guesses if text}
    likely = max(kana, key=lambda text: kana[text], default="")
    if likely and kana[likely] > 0.15:
        return likely
    best = from_bytes(body).best()
    return str(best) if best is not None else body.decode("cp1252", errors="replace")
