"""Which engine is taken, for every combination of wish, model, device and what a test found."""

from __future__ import annotations

from typing import Any

import pytest

from app import catalog
from app.engine.choice import Choice, Situation, choose_engine, find_lighter
from app.engine.device_record import GRAPH, KERNELS, LOGITS, MIMI, MOSHI, SPEED, Finding, Record
from app.engine.events import AUTO
from app.errors import UserError
from app.memory_plan import Fit

CHECKED = [KERNELS, LOGITS, GRAPH, MIMI]


def record(*, ours_ms: float | None = 5.0, moshi_ms: float | None = 9.0, **right: bool | None) -> Record:
    """Return what a test found, everything right but for what is named."""
    findings = [Finding(name, right.get(name, True), f"the {name} was seen", {}) for name in CHECKED]
    for name, ms in ((SPEED, ours_ms), (MOSHI, moshi_ms)):
        if ms is not None or name in right:
            findings.append(Finding(name, right.get(name, True), f"the {name} was seen", {"ms": ms}))
    return Record("key", {"checks": CHECKED}, tuple(findings))


def on_card(found: Record | None = None, **values: Any) -> Situation:
    return Situation("moshika", on_card=True, record=found, **values)


PROCESSOR = Situation("starter")


@pytest.mark.parametrize(
    ("wish", "here", "engine"),
    [
        (AUTO, PROCESSOR, "fast"),
        ("moshi", PROCESSOR, "moshi"),
        ("fast", PROCESSOR, "fast"),
        (AUTO, Situation("odd", uncovered="conditions"), "moshi"),
        (AUTO, Situation("small", packed="int8"), "fast"),
        (AUTO, on_card(), "moshi"),
        ("fast", on_card(), "fast"),
        (AUTO, on_card(packed="int4"), "fast"),
        (AUTO, on_card(uncovered="conditions"), "moshi"),
        (AUTO, on_card(record()), "fast"),
        ("moshi", on_card(record()), "moshi"),
        (AUTO, on_card(record(ours_ms=9.0, moshi_ms=5.0)), "moshi"),
        (AUTO, on_card(record(ours_ms=5.0, moshi_ms=5.0)), "fast"),
        (AUTO, on_card(record(moshi_ms=None)), "fast"),
        (AUTO, on_card(record(moshi=False)), "fast"),
        (AUTO, on_card(record(moshi=None)), "fast"),
        (AUTO, on_card(record(ours_ms=None)), "moshi"),
        (AUTO, on_card(record(kernels=None)), "moshi"),
        (AUTO, on_card(record(mimi=None)), "moshi"),
        (AUTO, on_card(record(ours_ms=9.0, moshi_ms=5.0), packed="int8"), "fast"),
        (AUTO, on_card(record(kernels=None), packed="int8"), "fast"),
    ],
)
def test_what_is_right_and_faster_is_taken_and_nothing_is_told(
    wish: str, here: Situation, engine: str
) -> None:
    assert choose_engine(wish, here) == Choice(engine)


@pytest.mark.parametrize("wrong", [*CHECKED, SPEED])
def test_whole_weights_fall_back_on_moshis_engine_and_it_is_said(wrong: str) -> None:
    choice = choose_engine(AUTO, on_card(record(**{wrong: False})))
    assert choice.engine == "moshi"
    assert choice.trouble is not None
    sentence, advice = choice.trouble
    assert "moshika runs with moshi's own engine" in sentence
    assert f"the {wrong} was seen" in sentence
    assert "aizuchi doctor --check moshika" in advice


@pytest.mark.parametrize("wrong", [KERNELS, LOGITS])
def test_packed_weights_are_refused_where_the_arithmetic_is_wrong(wrong: str) -> None:
    with pytest.raises(UserError) as refused:
        choose_engine(AUTO, on_card(record(**{wrong: False}), packed="int8 with keys in int8"))
    assert refused.value.sentence == (
        "moshika can not run in int8 with keys in int8, since a check of this card failed: "
        f"the {wrong} was seen."
    )
    assert "--mode bf16" in refused.value.advice


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({GRAPH: False}, (False, True)),
        ({MIMI: False}, (True, False)),
        ({GRAPH: False, MIMI: False}, (False, False)),
        ({GRAPH: False, MIMI: None}, (False, False)),
        ({SPEED: False}, (True, True)),
    ],
    ids=str,
)
def test_packed_weights_do_without_the_graph_that_is_wrong(
    wrong: dict[str, bool | None], expected: tuple[bool, bool]
) -> None:
    choice = choose_engine(AUTO, on_card(record(**wrong), packed="int8"))
    assert choice.engine == "fast"
    assert (choice.graph, choice.whole_mimi) == expected
    assert choice.trouble is not None
    assert f"the {next(iter(wrong))} was seen" in choice.trouble[0]


def test_who_wishes_for_the_fast_engine_gets_it_and_is_told() -> None:
    choice = choose_engine("fast", on_card(record(kernels=False)))
    assert choice.engine == "fast"
    assert choice.trouble is not None
    assert "although a check of this card failed" in choice.trouble[0]


@pytest.mark.parametrize(
    ("wish", "values", "match"),
    [
        ("fast", {"uncovered": "conditions"}, "does not cover a model with conditions"),
        (AUTO, {"uncovered": "conditions", "packed": "int8"}, "does not cover"),
        ("moshi", {"packed": "int8"}, "takes nothing packed"),
    ],
)
def test_wishes_that_do_not_go_together_are_refused(wish: str, values: dict[str, str], match: str) -> None:
    for card in (False, True):
        with pytest.raises(UserError, match=match):
            choose_engine(wish, Situation("it", on_card=card, **values))


@pytest.mark.parametrize(
    ("name", "mode", "lighter"),
    [
        ("moshiko", "bf16", "int8"),
        ("moshiko", "int8", "int4"),
        ("moshiko", "int4", ""),
        ("personaplex", "bf16", "int8"),
        ("moshiko-q8", "bf16", ""),
        ("starter", "bf16", ""),
    ],
)
def test_the_next_mode_is_lighter_where_the_weights_are_whole(name: str, mode: str, lighter: str) -> None:
    known = catalog.find(name)
    assert known is not None
    for wish, found in ((AUTO, None), (AUTO, record()), ("fast", None), (AUTO, record(graph=False))):
        assert find_lighter(wish, on_card(found), Fit(mode), known.sizes, compiled=True) == lighter
        if lighter:
            assert known.memory_gb(fit=Fit(lighter)) < known.memory_gb(fit=Fit(mode)) - 2


@pytest.mark.parametrize(
    ("wish", "here", "compiled"),
    [
        (AUTO, PROCESSOR, False),
        (AUTO, on_card(), False),
        ("moshi", on_card(record()), True),
        (AUTO, on_card(uncovered="conditions"), True),
        (AUTO, on_card(record(kernels=False)), True),
        (AUTO, on_card(record(logits=False)), True),
    ],
)
def test_no_mode_is_lighter_that_would_not_load_or_on_a_processor(
    wish: str, here: Situation, compiled: bool
) -> None:
    known = catalog.find("moshiko")
    assert known is not None
    assert find_lighter(wish, here, Fit(), known.sizes, compiled=compiled) == ""
