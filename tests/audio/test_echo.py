"""The echo of the speaker is taken out of the microphone, and the user is not."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from app.audio.devices import Device, Kind, list_devices, needs_cancelling, prefer_cancelled
from app.audio.duplex import Duplex
from app.audio.echo import BLOCK_SAMPLES, DELAY_SAMPLES, MARGIN_SAMPLES, Echo
from app.audio.rig import RATE, Rig
from app.frames import SAMPLE_RATE, Samples
from tests.audio.conftest import RIGS, open_rig

FAR_TEXT = (
    "The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore. "
    "How much wood would a woodchuck chuck, if a woodchuck could chuck wood? "
)
NEAR_TEXT = "I would like to order a pizza with mushrooms and olives please, and a glass of water."


def speech(text: str, voice: str, folder: Path) -> Samples:
    file = folder / "speech.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(file), text], check=True)
    samples, rate = soundfile.read(file, dtype="float32")
    samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return np.asarray(0.5 * samples / np.abs(samples).max(), dtype=np.float32)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return np.tile(speech(FAR_TEXT, "en+f2", tmp_path_factory.mktemp("far")), 2)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return speech(NEAR_TEXT, "en+m3", tmp_path_factory.mktemp("near"))


def response(rate: int = SAMPLE_RATE) -> npt.NDArray[np.float64]:
    """Return the impulse response of a room that echoes for 0.3 s, after arXiv 1804.02918's tail."""
    size = round(0.3 * rate)
    tail = np.random.default_rng(0).standard_normal(size) * np.exp(-6.9 * np.arange(size) / size)
    tail[0] = 4.0
    return 0.5 * tail / np.sqrt(np.square(tail).sum())


def in_room(sound: Samples, delay_s: float) -> Samples:
    """Return what a microphone hears of a loudspeaker that distorts, in a room and with a little noise."""
    heard = np.convolve(np.tanh(1.5 * sound) / 1.5, response())[: sound.size]
    late = np.concatenate((np.zeros(round(delay_s * SAMPLE_RATE)), heard))[: sound.size]
    return (late + 1e-3 * np.random.default_rng(1).standard_normal(late.size)).astype(np.float32)


def run(
    echo: Echo, mic: Samples, far: Samples, *, block: int = 120, noise: bool = False
) -> tuple[Samples, Samples]:
    """Let both callbacks come in turn; return what is left and what came in."""
    left, raw = [], []
    for at in range(0, mic.size - block, block):
        echo.play(far[at : at + block])
        one, other = echo.clean(mic[at : at + block], suppress_noise=noise)
        left.append(one)
        raw.append(other)
    return np.concatenate(left), np.concatenate(raw)


def db(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-12))


@pytest.mark.parametrize("noise", [False, True], ids=["echo", "and noise"])
@pytest.mark.parametrize("delay_s", [0.03, 0.06, 0.15])
def test_an_echo_in_a_room_is_lessened_by_25_db(delay_s: float, noise: bool, far: Samples) -> None:
    echo = Echo()
    left, raw = run(echo, in_room(far, delay_s), far, noise=noise)
    later = slice(8 * SAMPLE_RATE, None)
    assert db(raw[later]) - db(left[later]) >= 25
    assert echo.removed_db is not None
    assert echo.removed_db > 20


def test_a_user_who_speaks_alone_is_kept(near: Samples) -> None:
    left, raw = run(Echo(), near, np.zeros_like(near))
    assert abs(db(left) - db(raw)) < 1.0
    similar = np.dot(left, raw) / np.sqrt(np.dot(left, left) * np.dot(raw, raw))
    assert similar > 0.95, "both come equally late"


def test_a_user_is_heard_while_the_model_speaks(far: Samples, near: Samples) -> None:
    alone = in_room(far, 0.06)
    both = alone.copy()
    start = 9 * SAMPLE_RATE
    both[start : start + near.size] += near
    left = run(Echo(), both, far)[0][start : start + near.size]
    without = run(Echo(), alone, far)[0][start : start + near.size]
    assert db(left) - db(without) > 12, "the user stands out from what is left of the echo"
    assert db(left) - db(near) > -12, "and is not lost with it"


@pytest.mark.parametrize("noise", [False, True])
def test_the_raw_sound_is_as_late_as_what_is_left(noise: bool, near: Samples) -> None:
    left, raw = run(Echo(), near, np.zeros_like(near), noise=noise)
    middle = slice(SAMPLE_RATE, 3 * SAMPLE_RATE)
    shifts = range(-60, 61)
    fits = [np.dot(left[middle], np.roll(raw, shift)[middle]) for shift in shifts]
    assert abs(shifts[int(np.argmax(fits))]) <= 3
    assert np.array_equal(raw[DELAY_SAMPLES[noise] :], near[: raw.size - DELAY_SAMPLES[noise]])


@pytest.mark.parametrize("block", [37, 120, 960])
def test_blocks_of_any_size_lose_nothing(block: int, near: Samples) -> None:
    left, raw = run(Echo(), near, np.zeros_like(near), block=block)
    assert left.size == raw.size
    assert left.size % BLOCK_SAMPLES == 0
    assert near.size - left.size < block + 2 * BLOCK_SAMPLES


def test_a_reference_that_ran_ahead_is_brought_back(far: Samples) -> None:
    echo = Echo()
    echo.play(far[:2400])
    run(echo, in_room(far, 0.06)[: 6 * SAMPLE_RATE], far[2400:])
    assert echo._reference.fill <= MARGIN_SAMPLES + BLOCK_SAMPLES


def device(name: str, kind: Kind, **more: object) -> Device:
    return Device(name, name, kind, True, 48_000, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("microphone", "speaker", "needed"),
    [
        ({"card": "pci-1", "bus": "pci"}, {"card": "pci-1", "bus": "pci"}, True),
        ({"card": "pci-1", "bus": "pci"}, {"card": "pci-1", "bus": "pci", "worn": True}, False),
        ({"card": "usb-a", "bus": "usb"}, {"card": "usb-a", "bus": "usb"}, False),
        ({"card": "usb-a", "bus": "usb"}, {"card": "pci-1", "bus": "pci"}, True),
        ({"card": "pci-1", "cancelled": True}, {"card": "pci-1", "bus": "pci"}, False),
        ({}, {}, True),
    ],
    ids=["laptop", "headphones", "headset", "webcam and loudspeaker", "cancelled already", "unknown"],
)
def test_echo_is_cancelled_where_the_speaker_can_be_heard(
    microphone: dict[str, object], speaker: dict[str, object], needed: bool
) -> None:
    devices = [device("mic", "in", **microphone), device("speaker", "out", **speaker)]
    assert needs_cancelling({"in": "", "out": "speaker"}, devices) == needed


@pytest.mark.sound
def test_a_sound_server_tells_what_is_worn(rig: Rig) -> None:
    worn = {device.name: device.worn for device in list_devices(rig.env) if device.kind == "out"}
    assert worn["pulse/speaker"]
    assert not worn["pulse/other"]


def test_what_the_sound_server_cancels_is_preferred_to_the_default() -> None:
    plain = [device("mic", "in", card="pci-1"), device("speaker", "out", card="pci-1")]
    ready = [
        Device("pulse/mic.echo-cancel", "Mic (echo cancelled)", "in", False, 48_000, cancelled=True),
        Device("pulse/speaker.echo-cancel", "Speaker (echo cancelled)", "out", False, 48_000, cancelled=True),
    ]
    default: dict[Kind, str] = {"in": "", "out": ""}
    assert prefer_cancelled(default, [*plain, *ready]) == {
        "in": "pulse/mic.echo-cancel",
        "out": "pulse/speaker.echo-cancel",
    }
    assert prefer_cancelled(default, plain) == default
    assert prefer_cancelled(default, [*plain, ready[0]]) == default, "both or none"
    wished: dict[Kind, str] = {"in": "mic", "out": ""}
    assert prefer_cancelled(wished, [*plain, *ready]) == wished


@pytest.mark.sound
@pytest.mark.parametrize("server", RIGS)
def test_a_talk_uses_what_the_sound_server_cancels(server: str) -> None:
    with open_rig(server) as rig:
        # The usual speaker is worn, which leaves no echo.
        rig.control("set-default-sink", "other")
        assert not any(device.cancelled for device in list_devices(rig.env))
        rig.control("load-module", "module-echo-cancel", "source_master=mic", "sink_master=other")
        cancelled = {device.kind: device.name for device in list_devices(rig.env) if device.cancelled}
        assert cancelled.keys() == {"in", "out"}
        port = Duplex(env=rig.env)
        try:
            assert port.take() is not None
            counters = port.counters()
        finally:
            port.close()
    assert (counters.microphone, counters.speaker) == (cancelled["in"], cancelled["out"])
    assert not counters.cancels_echo, "once is enough"


# --- On real streams ------------------------------------------------------------------------------


@pytest.fixture
def room(rig: Rig) -> Iterator[Rig]:
    """Yield a rig where the speaker is heard by the microphone as in a room, some 60 ms later."""
    listen = ["parec", "-d", "wire.monitor", f"--rate={RATE}", "--channels=2", "--format=float32le", "--raw"]
    play = ["pacat", "-d", "air", f"--rate={RATE}", "--channels=1", "--format=float32le", "--raw"]
    with (
        subprocess.Popen([*listen, "--latency-msec=10"], env=rig.env, stdout=subprocess.PIPE) as source,
        subprocess.Popen([*play, "--latency-msec=30"], env=rig.env, stdin=subprocess.PIPE) as sink,
    ):
        assert source.stdout is not None
        assert sink.stdin is not None
        tail = response(RATE)[:2400]
        out, into = source.stdout, sink.stdin

        def echo() -> None:
            past = np.zeros(tail.size - 1)
            while raw := out.read(8 * 480):
                said = np.frombuffer(raw, dtype="<f4").reshape(-1, 2)[:, 1]
                past = np.concatenate((past, said))
                heard = np.convolve(past, tail, mode="valid")
                past = past[said.size :]
                into.write(heard.astype("<f4").tobytes())
                into.flush()

        thread = threading.Thread(target=echo)
        thread.start()
        yield rig
        source.terminate()
        thread.join()
        into.close()
        sink.terminate()


def talk(port: Duplex, said: Samples) -> tuple[Samples, Samples]:
    """Say something through a port; return what was heard and what the microphone brought."""
    heard, raw = [], []
    for at in range(0, said.size - 1920, 1920):
        frame = port.take()
        assert frame is not None
        port.give(said[at : at + 1920])
        heard.append(frame.samples)
        raw.append(frame.samples if frame.raw is None else frame.raw)
    return np.concatenate(heard), np.concatenate(raw)


@pytest.mark.sound
def test_the_speech_of_the_model_does_not_come_back_through_the_microphone(
    room: Rig, far: Samples, near: Samples
) -> None:
    port = Duplex(env=room.env, echo="on")
    try:
        heard, raw = talk(port, far)
        counters = port.counters()
        user = room.play(near)
        user_heard, user_raw = talk(port, np.zeros(near.size + SAMPLE_RATE, dtype=np.float32))
        user.wait()
    finally:
        port.close()
    # The way through the room is one of programs here, whose length may jump in some second.
    seconds = [
        slice(at, at + SAMPLE_RATE) for at in range(2 * SAMPLE_RATE, heard.size - SAMPLE_RATE, SAMPLE_RATE)
    ]
    assert db(raw) > -40, "there was an echo"
    assert np.median([db(raw[each]) - db(heard[each]) for each in seconds]) >= 25
    assert counters.cancels_echo
    assert counters.echo_removed_db is not None
    assert abs(db(user_heard[SAMPLE_RATE:]) - db(user_raw[SAMPLE_RATE:])) < 1.0, "the user alone is kept"


@pytest.mark.sound
def test_cancelling_is_switched_while_talking(room: Rig, far: Samples) -> None:
    port = Duplex(env=room.env, echo="off")
    try:
        frame = port.take()
        assert frame is not None
        assert frame.raw is None
        assert not port.counters().cancels_echo
        port.cancel_echo("on", suppress_noise=True)
        talk(port, far[: 2 * SAMPLE_RATE])
        frame = port.take()
        assert frame is not None
        assert frame.raw is not None
        assert port.counters().cancels_echo
    finally:
        port.close()


@pytest.mark.sound
def test_a_computer_without_the_canceller_talks_all_the_same(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "pywebrtc_audio.py").write_text("raise ImportError('not built for this computer')")
    sentences: list[str] = []
    port = Duplex(
        env={**rig.env, "PYTHONPATH": str(tmp_path)},
        echo="on",
        report=lambda sentence, _advice: sentences.append(sentence),
    )
    try:
        frame = port.take()
        assert frame is not None
        assert frame.raw is None
        assert not port.counters().cancels_echo
    finally:
        port.close()
    assert sentences == ["Echo can not be cancelled here: not built for this computer."]
