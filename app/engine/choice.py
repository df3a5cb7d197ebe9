"""Which engine steps a model, by what was wished for and by what a test of the device found.

One rule for every door: loading, `doctor` and comparisons ask here. Knows nothing about how an engine works;
imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.engine.device_record import GRAPH, MIMI, MOSHI, SPEED, Record
from app.engine.events import KVS, MODES
from app.errors import UserError

if TYPE_CHECKING:
    from app.engine.build import Outline
    from app.engine.device import Device
    from app.memory_plan import Fit, Sizes

FAST, MOSHIS = "fast", "moshi"
"""The two of app.engine.events.ENGINES."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the choice depends on, beside the wish."""

    name: str
    """Of the model, for people."""
    uncovered: str = ""
    """What our own step does not cover of the model, '' for nothing."""
    packed: str = ""
    """How weights or keys and values are packed, '' where nothing is: moshi's engine takes nothing packed."""
    on_card: bool = False
    record: Record | None = None
    """What the test found on this device, None where it was not tested."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and how far CUDA graphs are trusted."""

    engine: str
    """One of app.engine.events.ENGINES."""
    graph: bool = True
    """Whether our own frame may be one graph."""
    whole_mimi: bool = True
    """Whether each half of Mimi may be one graph, beside our own frame."""
    trouble: tuple[str, str] | None = None
    """A sentence and an advice, where something else is used than was meant to be."""


def situation(outline: Outline, device: Device, fit: Fit, record: Record | None) -> Situation:
    """Return what the choice depends on, for a model that is about to be loaded."""
    found, kinds = outline.checkpoint, []
    if (mode := outline.packed if fit.mode == MODES[0] else fit.mode) != MODES[0]:
        kinds.append(mode)
    if fit.kv != KVS[0]:
        kinds.append(f"keys in {fit.kv}")
    return Situation(found.name, outline.uncovered, " with ".join(kinds), device.on_card, record)


def choose_engine(wish: str, here: Situation) -> Choice:
    """Return the engine: as wished for, or the faster of those that were found right.

    Left to itself it is ours on a processor, where it was measured to be faster, and for what is packed; on a
    card that was not tested it is moshi's otherwise. Raises UserError where the wish and the model do not go
    together, and where something packed was found wrong.
    """
    _check_wish(wish, here)
    if wish == MOSHIS or here.uncovered:
        return Choice(MOSHIS)
    if not here.on_card:
        return Choice(FAST)
    wrong = here.record.wrong if here.record is not None else None
    if wish == FAST or here.packed:
        return Choice(FAST) if wrong is None else _in_spite(wish, here, wrong.name, wrong.seen)
    if wrong is not None:
        sentence = (
            f"{here.name} runs with moshi's own engine, since a check of this card failed: {wrong.seen}."
        )
        return Choice(MOSHIS, trouble=(sentence, _advice(here)))
    return Choice(FAST if _is_faster(here.record) else MOSHIS)


def find_lighter(wish: str, here: Situation, fit: Fit, sizes: Sizes, *, compiled: bool) -> str:
    """Return the next mode in which a model on a card is lighter, '' where there is none that would load.

    `wish` is that for an engine; `compiled` tells whether kernels can be compiled, which read packed weights.
    A frame reads all weights: on a card that takes most of its time, and fewer bits take less. On a processor
    packed weights were measured to take longer than whole ones.
    """
    if not (here.on_card and compiled):
        return ""
    modes = [*sizes.weights]
    following = "".join(modes[modes.index(fit.mode) + 1 :][:1])
    try:
        choose_engine(wish, replace(here, packed=following))
    except UserError:
        return ""
    return following


def _check_wish(wish: str, here: Situation) -> None:
    """Raise UserError where a wish, or what is packed, does not go with a model."""
    if here.uncovered and (here.packed or wish == FAST):
        sentence = f"The fast engine does not cover a model with {here.uncovered}."
        raise UserError(sentence, "Choose --engine moshi.")
    if here.packed and wish == MOSHIS:
        raise UserError("moshi's own engine takes nothing packed.", "Leave out --engine.")


def _is_faster(record: Record | None) -> bool:
    """Say whether ours was found right, and no slower than moshi's as far as that was timed."""
    if record is None or not record.complete:
        return False
    ours, moshis = record.ms(SPEED), record.ms(MOSHI)
    return moshis is None or (ours is not None and ours <= moshis)


def _in_spite(wish: str, here: Situation, check: str, seen: str) -> Choice:
    """Return the most of our engine that is right, where moshi's is no way out; the rest is told."""
    if check == GRAPH:
        told = (
            f"{here.name} runs without a CUDA graph of the frame, since a check of this card failed: {seen}."
        )
        # Mimi is looked at after the frame: its own finding counts too.
        mimi = here.record.finding(MIMI) if here.record is not None else None
        is_right = mimi is not None and bool(mimi.right)
        return Choice(FAST, graph=False, whole_mimi=is_right, trouble=(told, _advice(here)))
    if check == MIMI:
        told = f"{here.name} runs without CUDA graphs of Mimi, since a check of this card failed: {seen}."
        return Choice(FAST, whole_mimi=False, trouble=(told, _advice(here)))
    if check == SPEED or wish == FAST:
        told = f"{here.name} runs with the fast engine although a check of this card failed: {seen}."
        return Choice(FAST, trouble=(told, _advice(here)))
    sentence = f"{here.name} can not run in {here.packed}, since a check of this card failed: {seen}."
    advice = f"Choose --mode bf16 with --engine moshi, or --device cpu. {_advice(here)}"
    raise UserError(sentence, advice)


def _advice(here: Situation) -> str:
    return f"Update the driver and Aizuchi, then run `aizuchi doctor --check {here.name}` again."
