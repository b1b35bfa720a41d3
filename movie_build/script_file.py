"""`script.yaml` at the edge: every form that is read, and the one form that is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, model_validator

from movie_build.config import Backdrop, VoiceSettings
from movie_build.edge import (
    BackgroundKeys,
    Seconds,
    Strict,
    Text,
    VoiceKeys,
    Words,
    settings,
)
from movie_build.errors import Mistake
from movie_build.script import Image, Line, Quotation, Role, Script, Section
from movie_build.unread import Doubts
from movie_build.yamlfile import Loc, YamlFile

# Keys of a section that are told of by their own lines.
_TOLD = (
    *("template", "subtitle", "bullets", "quote", "image", "source_image_url", "html", "logo"),
    *("page", "slide_prompt"),
)
SCHEMA_LINE = "# yaml-language-server: $schema=build/script.schema.json\n"


def _line(value: object) -> object:
    if isinstance(value, dict):
        if "narration" in value and "text" not in value:
            return {("text" if k == "narration" else k): v for k, v in value.items()}
        return value
    return {"text": value if value is not None else ""}


def _voice(value: object) -> object:
    if isinstance(value, str):
        engine, _, voice = value.partition("/")
        return {"engine": engine, "voice": voice or None}
    return value


def _image(value: object) -> object:
    return value if isinstance(value, dict) or value is None else {"path": value}


def _quote(value: object) -> object:
    return value if isinstance(value, dict) or value is None else {"text": value}


class LineKeys(Strict):
    """A narration line: shown as `text`, spoken as `reading` or `text`."""

    text: Words = ""
    reading: Words | None = None
    persona_id: Words | None = None
    id: Words | None = None
    pause: Seconds | None = None
    recording: Text | None = None
    voice: (
        Annotated[VoiceKeys, BeforeValidator(_voice, json_schema_input_type=str | VoiceKeys)] | None
    ) = None


class ImageKeys(Strict):
    """A picture on the slide: a path in the project, or a URL."""

    path: Annotated[Text, Field(min_length=1)]
    caption: Words = ""
    fit: Literal["cover", "contain", "blur", ""] = ""
    source: Words = ""


class QuoteKeys(Strict):
    """Words on the slide, and whose they are."""

    text: Annotated[Words, Field(min_length=1)]
    by: Words = ""


LineForm = Annotated[
    LineKeys, BeforeValidator(_line, json_schema_input_type=str | float | LineKeys)
]


class SectionKeys(Strict):
    """A section: one slide, and the lines that are spoken over it."""

    title: Words
    narrations: list[LineForm] = []
    id: Words | None = None
    subtitle: Words | None = None
    image: (
        Annotated[ImageKeys, BeforeValidator(_image, json_schema_input_type=str | ImageKeys)] | None
    ) = None
    bullets: list[Words] = []
    quote: (
        Annotated[QuoteKeys, BeforeValidator(_quote, json_schema_input_type=str | QuoteKeys)] | None
    ) = None
    html: Text | None = None
    template: Text | None = None
    notes: Words | None = None
    slide_prompt: Words | None = None
    page: Annotated[int, Field(ge=1)] | None = None
    deck: Text | None = None
    logo: Text | None = None
    source_image_url: Text | None = None
    background: BackgroundKeys | None = None
    dialogues: Annotated[
        list[LineForm] | None, Field(description="Older form of `narrations`.")
    ] = None
    narration: Annotated[Words | None, Field(description="Older form: one line.")] = None

    @model_validator(mode="after")
    def _one_form_of_lines(self) -> SectionKeys:
        forms = [f for f in ("narrations", "dialogues", "narration") if getattr(self, f)]
        if len(forms) > 1:
            raise ValueError(f"`{forms[0]}` and `{forms[1]}` both hold lines; keep one of them")
        return self


class RoleKeys(Strict):
    """One of `role_assignments`: who explains, who asks."""

    persona_id: Words
    role: Words
    description: Words | None = None


class ScriptFile(Strict):
    """`script.yaml`, the whole of it."""

    title: Words
    description: Words | None = None
    language: Annotated[Text | None, Field(description="BCP 47 tag, like en or ja.")] = None
    deck: Annotated[Text | None, Field(description="A PDF or PPTX for sections' `page`.")] = None
    role_assignments: list[RoleKeys] | None = None
    sections: Annotated[list[SectionKeys], Field(min_length=1)]


def to_script(keys: ScriptFile, file: YamlFile) -> Script:
    """The script that a valid file stands for, its older forms brought to one."""
    return Script(
        title=keys.title.strip(),
        description=(keys.description or "").strip(),
        language=keys.language or "",
        deck=keys.deck or "",
        roles=tuple(
            Role(
                role.persona_id,
                role.role,
                role.description or "",
                file.where(("role_assignments", i)),
            )
            for i, role in enumerate(keys.role_assignments or ())
        ),
        sections=tuple(_section(s, ("sections", i), file) for i, s in enumerate(keys.sections)),
        where=file.where(("title",)),
    )


def _section(keys: SectionKeys, loc: Loc, file: YamlFile) -> Section:
    lines: list[tuple[LineKeys, Loc]]
    if keys.narration:
        lines = [(LineKeys(text=keys.narration), (*loc, "narration"))]
    elif keys.dialogues:
        lines = [(line, (*loc, "dialogues", i)) for i, line in enumerate(keys.dialogues)]
    else:
        lines = [(line, (*loc, "narrations", i)) for i, line in enumerate(keys.narrations)]
    image = keys.image or (ImageKeys(path=keys.source_image_url) if keys.source_image_url else None)
    return Section(
        title=keys.title.strip(),
        narrations=tuple(
            Line(
                text=line.text.strip(),
                reading=(line.reading or "").strip(),
                persona_id=line.persona_id or "",
                id=line.id or "",
                pause_s=line.pause,
                recording=line.recording or "",
                voice=settings(line.voice, file.where((*at, "voice"))) if line.voice else None,
                where=file.where(at),
            )
            for line, at in lines
        ),
        id=keys.id or "",
        subtitle=keys.subtitle or "",
        image=Image(image.path, image.caption, image.fit, image.source) if image else None,
        bullets=tuple(keys.bullets),
        quote=Quotation(keys.quote.text, keys.quote.by) if keys.quote else None,
        html=keys.html or "",
        template=keys.template or "",
        slide_prompt=keys.slide_prompt or "",
        page=keys.page or 0,
        deck=keys.deck or "",
        logo=keys.logo or "",
        notes=keys.notes or "",
        background=Backdrop(
            keys.background.path, keys.background.fit, file.where((*loc, "background", "path"))
        )
        if keys.background
        else None,
        where=file.where(loc),
        key_lines=tuple(
            (name, line)
            for name in _TOLD
            if name in keys.model_fields_set and (line := file.where((*loc, name)).line)
        ),
    )


def blank_lines(script: Script, doubts: Doubts) -> Iterator[Mistake]:
    """A mistake for each empty line, each section without a line, each id used twice."""
    seen: dict[str, object] = {}
    for section in script.sections:
        assert section.where
        if not (section.narrations or doubts.at(section.where)):
            what = "nothing is said over this slide; add `narrations`, or remove the section"
            yield Mistake(section.where, what)
        for line in section.narrations:
            assert line.where
            if not (line.text or line.recording or doubts.at(line.where)):
                what = "an empty line cannot be spoken; write its text, or remove it"
                yield Mistake(line.where, what)
        things: list[Section | Line] = [section, *section.narrations]
        for thing in things:
            if thing.id and thing.id in seen:
                assert thing.where
                yield Mistake(thing.where, f"the id {thing.id!r} is also that of {seen[thing.id]}")
            elif thing.id:
                seen[thing.id] = thing.where


class _Dumper(yaml.SafeDumper):
    """Block style that diffs well: one sentence a line, texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style: Literal["|"] | None = "|" if "\n" in text and _fits_block(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _fits_block(text: str) -> bool:
    return not any(line != line.rstrip() for line in text.split("\n")) and "\t" not in text


_Dumper.add_representer(str, _text_node)


def dump(script: Script) -> str:
    """`script` as `script.yaml`: reading it again gives the same script."""
    head: dict[str, Any] = {"title": script.title}
    if script.description:
        head["description"] = script.description
    if script.language:
        head["language"] = script.language
    if script.deck:
        head["deck"] = script.deck
    if script.roles:
        head["role_assignments"] = [
            {k: v for k, v in asdict(role).items() if v and k != "where"} for role in script.roles
        ]
    parts = [_yaml(head), "sections:\n"]
    parts += ["\n" + _indented(_yaml([_section_keys(section)])) for section in script.sections]
    return SCHEMA_LINE + "".join(parts)


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000)


def _indented(text: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _section_keys(section: Section) -> dict[str, Any]:
    keys: dict[str, Any] = {"id": section.id, "title": section.title, "subtitle": section.subtitle}
    keys["template"] = section.template
    keys["bullets"] = list(section.bullets)
    if section.image:
        told = {key: value for key, value in asdict(section.image).items() if value}
        keys["image"] = told if len(told) > 1 else section.image.path
    if section.quote:
        keys["quote"] = {"text": section.quote.text, "by": section.quote.by}
        if not section.quote.by:
            keys["quote"] = section.quote.text
    for name in ("html", "slide_prompt", "page", "deck", "logo", "notes"):
        keys[name] = getattr(section, name)
    if section.background:
        keys["background"] = {"path": section.background.path, "fit": section.background.fit}
    keys["narrations"] = [_line_keys(line) for line in section.narrations]
    return {key: value for key, value in keys.items() if value}


def _line_keys(line: Line) -> Any:
    keys: dict[str, Any] = {
        "id": line.id,
        "text": line.text,
        "reading": line.reading,
        "persona_id": line.persona_id,
        "recording": line.recording,
    }
    if line.pause_s is not None:
        keys["pause"] = _number(line.pause_s)
    if line.voice:
        keys["voice"] = _voice_keys(line.voice)
    kept = {k: v for k, v in keys.items() if v not in ("", None)}
    return line.text if list(kept) == ["text"] else kept


def _voice_keys(voice: VoiceSettings) -> dict[str, Any]:
    names = {
        "pre_silence_s": "pre_silence",
        "post_silence_s": "post_silence",
        "pause_s": "pause_length",
        "pause_scale": "pause_length_scale",
    }
    keys = {
        names.get(name, name): value
        for name in VoiceSettings.__dataclass_fields__
        if name != "where" and (value := getattr(voice, name)) is not None
    }
    if voice.options:
        keys["options"] = json.loads(voice.options)
    return keys


def _number(value: Fraction) -> float | int:
    return int(value) if value.denominator == 1 else float(value)
