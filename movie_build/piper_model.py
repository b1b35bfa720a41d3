"""The files of a Piper voice: found, downloaded, checked and loaded."""

from __future__ import annotations

import hashlib
import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from movie_build.errors import VoiceError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from piper import PiperVoice
    from piper.config import PiperConfig

VOICES_URL = "https://huggingface.co/rhasspy/piper-voices"
_IDLE_S = 30.0
_SEED = 1
_lock = threading.Lock()


def digest(model: Path, known: str = "") -> str:
    """The SHA-256 of a voice's two files; `known` is the model's, if the caller has it.

    Raises:
        VoiceError: one of them is missing.
    """
    try:
        with model.open("rb") as file:
            of_model = known or hashlib.file_digest(file, "sha256").hexdigest()
        return f"{of_model} {hashlib.sha256(_config(model).read_bytes()).hexdigest()}"
    except OSError as error:
        raise VoiceError(
            f"there is no voice of piper at {error.filename} ({error.strerror}): it is two files, "
            f"{model.name} and {_config(model).name}"
        ) from error


def load(model: Path) -> PiperVoice:
    """The voice, its noise at its beginning: that goes on from sentence to sentence.

    Raises:
        VoiceError: its files cannot be read, or are no voice.
    """
    from piper import PiperVoice

    voice = PiperVoice(session=_session(model), config=_described(model))
    # Some languages fetch more, and would put it into the working folder.
    voice.download_dir = model.parent
    return voice


def download(name: str, model: Path) -> None:
    """Have Piper's voice `name` at `model`, whole.

    Raises:
        VoiceError: it is not there, and cannot be downloaded.
    """
    from piper.download_voices import download_voice

    with _lock:
        if model.exists() and _config(model).exists():
            return
        usual_s = socket.getdefaulttimeout()
        # Piper's downloader knows no time limit of its own.
        socket.setdefaulttimeout(_IDLE_S)
        try:
            model.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=model.parent) as folder:
                download_voice(name, Path(folder))
                new = Path(folder, model.name)
                # Cut short, it is not a voice; nothing else would tell.
                load(new)
                _config(new).replace(_config(model))
                new.replace(model)
        except OSError as error:
            raise VoiceError(
                f"piper's voice {name} cannot be downloaded ({error}); check the name and the "
                f"network, or put {model.name} and {_config(model).name} from {VOICES_URL} "
                f"into {model.parent}"
            ) from error
        finally:
            socket.setdefaulttimeout(usual_s)


@contextmanager
def refused(model: Path) -> Iterator[None]:
    """Tells that a model cannot be run as a voice.

    Raises:
        VoiceError: onnxruntime refuses it.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as onnx

    try:
        yield
    # They have no class in common.
    except (
        onnx.Fail,
        onnx.InvalidArgument,
        onnx.InvalidGraph,
        onnx.InvalidProtobuf,
        onnx.NoModel,
        onnx.NoSuchFile,
        onnx.NotImplemented,
        onnx.RuntimeException,
    ) as error:
        said = str(error).partition("\n")[0]
        raise VoiceError(f"{model.name} is no voice of piper, or is damaged: {said}") from error


def _session(model: Path) -> InferenceSession:
    import onnxruntime

    # Lines are spoken side by side, so one thread each; its sums then never change their order.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Where the noise of every session made from now on begins.
    onnxruntime.set_seed(_SEED)
    with refused(model):
        return onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])


def _described(model: Path) -> PiperConfig:
    from piper.config import PiperConfig

    path = _config(model)
    try:
        return PiperConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise VoiceError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VoiceError(f"{path.name} does not describe a voice of piper: {error!r}") from error


def _config(model: Path) -> Path:
    return model.with_name(f"{model.name}.json")
