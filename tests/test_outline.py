from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_build.article import (
    Article,
    Block,
    Bullets,
    Code,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Table,
)
from movie_build.authors.outline import Outline, OutlineSettings, outline
from movie_build.authors.protocol import Author
from movie_build.errors import AuthorError
from movie_build.phrases import clause_bullets, item_bullets
from movie_build.script import Image, Quotation, Script
from movie_build.source import read
from movie_build.spoken import seconds, speakable, spoken_minutes

PROJECTS = Path(__file__).parent.parent / "projects"
FACTS = [
    "The build keeps every recording that is still right under a name of its own.",
    "A digest of the text decides which recording belongs to a line of the script.",
    "Nobody has to wait for work that the machine has already finished before.",
    "Files are written under another name first and are renamed at the very end.",
    "Two lines with the same words share a single recording on the disk.",
]


def article(*blocks: Block, title: str = "Builds", **more: str) -> Article:
    return Article(title, more.pop("origin", "article.html"), blocks, **{"language": "en", **more})


def prose(n_sentences: int, start: int = 0) -> Paragraph:
    return Paragraph(" ".join(FACTS[(start + n) % len(FACTS)] for n in range(n_sentences)))


def chapter(title: str, n_sentences: int = 3, level: int = 2) -> tuple[Block, ...]:
    return Heading(level, title), prose(n_sentences, start=len(title))


def spoken(script: Script) -> str:
    return "\n".join(line.text for section in script.sections for line in section.narrations)


def section_of(script: Script, title: str) -> object:
    return next(section for section in script.sections if section.title == title)


@pytest.fixture(scope="module", params=["hello", "konnichiwa"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Script:
    base = PROJECTS / request.param
    return outline(read("article.html", base=base, cache=tmp_path_factory.mktemp("cache")))


def test_an_example_is_a_watchable_script(example: Script) -> None:
    assert 8 <= len(example.sections) <= 12
    assert 3 < spoken_minutes(example) < 6
    for section in example.sections[1:-1]:
        assert 2 <= len(section.narrations) <= 6
        assert section.image or section.quote or section.html or section.bullets
        assert len(section.bullets) <= 6
    assert sum(bool(section.image) for section in example.sections) == 2
    assert sum("<table>" in section.html for section in example.sections) == 1
    assert sum("<pre>" in section.html for section in example.sections) == 1
    most = 125 if example.language == "ja" else 250
    assert all(
        len(line.text) <= most for section in example.sections for line in section.narrations
    )


def test_an_example_opens_with_its_title_and_says_what_follows(example: Script) -> None:
    opening = example.sections[0]
    assert (opening.template, opening.title) == ("title", example.title)
    assert opening.subtitle
    assert opening.narrations[0].text.startswith(example.title)
    assert len(opening.narrations) > 1


def test_the_outline_is_an_author_and_always_writes_the_same() -> None:
    author: Author = Outline()
    blocks = (*chapter("One", 9), *chapter("Two", 7), *chapter("Three", 8))
    assert author.write(article(*blocks)) == author.write(article(*blocks))


def test_sections_come_from_the_headings() -> None:
    script = outline(article(prose(2), *chapter("One"), *chapter("Two"), *chapter("Three")))
    titles = [section.title for section in script.sections]
    assert titles == ["Builds", "One", "Two", "Three", "What we covered"]
    assert script.sections[-1].bullets == ("One", "Two", "Three")


def test_an_article_that_concludes_by_itself_gets_no_second_end() -> None:
    script = outline(article(*chapter("One"), *chapter("Two"), *chapter("Conclusion")))
    assert script.sections[-1].title == "Conclusion"


def test_chapter_numbers_are_not_titles() -> None:
    script = outline(article(*chapter("1. One"), *chapter("2.3 Two"), *chapter("第3章 暦")))
    assert [section.title for section in script.sections[1:4]] == ["One", "Two", "暦"]


def test_short_sub_sections_share_a_slide_that_lists_them() -> None:
    blocks = (
        Heading(2, "Changes"),
        prose(1),
        *chapter("By clock", 2, 3),
        *chapter("By content", 2, 3),
    )
    script = outline(article(*blocks, *chapter("Other")))
    section = script.sections[1]
    assert (section.title, section.bullets) == ("Changes", ("By clock", "By content"))


def test_a_page_of_nothing_but_short_sections_loses_none_of_them() -> None:
    blocks = [prose(2)]
    for name in ("Flour", "Water", "Salt"):
        blocks += [Heading(2, name), Paragraph(f"{name} is good. It is cheap.")]
    script = outline(article(*blocks))
    assert all(f"{name} is good." in spoken(script) for name in ("Flour", "Water", "Salt"))


def test_long_sub_sections_get_slides_of_their_own() -> None:
    blocks = (
        Heading(2, "Changes"),
        prose(3),
        *chapter("By clock", 8, 3),
        *chapter("By content", 8, 3),
    )
    titles = [section.title for section in outline(article(*blocks, *chapter("Other"))).sections]
    assert titles[1:5] == ["Changes", "By clock", "By content", "Other"]


def test_many_headings_become_twelve_sections_at_most() -> None:
    script = outline(article(*(b for n in range(40) for b in chapter(f"Part {n}", 4))))
    assert len(script.sections) <= 12
    assert all(2 <= len(section.narrations) <= 6 for section in script.sections[1:-1])


def test_an_article_without_headings_is_cut_and_named_by_what_it_says() -> None:
    script = outline(article(*(prose(6, n) for n in range(8))))
    assert 5 <= len(script.sections) <= 12
    assert all(section.title for section in script.sections)


@pytest.mark.parametrize("minutes", [1, 3, 5, 10])
def test_a_long_article_keeps_to_the_time(minutes: int) -> None:
    long = article(
        prose(4), *(b for n in range(25) for b in (*chapter(f"Part {n}", 14), prose(14, n)))
    )
    script = outline(long, OutlineSettings(max_minutes=minutes))
    assert 0.6 * minutes < spoken_minutes(script) <= minutes


def test_a_sentence_that_leans_on_another_is_kept_only_with_it() -> None:
    pairs = [
        f"Number {n} of the many tools remakes every file that somebody has changed since. "
        f"It, number {n}, then looks at all the others with some suspicion."
        for n in range(30)
    ]
    script = outline(article(Heading(2, "Tools"), Paragraph(" ".join(pairs)), *chapter("Two")))
    said = spoken(script)
    leaning = re.findall(r"It, number (\d+)", said)
    assert all(f"Number {n} of" in said for n in leaning)
    assert said.count("Number") < 30


def test_what_is_only_for_the_eye_is_not_spoken() -> None:
    text = (
        "Builds are quick[1] (click here) and they are safe (see Figure 2). "
        "More is at https://example.com/a?b=c for those who want it. "
        "All rights reserved. x = {'a': [1, 2], 'b': (3, 4)}; y = x['a'][0] ** 2 / (1 + 3)."
    )
    said = spoken(outline(article(Paragraph(text), *chapter("One"))))
    assert "Builds are quick and they are safe." in said
    for unwanted in ("[1]", "click", "Figure", "http", "rights", "{"):
        assert unwanted not in said


def test_a_web_address_is_spoken_as_its_site() -> None:
    assert speakable("Details are at https://www.example.com/a/b?c=d or here.") == (
        "Details are at example.com or here."
    )
    assert speakable("Read it (https://example.com/a) twice.") == "Read it twice."
    assert speakable("https://example.com/のページ") == "example.com"


def test_names_in_other_letters_and_in_phonetic_ones_are_not_spoken() -> None:
    named = "The Pharos (/ˈfɛərɒs/ FAIR-oss; Ancient Greek: ὁ Φάρος) stood in Egypt (280 BC)."
    assert speakable(named) == "The Pharos stood in Egypt (280 BC)."
    assert speakable('The dam ("seven stadia"—a unit) is long.') == (
        'The dam ("seven stadia"—a unit) is long.'
    )


def test_what_asks_for_a_click_or_thanks_is_not_spoken() -> None:
    notices = (
        "Sign up to our newsletter to get the day's top stories. "
        "This article was amended on 13 March 2026 to correct a number. "
        "Thanks to Ana for reading a draft of this. Comments? See also: Archimedes' heat ray. "
        "As you can see above, the handlers wait. Sign up sheets hang in the hall."
    )
    said = spoken(outline(article(prose(2), *chapter("One"), Paragraph(notices))))
    assert said.endswith("The handlers wait. Sign up sheets hang in the hall.")
    assert not re.search("newsletter|amended|Ana|Comments|heat ray|above", said)
    japanese = Paragraph(
        "空は暗い。※講演をもとに再構成した。この記事が気に入ったらシェアをお願いします！"
    )
    said = spoken(outline(article(japanese, language="ja")))
    assert "空は暗い。" in said and "※" not in said and "シェア" not in said


def test_a_list_of_names_keeps_its_capitals_and_its_commas() -> None:
    items = Bullets(("Airport to University, by 2029", "University to Harbour, by 2031"))
    script = outline(article(Heading(2, "One"), Paragraph("It has two stages:"), items, prose(2)))
    assert script.sections[1].narrations[0].text == (
        "It has two stages: Airport to University, by 2029; and University to Harbour, by 2031."
    )


def test_a_list_that_only_its_heading_announces_is_shown_and_spoken() -> None:
    items = Bullets(("Flour", "Water", "Salt"))
    script = outline(article(*chapter("One"), Heading(2, "You need"), items, *chapter("Two")))
    section = script.sections[2]
    assert (section.title, section.bullets) == ("You need", items.items)
    assert [line.text for line in section.narrations] == ["You need: flour, water, and salt."]


def test_one_sub_heading_does_not_hide_the_list_above_it() -> None:
    items = Bullets(("Read the text", "Plan the work"))
    blocks = (Heading(2, "One"), prose(1), items, Heading(3, "Why"), prose(1, 2))
    script = outline(article(*blocks, *chapter("Two")))
    assert script.sections[1].bullets == items.items


def test_one_point_alone_is_no_list() -> None:
    told = Paragraph("Turn on debug mode in your tests, and you find out early. It is simple.")
    section = outline(article(Heading(2, "One"), told, *chapter("Two"))).sections[1]
    assert (section.subtitle, section.bullets) == ("Turn on debug mode in your tests", ())


def test_a_short_end_has_a_slide_of_its_own() -> None:
    blocks = (*chapter("One"), Heading(2, "Conclusion"), Paragraph("Keep what is still right."))
    script = outline(article(prose(2), *blocks))
    assert [section.title for section in script.sections[1:]] == ["One", "Conclusion"]
    assert script.sections[-1].narrations[0].text == "Keep what is still right."


def test_german_quotation_marks_are_kept() -> None:
    text = "„Ein Schnitt lenkt den Riss“, sagt Meier. „Wer nicht schneidet, verliert.“ Er geht."
    said = spoken(outline(article(Paragraph(text), title="Brot", language="de")))
    assert "„Ein Schnitt lenkt den Riss“, sagt Meier." in said
    assert said.endswith("„Wer nicht schneidet, verliert.“\nEr geht.") or "“ Er geht." in said


def test_furigana_in_brackets_are_not_spoken_twice() -> None:
    assert (
        speakable("渋川春海（しぶかわはるみ）が暦（こよみ）を作った。") == "渋川春海が暦を作った。"
    )


def test_link_sections_are_left_out_with_what_is_below_them() -> None:
    blocks = (*chapter("One"), Heading(2, "See also"), prose(2), Heading(3, "Elsewhere"), prose(2))
    script = outline(
        article(*blocks, *chapter("Two"), Heading(2, "参考文献"), Paragraph("本が二冊ある。"))
    )
    assert [section.title for section in script.sections] == ["Builds", "One", "Two"]


def test_a_picture_goes_to_the_slide_from_beside_the_article() -> None:
    blocks = (Heading(2, "One"), prose(3), Picture("img/a.png", "alt text", "The graph"))
    script = outline(article(*blocks, *chapter("Two"), origin="docs/a.html"))
    assert script.sections[1].image == Image("docs/img/a.png", "The graph")
    web = outline(
        article(Heading(2, "One"), prose(3), Picture("https://e.org/a.png"), *chapter("Two"))
    )
    assert web.sections[1].image == Image("https://e.org/a.png")


def test_two_things_to_show_get_two_slides() -> None:
    blocks = (
        prose(3),
        Picture("a.png", "", "A"),
        prose(3, 1),
        Picture("b.png", "", "B"),
        prose(2, 4),
    )
    script = outline(article(Heading(2, "One"), *blocks, *chapter("Two")))
    shown = [
        (section.title, section.image and section.image.caption) for section in script.sections[1:3]
    ]
    assert shown == [("One", "A"), ("One (2)", "B")]


def test_a_list_of_words_ends_the_sentence_that_announces_it() -> None:
    items = Bullets(("Read the text", "Plan the work", "Run it"))
    script = outline(
        article(Heading(2, "One"), Paragraph("There are three steps:"), items, prose(2))
    )
    section = script.sections[1]
    assert (
        section.narrations[0].text
        == "There are three steps: read the text, plan the work, and run it."
    )
    assert section.bullets == items.items


def test_a_list_of_sentences_is_spoken_as_sentences() -> None:
    items = Bullets(
        (
            "The text: the words as they will be spoken after clean-up",
            "The voice: which engine and which model version is to speak",
        )
    )
    script = outline(
        article(Heading(2, "One"), Paragraph("Two things belong in it:"), items, prose(1))
    )
    assert "Two things belong in it.\nThe text: the words" in spoken(script)
    assert script.sections[1].bullets == ("The text", "The voice")


def test_the_beginning_of_a_list_that_is_not_spoken_does_not_hang_in_the_air() -> None:
    items = Bullets(
        tuple(f"do the thing that is number {n} of all the many things" for n in range(12))
    )
    said = spoken(
        outline(article(Heading(2, "One"), prose(2), Paragraph("They can be used to:"), items))
    )
    assert "used to" not in said


def test_code_is_shown_escaped_and_never_spoken() -> None:
    blocks = (Paragraph(f"{FACTS[0]} This is it:"), Code('if a < b:\n    print("&")', "python"))
    script = outline(article(Heading(2, "One"), *blocks, *chapter("Two")))
    section = script.sections[1]
    assert section.html == (
        '<pre><code class="language-python">if a &lt; b:\n    print("&amp;")</code></pre>'
    )
    assert section.narrations[-1].text.endswith("This is it.")
    assert "print" not in spoken(script)


def test_code_too_long_for_a_slide_is_left_out_with_its_announcement() -> None:
    code = Code("\n".join(f"line {n}" for n in range(60)))
    blocks = (
        Paragraph(f"{FACTS[0]} It looks like this:"),
        code,
        Paragraph("and so on. " + FACTS[1]),
    )
    script = outline(article(Heading(2, "One"), *blocks, *chapter("Two")))
    assert not script.sections[1].html
    assert "looks like" not in spoken(script)
    assert "and so on" not in spoken(script)


def test_a_small_table_is_shown_and_a_large_one_is_not() -> None:
    def shown(n_rows: int) -> str:
        table = Table((("a", "b"), *((str(n), "<x>") for n in range(n_rows))))
        return (
            outline(article(Heading(2, "One"), prose(2), table, *chapter("Two"))).sections[1].html
        )

    assert shown(2).startswith("<table>\n<thead><tr><th>a</th><th>b</th></tr></thead>")
    assert "&lt;x&gt;" in shown(2)
    assert shown(30) == ""


def test_a_quotation_has_the_slide_and_is_spoken() -> None:
    quote = Quote("Name things well.", "Phil")
    script = outline(article(Heading(2, "One"), prose(2), quote, *chapter("Two")))
    assert script.sections[1].quote == Quotation("Name things well.", "Phil")
    assert "“Name things well.”" in spoken(script)


def test_bullets_are_short_clauses_that_stand_alone() -> None:
    sentences = [
        "Make, which was written in 1976, compares modification times.",
        "It is easily fooled.",
        "However, a fresh checkout changes all the times, so everything is built again.",
        "If an input is newer, the output is stale.",
        "Why is that so?",
    ]
    assert clause_bullets(sentences, "Clock", "en") == [
        "Make compares modification times",
        "A fresh checkout changes all the times",
    ]
    named = ["git: tracks the changes", "make: remakes them all"]
    assert item_bullets(named, "en") == ["git", "make"]
    assert clause_bullets(
        ["暦が変わっても、月の暦は消えていません。", "これは長い。"], "", "ja"
    ) == ["暦が変わっても、月の暦は消えていません"]


def test_a_bullet_is_what_is_announced_and_not_its_announcement() -> None:
    rule = "The rule of thumb: nothing in a coroutine should take long."
    assert clause_bullets([rule], "One", "en") == ["Nothing in a coroutine should take long"]
    inserted = "The first Ptolemy (Ptolemy I Soter) declared himself king."
    assert clause_bullets([inserted], "One", "en") == ["The first Ptolemy declared himself king"]


def test_long_sentences_are_cut_at_clauses() -> None:
    clauses = ", ".join(f"and number {n} of the clauses goes on and on" for n in range(12))
    script = outline(
        article(Heading(2, "One"), Paragraph(f"It begins {clauses}."), *chapter("Two"))
    )
    lines = [line.text for line in script.sections[1].narrations]
    assert len(lines) > 1
    assert all(len(line) <= 250 for line in lines)
    assert all(line.endswith((",", ".")) for line in lines)


def test_speaking_rates_are_those_of_a_narrator() -> None:
    assert seconds("word " * 155) == pytest.approx(60)
    assert seconds("あ" * 330) == pytest.approx(60)
    assert seconds("—!?") == 0


def test_the_articles_language_wins_over_the_settings() -> None:
    assert outline(article(*chapter("One")), OutlineSettings(language="ja")).language == "en"
    unknown = article(*chapter("One"), language="")
    assert outline(unknown, OutlineSettings(language="fr")).language == "fr"


def test_an_article_with_nothing_to_say_is_an_error() -> None:
    with pytest.raises(AuthorError, match=r"article\.html: there are no sentences"):
        outline(article(Code("x = 1"), Picture("a.png")))


words = st.sampled_from(
    [*FACTS, "Short one.", "It is so:", "次の文です。", "[1]", "https://e.org/x", "…"]
)
texts = st.lists(words, min_size=1, max_size=12).map(" ".join)
blocks = st.one_of(
    st.builds(
        Heading, st.integers(1, 6), st.sampled_from(["One", "Two", "See also", "3. Three", "四"])
    ),
    st.builds(Paragraph, texts),
    st.builds(Bullets, st.lists(texts, min_size=1, max_size=9).map(tuple), st.booleans()),
    st.builds(Quote, texts, st.just("Phil")),
    st.builds(Code, st.sampled_from(["x = 1", "y\n" * 50])),
    st.just(Table((("a", "b"), ("1", "2")))),
    st.just(Picture("p.png", "", "A picture")),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(blocks, max_size=40).map(tuple),
    st.sampled_from(["en", "ja", "de", ""]),
    st.sampled_from([1.0, 4.0, 10.0]),
)
def test_any_article_gives_a_well_formed_script(
    found: tuple[Block, ...], language: str, minutes: float
) -> None:
    one = replace(article(*found, description=FACTS[0]), language=language)
    script = outline(one, OutlineSettings(max_minutes=minutes))
    assert script == outline(one, OutlineSettings(max_minutes=minutes))
    assert 1 <= len(script.sections) <= 12
    for section in script.sections:
        assert section.title.strip()
        assert section.narrations
        assert all(line.text.strip() and len(line.text) <= 250 for line in section.narrations)
        assert all(any(map(str.isalnum, line.text)) for line in section.narrations)
        assert len(section.bullets) <= 8 and all(section.bullets)
        assert sum(map(bool, (section.image, section.quote, section.html, section.bullets))) <= 1
    assert "http" not in spoken(script)


def test_a_japanese_address_leaves_its_sentence_whole() -> None:
    assert speakable("https://example.com/resticをご覧ください。") == "example.comをご覧ください。"


@pytest.mark.parametrize(
    "sentence",
    [
        'Only eval "$(tool init --path)" sets the path that the shell reads.',
        "Run pip install --upgrade everything before the next build of the movie.",
        "The folder <prefix>/versions holds what was installed by the tool.",
        "A call of require('foo') reads the file once and keeps its exports.",
        "See the chapter on ownership for more details on how this works.",
        "(See Technical Details.)",
    ],
)
def test_what_is_typed_and_what_sends_the_reader_elsewhere_is_not_spoken(sentence: str) -> None:
    heard = spoken(outline(article(Heading(2, "One"), Paragraph(f"{FACTS[0]} {sentence}"))))
    assert FACTS[0] in heard and sentence.strip("()") not in heard


def test_a_part_cut_at_a_heading_is_called_by_it() -> None:
    table = Table((("Machine", "Power"), ("old", "9 W")))
    steps = Bullets(("Put rubber under the case of it", "Turn the fans down by a third"))
    script = outline(
        article(
            Heading(2, "Power and noise"),
            *(Heading(3, "Measure it"), prose(2), table),
            *(Heading(3, "Make it quiet"), prose(2, 2), steps),
            *chapter("After that"),
        )
    )
    assert [section.title for section in script.sections[1:3]] == [
        "Power and noise",
        "Make it quiet",
    ]
    assert "<table>" in script.sections[1].html
    assert len(script.sections[2].bullets) == 2


def test_a_long_list_of_explanations_is_told_by_its_first_items() -> None:
    items = tuple(f"user{n}: {FACTS[n % 5]} {FACTS[(n + 1) % 5]}" for n in range(20))
    heard = spoken(outline(article(*chapter("One"), Heading(2, "Users"), prose(1), Bullets(items))))
    assert f"user0: {FACTS[0]}" in heard and "user19" not in heard


def test_what_announces_a_list_is_not_spoken_as_half_a_sentence() -> None:
    items = Bullets((FACTS[1], FACTS[2]))
    heard = spoken(outline(article(Heading(2, "One"), Paragraph(f"{FACTS[0]} This means:"), items)))
    assert f"This means: {FACTS[1]}" in heard
    cut = spoken(outline(article(Paragraph(f"{FACTS[0]} There are macros, some of which are:"))))
    assert "which are" not in cut


def test_a_japanese_list_of_names_in_small_letters_is_told_item_by_item() -> None:
    items = Bullets(
        (
            "print!: テキストをコンソールに出力し、改行はしません",
            "format!: テキストを文字列に書き込みます",
        )
    )
    script = outline(
        article(Heading(2, "出力"), Paragraph("出力のマクロは2つあります。"), items, language="ja")
    )
    assert "format!: テキストを文字列に書き込みます。" in spoken(script)


def test_bullets_are_not_cut_within_an_enumeration_or_a_name() -> None:
    item = "Cargo, the build tool, makes adding, compiling, and managing dependencies painless"
    (bullet,) = item_bullets([f"{item} and consistent across the ecosystem"], "en")
    assert bullet.endswith("…")
    assert item_bullets(["fmt::Debug: 目印を使って出力します"], "ja") == ["fmt::Debug"]


def test_what_a_site_says_of_itself_in_another_language_is_not_spoken() -> None:
    told = "A collection of runnable examples that illustrate the standard libraries."
    text = Paragraph("テストには3つの種類があります。順番に見ていきましょう。")
    script = outline(article(Heading(2, "種類"), text, language="ja", description=told))
    assert told not in spoken(script) and not script.sections[0].subtitle


@pytest.mark.parametrize("first", [True, False], ids=["above its text", "below its text"])
def test_two_pictures_of_a_section_get_a_slide_each(first: bool) -> None:
    texts = (
        "A light that stands higher is seen from farther away. The Pharos was a hundred metres tall.",
        "The range grows with the square root only. Nobody built much higher, since stone is dear.",
    )
    pictures = (Picture("tower.png", "", "A tower"), Picture("lens.png", "", "A lens"))
    blocks = []
    for text, picture in zip(texts, pictures, strict=True):
        both = (picture, Paragraph(text)) if first else (Paragraph(text), picture)
        blocks += both
    script = outline(article(Paragraph("Intro text that is here."), Heading(2, "Towers"), *blocks))
    shown = [Path(section.image.path).name for section in script.sections if section.image]
    assert shown == ["tower.png", "lens.png"]
