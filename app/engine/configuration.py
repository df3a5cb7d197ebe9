"""What a model's config.json says: taken apart, checked, or guessed from the weights.

Knows nothing about where files come from, nor about torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import catalog
from app.engine.weights import read_header
from app.errors import UserError

CONFIG_NAME = "config.json"

_NUMBERS = ("dim", "num_layers", "num_heads", "context", "card", "text_card", "n_q", "dep_q")
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys((*_NUMBERS, "lora_rank"), int),
    **dict.fromkeys(
        ("moshi_name", "mimi_name", "mimi_config_name", "tokenizer_name", "lora_name", "model_type"), str
    ),
    "lora_scaling": (int, float),
    "delays": list,
    "lm_gen_config": dict,
}
"""What the settings that are read here have to be; the rest is for moshi to judge."""

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
    """Return a JSON object. Raises UserError for a file that is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", _COPY) from fault
    except ValueError as fault:
        raise UserError(f"{path} is not valid JSON: {fault}.", _COPY) from fault
    if not isinstance(value, dict):
        raise UserError(f"{path} is not a JSON object.", _COPY)
    return value


def take_apart(raw: dict[str, Any], where: Path, both_voices: bool) -> Config:
    """Split the settings of moshi's config.json as moshi's own loader does.

    Raises UserError for what is no model for dialogue.
    """
    lm = {name: value for name, value in raw.items() if value is not None or name not in _TYPES}
    if wrong := [name for name, kind in _TYPES.items() if name in lm and not isinstance(lm[name], kind)]:
        raise UserError(f"{where} has a strange value for {wrong[0]}: {lm[wrong[0]]!r}.", _COPY)
    kind = lm.pop("model_type", "moshi")
    for name in ("model_id", "depformer_causal"):
        lm.pop(name, None)
    others = [name for name in ("tts_config", "stt_config") if lm.pop(name, None)]
    if kind != "moshi" or others or lm.get("conditioners"):
        raise UserError(f"{where} describes a model of the kind '{kind}', not one for dialogue.", _CHOOSE)
    if "demux_second_stream" in lm:
        lm["demux_second_text_stream"] = lm.pop("demux_second_stream")
    _check_shape(lm, where, both_voices)
    return Config(
        moshi_name=lm.pop("moshi_name", catalog.MOSHI_NAME),
        mimi_name=lm.pop("mimi_name", catalog.MIMI_NAME),
        mimi_config_name=lm.pop("mimi_config_name", None),
        tokenizer_name=lm.pop("tokenizer_name", catalog.TOKENIZER_NAME),
        lora_name=lm.pop("lora_name", None),
        lora=bool(lm.pop("lora", False)),
        lora_rank=lm.pop("lora_rank", 128),
        lora_scaling=float(lm.pop("lora_scaling", 2.0)),
        generation=lm.pop("lm_gen_config", {}),
        lm=lm,
    )


def _check_shape(lm: dict[str, Any], where: Path, both_voices: bool) -> None:
    """Refuse what does not hear one voice and speak with another, or, if `both_voices` may be, for both."""
    if missing := [name for name in (*_NUMBERS, "delays") if name not in lm]:
        raise UserError(f"{where} says nothing about {', '.join(missing)}.", _COPY)
    n_q, dep_q = lm["n_q"], lm["dep_q"]
    if dep_q == n_q and not both_voices:
        advice = "A finetune by nu-dialogue needs tools.clean_moshi --remove_modules_for_user_stream first."
        raise UserError(f"{where} describes a model that speaks for the user too (dep_q {dep_q}).", advice)
    if n_q % 2 or dep_q not in (n_q, n_q // 2) or len(lm["delays"]) != n_q + 1:
        found = f"n_q is {n_q}, dep_q {dep_q}, with {len(lm['delays'])} delays"
        raise UserError(f"{where} describes no dialogue model: {found}.", _CHOOSE)


def guess(folder: Path) -> dict[str, Any]:
    """Return the configuration of the 7B models for a folder without one, if its weights say so.

    Raises UserError otherwise.
    """
    weights = folder / catalog.MOSHI_NAME
    if not weights.exists():
        advice = f"A model's folder holds at least {CONFIG_NAME} and {catalog.MOSHI_NAME}."
        raise UserError(f"{folder} holds no model that could be recognised.", advice)
    config = catalog.moshi_7b()
    header = read_header(weights)
    embedding = header.get("text_emb.weight")
    layers = {name.split(".")[2] for name in header if name.startswith("transformer.layers.")}
    expected = config["text_card"] + 1, config["dim"]
    if embedding is None or embedding.shape != expected or len(layers) != config["num_layers"]:
        advice = f"Put the {CONFIG_NAME} that belongs to it into the folder."
        raise UserError(f"{folder} has no {CONFIG_NAME}, and {weights.name} is not a Moshi 7B.", advice)
    return config
