"""What learning rates to try where those of a run did not let it learn.

Knows nothing about steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.learning_rates import Rates, default_rates
from training.config import Config

RAISE = 3.0
"""About half an order of magnitude: what is tried next between two that differ by ten."""


def raised(config: Config, model: Mapping[str, Any]) -> Rates:
    """Return higher rates for a model of this configuration: its defaults, or more than was no help."""
    default = default_rates(int(model["dim"]), config.method)
    chosen = Rates(config.optimizer.lr_temporal, config.optimizer.lr_depth)
    return Rates(*(each if each > own else own * RAISE for each, own in zip(default, chosen, strict=True)))
