"""Resampling in blocks: the sound stays what it is, and comes out without lumps."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.resample import Puller, Resampler
from app.audio.ring import Ring
from app.frames import SAMPLE_RATE, Samples


def tone(hz: float, rate: int, seconds: float) -> Samples:
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def level_db(samples: Samples) -> float:
    middle = samples[samples.size // 4 : -samples.size // 4]
    return 10 * float(np.log10(2 * np.mean(middle**2) + 1e-12))


@pytest.mark.parametrize("rate", [48_000, 44_100, 32_000])
def test_a_voice_passes_unchanged_and_what_24_khz_can_not_hold_is_gone(rate: int) -> None:
    for hz, expected in ((300, 0.0), (8000, 0.0), (13_000, -90.0)):
        resampler = Resampler(rate, SAMPLE_RATE)
        blocks = np.split(tone(hz, rate, 1.0), 100)
        level = level_db(np.concatenate([resampler.push(block) for block in blocks]))
        assert level == pytest.approx(0, abs=0.1) if expected == 0 else level < expected


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_every_block_comes_out_within_10_ms(rate: int) -> None:
    resampler = Resampler(rate, SAMPLE_RATE)
    behind = []
    out = 0
    for block in range(1, 400):
        out += resampler.push(np.zeros(rate // 200, dtype=np.float32)).size
        behind.append(1000 * (block * (rate // 200) / rate - out / SAMPLE_RATE))
    assert max(behind[10:]) < 12
    assert max(behind[10:]) - min(behind[10:]) < 1


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_puller_fills_blocks_of_a_device_from_a_ring(rate: int) -> None:
    ring = Ring(memoryview(bytearray(Ring.size_bytes(1 << 15))))
    ring.write(tone(440, SAMPLE_RATE, 1.2))
    puller = Puller(ring.read, SAMPLE_RATE, rate)
    blocks = [np.empty(rate // 200, dtype=np.float32) for _ in range(200)]
    assert sum(puller.fill(block) for block in blocks) == 0
    assert level_db(np.concatenate(blocks)) == pytest.approx(0, abs=0.1)


def test_a_puller_counts_what_its_source_lacks() -> None:
    ring = Ring(memoryview(bytearray(Ring.size_bytes(1 << 12))))
    ring.write(np.ones(240, dtype=np.float32))
    puller = Puller(ring.read, SAMPLE_RATE, 48_000)
    block = np.empty(480, dtype=np.float32)
    missing = sum(puller.fill(block) for _ in range(10))
    # 100 ms were played, 10 ms were there, and up to 20 ms more are inside.
    assert 90 * 24 <= missing <= 110 * 24
    assert ring.fill == 0
