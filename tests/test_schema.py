"""The published schemas are those of the models, and agree with them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from movie_build.config_file import ConfigFile
from movie_build.schema import generate
from movie_build.script_file import ScriptFile
from movie_build.yamlfile import parse

CASES = [
    ("script", "title: T\nsections: [{title: S, narrations: [a, {text: b, pause: 1}, 3]}]", True),
    ("script", "title: T\nsections: [{title: S, narration: a, image: x.png}]", True),
    (
        "script",
        "title: T\nsections: [{title: S, image: {path: x, caption: y}, narrations: [a]}]",
        True,
    ),
    ("script", "title: T\nsections: [{title: S, dialogues: [{persona_id: a, text: b}]}]", True),
    ("script", "title: T\nsections: []", False),
    ("script", "title: T\nsections: [{narrations: [a]}]", False),
    ("script", "title: T\nsections: [{title: S, narations: [a]}]", False),
    ("script", "title: T\nsections: [{title: S, narrations: [{text: a, pause: -1}]}]", False),
    ("movie", "style: {resolution: [1280, 720], fps: 30, primary_color: '#fff'}", True),
    ("movie", "pronunciation: {custom: {a: b, c: {reading: d, accent: 2}}}", True),
    ("movie", "personas: [{id: a, synthesizer: {speaker_id: 3}}]", True),
    ("movie", "personas:\nlimits:\nstyle:\naudio: {engine: , speed_scale: }\nprices: {m: }", True),
    ("script", "title: T\nsections: [{title: S, bullets: , image: , narrations: [a]}]", True),
    ("script", "title: T\nsections: [{title: , narrations: [a]}]", False),
    ("movie", "style: {resolution: [1280]}", False),
    ("movie", "style: {resolution: [1280, 721]}", False),
    ("movie", "style: {primary_color: red}", False),
    ("movie", "narration: {initial_pause: -1}", False),
    ("movie", "vido: {}", False),
]


def test_the_committed_schemas_are_the_models():
    for name, text in generate().items():
        assert files("movie_build").joinpath("schemas", name).read_text() == text, (
            f"write it again: python -m movie_build.schema ({name})"
        )


@pytest.mark.parametrize(("kind", "text", "good"), CASES)
def test_schema_and_model_agree(kind, text, good):
    schema = json.loads(generate()[f"{kind}.schema.json"])
    Draft7Validator.check_schema(schema)
    value = parse(text.encode(), "x.yaml").value
    assert Draft7Validator(schema).is_valid(value) is good
    model = ScriptFile if kind == "script" else ConfigFile
    try:
        model.model_validate(value)
        accepted = True
    except ValidationError:
        accepted = False
    assert accepted is good
