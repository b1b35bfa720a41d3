"""What a slide's own HTML says and which files it names: plain text and references."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]*))\s*\)""")
_IMPORT = re.compile(r"""@import\s+(?:"([^"]*)"|'([^']*)')""")
_SILENT = {"script", "style", "template"}
_NAMING = {
    ("img", "src"), ("source", "src"), ("video", "poster"), ("video", "src"), ("audio", "src"),
    ("input", "src"), ("embed", "src"), ("iframe", "src"), ("object", "data"), ("link", "href"),
    ("image", "href"), ("image", "xlink:href"), ("use", "href"), ("use", "xlink:href"),
}  # fmt: skip


class HtmlText(HTMLParser):
    """`text` is what a reader sees, `references` the URLs that a browser would load."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self._silent = 0
        self._texts: list[str] = []
        self._style = ""
        self.references: list[str] = []
        self.feed(html)
        self.close()
        self._from_css(self._style)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        for name, value in attrs:
            if not value:
                continue
            if (tag, name) in _NAMING:
                self.references.append(value.strip())
            elif name == "srcset":
                self.references += [part.split()[0] for part in value.split(",") if part.split()]
            elif name == "style":
                self._from_css(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if self._silent:
            self._style += data
        else:
            self._texts.append(data)

    def _from_css(self, css: str) -> None:
        for pattern in (_URL, _IMPORT):
            self.references += [next(filter(None, match), "") for match in pattern.findall(css)]
