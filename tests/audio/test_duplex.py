"""The sound card as a port, on real streams: sound passes unharmed, and no device or process ends a talk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.audio.devices import describe, list_devices
from app.audio.duplex import Duplex
from app.audio.rig import RATE, Rig, read_recording
from app.errors import UserError
from app.frames import DEVICE, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, STALLED, Heard, Lost, Samples
from tests.audio.conftest import RIGS, on_each_server, open_rig

pytestmark = pytest.mark.sound

PATIENCE_S = 30.0

LEAK_FRAMES = 12
"""What may come through on a busy computer until the server's word has arrived, 1 s; it is 0 to 2 usually."""


class Talk:
    """An engine thread that says what it hears, and keeps what the port told."""

    def __init__(self, port: Duplex, step: Callable[[], None], silent: bool) -> None:
        self.port = port
        self._silent = silent
        self.heard: list[Heard] = []
        self.lost: list[Lost] = []
        self._step = step
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while (heard := self.port.take()) is not None:
            if isinstance(heard, Lost):
                self.lost.append(heard)
                continue
            self._step()
            self.port.give(0 * heard.samples if self._silent else heard.samples)
            self.heard.append(heard)

    def await_frames(self, count: int) -> None:
        """Wait for so many more frames."""
        enough = len(self.heard) + count
        wait_until(lambda: len(self.heard) >= enough)

    @property
    def frames(self) -> int:
        """Return what was counted, heard or not."""
        return sum(1 + heard.skipped for heard in self.heard) + sum(lost.frames for lost in self.lost)

    def close(self) -> None:
        self.port.close()
        self._thread.join()


def loud(heard: Heard) -> bool:
    return float(np.abs(heard.samples).max()) > 0.02


def wait_until(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


@contextmanager
def talking(
    rig: Rig,
    *names: str,
    step: Callable[[], None] = lambda: None,
    keeps_time: bool = False,
    silent: bool = False,
) -> Iterator[tuple[Talk, list[str]]]:
    """Talk over the devices of a rig; the list gets the sentences that are reported."""
    sentences: list[str] = []
    port = Duplex(
        *names,
        keeps_time=keeps_time,
        env=rig.env,
        report=lambda sentence, _advice: sentences.append(sentence),
    )
    talk = Talk(port, step, silent)
    try:
        yield talk, sentences
    finally:
        talk.close()


def tone(seconds: float) -> Samples:
    return 0.3 * np.sin(
        2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE, dtype=np.float32
    )


def test_who_asks_for_no_more_frames_keeps_no_priority(rig: Rig) -> None:
    own = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, own)
    port = Duplex(env=rig.env)
    try:
        assert port.take() is not None
    finally:
        port.close()
    assert os.getpriority(os.PRIO_PROCESS, own) == before


@on_each_server
def test_what_is_played_to_the_microphone_comes_out_of_the_speaker(rig: Rig, tmp_path: Path) -> None:
    with talking(rig) as (talk, _):
        talk.await_frames(5)
        recorder = rig.record(tmp_path / "both.raw")
        talk.await_frames(5)
        rig.play(tone(1.0)).wait()
        talk.await_frames(10)
        recorder.terminate()
        recorder.wait()
    heard, said = np.abs(read_recording(tmp_path / "both.raw")).T > 0.02
    # PipeWire leaves out a block of 5 ms where a busy computer holds it up.
    assert said.sum() == pytest.approx(heard.sum(), rel=0.1)
    assert heard.sum() > 0.9 * RATE


def test_the_volume_reaches_the_speaker_and_not_what_was_heard(rig: Rig, tmp_path: Path) -> None:
    with talking(rig) as (talk, _):
        talk.port.volume = 0.1
        talk.await_frames(5)
        recorder = rig.record(tmp_path / "both.raw")
        talk.await_frames(5)
        rig.play(tone(1.0)).wait()
        talk.await_frames(10)
        recorder.terminate()
        recorder.wait()
        loudest = max(float(np.abs(heard.samples).max()) for heard in talk.heard)
    assert np.abs(read_recording(tmp_path / "both.raw")[:, 1]).max() == pytest.approx(0.03, rel=0.2)
    assert loudest == pytest.approx(0.3, rel=0.1)


def test_frames_come_every_80_ms_and_belong_to_the_receiver(rig: Rig) -> None:
    with talking(rig) as (talk, _):
        talk.await_frames(5)
        began, start = time.monotonic(), len(talk.heard)
        talk.await_frames(25)
        pace_ms = 1000 * (time.monotonic() - began) / (len(talk.heard) - start)
    assert pace_ms == pytest.approx(FRAME_MS, rel=0.05)
    assert {heard.samples.shape for heard in talk.heard} == {(FRAME_SAMPLES,)}
    assert not any(
        np.shares_memory(a.samples, b.samples) for a, b in zip(talk.heard, talk.heard[1:], strict=False)
    )


def test_the_meters_live_while_somebody_speaks(rig: Rig) -> None:
    with talking(rig) as (talk, _):
        talk.await_frames(10)
        player = rig.play(tone(1.5))
        wait_until(lambda: talk.port.counters().heard_peak_db > -12)
        wait_until(lambda: talk.port.counters().said_peak_db > -12)
        player.wait()
        wait_until(lambda: talk.port.counters().said_peak_db < -60)


def test_a_stall_of_300_ms_is_counted_and_the_lag_recovers(rig: Rig) -> None:
    stall = threading.Event()

    def step() -> None:
        if stall.is_set():
            stall.clear()
            time.sleep(0.3)

    with talking(rig, step=step) as (talk, _):
        talk.await_frames(30)
        usual, before = talk.port.counters(), len(talk.heard)
        stall.set()
        talk.await_frames(40)
        after = talk.port.counters()
        starved = sum(heard.starved for heard in talk.heard[before:])
    assert 1 <= after.starved_frames - usual.starved_frames <= 6
    assert starved == after.starved_frames - usual.starved_frames
    assert after.lag_ms is not None and usual.lag_ms is not None
    assert after.lag_ms < usual.lag_ms + 60


def test_a_model_that_is_too_slow_is_never_far_behind(rig: Rig) -> None:
    with talking(rig, step=lambda: time.sleep(0.1)) as (talk, _):
        talk.await_frames(60)
        lags = [heard.lag_ms for heard in talk.heard[10:] if heard.lag_ms is not None]
        skipped = sum(heard.skipped for heard in talk.heard[:60])
        # A frame is counted before it is handed over.
        wait_until(lambda: sum(heard.skipped for heard in talk.heard) == talk.port.counters().skipped_frames)
    assert max(lags) < 400
    assert skipped == pytest.approx(60 * 100 / FRAME_MS - 60, abs=12)


@pytest.mark.parametrize("server", RIGS)
def test_a_microphone_that_is_unplugged_gives_way_to_the_default_one(server: str) -> None:
    with open_rig(server) as rig, talking(rig, "pulse/mic", "pulse/speaker") as (talk, sentences):
        talk.await_frames(5)
        rig.unplug("mic")
        wait_until(lambda: any("microphone “mic” is not there" in sentence for sentence in sentences))
        talk.await_frames(10)
        assert talk.port.counters().microphone == ""
        assert talk.port.counters().speaker == "pulse/speaker"


@pytest.mark.parametrize("server", RIGS)
def test_the_loudspeaker_is_not_the_user_when_the_microphone_is_unplugged(server: str) -> None:
    with open_rig(server) as rig, talking(rig, silent=True) as (talk, sentences):
        talk.await_frames(5)
        rig.unplug("other_mic")
        player = rig.play(tone(60.0), into="speaker")
        talk.await_frames(10)
        rig.unplug("mic")
        wait_until(lambda: "There is no microphone; the talk waits." in sentences)
        frames = len(talk.heard)
        time.sleep(3)
        assert len(talk.heard) <= frames + 1
        assert sum(loud(heard) for heard in talk.heard) <= LEAK_FRAMES
        rig.plug("mic")
        talk.await_frames(10)
        wait_until(lambda: sentences[-1] == "The sound is back.")
        player.terminate()
        player.wait()
        assert sum(loud(heard) for heard in talk.heard) <= LEAK_FRAMES


def test_a_stream_that_is_moved_to_a_monitor_is_given_up() -> None:
    with open_rig("PulseAudio") as rig, talking(rig, silent=True) as (talk, sentences):
        talk.await_frames(5)
        (ours,) = (
            line.split()[0]
            for line in rig.control("list", "short", "source-outputs").splitlines()
            if "24000Hz" in line
        )
        rig.control("move-source-output", ours, "speaker.monitor")
        waits = "The sound system brings what a speaker plays, and no microphone; the talk waits."
        wait_until(lambda: waits in sentences)


def test_a_default_microphone_that_becomes_a_monitor_is_none() -> None:
    with open_rig("PulseAudio") as rig, talking(rig) as (talk, sentences):
        talk.await_frames(5)
        rig.control("set-default-source", "speaker.monitor")
        waits = "The system's default microphone is only the monitor of a speaker; the talk waits."
        wait_until(lambda: waits in sentences)
        rig.control("set-default-source", "mic")
        talk.await_frames(10)


def test_without_a_microphone_no_talk_begins() -> None:
    with open_rig("PulseAudio") as rig:
        rig.control("set-default-source", "speaker.monitor")
        with pytest.raises(UserError, match="default microphone is only the monitor"):
            Duplex(env=rig.env)
        rig.unplug("mic")
        rig.unplug("other_mic")
        with pytest.raises(UserError, match="There is no microphone"):
            Duplex(env=rig.env)
        with talking(rig, "pulse/speaker.monitor") as (talk, sentences):
            talk.await_frames(5)
            assert any("is no microphone" in sentence for sentence in sentences), "chosen by name, and told"


def test_a_microphone_that_brings_nothing_gives_way_to_the_default_one() -> None:
    with open_rig("PulseAudio") as rig:
        rig.add_dead_microphone("dead")
        with talking(rig, "pulse/dead") as (talk, sentences):
            wait_until(lambda: "The microphone brings no sound." in sentences)
            wait_until(lambda: any("the default microphone is used" in each for each in sentences), 60)
            talk.await_frames(10)
            assert talk.port.counters().microphone == ""


def test_a_talk_waits_where_no_microphone_brings_a_sound() -> None:
    with open_rig("PulseAudio") as rig:
        rig.add_dead_microphone("dead")
        rig.control("set-default-source", "dead")
        with talking(rig) as (talk, sentences):
            wait_until(lambda: "The microphone brings no sound; the talk waits." in sentences, 60)
            assert talk.heard == []
            rig.control("set-default-source", "mic")
            wait_until(lambda: len(talk.heard) >= 10, 60)
            wait_until(lambda: sentences[-1] == "The sound is back.")


@pytest.mark.parametrize("server", RIGS)
@pytest.mark.parametrize("frozen_s", [5, 18])
def test_a_server_that_stands_still_is_told_and_the_talk_goes_on_after_it(
    server: str, frozen_s: float
) -> None:
    with open_rig(server) as rig, talking(rig, "pulse/mic", "pulse/speaker") as (talk, sentences):
        talk.await_frames(5)
        rig.freeze()
        wait_until(lambda: "The sound system does not answer." in sentences)
        time.sleep(frozen_s - 2)
        rig.thaw()
        talk.await_frames(10)
        wait_until(lambda: sentences[-1] == "The sound is back.")
        assert (talk.port.counters().microphone, talk.port.counters().speaker) == (
            "pulse/mic",
            "pulse/speaker",
        )


def test_devices_that_were_suspended_flow_again() -> None:
    with open_rig("PulseAudio") as rig, talking(rig) as (talk, sentences):
        talk.await_frames(5)
        for device in ("source", "sink"):
            rig.control(f"suspend-{device}", "mic" if device == "source" else "speaker", "1")
        wait_until(lambda: bool(sentences))
        for device in ("source", "sink"):
            rig.control(f"suspend-{device}", "mic" if device == "source" else "speaker", "0")
        talk.await_frames(10)
        wait_until(lambda: sentences[-1] == "The sound is back.")


@pytest.mark.parametrize("server", RIGS)
def test_the_talk_waits_while_there_is_no_sound_system_and_goes_on_when_it_is_back(server: str) -> None:
    with open_rig(server) as rig, talking(rig) as (talk, sentences):
        talk.await_frames(5)
        rig.stop()
        wait_until(lambda: any("the talk waits" in sentence for sentence in sentences))
        frames = len(talk.heard)
        time.sleep(0.5)
        assert len(talk.heard) <= frames + 1
        rig.start()
        talk.await_frames(10)
        assert len(sentences) == len(set(sentences))


def test_a_crash_of_the_audio_process_is_a_sentence_and_a_pause(rig: Rig) -> None:
    with talking(rig) as (talk, sentences):
        talk.await_frames(5)
        (child,) = audio_processes(os.getpid())
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: talk.port.counters().restarts == 1)
        talk.await_frames(10)
        assert any("lost" in sentence for sentence in sentences)


def test_time_goes_on_through_outages_and_is_told_as_it_passes(rig: Rig) -> None:
    with talking(rig, keeps_time=True) as (talk, _):
        talk.await_frames(25)
        began_s, before = time.monotonic(), talk.frames
        for _ in range(2):
            (child,) = audio_processes(os.getpid())
            restarts = talk.port.counters().restarts
            os.kill(child, signal.SIGKILL)
            wait_until(lambda restarts=restarts: talk.port.counters().restarts > restarts)
            talk.await_frames(25)
        counted, passed = talk.frames - before, (time.monotonic() - began_s) * 1000 / FRAME_MS
    assert counted == pytest.approx(passed, abs=8)
    reasons = {lost.reason for lost in talk.lost} | {each.reason for each in talk.heard if each.skipped}
    assert DEVICE in reasons


def test_an_audio_process_that_ended_is_the_reason_though_its_speaker_is_back_first(rig: Rig) -> None:
    with talking(rig, keeps_time=True) as (talk, _):
        talk.await_frames(25)
        rig.control("suspend-source", "mic", "1")
        (child,) = audio_processes(os.getpid())
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: bool(talk.lost))
        rig.control("suspend-source", "mic", "0")
        talk.await_frames(25)
    assert talk.lost[0].reason == DEVICE


def test_a_server_that_stands_still_takes_its_time_from_no_count(rig: Rig) -> None:
    with talking(rig, keeps_time=True) as (talk, _):
        talk.await_frames(25)
        began_s, before = time.monotonic(), talk.frames
        rig.freeze()
        time.sleep(3)
        # It is told while it lasts.
        assert talk.frames - before > 20
        rig.thaw()
        talk.await_frames(50)
        counted, passed = talk.frames - before, (time.monotonic() - began_s) * 1000 / FRAME_MS
    assert counted == pytest.approx(passed, abs=8)
    assert STALLED in {lost.reason for lost in talk.lost}


def test_an_audio_process_that_hangs_is_told_and_replaced(rig: Rig) -> None:
    with talking(rig) as (talk, sentences):
        talk.await_frames(5)
        (child,) = audio_processes(os.getpid())
        os.kill(child, signal.SIGSTOP)
        wait_until(lambda: "The sound system does not answer." in sentences)
        wait_until(lambda: child not in audio_processes(os.getpid()))
        talk.await_frames(10)
        wait_until(lambda: sentences[-1] == "The sound is back.")


def test_the_audio_process_does_not_outlive_a_killed_program(rig: Rig) -> None:
    script = "from app.audio.duplex import Duplex; port = Duplex(); print('open', flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=rig.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"open\n"
        (child,) = audio_processes(parent.pid)
        parent.kill()
    wait_until(lambda: not Path(f"/proc/{child}").exists())


def test_closing_ends_a_waiting_take_at_once_and_twice_is_fine(rig: Rig) -> None:
    port = Duplex(env=rig.env)
    threading.Timer(0.3, port.close).start()
    began = time.monotonic()
    while port.take() is not None:
        pass
    assert time.monotonic() - began < 2
    port.close()
    assert audio_processes(os.getpid()) == []


def test_a_computer_without_devices_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path}/nobody", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert list_devices(env) == []
    with pytest.raises(UserError, match="No microphone or no speaker"):
        Duplex(env=env)


@on_each_server
def test_the_microphone_is_changed_in_mid_talk(rig: Rig) -> None:
    with talking(rig) as (talk, sentences):
        talk.await_frames(5)
        talk.port.switch("pulse/other_mic", "")
        wait_until(lambda: talk.port.counters().microphone == "pulse/other_mic")
        talk.await_frames(8)
        first = len(talk.heard)
        rig.play(tone(0.5), into="other").wait()
        talk.await_frames(8)
        assert max(float(np.abs(heard.samples).max()) for heard in talk.heard[first:]) > 0.1
        assert talk.port.counters().restarts == 0
    assert sentences == [], "it is no trouble"


@on_each_server
def test_devices_are_listed_by_names_that_open_them(rig: Rig) -> None:
    found = list_devices(rig.env)
    devices = [(each.name, each.label, each.kind, each.default, each.rate) for each in found]
    assert ("pulse/mic", "Virtual-microphone", "in", True, RATE) in devices
    assert ("pulse/speaker", "Virtual-speaker", "out", True, RATE) in devices
    assert not any("monitor" in device.name or "surround" in device.name for device in found)
    assert describe("pulse/other", found) == "Other-speaker"


def test_a_sound_server_with_large_blocks_is_followed() -> None:
    large = 1024  # what PipeWire takes in a virtual machine, and more than ALSA's buffer for blocks of 5 ms
    with open_rig("PipeWire's plugin", quantum_samples=large) as rig, talking(rig) as (talk, sentences):
        player = rig.play(tone(20.0))
        wait_until(lambda: talk.port.counters().said_peak_db > -12)
        talk.await_frames(12)
        began, start, before = time.monotonic(), len(talk.heard), talk.port.counters()
        talk.await_frames(25)
        pace_ms = 1000 * (time.monotonic() - began) / (len(talk.heard) - start)
        after = talk.port.counters()
        player.terminate()
        player.wait()
    assert pace_ms == pytest.approx(FRAME_MS, rel=0.05), "nothing of the microphone is lost"
    assert after.starved_frames - before.starved_frames <= 2
    assert sentences == []


@pytest.mark.parametrize("server", ["PulseAudio", "PipeWire"])
def test_a_device_that_comes_and_goes_is_listed_while_it_is_there(server: str) -> None:
    def listed() -> set[str]:
        return {device.name for device in list_devices(rig.env)} & {"pulse/other", "pulse/other_mic"}

    with open_rig(server) as rig:
        rig.unplug("other_mic")
        assert listed() == {"pulse/other"}
        rig.unplug("other")
        assert listed() == set()
        rig.plug("other")
        rig.plug("other_mic")
        assert listed() == {"pulse/other", "pulse/other_mic"}
        assert {(device.name, device.kind) for device in list_devices(rig.env) if device.default} == {
            ("pulse/other", "out"),
            ("pulse/other_mic", "in"),
        }


def audio_processes(parent: int) -> list[int]:
    """Return the audio processes that a process has started."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"app.audio.soundcard" in Path(f"/proc/{pid}/cmdline").read_bytes()]
