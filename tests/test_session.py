"""The session: a model is loaded once, talks come and go, faults become sentences, recordings stay whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from huggingface_hub import constants

from app.engine import card_fault, download
from app.engine import model as engine_model
from app.engine.events import (
    Changed,
    Event,
    Failed,
    Loading,
    Loadout,
    Prompt,
    Prompting,
    PromptSupport,
    Ready,
    RecordingEnded,
    RecordingStarted,
    Restart,
    Sampling,
    Spoke,
    Started,
    Stepped,
    Stopped,
    Trouble,
    Unloaded,
)
from app.engine.ports import Progress
from app.errors import UserError
from app.faults import explain
from app.frames import DEVICE, FRAME_SAMPLES, LATE, MICROPHONE, SUSPENDED, Heard, Lost, Samples
from app.session import Session, Talk
from app.store.recordings import Gap, list_recordings
from tests.fakes import HalfLoud, ListPort, tone

DEVICE_ASSERT = """CUDA error: device-side assert triggered
Search for `cudaErrorAssert' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for \
more information.
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might\
be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""
"""As torch 2.9 says it."""


class DeadPort:
    """A port whose device neither brings nor takes anything, and tells nothing of it."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def take(self) -> Heard | None:
        self._closed.wait()
        return None

    def give(self, said: Samples) -> None:
        raise AssertionError("nothing was heard")

    def close(self) -> None:
        self._closed.set()


@pytest.fixture
def session(card_found: None) -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


def wait_for(session: Session, kind: type, seconds: float = 30.0) -> list[Event]:
    """Drain until an event of this kind came, and return everything that was told until then."""
    seen: list[Event] = []
    deadline = time.monotonic() + seconds
    while not any(isinstance(event, kind) for event in seen):
        assert time.monotonic() < deadline, f"no {kind.__name__} among {seen}"
        seen += session.drain()
        time.sleep(0.005)
    return seen


def with_model(session: Session, model: HalfLoud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load a model of the test's own through the session's own door."""

    def load(spec: str, emit: Callable[[Event], None], **_: object) -> HalfLoud:
        emit(Ready(spec, "cpu", "float32", 0, 0.0))
        return model

    monkeypatch.setattr(engine_model, "load_model", load)
    session.load("half-loud")
    wait_for(session, Ready)


def one(events: list[Event], kind: type) -> Event:
    (event,) = (event for event in events if isinstance(event, kind))
    return event


def test_the_echo_is_loaded_and_holds_a_talk_that_is_recorded(session: Session, tmp_path: Path) -> None:
    session.load("echo", models=tmp_path / "models")
    assert one(wait_for(session, Ready), Ready).model == "echo"
    port = ListPort([Heard(tone(0.25))] * 10)
    session.start(Talk(lambda: port, seed=5, recordings=tmp_path, microphone="mic", speaker="ear"))
    events = wait_for(session, Stopped)
    assert one(events, Started).seed == 5
    assert sum(isinstance(event, Stepped) for event in events) == 10
    stopped = one(events, Stopped)
    assert stopped.frames == 10
    (recording,) = list_recordings(tmp_path)
    assert recording.folder == stopped.folder
    assert recording.whole
    assert recording.seconds == pytest.approx(0.8)


def test_a_session_that_is_closed_at_the_word_ready_waits_for_its_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = HalfLoud()

    def load(spec: str, emit: Callable[[Event], None], **_: object) -> HalfLoud:
        emit(Ready(spec, "cpu", "float32", 0, 0.0))
        time.sleep(0.5)
        return model

    monkeypatch.setattr(engine_model, "load_model", load)
    session = Session()
    session.load("half-loud")
    wait_for(session, Ready)
    session.close()
    assert model.told == ["closed"], "left to end with the program, torch ends it with a crash"


def test_a_prompt_is_read_before_the_user_is_heard_and_is_recorded(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HalfLoud(support=PromptSupport(("NATF0",), own_voice=True, role=True))
    with_model(session, model, monkeypatch)
    voice = tmp_path / "anna.wav"
    voice.touch()
    first = Prompt(str(voice), "You are a teacher.", consented=True)
    second = Prompt("NATF0")

    def change(frame: int) -> None:
        if frame == 3:
            session.send(second)
            session.send(Restart(6))

    model._at_step = change
    port = ListPort([Heard(tone(0.1))] * 10)
    talk = Talk(lambda: port, prompt=first, seed=5, recordings=tmp_path / "talks")
    session.start(talk)
    events = wait_for(session, Stopped)
    kinds = [type(event) for event in events]
    assert kinds.index(Prompting) < kinds.index(Started)
    assert [told for told in model.told if not isinstance(told, Sampling)] == [first, 5, second, 6]
    (recording,) = list_recordings(tmp_path / "talks")
    assert recording.prompt == {"voice": "anna.wav", "role": "You are a teacher."}
    (prompted,) = (event for event in recording.events() if event["kind"] == "prompted")
    assert (prompted["frame"], prompted["prompt"]) == (4, {"voice": "NATF0"})
    assert str(tmp_path) not in (recording.folder / "session.json").read_text()


def test_a_prompt_that_the_model_does_not_take_is_a_sentence_and_no_talk(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(), monkeypatch)
    session.start(Talk(lambda: ListPort([]), prompt=Prompt(role="x"), recordings=tmp_path))
    events = wait_for(session, Stopped)
    assert "takes no role" in one(events, Failed).sentence
    assert not any(isinstance(event, (Started, Unloaded)) for event in events)
    assert list_recordings(tmp_path) == []


def test_reading_a_prompt_is_broken_off_when_the_talk_is_ended(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HalfLoud(support=PromptSupport(role=True))
    with_model(session, model, monkeypatch)

    def read(seed: int, progress: Progress | None = None) -> None:
        assert progress is not None
        for frame in range(100_000):
            progress(frame, 100_000)
            time.sleep(0.001)

    monkeypatch.setattr(model, "restart", read)
    session.start(Talk(lambda: ListPort([]), prompt=Prompt(role="x"), recordings=tmp_path))
    wait_for(session, Prompting)
    session.stop()
    events = wait_for(session, Stopped, seconds=2.0)
    assert not any(isinstance(event, (Started, Failed, Unloaded)) for event in events)


def test_a_model_stays_loaded_from_talk_to_talk_until_it_is_unloaded(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HalfLoud()
    with_model(session, model, monkeypatch)
    for seed in (1, 2):
        session.start(Talk(lambda: ListPort([Heard(tone(0.1))] * 3), seed=seed))
        assert one(wait_for(session, Stopped), Stopped).folder is None
    assert [told for told in model.told if isinstance(told, int)] == [1, 2]
    session.unload()
    wait_for(session, Unloaded)
    assert model.told[-1] == "closed"


def test_a_talk_without_a_model_is_refused_with_a_sentence(session: Session) -> None:
    session.start(Talk(lambda: ListPort([])))
    events = wait_for(session, Stopped)
    assert "No model" in one(events, Failed).sentence


def test_a_model_that_is_not_there_is_a_sentence_and_the_session_lives_on(session: Session) -> None:
    session.load("/no/such/folder")
    failed = one(wait_for(session, Failed), Failed)
    assert "/no/such/folder" in failed.sentence
    session.load("echo")
    wait_for(session, Ready)


class Poisoned(HalfLoud):
    """A model on a graphics card whose kernel fails: from then on whatever asks the card raises the same."""

    def __init__(self, fail_at: int) -> None:
        def step(frame: int) -> None:
            if frame == fail_at:
                raise torch.AcceleratorError(DEVICE_ASSERT)

        super().__init__(at_step=step)

    def close(self) -> None:
        raise torch.AcceleratorError(DEVICE_ASSERT)


def test_a_card_that_fails_ends_the_talk_whole_and_is_not_asked_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_model = engine_model.load_model
    with_model(session, Poisoned(fail_at=7), monkeypatch)
    session.start(Talk(lambda: ListPort([Heard(tone(0.1))] * 20), recordings=tmp_path))
    events = wait_for(session, Stopped)
    failed = one(events, Failed)
    assert failed == Failed(card_fault.SENTENCE, card_fault.ADVICE, restart=True)
    assert "AcceleratorError" in failed.details
    one(events, Unloaded)
    (recording,) = list_recordings(tmp_path)
    assert one(events, Stopped) == Stopped(7, recording.folder)
    assert recording.whole
    assert recording.seconds == pytest.approx(7 * FRAME_SAMPLES / 24_000)
    # The session lives on; the card is left alone, whatever a load would ask of it.
    monkeypatch.setattr(engine_model, "load_model", load_model)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: pytest.fail("the card was asked"))
    session.load("tiny", models=tmp_path / "models")
    assert one(wait_for(session, Failed), Failed) == failed
    session.load("tiny", models=tmp_path / "models", loadout=Loadout(device="cpu"))
    wait_for(session, Ready)
    session.unload()
    wait_for(session, Unloaded)


def test_a_card_that_fails_while_a_model_is_loaded_is_told_as_such(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> HalfLoud:
        try:
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        except RuntimeError as fault:
            raise ValueError("warming up failed") from fault

    monkeypatch.setattr(engine_model, "load_model", load)
    session.load("moshiko")
    assert one(wait_for(session, Failed), Failed) == Failed(
        card_fault.SENTENCE, card_fault.ADVICE, restart=True
    )


def test_a_card_that_fails_while_a_model_is_unloaded_is_told_at_the_next_load(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_model = engine_model.load_model
    with_model(session, Poisoned(fail_at=7), monkeypatch)
    session.unload()
    wait_for(session, Unloaded)
    monkeypatch.setattr(engine_model, "load_model", load_model)
    session.load("tiny", models=tmp_path / "models")
    assert one(wait_for(session, Failed), Failed).restart


def test_a_fault_of_the_model_ends_the_talk_and_keeps_the_recording(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(fail_at=7), monkeypatch)
    session.start(Talk(lambda: ListPort([Heard(tone(0.1))] * 20), recordings=tmp_path))
    events = wait_for(session, Stopped)
    failed = one(events, Failed)
    assert "tripped" in failed.sentence
    assert "Traceback" in failed.details
    one(events, Unloaded)
    (recording,) = list_recordings(tmp_path)
    assert one(events, Stopped) == Stopped(7, recording.folder)
    assert recording.whole
    assert recording.seconds == pytest.approx(7 * FRAME_SAMPLES / 24_000)


def test_a_port_that_can_not_be_opened_is_a_sentence_and_leaves_no_recording(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(), monkeypatch)

    def refuse() -> ListPort:
        raise UserError("There is no microphone.", "Plug one in.")

    session.start(Talk(refuse, recordings=tmp_path / "talks"))
    assert one(wait_for(session, Stopped), Failed) == Failed("There is no microphone.", "Plug one in.")
    assert not (tmp_path / "talks").exists()


def test_stop_ends_an_endless_talk_and_commands_reach_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(at_step=lambda frame: time.sleep(0.001)), monkeypatch)

    def endless() -> Iterator[Heard]:
        while True:
            yield Heard(tone(0.1))

    session.start(Talk(lambda: ListPort(endless())))
    wait_for(session, Stepped)
    session.send(Sampling(audio_top_k=3))
    assert one(wait_for(session, Changed), Changed).sampling.audio_top_k == 3
    assert session.port is not None
    session.stop()
    wait_for(session, Stopped)
    assert session.wait(1)
    assert session.port is None


def test_a_load_that_nobody_asked_to_download_for_does_not_ask_the_hub(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> Path:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(download, "_WISHED_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "_reach", ask)
    session.load("moshika", models=tmp_path, may_download=False)
    events = wait_for(session, Failed)
    assert one(events, Failed).sentence == "kyutai/moshika-pytorch-bf16 is not on this computer."
    assert not any(isinstance(each, Loading) and "Downloading" in each.stage for each in events)


def test_closing_does_not_wait_for_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()

    def load(spec: str, emit: Callable[[Event], None], **_: object) -> HalfLoud:
        begun.set()
        end.wait(30)
        return HalfLoud()

    monkeypatch.setattr(engine_model, "load_model", load)
    session = Session()
    session.load("fifteen gigabytes")
    assert begun.wait(10)
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 5
    end.set()
    session.close()


def test_another_model_ends_the_talk_with_the_first_one(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HalfLoud(at_step=lambda frame: time.sleep(0.001))
    with_model(session, model, monkeypatch)
    endless = (Heard(tone(0.1)) for _ in iter(int, 1))
    session.start(Talk(lambda: ListPort(endless)))
    wait_for(session, Stepped)
    session.load("another")
    events = wait_for(session, Ready)
    assert one(events, Stopped).frames > 0
    assert one(events, Ready).model == "another"
    assert "closed" in model.told


def test_a_stop_before_the_port_is_open_is_not_missed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(), monkeypatch)

    def slow() -> ListPort:
        time.sleep(0.3)
        return ListPort(Heard(tone(0.1)) for _ in iter(int, 1))

    session.start(Talk(slow))
    session.stop()
    assert session.wait(10)
    assert one(wait_for(session, Stopped), Stopped).frames == 0


def test_recording_can_be_switched_off_and_on_while_talking(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def toggle(frame: int) -> None:
        if frame == 4:
            session.record(False)
        if frame == 9:
            session.record(True)

    model = HalfLoud(words={2: (40, "one"), 12: (41, "two")}, at_step=toggle)
    with_model(session, model, monkeypatch)
    session.start(Talk(lambda: ListPort([Heard(tone(0.1))] * 20), recordings=tmp_path))
    events = wait_for(session, Stopped)
    started = [event.folder for event in events if isinstance(event, RecordingStarted)]
    assert len(started) == 2
    assert one(events, RecordingEnded) == RecordingEnded(started[0], "", "")
    by_folder = {recording.folder: recording for recording in list_recordings(tmp_path)}
    first, second = (by_folder[folder] for folder in started)
    assert first.seconds == pytest.approx(4 * 0.08)
    assert [(word.frame, word.text) for word in first.words()] == [(2, "one")]
    assert second.seconds == pytest.approx(11 * 0.08)
    assert [(word.frame, word.text) for word in second.words()] == [(12 - 9, "two")]


def test_a_recording_that_can_not_begin_does_not_stop_the_talk(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(words={1: (9, "word")}), monkeypatch)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    session.start(Talk(lambda: ListPort([Heard(tone(0.1))] * 5), recordings=blocked))
    events = wait_for(session, Stopped)
    assert "not recorded" in one(events, Trouble).sentence
    assert one(events, Spoke).text == "word"
    assert one(events, Stopped).frames == 5


def test_max_frames_ends_the_talk(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(session, HalfLoud(), monkeypatch)
    endless = (Heard(tone(0.1)) for _ in iter(int, 1))
    session.start(Talk(lambda: ListPort(endless), max_frames=12))
    assert one(wait_for(session, Stopped), Stopped).frames == 12


def test_lost_time_counts_towards_the_most_frames(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(session, HalfLoud(), monkeypatch)
    silent = (Lost(5, MICROPHONE) for _ in iter(int, 1))
    session.start(Talk(lambda: ListPort(silent), max_frames=12))
    assert one(wait_for(session, Stopped), Stopped).frames == 15


def test_a_talk_ends_by_the_clock_though_its_microphone_brings_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(), monkeypatch)
    began = time.monotonic()
    session.start(Talk(DeadPort, max_s=0.4))
    wait_for(session, Stopped)
    assert 0.4 <= time.monotonic() - began < 5


def test_a_talk_that_is_limited_in_time_ends_with_its_last_frame(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(), monkeypatch)
    endless = (Heard(tone(0.1)) for _ in iter(int, 1))
    session.start(Talk(lambda: ListPort(endless), max_s=0.9))
    assert one(wait_for(session, Stopped), Stopped).frames == 12


def test_lost_time_is_silence_of_its_length_and_the_recording_says_why(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(session, HalfLoud(words={2: (9, " late")}), monkeypatch)
    heard = [Heard(tone(0.5)), Heard(tone(0.5), skipped=3), Lost(6, DEVICE), Lost(6, DEVICE)]
    session.start(Talk(lambda: ListPort([*heard, Heard(tone(0.5))]), recordings=tmp_path))
    events = wait_for(session, Stopped)
    assert one(events, Stopped).frames == 18
    (recording,) = list_recordings(tmp_path)
    assert recording.seconds == pytest.approx(18 * 0.08)
    audio, _ = soundfile.read(recording.audio, dtype="float32")
    sounding = audio.reshape(18, FRAME_SAMPLES, 2).any(axis=(1, 2))
    assert np.flatnonzero(sounding).tolist() == [0, 4, 17]
    assert recording.gaps() == [Gap(1, 3, LATE), Gap(5, 12, DEVICE)]
    assert [(word.frame, word.text) for word in recording.words()] == [(17, " late")]


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ([Lost(8 * 3600 * 25 // 2, SUSPENDED)], ("asleep", 0.16)),
        ([Lost(50, DEVICE)] * 20, ("no sound", 60.16)),
    ],
    ids=["a night at once", "bit by bit"],
)
def test_a_long_gap_ends_a_recording_and_the_next_sound_begins_another(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: list[Lost],
    told: tuple[str, float],
) -> None:
    with_model(session, HalfLoud(words={3: (9, " again")}), monkeypatch)
    both = [Heard(tone(0.5))] * 2
    session.start(Talk(lambda: ListPort([*both, *lost, *both]), recordings=tmp_path))
    events = wait_for(session, Stopped)
    total = 4 + sum(frames for frames, _ in lost)
    assert one(events, Stopped).frames == total
    assert told[0] in one(events, RecordingEnded).sentence
    first, second = sorted(list_recordings(tmp_path), key=lambda each: each.folder.name)
    assert (first.seconds, second.seconds) == (pytest.approx(told[1]), pytest.approx(0.16))
    assert second.folder == one(events, Stopped).folder
    assert [word.frame for word in second.words()] == [1]
    assert first.events()[-1]["reason"] == lost[0].reason


def test_loading_the_tiny_model_tells_its_progress(session: Session, tmp_path: Path) -> None:
    session.load("tiny", models=tmp_path)
    events = wait_for(session, Ready)
    assert any(isinstance(event, Loading) for event in events)
    assert one(events, Ready).memory_bytes > 0


def _named(name: str, text: str) -> Exception:
    """Return a fault as torch raises it; the real ones need a graphics card."""
    return type(name, (RuntimeError,), {})(text)


@pytest.mark.parametrize(
    ("fault", "sentence", "advice"),
    [
        (_named("OutOfMemoryError", "CUDA out of memory"), "graphics memory ran out", "fewer bits"),
        (torch.AcceleratorError("CUDA error: out of memory"), "graphics memory ran out", "fewer bits"),
        (torch.AcceleratorError("CUDA error: unspecified launch failure"), "card failed", "driver"),
        (RuntimeError("CUDA error: device-side assert triggered"), "card failed", "driver"),
        (FileNotFoundError(2, "No such file", "model.safetensors"), "model.safetensors is gone", "Download"),
        (RuntimeError("Failed to find C compiler."), "could not be compiled", "gcc"),
    ],
    ids=["memory", "memory of the driver", "card", "older torch", "file", "compiler"],
)
def test_what_cards_and_disks_do_is_a_sentence_with_a_way_on(
    fault: Exception, sentence: str, advice: str
) -> None:
    found = explain(fault)
    assert found is not None
    assert sentence in found[0]
    assert advice in found[1]
    assert explain(ValueError("anything else")) is None
