from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_build.article import (
    Article,
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Table,
)
from movie_build.extract import from_html, from_markdown, from_plain

ROOT = Path(__file__).parent.parent
WEB = "https://example.com/posts/builds.html"
P1 = "A build system remakes only what has changed, and it leaves everything else alone."
P2 = "It can do so because it knows which file is made from which other files, and how."
P3 = "Whoever waits for a computer all day will find that this is worth a great deal of care."


def html(body: str, head: str = "<title>Builds</title>", lang: str = "en") -> str:
    return f"<!DOCTYPE html><html lang='{lang}'><head>{head}</head><body>{body}</body></html>"


def article(body: str, head: str = "<title>Builds</title>") -> Article:
    whole = f"<article><h1>Builds</h1><p>{P1}</p><p>{P2}</p>{body}<p>{P3}</p></article>"
    return from_html(html(whole, head), WEB)


def between(body: str) -> tuple[object, ...]:
    """The blocks of `body`, standing between the paragraphs of an article."""
    blocks = article(body).blocks
    assert blocks[:2] == (Paragraph(P1), Paragraph(P2))
    assert blocks[-1] == Paragraph(P3)
    return blocks[2:-1]


def test_headings_keep_their_rank_below_the_title() -> None:
    assert between("<h2>One</h2><p>First of all.</p><h3>Deep</h3><p>Then more.</p>") == (
        Heading(2, "One"),
        Paragraph("First of all."),
        Heading(3, "Deep"),
        Paragraph("Then more."),
    )


def test_a_paragraph_all_in_bold_is_a_heading() -> None:
    assert between("<p><b>How it works</b></p>") == (Heading(2, "How it works"),)


def test_lists_are_flattened_and_keep_what_they_define() -> None:
    body = """<ul><li>Make <em>it</em><ul><li>once</li><li>twice</li></ul></li>
    <li><p>Go.</p></li></ul>
    <ol><li>Read</li><li>Write</li></ol><dl><dt>Key</dt><dd>a digest</dd></dl>"""
    assert between(body) == (
        Bullets(("Make it", "once", "twice", "Go.")),
        Bullets(("Read", "Write"), ordered=True),
        Bullets(("Key: a digest",)),
    )


def test_a_quotation_keeps_who_said_it() -> None:
    body = "<blockquote><p>Name things well.</p><footer>— <cite>Phil</cite></footer></blockquote>"
    assert between(body) == (Quote("Name things well.", "Phil"),)


@pytest.mark.parametrize(
    "opening",
    [
        '<pre><code class="language-python">',
        '<pre class="brush: python"><code>',
        '<div class="highlight highlight-source-python"><pre>',
        '<div class="highlight-python notranslate"><div class="highlight"><pre>',
        '<pre data-lang="python"><code>',
    ],
)
def test_code_keeps_its_lines_and_its_language(opening: str) -> None:
    body = f"{opening}def f():\n    return <span>1</span> &lt; 2\n"
    assert between(body + "</code></pre>") == (Code("def f():\n    return 1 < 2", "python"),)


def test_a_table_keeps_its_rows_and_a_layout_table_does_not() -> None:
    body = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    assert between(body) == (Table((("a", "b"), ("1", "2"))),)
    assert between("<table><tr><td><p>Only a frame here.</p></td></tr></table>") == (
        Paragraph("Only a frame here."),
    )


def test_pictures_have_absolute_addresses_alt_and_caption_in_their_place() -> None:
    caption = "<figcaption>The <b>graph</b></figcaption>"
    body = f"<figure><img src='../g.png' alt='A graph'>{caption}</figure>"
    assert between(body) == (Picture("https://example.com/g.png", "A graph", "The graph"),)


@pytest.mark.parametrize(
    ("img", "src"),
    [
        ("<img src='data:image/gif;base64,R0' data-src='/lazy.jpg'>", "/lazy.jpg"),
        ("<img src='/s.jpg' srcset='/m.jpg 800w, /l.jpg 1600w, /xxl.jpg 9000w'>", "/l.jpg"),
        ("<picture><source srcset='/w.webp 1200w'><img src='/s.jpg'></picture>", "/w.webp"),
        ("<p><a href='/big'><img src='/in-link.png'></a></p>", "/in-link.png"),
    ],
)
def test_the_picture_that_a_reader_sees_is_taken(img: str, src: str) -> None:
    (picture,) = between(img)
    assert picture == Picture(f"https://example.com{src}")


def test_ornaments_and_tracking_pixels_are_no_pictures() -> None:
    assert (
        between("<img src=/t.gif width=1 height=1><img src=/a.png class=avatar><img src=''>") == ()
    )


def test_footnote_marks_and_heading_anchors_are_gone() -> None:
    anchor, mark = "<a class=headerlink href='#one'>¶</a>", "<sup><a href='#n1'>[1]</a></sup>"
    body = f"<h2>One{anchor}</h2><p>So it is.{mark}</p>"
    assert between(body) == (Heading(2, "One"), Paragraph("So it is."))


def test_a_lead_with_footnotes_in_it_is_not_lost() -> None:
    marked = P1.replace("changed,", "changed,<sup><a href='#n1'>[1]</a></sup>")
    lead = f"<p>{marked} {P2}<sup>[<i>citation needed</i>]</sup> {P3}</p>"
    found = from_html(html(f"<article><h1>Builds</h1>{lead}<p>{P3} {P1}</p></article>"), WEB)
    assert found.blocks == (Paragraph(f"{P1} {P2} {P3}"), Paragraph(f"{P3} {P1}"))


@pytest.mark.parametrize(
    "line",
    [
        "By Jane Doe and John Q. Public",
        "Von Lena Huber, 3. Oktober 2025",
        "Published 12 March 2026, 9:14 a.m. · 4 min read",
        "Posted on 2026-01-05 in python",
        "Tags: python, asyncio",
        "2026年1月10日 公開　文：山田太郎",
    ],
)
def test_a_line_about_the_page_is_no_text_of_it(line: str) -> None:
    found = from_markdown(f"# Builds\n\n{line}\n\n{P1}\n\nBy hand it takes long", "a.md")
    assert found.blocks == (Paragraph(P1), Paragraph("By hand it takes long"))


@pytest.mark.parametrize(
    "figure",
    [
        "<div class='thumb'><img src=a.png><div class=thumbcaption>The graph</div></div>",
        "<div class='wp-caption aligncenter'><img src=a.png><p class='wp-caption-text'>The graph</p></div>",
    ],
)
def test_figures_from_before_html_5_have_their_caption(figure: str) -> None:
    assert between(figure) == (Picture("https://example.com/posts/a.png", "", "The graph"),)


def test_an_alert_is_nobodys_quotation() -> None:
    for alert in ("[!NOTE]", "**Note**", "**Note:**"):
        found = from_markdown(f"# A\n\n> {alert}\n> Mind the gap.\n", "a.md")
        assert found.blocks == (Paragraph("Mind the gap."),)
    assert from_markdown("# A\n\n> **Mind** it.\n", "a.md").blocks == (Quote("Mind it."),)


BOILERPLATE = """
<div id="cookie-consent"><p>We use cookies, as all the others do, so accept them.</p></div>
<header><nav><ul><li><a href=/>Home</a></li><li><a href=/a>About us</a></li></ul></nav></header>
{article}
<div class="share-buttons"><a href=x>Tweet this</a> <a href=y>Like this</a></div>
<div class="newsletter-signup"><p>Get our news in your mailbox, every week, for nothing.</p></div>
<section id="comments"><h2>3 comments</h2>
<p>What a wonderful article this is, thank you so much!</p></section>
<aside><h2>Related posts</h2>
<ul><li><a href=1>One thing</a></li><li><a href=2>Two</a></li></ul></aside>
<footer><p>Copyright 2026 by the Example Company, all rights reserved, of course.</p></footer>
"""


def test_what_is_around_the_article_is_left_out() -> None:
    inner = f"<div class=content><h1>Builds</h1><p>{P1}</p><p>{P2}</p><p>{P3}</p></div>"
    found = from_html(html(BOILERPLATE.format(article=inner)), WEB)
    assert found.blocks == (Paragraph(P1), Paragraph(P2), Paragraph(P3))


def test_what_is_inside_the_article_and_not_of_it_is_left_out() -> None:
    body = """<div class="social-share"><a href=x>Share</a></div>
    <ul class="toc"><li><a href=#a>First part</a></li><li><a href=#b>Second part</a></li></ul>
    <p><a href="/other">Read more: another article of ours</a></p>
    <p hidden>Nobody sees this sentence of mine.</p><script>var a = "no text";</script>"""
    assert between(body) == ()


def test_a_class_name_alone_does_not_cut_the_article_away() -> None:
    inner = f"<div class='main-sidebar-left related'><h1>Builds</h1><p>{P1}</p><p>{P2}</p></div>"
    assert from_html(html(inner), WEB).blocks == (Paragraph(P1), Paragraph(P2))


@pytest.mark.parametrize(
    ("head", "h1", "title"),
    [
        ("<title>How builds work | The Site</title>", "", "How builds work"),
        ("<title>How builds work - The Site</title>", "How builds work", "How builds work"),
        ("<title>How builds work – all of it</title>", "", "How builds work"),
        ("<title>ビルドのしくみ｜小部屋</title>", "", "ビルドのしくみ"),
        ("<title>Make - a history</title>", "Make - a history", "Make - a history"),
        (
            '<title>x</title><meta property="og:title" content="How builds work">'
            '<meta property="og:site_name" content="The Site">',
            "The Site",
            "How builds work",
        ),
        ("<title>Example: How builds work</title>", "Example", "Example: How builds work"),
        ("", "How builds work", "How builds work"),
        ("", "", "Builds"),
    ],
)
def test_the_title_is_the_articles_and_not_the_sites(head: str, h1: str, title: str) -> None:
    top = f"<h1>{h1}</h1>" if h1 else ""
    assert (
        from_html(html(f"{top}<article><p>{P1}</p><p>{P2}</p></article>", head), WEB).title == title
    )


@pytest.mark.parametrize(
    ("stated", "text", "language"),
    [
        ("en-GB", P1, "en-GB"),
        ("", P1, "en"),
        ("en", "変わったところだけを作り直すので、とても速いのです。", "ja"),
        (
            "",
            "Das ist nicht der Weg, und die Zeit ist auf der Uhr zu sehen, mit den Zeigern.",
            "de",
        ),
        ("zh-TW", "只重新製作已經改變的部分，其餘的都保持不變。", "zh-TW"),
        ("", "바뀐 것만 다시 만들고 나머지는 그대로 둡니다.", "ko"),
    ],
)
def test_the_language_is_what_is_stated_unless_the_letters_say_otherwise(
    stated: str, text: str, language: str
) -> None:
    body = f"<article><p>{text}</p><p>{text}!</p></article>"
    assert from_html(html(body, lang=stated), WEB).language == language


def test_line_breaks_inside_japanese_are_no_spaces() -> None:
    body = "<article><p>変わった\n  ところだけを\n作り直す English\n  words。</p></article>"
    (paragraph,) = from_html(html(body, lang="ja"), WEB).blocks
    assert paragraph == Paragraph("変わったところだけを作り直す English words。")


def test_two_line_breaks_begin_a_paragraph() -> None:
    assert between("<div>One line here,<br>and its end.<br><br>Two follows one.</div>") == (
        Paragraph("One line here, and its end."),
        Paragraph("Two follows one."),
    )


@pytest.mark.parametrize("name", ["hello", "konnichiwa"])
def test_the_examples_are_taken_apart_in_order(name: str) -> None:
    text = (ROOT / "projects" / name / "article.html").read_text(encoding="utf-8")
    found = from_html(text, "article.html")
    kinds = [type(block) for block in found.blocks]
    assert kinds.count(Picture) == 2
    assert {Heading, Paragraph, Bullets, Code, Table} <= set(kinds)
    said = str(found.blocks)
    for foreign in (
        "cookie",
        "Archive",
        "Related",
        "Mastodon",
        "Privacy",
        "お問い合わせ",
        "名無し",
        "LINE",
    ):
        assert foreign not in said
    assert all(block.caption and block.alt for block in found.blocks if isinstance(block, Picture))
    assert next(block for block in found.blocks if isinstance(block, Code)).language == "python"
    words = sum(len(b.text.split()) for b in found.blocks if isinstance(b, Paragraph))
    chars = sum(len(b.text) for b in found.blocks if isinstance(b, Paragraph))
    assert words >= 600 if name == "hello" else chars >= 1300


def test_markdown_gives_the_same_blocks_and_its_front_matter() -> None:
    text = f"""---
title: Builds
description: What they do
lang: en
---

# Builds

{P1}

## One

- a
- b

> Name things well.

```python
x = 1
```

| a | b |
|---|---|
| 1 | 2 |

![A graph](g%201.png)
"""
    found = from_markdown(text, "docs/a.md")
    assert (found.title, found.description, found.language) == ("Builds", "What they do", "en")
    assert found.blocks == (
        Paragraph(P1),
        Heading(2, "One"),
        Bullets(("a", "b")),
        Quote("Name things well."),
        Code("x = 1", "python"),
        Table((("a", "b"), ("1", "2"))),
        Picture("g 1.png", "A graph"),
    )


def test_plain_text_has_headings_lists_and_paragraphs() -> None:
    text = f"Builds\n======\n\n{P1}\n{P2}\n\nHow it works\n\n- a\n- b\n  more\n\n{P3}\n"
    found = from_plain(text, "a.txt")
    assert found.title == "Builds"
    assert found.blocks == (
        Paragraph(f"{P1} {P2}"),
        Heading(2, "How it works"),
        Bullets(("a", "b more")),
        Paragraph(P3),
    )


MALFORMED = [
    "",
    " \n",
    "<",
    "<html><body><p>open <b>bold <i>both</b> text",
    "<table><tr><td>x<table><td>y</table>",
    "</p></div></body></html><p>late</p>",
    "<img src='http://[bad'><base href='http://[worse'><p>Some text is here.</p>",
    "<ul><li><ul><li></ul></ul><dl><dd>alone</dl><blockquote></blockquote><pre></pre><figure></figure>",
    "<?xml version='1.0' encoding='shift_jis'?><html><body><p>text</p></body></html>",
    "a\x00b\x0b<p>\ud800</p>",
    "<div>" * 3000 + "deep",
    "<title><h1></title><h1></h1><p>" + "x" * 100_000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_pages_do_not_crash(text: str) -> None:
    assert from_html(text, WEB).origin == WEB
    assert from_markdown(text, "a.md").origin == "a.md"
    assert from_plain(text, "a.txt").origin == "a.txt"


TAGS = ["p", "div", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "td", "h1", "h2", "pre"]
TAGS += ["blockquote", "code", "figure", "figcaption", "img", "br", "a", "b", "sup", "details"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([*(f"<{t}>" for t in TAGS), *(f"</{t}>" for t in TAGS), "word ", "次。"])
    )
)
def test_no_soup_of_tags_crashes(soup: list[str]) -> None:
    assert isinstance(from_html("".join(soup), WEB), Article)


def test_the_page_is_called_by_its_own_heading_and_not_by_its_books() -> None:
    head = "<title>Chapters - The Very Long Handbook</title>"
    book = '<div><h1 class="menu-title">The Very Long Handbook</h1></div>'
    own = f"{book}<main><h1>Chapters</h1><p>{P1}</p><p>{P2}</p></main>"
    assert from_html(html(own, head), WEB).title == "Chapters"
    unnamed = f"{book}<main><h2>Parts</h2><p>{P1}</p><p>{P2}</p></main>"
    assert from_html(html(unnamed, head), WEB).title == "Chapters"


def test_a_caption_that_is_a_paragraph_is_the_pictures_and_no_text() -> None:
    picture = '<p><img src="a.png" width="600" height="400"></p><p>Figure 4-3: What is where</p>'
    found = between(f"{picture}<p>Listing 2: The whole program</p>")
    assert [block.caption for block in found if isinstance(block, Picture)] == [
        "Figure 4-3: What is where"
    ]
    assert not any("Listing" in block.text for block in found if isinstance(block, Paragraph))


def test_a_note_at_the_foot_and_a_byline_with_comments_are_no_text() -> None:
    around = "<p>By Martha O'Neill, 14 January 2023 · 12 comments</p>"
    assert between(f"{around}<p>[1] Data are released for all to read and to use.</p>") == ()


def test_a_quotation_signed_in_its_text_keeps_who_said_it() -> None:
    (said,) = between("<blockquote>Less is more.<br>— Alan Pike, director</blockquote>")
    assert said == Quote("Less is more.", "Alan Pike, director")


def test_a_table_loses_columns_that_held_only_pictures_and_a_list_of_links_is_none() -> None:
    rows = "<tr><th>Sign</th><th>Name</th><th>Means</th></tr>"
    rows += '<tr><td><img src="x.png"></td><td>stop</td><td>It does not build</td></tr>'
    found = between(
        f"<table>{rows}</table><ul><li><a href='/a'>One</a><li><a href='/b'>Two</a></ul>"
    )
    assert found == (Table((("Name", "Means"), ("stop", "It does not build"))),)
