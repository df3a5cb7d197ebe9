"""Moshi says, token for token and sample for sample, what moshi's own parts say when driven by hand."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from moshi.utils import compile as moshi_compile
from torch.utils._python_dispatch import TorchDispatchMode

from app.engine.device import choose_device
from app.engine.events import Event, Loading, Loadout, Ready, Sampling
from app.engine.fake import Echo
from app.engine.model import load_model, recommended
from app.engine.penalty import Penalty
from app.engine.stepper import MoshiStepper
from app.errors import UserError
from app.frames import FRAME_SAMPLES, Samples
from tests.engine.by_hand import by_hand
from tests.engine.conftest import GREEDY, Load, speech, talk

FRAMES = 48


def same(model_said: list[tuple[int | None, bytes]], expected: list[tuple[int, Samples]]) -> None:
    tokens = [None if token in (0, 3) else token for token, _ in expected]
    assert [token for token, _ in model_said] == tokens
    assert len({token for token in tokens if token is not None}) > 2, "a talk without words proves nothing"
    for (_, samples), (_, sound) in zip(model_said, expected, strict=True):
        assert samples == sound.tobytes()


def test_greedy_is_what_moshi_says(tiny: Path, load: Load) -> None:
    heard = speech(FRAMES)
    expected = list(by_hand(tiny, heard, seed=0, use_sampling=False))
    same(talk(load(tiny, sampling=GREEDY), heard), expected)


def test_sampled_with_a_seed_is_what_moshi_says_and_warming_up_leaves_no_trace(
    tiny: Path, load: Load
) -> None:
    heard = speech(FRAMES)
    same(talk(load(tiny, seed=7), heard), list(by_hand(tiny, heard, seed=7)))


def test_restart_equals_a_fresh_start(tiny: Path, load: Load) -> None:
    heard = speech(FRAMES)
    model = load(tiny, sampling=Sampling(repetition_penalty=1.5), seed=3)
    fresh = talk(model, heard)
    talk(model, speech(20, seed=9))
    model.restart(3)
    assert talk(model, heard) == fresh
    model.restart(4)
    assert talk(model, heard) != fresh


@pytest.mark.parametrize(
    "certain",
    [Sampling(text_temperature=0, audio_temperature=0), Sampling(text_top_k=1, audio_top_k=1)],
    ids=["temperature 0", "top-k 1"],
)
def test_sampling_is_honoured_from_the_next_frame(certain: Sampling, tiny: Path, load: Load) -> None:
    heard = speech(FRAMES)
    model = load(tiny, sampling=GREEDY)
    greedy = talk(model, heard)
    model.restart(0)
    model.set_sampling(certain)
    assert talk(model, heard) == greedy
    model.restart(0)
    model.set_sampling(GREEDY)
    assert talk(model, heard[:30]) == greedy[:30]
    model.set_sampling(Sampling(text_temperature=3.0, text_top_k=0, audio_top_k=0))
    assert talk(model, heard[30:31]) != greedy[30:31], "the very next frame sounds otherwise"
    assert talk(model, heard[31:]) != greedy[31:]


def test_changing_the_sound_sampling_captures_the_depth_graph_anew_and_nothing_else_does(
    tiny: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(tiny, loadout=Loadout(engine="moshi"))
    assert isinstance(model._stepper, MoshiStepper)
    state = model._stepper._lm_gen._streaming_state
    assert state is not None
    graph = state.graphed_depth
    resets = []
    monkeypatch.setattr(graph, "reset", lambda **_: resets.append(1))
    model.set_sampling(Sampling())
    model.set_sampling(Sampling(text_temperature=0.1, text_top_k=3, repetition_penalty=1.2))
    assert not resets
    model.set_sampling(Sampling(audio_top_k=100))
    model.set_sampling(Sampling(audio_top_k=100, greedy=True))
    assert len(resets) == 2


def test_a_context_ring_lets_talk_go_on_for_ever(tiny: Path, load: Load) -> None:
    heard = speech(150)
    short, long = load(tiny, sampling=GREEDY, loadout=Loadout(context=24)), load(tiny, sampling=GREEDY)
    said, expected = talk(short, heard), talk(long, heard)
    assert said[:24] == expected[:24]
    assert said != expected
    tail = [token for token, _ in said[-24:]]
    assert len(set(tail)) > 1, "six times round, the model still speaks"


def test_a_wrapped_ring_remembers_as_much_as_a_straight_one(tiny: Path, load: Load) -> None:
    """What lies further back than the context makes no difference, even after the ring went round."""
    lm = load(tiny, loadout=Loadout(context=10, engine="moshi"))._stepper.lm
    codes = torch.randint(200, (1, 17, 95), generator=torch.Generator().manual_seed(0)).to(lm.device)
    tolerance = 1e-4 if lm.dtype == torch.float32 else 0.1
    with torch.no_grad(), moshi_compile.no_compile():
        lm.reset_streaming()
        streamed = torch.cat([lm.forward_text(codes[:, :, t : t + 1])[1] for t in range(95)], dim=2)
        state = lm.get_streaming_state()
        lm._stop_streaming()
        straight = lm.forward_text(codes)[1]
        lm.set_streaming_state(state)
    torch.testing.assert_close(streamed, straight, rtol=tolerance, atol=tolerance)


def test_said_frames_are_quiet_float32_and_never_beyond_full_scale(tiny: Path, load: Load) -> None:
    model = load(tiny)
    said = [model.step(frame) for frame in speech(40)]
    sound = np.concatenate([each.samples for each in said])
    assert sound.dtype == np.float32
    assert len(sound) == 40 * FRAME_SAMPLES
    assert not said[0].samples.any(), "nothing is said while the acoustic delay fills"
    level_db = 10 * np.log10(np.mean(sound**2))
    assert -40 < level_db < -30
    assert np.abs(sound).max() <= 1.0
    model._mimi.decoder.model[-1].conv.conv.weight.mul_(1e4)
    assert np.abs(model.step(speech(1)[0]).samples).max() == 1.0


class Stalls(TorchDispatchMode):
    """Counts the operations that would make the host wait for a graphics card."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        if "_local_scalar_dense" in str(func) or "nonzero" in str(func):
            self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_no_step_waits_for_the_device_but_once(tiny: Path, load: Load) -> None:
    """Each read of a single number (aten::_local_scalar_dense) would stall the host on a graphics card."""

    model = load(tiny, sampling=Sampling(repetition_penalty=1.3))
    talk(model, speech(3))
    with Stalls() as stalls:
        model.step(speech(1)[0])
    assert not stalls.names


def test_penalty_divides_and_multiplies_recent_tokens_and_spares_padding() -> None:
    penalty = Penalty((3, 0), torch.device("cpu"))
    penalty.set(2.0, 3)
    for token in (5, 6, 0, 3, 7, 7):
        penalty.note(torch.tensor([token]))
    logits = torch.tensor([[[[4.0, 4, 4, 4, 4, 4, 4, -4]]]])
    penalty.apply(logits)
    assert logits.flatten().tolist() == [4, 4, 4, 4, 4, 4, 4, -8], "5 and 6 are forgotten, 0 and 3 exempt"
    penalty.set(4.0, 5)
    penalty.note(torch.tensor([5]))
    penalty.apply(logits)
    assert logits.flatten().tolist() == [4, 4, 4, 4, 4, 1, 4, -32], "what was remembered stays"
    penalty.reset()
    penalty.apply(logits)
    assert logits.flatten().tolist() == [4, 4, 4, 4, 4, 1, 4, -32]


def test_a_strong_penalty_ends_repetition(tiny: Path, load: Load) -> None:
    model = load(tiny, seed=1)
    heard = speech(120)

    def repeats(penalty: float) -> float:
        model.restart(1)
        model.set_sampling(Sampling(repetition_penalty=penalty, repetition_frames=30))
        tokens = [token for token, _ in talk(model, heard) if token is not None]
        return 1 - len(set(tokens)) / len(tokens)

    assert repeats(8.0) < 0.7 * repeats(1.0)


def test_loading_tells_its_way_and_how_much_memory_it_takes(tiny: Path, load: Load) -> None:
    events: list[Event] = []
    model = load(tiny, events.append)
    stages = [event for event in events if isinstance(event, Loading)]
    read = [event for event in stages if event.total_bytes]
    assert [event.done_bytes for event in read] == sorted(event.done_bytes for event in read)
    assert 0.9 < read[-1].done_bytes / read[-1].total_bytes <= 1.0
    ready = events[-1]
    assert isinstance(ready, Ready)
    here = choose_device()
    assert (ready.model, ready.device) == ("tiny", here.label)
    assert ready.mode == ("bf16" if here.on_card else "float32")
    assert ready.memory_bytes > (tiny / "model.safetensors").stat().st_size
    assert model.details["weights"]["file"] == "model.safetensors"  # type: ignore[index]


def test_closing_gives_the_memory_back(tiny: Path) -> None:
    model = load_model(str(tiny), lambda _: None)
    weights = weakref.ref(model._stepper.lm.text_linear.weight)
    frozen = gc.get_freeze_count()
    model.close()
    assert weights() is None
    # Python 3.12 keeps a few hundred objects of its own frozen.
    assert gc.get_freeze_count() < frozen / 10


def test_a_model_says_what_its_makers_recommend() -> None:
    told = recommended({"temp": 0.9, "top_k_text": 10, "cfg_coef": 2.0})
    assert told == Sampling(audio_temperature=0.9, text_top_k=10)


def test_an_unknown_model_is_refused_with_the_names_of_known_ones(load: Load) -> None:
    with pytest.raises(UserError, match=r"no model called 'moshikko'.*moshiko.*tiny.*echo"):
        load("moshikko")


def test_a_context_too_short_to_talk_is_refused(tiny: Path, load: Load) -> None:
    with pytest.raises(UserError, match="too short"):
        load(tiny, loadout=Loadout(context=1))


def test_echo_says_what_it_hears_without_words() -> None:
    events: list[Event] = []
    model = load_model("echo", events.append)
    assert isinstance(model, Echo)
    assert [type(event) for event in events] == [Ready]
    frame = speech(1)[0]
    said = model.step(frame)
    assert np.array_equal(said.samples, frame)
    assert said.token is None
