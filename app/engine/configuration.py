"""What a model's config.json says: taken apart, checked, or guessed from the weights.

Knows nothing about where files come from, nor about torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import catalog
from app.engine import limits, user_half
from app.engine.limits import find_odd, show
from app.engine.weights import INDEX_SUFFIX, read_header, refuse_pointer
from app.errors import UserError
from app.files import Malformed, parse_json, read_bytes

CONFIG_NAME = "config.json"

_NUMBERS = ("dim", "num_layers", "num_heads", "context", "card", "text_card", "n_q", "dep_q")
_REQUIRED = (*_NUMBERS, "delays", "depformer_num_layers", "depformer_num_heads")
_NAMES = ("moshi_name", "mimi_name", "mimi_config_name", "tokenizer_name", "lora_name")
_UNSAID = (*_REQUIRED, *_NAMES, "lora_rank", "lora_scaling", "model_type", "lm_gen_config")
"""Null says nothing about these; of the others some may be null."""

_MIMI_REQUIRED = ("sample_rate", "channels", "frame_rate", "seanet", "quantizer", "transformer")
_MIMI_TRANSFORMER_REQUIRED = ("d_model", "num_heads", "num_layers", "input_dimension", "output_dimensions")

_CONFIG_BYTES = 2**20

_COPY = "Copy or download it again."
_CHOOSE = "Choose a Moshi for dialogue, for example one of `aizuchi models list`."


@dataclass(frozen=True, slots=True)
class Config:
    """A config.json taken apart: what LMModel gets, and what is for us."""

    lm: dict[str, Any]
    moshi_name: str
    mimi_name: str
    mimi_config_name: str | None
    tokenizer_name: str
    lora_name: str | None
    lora: bool
    lora_rank: int
    lora_scaling: float
    generation: dict[str, Any]


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, {} for an empty file. Raises UserError for a file that is none."""
    try:
        content = read_bytes(path, _CONFIG_BYTES)
        refuse_pointer(path, content)
        if not content.strip():
            return {}
        value = parse_json(content)
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", _COPY) from fault
    except Malformed as fault:
        raise UserError(f"{path} is not valid JSON: it {fault}.", _COPY) from fault
    if not isinstance(value, dict):
        raise UserError(f"{path} is not a JSON object.", _COPY)
    return value


def take_apart(raw: dict[str, Any], where: Path, both_voices: bool) -> Config:
    """Split the settings of moshi's config.json as moshi's own loader does.

    Of a model that predicts the user's voice too it is the model's half, but for `both_voices`. Raises
    UserError for what is no model for dialogue, and for a setting that no model can have.
    """
    lm = {name: value for name, value in raw.items() if value is not None or name not in _UNSAID}
    _check_kind(lm, where)
    if "demux_second_stream" in lm:
        lm["demux_second_text_stream"] = lm.pop("demux_second_stream")
    _refuse_odd(lm, limits.CONFIG, where)
    _check_shape(lm, where)
    if user_half.is_for_both(lm) and not both_voices:
        lm = user_half.without(lm)
    lm.pop("depformer_causal", None)
    return Config(
        moshi_name=lm.pop("moshi_name", catalog.MOSHI_NAME),
        mimi_name=lm.pop("mimi_name", catalog.MIMI_NAME),
        mimi_config_name=lm.pop("mimi_config_name", None),
        tokenizer_name=lm.pop("tokenizer_name", catalog.TOKENIZER_NAME),
        lora_name=lm.pop("lora_name", None),
        lora=lm.pop("lora", False),
        lora_rank=lm.pop("lora_rank", 128),
        lora_scaling=float(lm.pop("lora_scaling", 2.0)),
        generation=lm.pop("lm_gen_config", {}),
        lm=lm,
    )


def take_mimi(raw: dict[str, Any], where: Path) -> dict[str, Any]:
    """Return the settings of a mimi.json. Raises UserError for those that no Mimi can have."""
    _refuse_odd(raw, limits.MIMI, where)
    missing = [name for name in _MIMI_REQUIRED if name not in raw]
    missing += [
        f"transformer.{name}" for name in _MIMI_TRANSFORMER_REQUIRED if name not in raw.get("transformer", {})
    ]
    if missing:
        raise UserError(f"{where} says nothing about {', '.join(missing)}.", _COPY)
    return raw


def _check_kind(lm: dict[str, Any], where: Path) -> None:
    """Take out what tells the kind of a model. Raises UserError where that is not dialogue."""
    kind = lm.pop("model_type", "moshi")
    if not isinstance(kind, str):
        raise UserError(f"{where} has a strange value for model_type: {show(kind)}.", _COPY)
    lm.pop("model_id", None)
    hears, reads = lm.pop("stt_config", None), lm.pop("tts_config", None)
    conditions, fuser = lm.pop("conditioners", None), lm.pop("fuser", None)
    if hears or kind == "stt" or (type(lm.get("dep_q")) is int and lm["dep_q"] == 0):
        raise UserError(
            f"{where} describes a model that writes down speech (STT), not one for dialogue.", _CHOOSE
        )
    if reads or kind == "tts":
        raise UserError(
            f"{where} describes a model that reads text aloud (TTS), not one for dialogue.", _CHOOSE
        )
    if kind != "moshi":
        sentence = f"{where} describes a model of the kind '{limits.shorten(kind)}', not one for dialogue."
        raise UserError(sentence, _CHOOSE)
    fused = any(fuser.get(way) for way in ("sum", "cross", "prepend")) if isinstance(fuser, dict) else fuser
    if conditions or fused:
        raise UserError(f"{where} describes a model that needs conditions, not one for dialogue.", _CHOOSE)


def _refuse_odd(settings: dict[str, Any], table: limits.Table, where: Path) -> None:
    """Raise UserError for the first setting that may not be as it is."""
    if (odd := find_odd(settings, table)) is None:
        return
    name, value, advice = odd
    if not advice:
        raise UserError(
            f"{where} describes no model that moshi can build: it has the unknown setting {name}.", _COPY
        )
    raise UserError(f"{where} has a strange value for {name}: {show(value)}.", advice)


def _check_shape(lm: dict[str, Any], where: Path) -> None:
    """Refuse what does not hear one voice and speak with another, or for both."""
    if missing := [name for name in _REQUIRED if name not in lm]:
        raise UserError(f"{where} says nothing about {', '.join(missing)}.", _COPY)
    n_q, dep_q = lm["n_q"], lm["dep_q"]
    if n_q % 2 or dep_q not in (n_q, n_q // 2) or len(lm["delays"]) != n_q + 1:
        found = f"n_q is {n_q}, dep_q {dep_q}, with {len(lm['delays'])} delays"
        raise UserError(f"{where} describes no dialogue model: {found}.", _CHOOSE)
    if reason := limits.unfit(lm):
        raise UserError(f"{where} describes no model that moshi can build: {reason}.", _COPY)


def guess_folder(folder: Path) -> dict[str, Any]:
    """Return the configuration of the 7B models for a folder that says nothing, if its weights are of one.

    Raises UserError otherwise.
    """
    weights = folder / catalog.MOSHI_NAME
    if not weights.exists():
        weights = folder / f"{catalog.MOSHI_NAME}{INDEX_SUFFIX}"
    if not weights.exists():
        advice = f"A model's folder holds at least {CONFIG_NAME} and {catalog.MOSHI_NAME}."
        raise UserError(f"{folder} holds no model that could be recognised.", advice)
    return guess(weights, folder / CONFIG_NAME)


def guess(weights: Path, config_path: Path) -> dict[str, Any]:
    """Return the configuration of the 7B models for weights of one, whose own is not there or is empty.

    Their depth transformer may have a step for each codebook of both voices. Raises UserError otherwise.
    """
    config = catalog.moshi_7b()
    header = read_header(weights)
    embedding = header.get("text_emb.weight")
    layers = {name.split(".")[2] for name in header if name.startswith("transformer.layers.")}
    expected = config["text_card"] + 1, config["dim"]
    if embedding is None or embedding.shape != expected or len(layers) != config["num_layers"]:
        advice = f"Put the {CONFIG_NAME} that belongs to it into the folder."
        if config_path.exists():
            raise UserError(f"{config_path} says nothing, and {weights.name} is not a Moshi 7B.", advice)
        raise UserError(
            f"{weights.parent} has no {CONFIG_NAME}, and {weights.name} is not a Moshi 7B.", advice
        )
    if user_half.has_user_half(header, config):
        return {**config, "dep_q": config["n_q"], "depformer_context": config["n_q"]}
    return config
