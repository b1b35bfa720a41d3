"""What a model may fill in: its answer as JSON, and the schema that it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from movie_build.authors.casting import Member


@dataclass(frozen=True, slots=True)
class Form:
    """What one answer may hold.

    `pictures` are the numbers to choose from. `mark` is what the article was
    marked off with. `opens` says that the answer begins the movie.
    """

    language: str
    cast: tuple[Member, ...] = ()
    pictures: tuple[int, ...] = ()
    slide_prompts: bool = False
    max_minutes: float = 10.0
    mark: str = ""
    opens: bool = True

    @property
    def readings(self) -> bool:
        """Whether lines have a reading: what is spoken where letters do not tell."""
        return self.language.partition("-")[0].lower() == "ja"

    @property
    def is_dialogue(self) -> bool:
        """Whether each line must name its speaker."""
        return len(self.cast) > 1


def _text(value: object) -> object:
    return "" if value is None else value


def _list(value: object) -> object:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_text)]


class _Answer(BaseModel):
    # Keys nobody asked for (an invented `image_url`) are dropped: they are not worth another call.
    model_config = ConfigDict(extra="ignore", frozen=True)


class LineAnswer(_Answer):
    """A line that is spoken."""

    text: str
    reading: Text = ""
    persona_id: Text = ""


def _line(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class SectionAnswer(_Answer):
    """A slide, and the lines over it."""

    title: str
    bullets: Annotated[list[str], BeforeValidator(_list)] = []
    picture: int | None = None
    slide_prompt: Text = ""
    narrations: list[Annotated[LineAnswer, BeforeValidator(_line)]]


class ScriptAnswer(_Answer):
    """The whole answer."""

    title: Text = ""
    description: Text = ""
    sections: list[SectionAnswer]


def schema(form: Form) -> dict[str, Any]:
    """The JSON schema of an answer to `form`, in the subset that strict structured output takes.

    There every object names all its properties as required and allows no others.
    """
    line: dict[str, Any] = {"text": {"type": "string"}}
    if form.readings:
        line["reading"] = {"type": "string"}
    if form.is_dialogue:
        ids = [member.persona_id for member in form.cast]
        line = {"persona_id": {"type": "string", "enum": ids}, **line}
    section: dict[str, Any] = {
        "title": {"type": "string"},
        "bullets": _array({"type": "string"}),
    }
    if form.pictures:
        number = {"type": "integer", "enum": list(form.pictures)}
        section["picture"] = {"anyOf": [number, {"type": "null"}]}
    if form.slide_prompts:
        section["slide_prompt"] = {"type": "string"}
    section["narrations"] = _array(_object(line))
    return _object(
        {
            "title": {"type": "string"},
            "description": {"type": "string"},
            "sections": _array(_object(section)),
        }
    )


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
