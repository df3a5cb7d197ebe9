"""Whatever a configuration says, it ends in one sentence, soon and in little memory, or in a talk."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine import limits
from app.engine.build import prove
from app.engine.checkpoint import find
from app.errors import UserError
from tests.engine.conftest import GREEDY, Load, speech, talk

SOON_S = 5.0
LITTLE_BYTES = 500e6

STRANGE = (
    True, False, None, "x", "a" * 100_000, "\x1b[2J", -5, 0, 0.5, 1e308, 10**7, 10**30,
    float("nan"), float("inf"), [], [[]], [-5] * 17, [10**9] * 17, ["x"] * 17, [1] * 100_000,
    {"a": {"b": [1]}},
)  # fmt: skip
"""Values of every kind; few settings can be one of them."""

FREE = {"layer_scale", "depformer_layer_scale", "positional_scale", "lora_scaling"}
"""Numbers that the weights are multiplied with: what they should be can not be known."""


@pytest.fixture(scope="module", autouse=True)
def _imported(tiny: Path) -> None:
    """Look at one model before: torch imports half of itself when it does so first."""
    prove(find(str(tiny)))


def settings(table: limits.Table, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, rule in table.rules.items():
        yield (*prefix, name)
        if isinstance(rule, limits.Table):
            yield from settings(rule, (*prefix, name))


def changed(config: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    first, *rest = place
    inner = changed(config.get(first, {}), tuple(rest), value) if rest else value
    return {**config, first: inner}


def judge(folder: Path, load: Load) -> str:
    """Return the sentence in which a model ends, '' if it talks."""
    began_s, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        prove(find(str(folder)))
    except UserError as fault:
        assert "\n" not in fault.sentence
        assert fault.sentence.isprintable()
        assert len(fault.sentence) < 1_000
        assert fault.advice
        return fault.sentence
    finally:
        assert time.process_time() - began_s < SOON_S
        assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < LITTLE_BYTES
    talk(load(folder, sampling=GREEDY), speech(3))
    return ""


@pytest.mark.parametrize(
    ("file", "place"),
    [("config.json", place) for place in settings(limits.CONFIG)]
    + [("mimi.json", place) for place in settings(limits.MIMI)],
)
def test_no_value_of_a_setting_is_believed(
    file: str, place: tuple[str, ...], folder: Path, load: Load
) -> None:
    config = json.loads((folder / file).read_text())
    refused = 0
    for value in STRANGE:
        (folder / file).write_text(json.dumps(changed(config, place, value)))
        sentence = judge(folder, load)
        refused += bool(sentence)
        if sentence and place[-1] in str(sentence):
            assert not any(word in sentence for word in ("Error", "Traceback", "assert")), sentence
    assert refused > len(STRANGE) // 2 or place[-1] in FREE
