"""A recording is heard: through the real PortAudio, on virtual devices, from a process of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.audio.playback import Playback, Tape
from app.audio.rig import RATE, Rig, read_recording
from app.frames import SAMPLE_RATE
from tests.audio.conftest import on_each_server, open_rig

MODEL_HZ, USER_HZ = 440.0, 1_000.0
LENGTH_S = 6.0


@pytest.fixture(scope="module")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with open_rig(getattr(request, "param", "PulseAudio")) as rig:
        yield rig


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Return a file in which the model hums at MODEL_HZ and the user at USER_HZ."""
    time_s = np.arange(int(LENGTH_S * SAMPLE_RATE)) / SAMPLE_RATE
    stereo = np.stack([0.3 * np.sin(2 * np.pi * hz * time_s) for hz in (MODEL_HZ, USER_HZ)], axis=1)
    soundfile.write(tmp_path / "talk.flac", stereo, SAMPLE_RATE)
    return tmp_path / "talk.flac"


class Process:
    """A playback process, and everything it told so far."""

    def __init__(self, env: dict[str, str], *speaker: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.audio.playback", *speaker],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def tell(self, **command: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def await_news(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 8.0) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.news.get(timeout=max(0.01, deadline - time.monotonic()))
            if wanted(message):
                return message

    def close(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(5)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.news.put(json.loads(line))


@pytest.fixture
def process(rig: Rig) -> Iterator[Process]:
    process = Process(rig.env)
    yield process
    assert process.close() == 0


@pytest.fixture
def listen(rig: Rig, tmp_path: Path) -> Iterator[Callable[[], np.ndarray]]:
    """Record the speaker from now on; calling it returns what was heard until then, [N] at RATE."""
    file = tmp_path / "heard.raw"
    recorder = rig.record(file)
    while not file.exists() or file.stat().st_size == 0:
        time.sleep(0.02)
    yield lambda: read_recording(file)[:, 1]
    recorder.terminate()
    recorder.wait()


def strength(samples: np.ndarray, hz: float) -> float:
    """Return the amplitude of one pitch."""
    time_s = np.arange(len(samples)) / RATE
    return float(2 * np.abs(np.mean(samples * np.exp(-2j * np.pi * hz * time_s))))


def loud(samples: np.ndarray) -> np.ndarray:
    """Return the stretch between the first and the last sound."""
    found = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[found[0] : found[-1]]


def play(process: Process, talk: Path, at: float, take: int = 1) -> None:
    process.tell(do="play", file=str(talk), at=int(at * SAMPLE_RATE), take=take)


def has_ended(news: dict[str, Any]) -> bool:
    return news["take"] == 1 and not news["playing"]


def test_the_sound_arrives_and_the_place_moves(
    process: Process, talk: Path, listen: Callable[[], np.ndarray]
) -> None:
    play(process, talk, at=4.5)
    first = process.await_news(lambda news: news["playing"])
    last = process.await_news(has_ended)
    heard = loud(listen())
    assert 4.5 * SAMPLE_RATE <= first["at"] < 4.8 * SAMPLE_RATE
    assert last["at"] == LENGTH_S * SAMPLE_RATE
    assert len(heard) / RATE == pytest.approx(1.5, abs=0.15)
    assert strength(heard, MODEL_HZ) > 0.1
    assert strength(heard, USER_HZ) > 0.1


def test_one_voice_can_be_heard_alone_and_faster(
    process: Process, talk: Path, listen: Callable[[], np.ndarray]
) -> None:
    process.tell(do="balance", model=0.0, user=1.0)
    process.tell(do="speed", speed=2.0)
    play(process, talk, at=4.0)
    process.await_news(has_ended)
    heard = loud(listen())
    assert len(heard) / RATE == pytest.approx(1.0, abs=0.15)
    assert strength(heard, USER_HZ) > 0.1
    assert strength(heard, MODEL_HZ) < 0.01


@on_each_server
def test_the_chosen_speaker_is_used(rig: Rig, talk: Path, tmp_path: Path) -> None:
    recorder = rig.record(tmp_path / "other.raw", source="other.monitor")
    process = Process(rig.env, "pulse/other")
    play(process, talk, at=5.5)
    process.await_news(has_ended)
    assert process.close() == 0
    recorder.terminate()
    recorder.wait()
    assert strength(loud(read_recording(tmp_path / "other.raw")[:, 0]), MODEL_HZ) > 0.1


def test_a_speaker_that_is_gone_is_replaced_by_the_default(
    rig: Rig, talk: Path, listen: Callable[[], np.ndarray]
) -> None:
    process = Process(rig.env, "pulse/taken-away")
    play(process, talk, at=5.5)
    process.await_news(has_ended)
    assert process.close() == 0
    assert strength(loud(listen()), MODEL_HZ) > 0.1


def test_a_pause_is_silent_and_keeps_the_place(
    process: Process, talk: Path, listen: Callable[[], np.ndarray]
) -> None:
    play(process, talk, at=1.0)
    process.await_news(lambda news: news["at"] > 1.3 * SAMPLE_RATE)
    process.tell(do="pause")
    paused = process.await_news(lambda news: not news["playing"])
    time.sleep(0.6)
    assert np.abs(listen()[-RATE // 5 :]).max() < 0.01
    assert 1.3 * SAMPLE_RATE < paused["at"] < 1.8 * SAMPLE_RATE


def test_a_loop_goes_round(process: Process, talk: Path) -> None:
    span = [int(2.0 * SAMPLE_RATE), int(2.4 * SAMPLE_RATE)]
    process.tell(do="loop", span=span)
    play(process, talk, at=2.0)
    for _ in range(2):
        process.await_news(lambda news: news["at"] > span[0] + 0.2 * SAMPLE_RATE)
        process.await_news(lambda news: news["at"] < span[0] + 0.1 * SAMPLE_RATE)
    process.tell(do="pause")


def test_news_can_be_told_from_what_was_under_way(process: Process, talk: Path) -> None:
    play(process, talk, at=1.0, take=1)
    process.await_news(lambda news: news["playing"])
    play(process, talk, at=3.0, take=2)
    assert process.await_news(lambda news: news["take"] == 2)["at"] >= 3.0 * SAMPLE_RATE


def test_a_damaged_file_becomes_a_sentence_and_the_next_one_plays(
    process: Process, talk: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.flac").write_bytes(b"no sound")
    play(process, tmp_path / "broken.flac", at=0.0)
    trouble = process.await_news(lambda news: "sentence" in news)
    assert "broken.flac" in trouble["sentence"]
    assert trouble["advice"]
    play(process, talk, at=5.5, take=2)
    process.await_news(lambda news: news.get("playing") is True)


def test_no_sound_system_becomes_a_sentence(talk: Path, tmp_path: Path) -> None:
    process = Process({**os.environ, "PULSE_SERVER": f"unix:{tmp_path}/nothing", "PIPEWIRE_REMOTE": "none"})
    play(process, talk, at=0.0)
    assert process.await_news(lambda news: "sentence" in news)["advice"]
    assert process.close() == 0


def test_a_tape_is_read_within_its_span(talk: Path) -> None:
    tape = Tape(talk)
    tape.seek(10 * SAMPLE_RATE)
    assert tape.at == LENGTH_S * SAMPLE_RATE
    tape.span = (1_000, 1_500)
    assert [len(tape.read(400)) for _ in range(3)] == [400, 100, 400]
    tape.close()


def test_a_tape_ends_where_it_is_told_to(talk: Path) -> None:
    tape = Tape(talk)
    tape.until = SAMPLE_RATE
    tape.seek(SAMPLE_RATE - 100)
    assert [len(tape.read(960)) for _ in range(2)] == [100, 0]
    tape.until = None
    assert len(tape.read(960)) == 960
    tape.close()


def test_nothing_is_heard_before_anything_is_played() -> None:
    assert Playback().heard_at() == 0
