"""Files as the user's voice: any rate and channel count in, frames out, in real time or at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.wav import MAX_BACKLOG_FRAMES, WavPort, read_wav
from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples


def sine(rate: int, length_s: float, hertz: float = 440.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * length_s)) / rate)).astype(np.float32)


def frames_of(port: WavPort) -> list[Samples]:
    taken = []
    while (heard := port.take()) is not None:
        taken.append(heard.samples)
        port.give(heard.samples)
    return taken


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_rate_and_channel_count_becomes_24_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.repeat(sine(rate, 1.0)[:, None], channels, axis=1), rate, subtype="FLOAT")
    samples = read_wav(path)
    assert samples.dtype == np.float32
    assert samples.size == SAMPLE_RATE
    inner = slice(SAMPLE_RATE // 4, 3 * SAMPLE_RATE // 4)  # the ends ring where the tone is cut
    np.testing.assert_allclose(samples[inner], sine(SAMPLE_RATE, 1.0)[inner], atol=2e-3)


def test_a_16_bit_file_at_24_khz_comes_in_unchanged(tmp_path: Path) -> None:
    pcm = np.random.default_rng(0).integers(-32768, 32768, 5_000).astype(np.int16)
    soundfile.write(tmp_path / "in.wav", pcm, SAMPLE_RATE)
    np.testing.assert_array_equal(read_wav(tmp_path / "in.wav"), pcm.astype(np.float32) / 32768)


def test_stereo_is_mixed_down_but_of_our_own_recordings_the_right_channel_is_taken(tmp_path: Path) -> None:
    stereo = np.stack([np.full(2_400, 0.5), np.full(2_400, 0.25)], axis=1)
    soundfile.write(tmp_path / "audio.wav", stereo, SAMPLE_RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_wav(tmp_path / "audio.wav"), 0.375)
    (tmp_path / "session.json").write_text("{}")
    np.testing.assert_allclose(read_wav(tmp_path / "audio.wav"), 0.25)


@pytest.mark.parametrize("fault", ["missing", "folder", "zero bytes", "no samples", "text", "not a number"])
def test_what_is_no_audio_is_refused_with_a_sentence_that_names_the_file(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "in.wav"
    match fault:
        case "folder":
            path.mkdir()
        case "zero bytes":
            path.touch()
        case "no samples":
            soundfile.write(path, np.zeros(0), SAMPLE_RATE)
        case "text":
            path.write_text("this is not audio at all, " * 50)
        case "not a number":
            soundfile.write(path, np.array([0.0, np.nan, 0.0]), SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(UserError) as caught:
        WavPort(path)
    assert str(path) in caught.value.sentence
    assert caught.value.advice


def test_the_last_frame_is_padded_and_the_tail_is_silence(tmp_path: Path) -> None:
    samples = sine(SAMPLE_RATE, 0.2)  # two frames and a half
    soundfile.write(tmp_path / "in.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    port = WavPort(tmp_path / "in.wav", tail_s=0.24)
    taken = frames_of(port)
    assert len(taken) == port.frames == 3 + 3
    everything = np.concatenate(taken)
    np.testing.assert_array_equal(everything[: samples.size], samples)
    assert not everything[samples.size :].any()
    assert port.take() is None


def test_a_frame_that_was_taken_is_the_receivers_to_keep(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(SAMPLE_RATE, 0.16), SAMPLE_RATE, subtype="FLOAT")
    port = WavPort(tmp_path / "in.wav")
    first = port.take()
    assert first is not None
    assert first.samples.shape == (FRAME_SAMPLES,)
    assert first.lag_ms is None
    kept = first.samples.copy()
    port.take()
    np.testing.assert_array_equal(first.samples, kept)


def test_in_real_time_frames_come_every_80_ms_and_lag_is_the_frame_and_the_answer(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(SAMPLE_RATE, 0.8), SAMPLE_RATE)
    port = WavPort(tmp_path / "in.wav", realtime=True)
    began = time.monotonic()
    lags, skipped = [], 0
    while (heard := port.take()) is not None:
        lags.append(heard.lag_ms)
        skipped += heard.skipped
        time.sleep(0.02)
        port.give(heard.samples)
    assert 0.8 <= time.monotonic() - began < 1.2
    assert (len(lags), skipped, lags[0]) == (10, 0, None)
    assert all(lag is not None and lag >= 100 for lag in lags[1:])
    assert np.median(lags[1:]) < 160


def test_a_consumer_that_is_late_loses_the_oldest_frames_and_is_told_how_many(tmp_path: Path) -> None:
    frames = np.repeat(np.arange(12) / 100, FRAME_SAMPLES)
    soundfile.write(tmp_path / "in.wav", frames, SAMPLE_RATE, subtype="FLOAT")
    port = WavPort(tmp_path / "in.wav", realtime=True)
    port.take()
    time.sleep((MAX_BACKLOG_FRAMES + 2.5) * 0.08)
    late = port.take()
    assert late is not None
    assert late.skipped >= MAX_BACKLOG_FRAMES
    assert round(100 * float(late.samples[0])) == 1 + late.skipped


def test_a_short_delay_loses_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(SAMPLE_RATE, 0.48), SAMPLE_RATE)
    port = WavPort(tmp_path / "in.wav", realtime=True)
    port.take()
    time.sleep(0.2)
    skipped = 0
    while (heard := port.take()) is not None:
        skipped += heard.skipped
    assert skipped == 0


def test_close_ends_a_waiting_take_at_once(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(SAMPLE_RATE, 60.0), SAMPLE_RATE)
    port = WavPort(tmp_path / "in.wav", realtime=True)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (frames_of(port), ended.set()))
    thread.start()
    time.sleep(0.1)
    port.close()
    port.close()
    assert ended.wait(0.5)
    thread.join()
