"""Words with times out of a short stretch of one voice, by Whisper; another recogniser needs one method.

Knows nothing about datasets, dialogues or where a stretch comes from. faster-whisper is an optional extra and
is imported only when a recogniser is opened.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from app.files import named

RECOGNISER_RATE = 16_000
"""Samples a second of what a recogniser hears."""

SPACELESS = frozenset({"ja", "zh", "yue", "th", "lo", "my"})
"""Languages written without spaces, of which Whisper gives characters or pieces in place of words."""

DEFAULT = "medium"
"""What Kyutai's annotate.py recommends for stereo recordings."""

INSTALL = "Install it with `uv sync --extra transcribe`."

_CONVERT = (
    "Convert it with `ct2-transformers-converter --model DIR --output_dir NEW_DIR "
    "--copy_files tokenizer.json preprocessor_config.json`."
)


class HeardWord(NamedTuple):
    """A word as a recogniser gives it; times in seconds from the beginning of the stretch."""

    text: str
    """As in the running text, with the space before it where the language has one."""
    start_s: float
    end_s: float
    probability: float


class Recogniser(Protocol):
    """What finds the words of one voice."""

    def hear(self, samples: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """Return the words in [N] float32 at RECOGNISER_RATE, at most 30 s, in the order of the text.

        `language` is an ISO 639 code. Raises UserError where it can not go on.
        """
        ...


class WhisperRecogniser:
    """Whisper through faster-whisper, one stretch at a time, each without regard to those before."""

    def __init__(self, model: Any) -> None:
        """Take a faster_whisper.WhisperModel."""
        self._model = model

    def languages(self) -> list[str]:
        """Return the codes of the languages that the model knows."""
        return [str(code) for code in self._model.supported_languages]

    def hear(self, samples: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """Return the words of a stretch. Raises UserError with what the library says."""
        try:
            segments, _ = self._model.transcribe(
                samples,
                language=language,
                word_timestamps=True,
                condition_on_previous_text=False,
                vad_filter=False,
            )
            # The segments are found while they are asked for, so that faults come from here too.
            return list(_words(segments))
        except (RuntimeError, ValueError) as fault:
            raise UserError(f"The recogniser stopped: {fault}.", _advice(str(fault))) from fault


def open_recogniser(spec: str, language: str, device: str = "auto") -> WhisperRecogniser:
    """Return Whisper from a CTranslate2 folder, or by a name such as 'medium', which may be fetched.

    `device` is 'auto', 'cpu' or 'cuda'. Raises UserError where it is not installed, not there, no
    CTranslate2 model, does not know the language or does not run on the device.
    """
    folder = named(spec)
    is_folder = os.path.isdir(folder)
    if is_folder:
        _check_folder(folder)
    elif _looks_like_path(spec):
        raise UserError(
            f"There is no folder {spec}.", "Give a folder with a Whisper model that CTranslate2 reads."
        )
    library = _import_library(device)
    recogniser = WhisperRecogniser(_load(library, str(folder) if is_folder else spec, device))
    if language not in recogniser.languages():
        known = ", ".join(recogniser.languages()[:8])
        advice = "Choose one that knows more languages." if known == "en" else f"It knows {known}, …."
        raise UserError(f"The recogniser '{spec}' does not know the language '{language}'.", advice)
    return recogniser


def _words(segments: Iterable[Any]) -> Iterable[HeardWord]:
    for segment in segments:
        for word in segment.words or ():
            values = float(word.start), float(word.end), float(word.probability)
            if all(map(math.isfinite, values)):
                yield HeardWord(str(word.word), *values)


def _looks_like_path(spec: str) -> bool:
    return spec.startswith((".", "~", os.sep)) or spec.count("/") > 1


def _check_folder(folder: Path) -> None:
    """Raise UserError for a folder that holds no model that can be read without a network."""
    if not (folder / "model.bin").is_file():
        others = any(
            next(folder.glob(form), None) for form in ("*.safetensors", "pytorch_model*.bin", "*.pt")
        )
        if others:
            raise UserError(f"{folder} holds a model that is not in CTranslate2's format.", _CONVERT)
        raise UserError(
            f"{folder} holds no Whisper model.",
            "Give a folder with model.bin, config.json and tokenizer.json.",
        )
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder} has no {name}.", f"Copy {name} from where the model is from.")


def _import_library(device: str) -> Any:
    try:
        import faster_whisper
    except ModuleNotFoundError as fault:
        if fault.name != "faster_whisper":
            raise UserError(f"faster-whisper can not be used: {fault}.", INSTALL) from fault
        raise UserError("Words are found by faster-whisper, which is not installed.", INSTALL) from fault
    except (ImportError, OSError) as fault:
        raise UserError(f"faster-whisper can not be used: {fault}.", INSTALL) from fault
    if device != "cpu":
        # CTranslate2 asks for libcublas by its bare name, and so finds the one that torch has loaded.
        with suppress(ImportError):
            import_module("torch")
    return faster_whisper


def _load(library: Any, spec: str, device: str) -> Any:
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    offline = bool(HF_HUB_OFFLINE)
    try:
        return library.WhisperModel(spec, device=device, local_files_only=offline)
    except (HFValidationError, RepositoryNotFoundError) as fault:
        raise _unknown(spec, library) from fault
    except (OSError, HfHubHTTPError) as fault:
        why = "there is no network" if not offline else "HF_HUB_OFFLINE is set"
        raise UserError(
            f"The recogniser '{spec}' is not on this computer and can not be fetched: {why}.",
            "Give a folder with a Whisper model in CTranslate2's format.",
        ) from fault
    except Exception as fault:
        # CTranslate2 raises RuntimeError and ValueError, tokenizers Exception and nothing else.
        if "Invalid model size" in str(fault):
            raise _unknown(spec, library) from fault
        raise UserError(f"The recogniser '{spec}' can not be used: {fault}.", _advice(str(fault))) from fault


def _unknown(spec: str, library: Any) -> UserError:
    names = ", ".join(name for name in library.available_models() if not name.startswith("distil"))
    return UserError(f"There is no recogniser '{spec}'.", f"Give a folder, or one of {names}.")


def _advice(told: str) -> str:
    """Return what to do about what CTranslate2 says."""
    if "out of memory" in told:
        return "Choose a smaller recogniser, or `--device cpu`."
    if "CUDA" in told or "cublas" in told.lower() or "cudnn" in told.lower():
        return "Try `--device cpu`."
    return "Check that the folder holds a whole Whisper model in CTranslate2's format."
