"""Models that predict the user's voice too, without the half of their depth transformer that does so.

A depth transformer with a step for each codebook of both voices says the model's first and the user's after
them; nothing of the model's depends on the user's. For a talk they are left in the file. Works on
configurations and headers by name; knows nothing about torch, nor about reading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.engine.weights import Tensor

EMBEDDING = "depformer_emb"
"""Embeds what a step has said for the next step; the last step has none, since none follows."""

OF_A_CODEBOOK = (EMBEDDING, "depformer_norms", "linears")
"""The modules with a part for each step; those of the others are shared where a schedule says so."""

STEP = re.compile(
    r"(?P<module>depformer_in|depformer_emb|depformer_norms|linears"
    r"|depformer\.layers\.\d+\.(?:gating|self_attn\.in_projs|self_attn\.out_projs))"
    r"\.(?P<step>\d+)\.(?P<rest>.+)"
)
"""A tensor of one step."""

STACKED = re.compile(r"depformer\.layers\.\d+\.self_attn\.(?P<side>in|out)_proj[._].+")
"""One tensor with the rows of all steps, one step after the other, as released checkpoints have them."""

_SCHEDULE = "depformer_weights_per_step_schedule"
_WIDTHS = "depformer_dim_feedforward"


def is_for_both(config: Mapping[str, Any]) -> bool:
    """Return whether a configuration has a depth step for each codebook of both voices."""
    return bool(config["dep_q"] == config["n_q"]) and config["n_q"] % 2 == 0


def without(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of the model's half of a model for both voices."""
    steps = int(config["dep_q"]) // 2
    cut = {**config, "dep_q": steps}
    if config.get(_SCHEDULE) is not None:
        cut[_SCHEDULE] = list(config[_SCHEDULE])[:steps]
    if isinstance(widths := config.get(_WIDTHS), list):
        cut[_WIDTHS] = widths[: count_weights(cut)]
    if "depformer_context" in config:
        # moshi looks back on all steps, whatever stands here; nu-dialogue's tools check it.
        cut["depformer_context"] = config["depformer_context"] * steps // config["dep_q"]
    return cut


def count_weights(config: Mapping[str, Any]) -> int:
    """Return how many sets of weights the steps of a depth transformer have between them.

    One for all of them where they are not told apart, but for `depformer_in`, which may be.
    """
    schedule = config.get(_SCHEDULE)
    return max(schedule) + 1 if schedule else int(config["dep_q"])


def leave_out(header: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a file that the model's half takes, its configuration being `config`.

    Of those with the rows of all steps it is the part with the rows of the first. A file that has no user's
    half is returned as it is.
    """
    if not has_user_half(header, config):
        return dict(header)
    kept = count_weights(config)
    found = _count(header, "depformer.layers.0.gating.") or _count(header, "depformer_in.") or 2 * kept
    left: dict[str, Tensor] = {}
    for name, tensor in header.items():
        if STACKED.fullmatch(name) and config.get("depformer_weights_per_step"):
            left[name] = _first_rows(name, tensor, kept, max(kept, found), config)
        elif (step := STEP.fullmatch(name)) is None or int(step["step"]) < _parts(step["module"], config):
            left[name] = tensor
    return left


def has_user_half(header: Mapping[str, Tensor], config: Mapping[str, Any]) -> bool:
    """Return whether a file has twice the depth steps that its model needs for its own voice."""
    return _count(header, "linears.") == int(config["n_q"]) == 2 * int(config["dep_q"])


def _parts(module: str, config: Mapping[str, Any]) -> int:
    """Return how many parts the model's half of a module has."""
    if module == EMBEDDING:
        return int(config["dep_q"]) - 1
    return int(config["dep_q"]) if module in OF_A_CODEBOOK else count_weights(config)


def _count(header: Mapping[str, Tensor], module: str) -> int:
    """Return how many numbered parts a module has."""
    ends = (name.removeprefix(module).partition(".")[0] for name in header if name.startswith(module))
    return len({end for end in ends if end.isdigit()})


def _first_rows(name: str, tensor: Tensor, kept: int, found: int, config: Mapping[str, Any]) -> Tensor:
    """Return the rows of the first `kept` of `found` sets of weights, which lie one after the other."""
    rows = tensor.shape[0] if tensor.shape else 0
    # Some tools lengthen the rest and leave attention as it was, to be repeated by whoever loads it.
    if rows % found or (name.endswith("weight") and rows == kept * _rows_of_a_set(name, config)):
        return tensor
    row_bytes = (tensor.end - tensor.start) // max(1, rows)
    rows = rows // found * kept
    return replace(tensor, shape=(rows, *tensor.shape[1:]), end=tensor.start + rows * row_bytes)


def _rows_of_a_set(name: str, config: Mapping[str, Any]) -> int:
    """Return the rows of one step's projection: queries, keys and values, or what comes out."""
    width = int(config.get("depformer_dim", 256))
    step = STACKED.fullmatch(name)
    if step is None or step["side"] == "out":
        return width
    repeat = int(config.get("depformer_kv_repeat", config.get("kv_repeat", 1)))
    return width + 2 * (width // repeat)
