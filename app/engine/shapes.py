"""Whether a configuration and the header of its weights speak of the same model, before moshi builds it.

moshi makes as many layers as a configuration says, however many that are. Knows nothing about torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.engine.weights import Tensor
from app.errors import UserError

_ADVICE = "The file belongs to another model, or to another configuration: copy or download both again."

_LISTS = (
    ("num_layers", re.compile(r"transformer\.layers\.(\d{1,6})\.")),
    ("n_q", re.compile(r"emb\.(\d{1,6})\.")),
    ("dep_q", re.compile(r"linears\.(\d{1,6})\.")),
    ("depformer_num_layers", re.compile(r"depformer\.layers\.(\d{1,6})\.")),
)
"""How the names of what a setting counts begin in the weights of a language model."""

_TABLES = (("text_card", "text_emb.weight"), ("card", "emb.0.weight"))
"""Settings that count the rows of a table, which has one more for the beginning, and its name."""

_MIMI_LAYERS = re.compile(r"(?:encoder|decoder)_transformer\.transformer\.layers\.(\d{1,6})\.")
_MIMI_CODEBOOKS = re.compile(r"quantizer\.(rvq_\w+\.vq\.layers\.\d{1,6})\.")


def check_lm(config: Mapping[str, Any], source: str, header: Mapping[str, Tensor], weights: Path) -> None:
    """Raise UserError unless a header has as many layers, codebooks and tokens as a configuration says."""
    for setting, pattern in _LISTS:
        _compare(config[setting], _count(pattern, header), setting, source, weights)
    for setting, name in _TABLES:
        if (table := header.get(name)) is not None and len(table.shape) == 2:
            _compare(config[setting], table.shape[0] - 1, setting, source, weights)
            _compare(config["dim"], table.shape[1], "dim", source, weights)


def check_mimi(config: Mapping[str, Any], source: str, header: Mapping[str, Tensor], weights: Path) -> None:
    """Raise UserError unless a Mimi's header has as many layers and codebooks as its configuration says."""
    layers = config["transformer"]["num_layers"]
    _compare(layers, _count(_MIMI_LAYERS, header), "transformer.num_layers", source, weights)
    codebooks = config["quantizer"].get("n_q", 8)
    _compare(codebooks, _count(_MIMI_CODEBOOKS, header), "quantizer.n_q", source, weights)


def _count(pattern: re.Pattern[str], names: Iterable[str]) -> int:
    """Return how many different things a pattern finds at the beginnings of names."""
    return len({found.group(1) for name in names if (found := pattern.match(name))})


def _compare(said: int, found: int, setting: str, source: str, weights: Path) -> None:
    if said != found:
        raise UserError(
            f"{weights} does not fit its configuration: {setting} is {said} in {source}, and {found} here.",
            _ADVICE,
        )
