"""The three-way merge of scripts: what a user wrote survives, what a page says new comes in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_build.errors import InputError
from movie_build.merge import Merged, merge
from movie_build.script import Image, Line, Script, Section
from movie_build.script_file import SCHEMA_LINE, dump, to_script
from movie_build.script_things import checked

BASE = """\
title: Bread
sections:

  - title: Flour
    bullets:
      - Wheat
      - Rye
    narrations:
      - Flour is ground grain.
      - It comes in many kinds.
      - Rye flour is darker than wheat flour.

  - title: Water
    narrations:
      - Water wakes the yeast.
"""


def read(text: str) -> Script:
    """What a script says."""
    file, keys = checked(text, "script.yaml")
    return to_script(keys, file)


def texts(script: Script) -> list[str]:
    """All lines' texts."""
    return [line.text for section in script.sections for line in section.narrations]


def merged(mine: str, theirs: str, base: str = BASE, **options: Any) -> Merged:
    """The merge of two texts that differ from `base`."""
    return merge(base, mine, theirs, name="script.yaml", **options)


def edited(*pairs: tuple[str, str], text: str = BASE) -> str:
    """`text` with replacements, each of which must be possible."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_both_sides_changes_come_together_and_everything_else_stays_as_it_is() -> None:
    mine = edited(
        ("title: Bread\n", '# my movie\ntitle: "Bread"   # to be renamed\n'),
        (
            "- It comes in many kinds.",
            "- 'It comes in many kinds.'  # check\n      # - dropped\n      - My own line.",
        ),
        ("- Water wakes the yeast.", "- {text: Water wakes the yeast., pause: 1.50}"),
    )
    theirs = edited(
        ("Flour is ground", "Flour is finely ground"),
        (
            "  - title: Water",
            "  - title: Salt\n    narrations:\n      - Salt gives taste.\n\n  - title: Water",
        ),
    )
    found = merged(mine, theirs)
    assert found.conflicts == ()
    assert found.text == edited(
        ("Flour is ground", "Flour is finely ground"),
        (
            "  - title: Water",
            "  - title: Salt\n    narrations:\n      - Salt gives taste.\n\n  - title: Water",
        ),
        text=mine,
    )


def test_what_both_changed_stays_the_users_with_the_drafts_above_it() -> None:
    mine = edited(("Flour is ground grain.", "Flour, my friends, is ground grain."))
    theirs = edited(("Flour is ground grain.", "Flour is ground grain, sifted."))
    found = merged(mine, theirs)
    assert found.text == edited(
        (
            "      - Flour, my",
            "      # >>> new draft, text: it is changed there too; yours is in force\n"
            "      # - Flour is ground grain, sifted.\n"
            "      # <<<\n"
            "      - Flour, my",
        ),
        text=mine,
    )
    (conflict,) = found.conflicts
    assert str(conflict.where) == "script.yaml:9"
    assert "Flour, my friends" in conflict.what
    assert (
        texts(read(merged(mine, theirs, prefer="theirs").text))[0]
        == "Flour is ground grain, sifted."
    )
    assert merged(mine, theirs, prefer="mine").text == mine


def test_a_conflict_is_written_once_and_not_again_once_resolved() -> None:
    mine = edited(("Flour is ground grain.", "Flour is grain."))
    theirs = edited(("Flour is ground grain.", "Flour is ground corn."))
    first = merged(mine, theirs).text
    assert merged(first, theirs, base=theirs).text == first
    newer = edited(("Flour is ground grain.", "Flour is ground seeds."))
    second = merged(first, newer, base=theirs).text
    assert second.count(">>>") == 1
    assert "# - Flour is ground seeds." in second
    resolved = re.sub(r" *# >>>[^<]*<<<\n", "", second)
    assert merged(resolved, newer, base=newer) == Merged(resolved)


def test_a_field_is_merged_by_itself_and_a_reading_with_its_text() -> None:
    mine = edited(
        ("- Flour is ground grain.", "- text: Flour is ground grain.\n        pause: 2"),
        ("- It comes in", "- text: It comes in really"),
    )
    theirs = edited(
        ("- Flour is ground grain.", "- text: Flour is ground corn.\n        reading: flower"),
        ("- It comes in many kinds.", "- text: It comes in many kinds.\n        reading: kainds"),
    )
    found = merged(mine, theirs)
    first, second, *_ = read(found.text).sections[0].narrations
    assert first == Line("Flour is ground corn.", reading="flower", pause_s=Fraction(2))
    assert second == Line("It comes in really many kinds.")
    assert len(found.conflicts) == 1


def test_removed_by_one_side_is_removed_unless_the_other_has_changed_it() -> None:
    mine = edited(
        ("      - It comes in many kinds.\n", ""), ("Rye flour is darker", "Rye is darker")
    )
    theirs = edited(
        ("      - Rye flour is darker than wheat flour.\n", ""),
        ("It comes in many kinds.", "It comes in all kinds."),
    )
    found = merged(mine, theirs)
    assert texts(read(found.text))[:2] == [
        "Flour is ground grain.",
        "Rye is darker than wheat flour.",
    ]
    assert "# - It comes in all kinds." in found.text
    assert [conflict.what for conflict in found.conflicts] == [
        "line “Rye is darker than wheat flour.”: it is gone in the new draft, "
        "and you changed it here; it stays",
        "line “It comes in all kinds.”: line you removed: it is changed in the new draft, "
        "and you removed it here; it stays away (its own is in the comment)",
    ]
    took = read(merged(mine, theirs, prefer="theirs").text)
    assert texts(took)[:2] == ["Flour is ground grain.", "It comes in all kinds."]


def test_a_removed_lines_comments_stay() -> None:
    mine = edited(
        ("      - It comes", "      # keep me\n      - It comes"),
        ("many kinds.", "many kinds. # me too"),
    )
    theirs = edited(("      - It comes in many kinds.\n", ""))
    found = merged(mine, theirs).text
    assert "# keep me\n      # me too\n      - Rye" in found


def test_sections_moved_by_one_side_are_moved_with_what_is_in_them() -> None:
    _, first, second = re.split(r"\n(?=\n  - )|(?<=:)\n(?=\n  - )", BASE.rstrip("\n"))
    theirs = f"title: Bread\nsections:\n{second}\n{first}\n"
    mine = edited(
        ("- Water wakes", "- Only water wakes"), ("  - title: Water", "  # mine\n  - title: Water")
    )
    found = merged(mine, theirs)
    assert [section.title for section in read(found.text).sections] == ["Water", "Flour"]
    assert "  # mine\n  - title: Water\n    narrations:\n      - Only water" in found.text
    assert found.conflicts == ()


def test_every_way_of_writing_a_script_can_be_merged_into() -> None:
    mine = (
        "\ttitle: Bread\n".lstrip("\t")
        + "sections:\n- title:    Flour\n  bullets: [Wheat,   Rye]\n  dialogues:\n"
        + "  -   narration: |\n        Flour is ground grain.\n"
        + "  -\n    text: >-\n      It comes in\n      many kinds.\n"
        + "  - &rye Rye flour is darker than wheat flour.\n"
        + "- {title: Water, narration: Water wakes the yeast.}  # short\n"
    )
    assert read(mine) == read(BASE)
    theirs = edited(
        ("- Flour is ground grain.", "- text: Flour is ground corn.\n        persona_id: a"),
        ("- It comes in many kinds.", "- It comes in all kinds."),
        ("- Rye flour is darker than", "- Rye flour is not"),
        ("- Water wakes the yeast.", "- Water wakes the yeast.\n      - And salt it."),
        ("- Wheat", "- Spelt"),
    )
    found = merged(mine, theirs)
    script = read(found.text)
    assert texts(script) == [
        "Flour is ground corn.",
        "It comes in all kinds.",
        "Rye flour is darker than wheat flour.",
        "Water wakes the yeast.",
        "And salt it.",
    ]
    assert script.sections[0].bullets == ("Spelt", "Rye")
    assert script.sections[0].narrations[0].persona_id == "a"
    assert "# short" in found.text
    (conflict,) = found.conflicts
    assert "anchor" in conflict.what


def test_windows_line_ends_stay() -> None:
    mine = edited(("Flour is", "Flour always is")).replace("\n", "\r\n")
    theirs = edited(("Water wakes the yeast.", "Water wakes it.\n      - Then it grows."))
    found = merged(mine, theirs).text
    assert "Then it grows." in found
    assert found.count("\n") == found.count("\r\n")


def test_json_is_a_script_too() -> None:
    mine = '{"title": "Bread", "sections": [{"title": "Flour", "narrations": ["Flour is ground grain.", "Mine # no comment"]}]} # c\n'
    theirs = edited(("Flour is ground grain.", "Flour is corn."))
    found = merged(mine, theirs).text
    assert texts(read(found)) == ["Flour is corn.", "Mine # no comment"]
    assert found.startswith("# c\n")


def test_the_two_of_an_id_are_one_and_an_id_is_never_twice() -> None:
    base = edited(("- It comes", "- id: kinds\n        text: It comes"))
    mine = edited(("It comes in many kinds.", "There is no telling how many."), text=base)
    mine = edited(("- Water wakes", "- id: salt\n        text: Water wakes"), text=mine)
    theirs = edited(
        ("text: It comes in many kinds.", "text: It comes in many kinds.\n        pause: 1"),
        ("- Rye flour", "- id: salt\n        text: Salt.\n      - Rye flour"),
        text=base,
    )
    found = read(merged(mine, theirs, base=base).text)
    assert found.sections[0].narrations[1].pause_s == 1
    assert "Salt." in texts(found)


def test_a_script_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"script.yaml:1: titel: no such key"):
        merged("titel: x\n" + BASE, edited(("Water", "Wine")))
    with pytest.raises(InputError, match="the last draft"):
        merged(edited(("Water", "Wine")), BASE, base="<<<<<<< HEAD\n")


SAID = "Bread is baked. Salt gives taste. The oven must be hot. Let it rest. 水と小麦粉。 A: b #c".split(
    ". "
)
words = st.sampled_from([*SAID, "x", "yes", "- 1.50", "two\nlines", "'quoted'", "Let it rest now"])
line = st.builds(
    Line,
    text=words,
    reading=st.sampled_from(["", "", "", "red"]),
    persona_id=st.sampled_from(["", "", "a"]),
    pause_s=st.sampled_from([None, None, Fraction(0), Fraction(3, 2)]),
)
section = st.builds(
    Section,
    title=st.sampled_from(["Flour", "Water", "Salt", "Oven"]),
    narrations=st.lists(line, min_size=1, max_size=4).map(tuple),
    bullets=st.lists(words, max_size=2).map(tuple),
    image=st.sampled_from([None, None, Image("a.png"), Image("b.png", "B")]),
    notes=st.sampled_from(["", "", "one\ntwo"]),
)
scripts = st.builds(
    Script,
    title=st.sampled_from(["Bread", "On bread"]),
    sections=st.lists(section, min_size=1, max_size=3).map(tuple),
    description=st.sampled_from(["", "About bread"]),
)


@st.composite
def changed(draw: Any, script: Script) -> Script:
    """A script after some edits of lines, sections and fields."""
    sections = list(script.sections)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(sections) - 1))
        lines = list(sections[at].narrations)
        n = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from("edit insert delete swap section move remove field".split()))
        if what == "edit":
            lines[n] = draw(
                st.one_of(st.just(replace(lines[n], text=lines[n].text + " more")), line)
            )
        elif what == "insert":
            lines.insert(n, draw(line))
        elif what == "delete" and len(lines) > 1:
            del lines[n]
        elif what == "swap":
            lines.append(lines.pop(n))
        sections[at] = replace(sections[at], narrations=tuple(lines))
        if what == "section":
            sections.insert(at, draw(section))
        elif what == "move":
            sections.append(sections.pop(at))
        elif what == "remove" and len(sections) > 1:
            del sections[at]
        elif what == "field":
            other = draw(section)
            sections[at] = replace(
                sections[at], title=other.title, image=other.image, notes=other.notes
            )
    title = draw(st.sampled_from([script.title, script.title, "Loaves"]))
    return replace(script, title=title, sections=tuple(sections))


@st.composite
def typed(draw: Any, script: Script) -> str:
    """A script as somebody would have typed it: comments, other styles, other line ends."""
    text = dump(script)
    style = draw(st.sampled_from(["ours", "ours", "flat", "flow", "mixed"]))
    if style != "ours":
        flow = {"flat": False, "flow": True, "mixed": None}[style]
        text = yaml.safe_dump(
            yaml.safe_load(text), default_flow_style=flow, allow_unicode=True, sort_keys=False
        )
    lines = text.splitlines()
    plain = style == "ours" and "|" not in text
    for n in range(draw(st.integers(0, 3)) if plain else 0):
        at = draw(st.integers(0, len(lines) - 1))
        if draw(st.booleans()):
            indent = draw(st.sampled_from([0, 2, 4, 6, 8]))
            lines.insert(at, f"{' ' * indent}# comment {n}")
        elif lines[at].strip():
            lines[at] += f"  # comment {n}"
    return draw(st.sampled_from(["\n", "\n", "\r\n"])).join([*lines, ""])


@st.composite
def cases(draw: Any) -> tuple[Script, Script, str, Script]:
    """A draft; the user's edit of it and how that is written; the next draft."""
    base = draw(scripts)
    mine = draw(changed(base))
    return base, mine, draw(typed(mine)), draw(changed(base))


@settings(max_examples=250, deadline=None)
@given(cases(), st.sampled_from(["", "mine"]))
def test_what_the_user_wrote_survives(
    case: tuple[Script, Script, str, Script], prefer: Any
) -> None:
    base, mine, text, new = case
    found = merged(text, dump(new), dump(base), prefer=prefer)
    result = read(found.text)
    before, after = Counter(texts(base)), Counter(texts(mine))
    assert not (after - before) - Counter(texts(result))
    comments = re.findall(r"# comment \d", text)
    assert Counter(re.findall(r"# comment \d", found.text)) == Counter(comments)
    assert prefer == "" or not found.conflicts
    assert merged(found.text, dump(new), dump(new)).text == found.text


@settings(max_examples=150, deadline=None)
@given(cases())
def test_where_the_user_changed_nothing_the_result_is_the_new_draft(
    case: tuple[Script, Script, str, Script],
) -> None:
    _, mine, text, new = case
    found = merged(text, dump(new), dump(mine))
    assert read(found.text) == read(dump(new))
    assert found.conflicts == ()
    assert merged(dump(mine), dump(new), dump(mine)).text == dump(new)
    assert dump(new).startswith(SCHEMA_LINE)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_where_the_draft_has_not_changed_nothing_does(
    case: tuple[Script, Script, str, Script],
) -> None:
    base, _, text, _ = case
    assert merged(text, dump(base), dump(base)) == Merged(text)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_theirs_takes_all_that_the_draft_says_new(case: tuple[Script, Script, str, Script]) -> None:
    base, _, text, new = case
    found = merged(text, dump(new), dump(base), prefer="theirs")
    said = Counter(texts(new)) - Counter(texts(base))
    assert not said - Counter(texts(read(found.text)))
    assert found.conflicts == ()
