"""All that was said is learnt from, evenly, in an order that can be taken up; what is judged is apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from app.errors import UserError
from training.config import Batch
from training.data.shards import Shards
from training.examples import Examples, Window, choose, cut, split
from training.loop import _share_out
from training.loss import LossWeights

FRAMES = 20
SHORT = Batch(seconds=FRAMES * 0.08, min_seconds=6 * 0.08)
"""Windows of 6 to 20 frames."""


def voice(frames: int, seed: int) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.integers(400, size=(1, frames)), rng.integers(256, size=(8, frames))])


def a(number: int, frames: int) -> npt.NDArray[np.int64]:
    return voice(frames, number)


def b(number: int, frames: int) -> npt.NDArray[np.int64]:
    return voice(frames, 100 + number)


def shards(folder: Path, *lengths: int) -> Shards:
    """Return dialogues d0, d1, … of so many frames."""
    voices = [[side(n, frames).tolist() for n, frames in enumerate(lengths)] for side in (a, b)]
    path = folder / f"talks-{len(lengths)}.parquet"
    names = [f"d{number}" for number in range(len(lengths))]
    pq.write_table(pa.table({"dialogue_id": names, "A": voices[0], "B": voices[1]}), path)
    return Shards([path], folder / "cache")


def seen(examples: Examples) -> set[tuple[int, int]]:
    """Return (dialogue, frame) of all that the windows hold."""
    return {
        (each.dialogue, frame)
        for each in examples.windows
        for frame in range(each.first, each.first + each.frames)
    }


@pytest.mark.parametrize("longest", [1, 2, 3, 20, 1250])
def test_a_dialogue_is_cut_into_as_few_and_as_even_parts_as_can_be(longest: int) -> None:
    for frames in [*range(1, 130), 1250, 1251, 2500, 2501, 99_999]:
        parts = cut(frames, longest)
        count = -(-frames // longest)
        expected = [len(part) for part in np.array_split(np.arange(frames), count)]
        assert sorted(length for _, length in parts) == sorted(expected)
        assert [first for first, _ in parts] == np.cumsum([0, *(length for _, length in parts)])[:-1].tolist()
        assert max(length for _, length in parts) <= longest


def test_nothing_is_cut_into_nothing() -> None:
    assert cut(0, 20) == []


def test_what_is_too_short_is_left_out(tmp_path: Path) -> None:
    examples = Examples(shards(tmp_path, 5, 6, 20, 21), range(4), ["A"], SHORT)
    assert [(each.dialogue, each.first, each.frames) for each in examples.windows] == [
        (1, 0, 6),
        (2, 0, 20),
        (3, 0, 10),
        (3, 10, 11),
    ]
    assert examples.hours == pytest.approx((6 + 20 + 21) * 0.08 / 3600)


def test_the_voice_that_learns_is_first(tmp_path: Path) -> None:
    examples = Examples(shards(tmp_path, 10, 30), [1], ["A", "B"], SHORT)
    whole_a, whole_b = a(1, 30), b(1, 30)
    expected = {"A": np.concatenate([whole_a, whole_b[1:]]), "B": np.concatenate([whole_b, whole_a[1:]])}
    assert [(each.speaker, each.first) for each in examples.windows] == [
        ("A", 0),
        ("B", 0),
        ("A", 15),
        ("B", 15),
    ]
    for window in examples.windows:
        codes = examples.codes(window)
        assert codes.dtype == np.int64
        stretch = slice(window.first, window.first + 15)
        assert np.array_equal(codes, expected[window.speaker][:, stretch])


def test_both_sides_are_twice_as_much_to_learn_from(tmp_path: Path) -> None:
    read = shards(tmp_path, 40)
    one, two = (Examples(read, [0], speakers, SHORT) for speakers in (["B"], ["A", "B"]))
    assert {window.speaker for window in one.windows} == {"B"}
    assert two.hours == 2 * one.hours


def test_a_shorter_example_is_filled_up_with_what_is_no_target(tmp_path: Path) -> None:
    examples = Examples(shards(tmp_path, 8, 20), [0, 1], ["A"], SHORT)
    stacked = examples.stack(examples.windows)
    assert (stacked.shape, stacked.dtype) == ((2, 17, 20), torch.int64)
    assert np.array_equal(stacked[0, :, :8], examples.codes(examples.windows[0]))
    assert (stacked[0, :, 8:] == -1).all()
    assert np.array_equal(stacked[1], examples.codes(examples.windows[1]))
    longer = examples.stack(examples.windows[:1], 25)
    assert longer.shape == (1, 17, 25)
    assert torch.equal(longer[:, :, :8], stacked[:1, :, :8])
    assert (longer[:, :, 8:] == -1).all()


def test_a_window_is_named_by_dialogue_and_time(tmp_path: Path) -> None:
    examples = Examples(shards(tmp_path, 6, 50), [0, 1], ["A"], Batch(2.0, 0.5))
    assert examples.name(examples.windows[-1]) == "d1 from 2 s on"


@pytest.mark.parametrize(("count", "examples"), [(7, 3), (8, 8), (3, 8), (1, 4)])
def test_all_windows_are_seen_once_before_any_is_seen_again(count: int, examples: int) -> None:
    steps = count * examples
    order = [at for step in range(steps) for at in choose(count, examples, 5, step)]
    epochs = [order[at : at + count] for at in range(0, len(order), count)]
    assert len(order) == steps * examples
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    if count > 3:
        assert len({tuple(epoch) for epoch in epochs}) > 1


def test_the_order_can_be_taken_up_at_any_step() -> None:
    there = [choose(50, 8, 1, step) for step in range(40)]
    back = [choose(50, 8, 1, step) for step in reversed(range(40))]
    assert back == there[::-1]
    assert [choose(50, 8, 2, step) for step in range(40)] != there


def test_the_order_is_written_down() -> None:
    # What a run of an older version has seen is not to be seen again after an update.
    assert [choose(6, 4, 0, step) for step in range(3)] == [[3, 2, 5, 4], [0, 1, 1, 4], [3, 0, 2, 5]]


@pytest.mark.parametrize(("processes", "size"), [(1, 1), (1, 4), (2, 2), (4, 1), (8, 1), (2, 1)])
def test_a_step_learns_from_the_same_on_any_number_of_processes(
    processes: int, size: int, tmp_path: Path
) -> None:
    train = Examples(shards(tmp_path, *([12] * 11)), range(11), ["A"], SHORT)
    for step in range(3):
        windows = [train.windows[at] for at in choose(11, 8, 0, step)]
        batches = [
            batch for rank in range(processes) for batch in share(train, windows, rank, processes, size)
        ]
        assert {len(batch) for batch in batches} == {size}
        got = Counter(codes.numpy().tobytes() for batch in batches for codes in batch)
        assert got == Counter(train.codes(window).tobytes() for window in windows)


def share(train: Examples, windows: list[Window], rank: int, processes: int, size: int) -> list[torch.Tensor]:
    """Return what one of several processes learns from; it needs to know no more than this of the others."""
    accelerator = SimpleNamespace(process_index=rank, num_processes=processes, device="cpu")
    config = SimpleNamespace(batch=Batch(size=size), loss=LossWeights())
    work = SimpleNamespace(accelerator=accelerator, config=config, train=train, fixed_frames=None)
    return [codes for codes, _ in _share_out(cast(Any, work), windows, 0)]


@pytest.mark.parametrize(("share_aside", "kept"), [(0.1, 2), (0.01, 1), (0.5, 10), (0.99, 19)])
def test_whole_dialogues_are_kept_aside(share_aside: float, kept: int, tmp_path: Path) -> None:
    read = shards(tmp_path, *range(30, 50))
    train, held_out = split(read, ["A", "B"], SHORT, share_aside, 0)
    aside = {window.dialogue for window in held_out.windows}
    assert len(aside) == kept
    assert not aside & {window.dialogue for window in train.windows}
    assert seen(train) | seen(held_out) == {(n, at) for n in range(20) for at in range(30 + n)}
    again, _ = split(read, ["A", "B"], SHORT, share_aside, 0)
    assert again.windows == train.windows


def test_another_seed_keeps_others_aside(tmp_path: Path) -> None:
    read = shards(tmp_path, *range(30, 50))
    chosen = [frozenset(seen(split(read, ["A"], SHORT, 0.1, seed)[1])) for seed in range(5)]
    assert len(set(chosen)) > 1


@pytest.mark.parametrize("speakers", [["A"], ["A", "B"]])
@pytest.mark.parametrize(("frames", "share_aside", "kept"), [(100, 0.1, 20), (100, 0.5, 40), (40, 0.9, 20)])
def test_of_one_dialogue_the_end_is_kept_aside_with_all_its_sides(
    speakers: list[str], frames: int, share_aside: float, kept: int, tmp_path: Path
) -> None:
    train, held_out = split(shards(tmp_path, frames), speakers, SHORT, share_aside, 0)
    assert seen(held_out) == {(0, at) for at in range(frames - kept, frames)}
    assert seen(train) == {(0, at) for at in range(frames - kept)}
    for examples in train, held_out:
        assert [window.speaker for window in examples.windows[: len(speakers)]] == speakers


def test_what_is_learnt_from_in_one_piece_leaves_nothing_to_judge_by(tmp_path: Path) -> None:
    train, held_out = split(shards(tmp_path, 15), ["A", "B"], SHORT, 0.1, 0)
    assert (len(train.windows), held_out.windows) == (2, [])


def test_nothing_is_kept_aside_where_none_is_asked_for(tmp_path: Path) -> None:
    train, held_out = split(shards(tmp_path, 30, 40), ["A"], SHORT, 0.0, 0)
    assert len(seen(train)) == 70
    assert held_out.windows == []


@pytest.mark.parametrize("seed", range(6))
def test_dialogues_too_short_to_learn_from_are_not_what_is_left_or_judged_by(
    seed: int, tmp_path: Path
) -> None:
    train, held_out = split(shards(tmp_path, 3, 30, 4, 40, 5), ["A"], SHORT, 0.1, seed)
    assert {len(seen(train)), len(seen(held_out))} == {30, 40}
    train, held_out = split(shards(tmp_path, 3, 60), ["A"], SHORT, 0.1, seed)
    assert (len(seen(train)), len(seen(held_out))) == (40, 20)


@pytest.mark.parametrize("lengths", [(3, 5), ()])
def test_a_dataset_without_a_dialogue_long_enough_is_refused(
    lengths: tuple[int, ...], tmp_path: Path
) -> None:
    read = shards(tmp_path, *lengths) if lengths else Shards([], tmp_path / "cache")
    with pytest.raises(UserError, match=f"the longest has {max(lengths, default=0) * 0.08:.1f} s") as caught:
        split(read, ["A"], SHORT, 0.1, 0)
    assert caught.value.advice == "Lower batch.min_seconds, which is 0.48."


def test_dialogues_that_are_cut_too_short_are_told_so(tmp_path: Path) -> None:
    batch = Batch(seconds=FRAMES * 0.08, min_seconds=1.2)
    with pytest.raises(
        UserError, match=r"the longest has 1\.8 s, and is cut into stretches of 1\.0 s"
    ) as caught:
        split(shards(tmp_path, 10, 23), ["A"], batch, 0.1, 0)
    assert caught.value.advice.endswith("which is 1.2, or raise batch.seconds, which is 1.6.")
