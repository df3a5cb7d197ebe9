"""The ring between two processes: nothing lost, nothing doubled, nothing waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np

from app.audio.memory import LOG_ENTRIES, MIC_SAMPLES, BlockLog, SharedSound
from app.audio.ring import Ring


def make_ring(capacity: int) -> Ring:
    return Ring(memoryview(bytearray(Ring.size_bytes(capacity))))


def counted(start: int, count: int) -> np.ndarray:
    """Samples that tell their own position, as far as float32 counts exactly."""
    return (np.arange(start, start + count) % (1 << 24)).astype(np.float32)


def test_millions_of_samples_pass_between_two_threads_in_order() -> None:
    ring, total = make_ring(1024), 3_000_000
    sizes = np.random.default_rng(1).integers(1, 700, size=20_000)

    def write() -> None:
        done = 0
        for size in np.tile(sizes, 10):
            block = counted(done, int(min(size, total - done)))
            while block.size:
                written = ring.write(block)
                done += written
                block = block[written:]
                time.sleep(0)
            if done == total:
                return

    writer = threading.Thread(target=write)
    writer.start()
    into, read = np.empty(480, dtype=np.float32), 0
    while read < total:
        count = ring.read(into)
        np.testing.assert_array_equal(into[:count], counted(read, count))
        read += count
        time.sleep(0)
    writer.join()
    assert ring.fill == 0


def test_another_process_reads_what_this_one_writes() -> None:
    sound = SharedSound()
    sound.mic.ring.write(counted(5, 1000))
    sound.mic.blocks.value = -7
    script = (
        "import sys, numpy; from app.audio.memory import SharedSound;"
        "sound = SharedSound(int(sys.argv[1])); into = numpy.empty(1000, 'f4');"
        "print(sound.mic.ring.read(into), into[0], into[-1], sound.mic.blocks.value)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(sound.fd)],
        pass_fds=(sound.fd,),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1000", "5.0", "1004.0", "-7"]
    assert sound.mic.ring.fill == 0
    sound.close()


def test_a_full_ring_takes_no_more_and_keeps_what_it_has() -> None:
    ring = make_ring(256)
    assert ring.write(counted(0, 200)) == 200
    assert ring.write(counted(200, 200)) == 56
    into = np.empty(300, dtype=np.float32)
    assert ring.read(into) == 256
    np.testing.assert_array_equal(into[:256], counted(0, 256))


def test_skipped_samples_are_the_oldest() -> None:
    ring = make_ring(256)
    ring.write(counted(0, 100))
    assert ring.skip(30) == 30
    into = np.empty(10, dtype=np.float32)
    ring.read(into)
    assert into[0] == 30
    assert ring.skip(1000) == 60


def test_looking_back_moves_nothing_and_crosses_the_end_of_the_ring() -> None:
    ring = make_ring(256)
    ring.write(counted(0, 200))
    ring.skip(200)
    ring.write(counted(200, 100))
    np.testing.assert_array_equal(ring.look_back(ring.written, 80), counted(220, 80))
    assert ring.fill == 100


def test_the_log_of_blocks_keeps_the_latest_in_order() -> None:
    log = BlockLog(memoryview(bytearray(BlockLog.size_bytes())))
    for entry in range(LOG_ENTRIES + 10):
        log.put(entry)
    assert log.since(LOG_ENTRIES + 7) == [LOG_ENTRIES + 7, LOG_ENTRIES + 8, LOG_ENTRIES + 9]
    assert log.since(0) == list(range(10, LOG_ENTRIES + 10))


def test_shared_memory_leaves_no_file_and_no_descriptor_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))
    sound = SharedSound()
    assert sound.mic.ring.capacity == MIC_SAMPLES
    sound.close()
    sound.close()
    del sound
    assert len(os.listdir("/proc/self/fd")) == before
