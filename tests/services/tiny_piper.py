"""A Piper voice of a few hundred bytes: every phoneme is a tone by its number, with some noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE_HZ = 16000
PHONEME_SAMPLES = 800
NOISE = 0.1
_LETTERS = "_^$ abcdefghijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒˈˌːθ.,!?:;'-"


def write_voice(path: Path, n_speakers: int = 1) -> Path:
    """Write the model to `path` and its description beside it."""
    onnx.save(_model(n_speakers), path)
    described = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "num_symbols": 256,
        "num_speakers": n_speakers,
        "speaker_id_map": {f"speaker{n}": n for n in range(n_speakers)} if n_speakers > 1 else {},
        "phoneme_id_map": {letter: [n] for n, letter in enumerate(_LETTERS)},
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(described), encoding="utf-8")
    return path


def _model(n_speakers: int) -> onnx.ModelProto:
    """`input` (1, n) and `scales` (noise, length, noise_w) → `output` (1, 1, n_samples)."""
    constants = {
        "base": np.array([200], "f"),
        "step": np.array([40], "f"),
        "samples": np.array([PHONEME_SAMPLES], "f"),
        "turn": np.array([2 * np.pi / RATE_HZ], "f"),
        "half": np.array([0.5], "f"),
        "noise": np.array([NOISE], "f"),
        "zero": np.array(0, "q"),
        "first": np.array([0], "q"),
        "second": np.array([1], "q"),
        "flat": np.array([-1], "q"),
        "column": np.array([-1, 1], "q"),
        "whole": np.array([1, 1, -1], "q"),
    }
    steps = [
        ("Cast", ["input"], "number", {"to": TensorProto.FLOAT}),
        ("Mul", ["number", "step"], "steps", {}),
        ("Add", ["steps", "base"], "hz_row", {}),
        ("Reshape", ["hz_row", "column"], "hz", {}),
        ("Gather", ["scales", "second"], "length", {}),
        ("Mul", ["samples", "length"], "wide", {}),
        ("Cast", ["wide"], "n_samples", {"to": TensorProto.INT64}),
        ("Concat", ["input_lengths", "n_samples"], "shape", {"axis": 0}),
        ("Expand", ["hz", "shape"], "held", {}),
        ("Reshape", ["held", "flat"], "all_hz", {}),
        ("CumSum", ["all_hz", "zero"], "cycles", {}),
        ("Mul", ["cycles", "turn"], "phase", {}),
        ("Sin", ["phase"], "sine", {}),
        ("Mul", ["sine", "half"], "tone", {}),
        ("RandomNormalLike", ["tone"], "random", {}),
        ("Gather", ["scales", "first"], "amount", {}),
        ("Mul", ["random", "noise"], "quiet", {}),
        ("Mul", ["quiet", "amount"], "hiss", {}),
        ("Add", ["tone", "hiss"], "voice", {}),
    ]
    spoken = "voice"
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if n_speakers > 1:
        # The second speaker is half as loud, the third a third, …
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        steps += [
            ("Add", ["sid", "second"], "nth", {}),
            ("Cast", ["nth"], "divisor", {"to": TensorProto.FLOAT}),
            ("Div", ["voice", "divisor"], "speaker", {}),
        ]
        spoken = "speaker"
    steps.append(("Reshape", [spoken, "whole"], "output", {}))
    graph = helper.make_graph(
        [helper.make_node(kind, given, [out], **how) for kind, given, out, how in steps],
        "voice",
        inputs,
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "t"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
