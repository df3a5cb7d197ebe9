"""What a graphics card would replay is what the same code says without a graph: tokens, codes and sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from moshi.models import LMGen, LMModel, MimiModel
from moshi.utils.compile import CUDAGraphed, no_compile
from torch import Tensor

from app.engine import build
from app.engine.checkpoint import find
from app.engine.events import Sampling
from app.engine.fast.frame import FrameStep
from app.engine.in_place import keep_in_place
from app.engine.stepper import MoshiStepper
from tests.engine.conftest import speech
from tests.engine.fast.test_frame import build as build_lm
from tests.engine.fast.test_frame import by_moshi, drive
from tests.engine.graphs import Captures, emulated

GREEDY = Sampling(greedy=True)
CPU = torch.device("cpu")


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captures]:
    with emulated(monkeypatch) as counted, no_compile():
        yield counted


# --- The language model ---------------------------------------------------------------------------


def without_graph(lm: LMModel, kv: str = "bf16") -> FrameStep:
    step = FrameStep(lm, kv=kv, captured=True)
    step._graph.disable = True
    return step


@pytest.mark.parametrize("kv", ["bf16", "int8"])
def test_a_captured_frame_says_what_it_says_uncaptured(captures: Captures, kv: str) -> None:
    lm = build_lm()
    for sampling in (GREEDY, Sampling(), Sampling(repetition_penalty=1.4)):
        captured, plain = FrameStep(lm, kv=kv, captured=True), without_graph(lm, kv)
        for step in (captured, plain):
            step.set_sampling(sampling)
        # The ring of 20 frames is gone round three times.
        assert drive(captured.step, lm) == drive(plain.step, lm)
        captured.reset(), plain.reset()
        assert drive(captured.step, lm) == drive(plain.step, lm), "after a reset too"
    assert captures.count >= 3


CHANGES = [
    Sampling(text_temperature=1.7),
    Sampling(audio_temperature=0.4, text_top_k=3),
    Sampling(audio_top_k=200, repetition_penalty=1.5),
    GREEDY,
    Sampling(text_top_k=0, audio_top_k=10**6),
    Sampling(audio_temperature=0.0),
    Sampling(),
]


def test_sampling_changes_without_another_capture(captures: Captures) -> None:
    lm = build_lm()
    captured, plain = FrameStep(lm, captured=True), without_graph(lm)

    def changing(step: FrameStep) -> Callable[[Tensor], Tensor | None]:
        frames = iter(range(1000))

        def take(heard: Tensor) -> Tensor | None:
            frame = next(frames)
            if frame % 10 == 5:
                step.set_sampling(CHANGES[frame // 10 % len(CHANGES)])
            return step.step(heard)

        return take

    said = drive(changing(captured), lm)
    assert captures.count == 1
    assert said == drive(changing(plain), lm)
    assert said != drive(without_graph(lm).step, lm), "they do make a difference"


def test_another_memory_of_the_penalty_is_captured_anew(captures: Captures) -> None:
    lm = build_lm()
    captured, plain = FrameStep(lm, captured=True), without_graph(lm)
    said = []
    for step in (captured, plain):
        first = drive(step.step, lm, 10)
        step.set_sampling(Sampling(repetition_penalty=1.5, repetition_frames=3))
        said.append(first + drive(step.step, lm, 30))
    assert said[0] == said[1]
    assert captures.count == 2


def test_the_likeliest_tokens_of_a_captured_frame_are_those_of_moshi(captures: Captures) -> None:
    lm = build_lm()
    step = FrameStep(lm, captured=True)
    step.set_sampling(GREEDY)
    said = drive(step.step, lm)
    assert captures.count == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_CUDA_GRAPH", "1")
        assert said == by_moshi(lm)


def test_sampling_that_is_set_before_the_first_frame_is_no_capture_in_the_first(captures: Captures) -> None:
    """Kernels are compiled and LMGen's modules are run for the first time then, which no capture allows."""
    lm = build_lm()
    for step in (FrameStep(lm, captured=True), MoshiStepper(lm)):
        step.set_sampling(replace(GREEDY, greedy=False, audio_temperature=0.5, audio_top_k=7))
        before = captures.count
        drive(step.step, lm, 1)
        assert captures.count == before, type(step).__name__
        drive(step.step, lm, 10)
        assert captures.count > before
        step.close()


def test_moshis_own_step_says_the_same_captured(captures: Captures) -> None:
    lm = build_lm()
    with LMGen(lm, use_sampling=False).streaming(1):
        pass
    step = MoshiStepper(lm)
    step.set_sampling(GREEDY)
    said = drive(step.step, lm)
    step.close()
    assert captures.count >= 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_CUDA_GRAPH", "1")
        assert said == by_moshi(lm)


# --- Mimi -----------------------------------------------------------------------------------------

FRAMES = 24


def mimi_of(spec: Path | str) -> MimiModel:
    return build.load_mimi(find(str(spec)), CPU)


def halves(mimi: MimiModel, *, mended: bool = True, graphs: bool = True) -> tuple[list[Tensor], list[Tensor]]:
    """Return codes [K] and sound [1920] of each frame, each half a graph, with a reset after the first."""
    codes, sound = [], []
    with torch.no_grad(), mimi.streaming(1):
        if mended:
            keep_in_place(mimi)
        parts = mimi.encode, mimi.decode
        encode, decode = map(CUDAGraphed, parts) if graphs else parts
        for at, frame in enumerate(speech(FRAMES)):
            heard = encode(torch.from_numpy(frame)[None, None])
            if at in (0, 15):
                mimi.reset_streaming()
            codes.append(heard[0, :, 0].clone())
            sound.append(decode(heard)[0, 0].clone())
    return codes, sound


@pytest.mark.parametrize("model", ["tiny", "starter"])
def test_each_half_of_mimi_as_one_graph_gives_what_it_gives_without(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, tiny: Path, model: str
) -> None:
    mimi = mimi_of(tiny if model == "tiny" else model)
    codes, sound = halves(mimi)
    assert captures.count == 2
    with pytest.raises(RuntimeError, match="memory that was given back"):
        halves(mimi, mended=False)
    monkeypatch.setenv("NO_CUDA_GRAPH", "1")
    expected_codes, expected_sound = halves(mimi, mended=False, graphs=False)
    for got, expected in zip(codes, expected_codes, strict=True):
        assert torch.equal(got, expected)
    for got_sound, expected in zip(sound, expected_sound, strict=True):
        torch.testing.assert_close(got_sound, expected)
