"""JSON schemas (draft 7) of script.yaml and movie.yaml, for editors and other programs."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("script.schema.json", "movie.schema.json")


def generate() -> dict[str, str]:
    """The schemas as the models define them: file name to JSON text."""
    from movie_build.config_file import ConfigFile
    from movie_build.script_file import ScriptFile

    schemas = (ScriptFile.model_json_schema(), ConfigFile.model_json_schema())
    for mapping in [part for one in schemas for part in (one, *one["$defs"].values())]:
        _allow_nothing(mapping)
    return {name: _draft_7(schema, name) for name, schema in zip(FILES, schemas, strict=True)}


def publish(folder: Path) -> None:
    """Put the schemas into `folder`, where the first line of a written script points to."""
    for name in FILES:
        text = files("movie_build").joinpath("schemas", name).read_bytes()
        path = folder / name
        if not path.exists() or path.read_bytes() != text:
            path.write_bytes(text)


def _allow_nothing(mapping: dict[str, Any]) -> None:
    """Let keys that are not required stand with nothing behind them, as the models do."""
    for name, key in mapping.get("properties", {}).items():
        if name in mapping.get("required", ()):
            continue
        entries = key.get("additionalProperties")
        if isinstance(entries, dict) and list(entries) == ["$ref"]:
            key["additionalProperties"] = {"anyOf": [entries, {"type": "null"}]}
        about = {said: key.pop(said) for said in ("default", "description", "title") if said in key}
        forms = key.pop("anyOf") if list(key) == ["anyOf"] else [dict(key)]
        key.clear()
        nothing = [] if {"type": "null"} in forms else [{"type": "null"}]
        key |= {"anyOf": [*forms, *nothing], **about}


def _draft_7(schema: dict[str, Any], name: str) -> str:
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": name.removesuffix(".schema.json") + ".yaml",
        **{key: value for key, value in schema.items() if key != "title"},
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    return text.replace('"#/$defs/', '"#/definitions/').replace('"$defs":', '"definitions":') + "\n"


def _write() -> None:
    from pathlib import Path

    for name, text in generate().items():
        (Path(__file__).parent / "schemas" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
