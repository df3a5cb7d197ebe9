"""What a killed program left is taken up or removed at the next start, and what is being written is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app import upkeep
from app.files import replacing, replacing_folder
from app.paths import Paths, paths
from app.store.locks import take
from app.store.recordings import open_recording

TALK = """
import sys
from pathlib import Path
import numpy as np
from app.audio.recorder import Recorder
from app.engine.ports import Said

recorder = Recorder(Path(sys.argv[1]), model="echo", details={}, on_failure=print)
for frame in range(100):
    sound = np.full(1920, frame / 200, dtype=np.float32)
    recorder.tap(frame, sound, Said(sound), raw=sound if frame > 50 else None)
    recorder.note("spoke", {"frame": frame, "token": 9, "text": " hm"})
while recorder._queue.qsize():
    pass
print(recorder.folder, flush=True)
input()
"""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


@pytest.fixture
def killed(where: Paths) -> Path:
    """Return a recording whose program was killed."""
    command = [sys.executable, "-c", TALK, str(where.recordings)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
    return folder


def test_a_recording_that_was_cut_off_is_compressed_without_a_loss(where: Paths, killed: Path) -> None:
    before = {name: soundfile.read(killed / f"{name}.wav")[0] for name in ("audio", "microphone")}
    with (killed / "audio.wav").open("r+b") as file:
        # A torn write leaves half a sample and a header that does not know the rest.
        file.seek(0, os.SEEK_END)
        file.write(b"\x01")
        file.seek(40)
        file.write(bytes(4))
    (killed / "audio.flac.part").write_bytes(b"fLaC")
    (killed / f".session.json.{os.getpid()}-3.part").write_text("{")
    upkeep.clean(where)
    assert {path.name for path in killed.iterdir()} == {
        "audio.flac", "microphone.flac", "events.jsonl", "session.json",
    }  # fmt: skip
    for name, sound in before.items():
        np.testing.assert_array_equal(soundfile.read(killed / f"{name}.flac")[0], sound)
    found = open_recording(killed)
    assert (found.seconds, found.whole, len(found.words())) == (8.0, False, 100)


def test_a_wav_beside_its_own_flac_goes_and_one_beside_another_stays(where: Paths, killed: Path) -> None:
    sound, rate = soundfile.read(killed / "audio.wav", dtype="int16")
    soundfile.write(killed / "audio.flac", sound, rate, "PCM_16")
    soundfile.write(killed / "microphone.flac", sound[:100, 0], rate, "PCM_16")
    upkeep.clean(where)
    assert not (killed / "audio.wav").exists()
    assert (killed / "microphone.wav").exists() and (killed / "microphone.flac").exists()


def test_a_wav_that_is_not_ours_is_left_alone(where: Paths, killed: Path) -> None:
    soundfile.write(killed / "audio.wav", np.zeros((48_000, 2)), 48_000, "FLOAT")
    before = (killed / "audio.wav").read_bytes()
    upkeep.clean(where)
    assert (killed / "audio.wav").read_bytes() == before
    assert not (killed / "audio.flac").exists()


def test_what_is_being_written_is_left_alone(where: Paths, killed: Path) -> None:
    run, model = where.runs / "mine", where.models / "mine"
    (run / "checkpoints").mkdir(parents=True)
    where.models.mkdir()
    with (
        take(killed, "it", "aizuchi"),
        replacing_folder(model) as model_part,
        replacing_folder(run / "checkpoints" / "step-000001") as checkpoint,
        replacing(run / "run.json") as values,
    ):
        (killed / "audio.flac.part").touch()
        upkeep.clean(where)
        assert (killed / "audio.wav").exists() and (killed / "audio.flac.part").exists()
        assert model_part.exists() and checkpoint.exists() and values.exists()
    assert not model_part.exists() and model.exists()


def test_leftovers_of_all_kinds_go_and_nothing_else(where: Paths) -> None:
    run, dataset = where.runs / "mine", where.datasets / "talks"
    left = [
        where.config / ".settings.toml.a1b2c3d4",
        where.config / ".settings.toml.77-1.part",
        where.models / "packed.part" / "model.safetensors",
        where.models / ".exported.part" / "model.safetensors",
        where.cache / "abc.npy.x1y2.part",
        where.recordings / "talk.part" / "audio.flac",
        run / "metrics.jsonl.part",
        run / "checkpoints" / "step-000200.part" / "state.json",
        run / "checkpoints" / ".step-000300.4-1.part" / "state.json",
        dataset / "audio" / ".4242.part",
        dataset / "codes" / "one.npz.part",
        dataset / "text" / "one.json.4242.part",
        dataset / "prepared.part" / "1.part",
    ]
    kept = [
        where.settings,
        where.config / "settings.toml.broken",
        where.models / "packed" / "config.json",
        run / "run.json",
        run / "checkpoints" / "step-000100" / "state.json",
        dataset / "audio" / "one.flac",
        dataset / "prepared.old" / "train-001-of-001.parquet",
    ]
    for path in left + kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    upkeep.clean(where)
    assert not [path for path in left if path.exists()]
    assert not list(where.config.parent.rglob("*.part"))
    shards = dataset / "prepared" / "train-001-of-001.parquet"
    assert all(path.exists() for path in (*kept[:-1], shards))


def test_a_talk_cleans_when_it_starts(where: Paths, tmp_path: Path) -> None:
    where.config.mkdir(parents=True)
    left = where.config / ".settings.toml.77-1.part"
    left.touch()
    soundfile.write(tmp_path / "user.wav", np.zeros(24_000), 24_000)
    talk = ["talk", "--headless", "--model", "echo", "--input", str(tmp_path / "user.wav"), "--seconds", "2"]
    command = [sys.executable, "-m", "app", "--home", str(where.config.parent), *talk]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert not left.exists()


def test_cleaning_goes_on_beside_and_ends(where: Paths, killed: Path) -> None:
    thread = upkeep.start(where)
    thread.join(60)
    assert not thread.is_alive()
    assert (killed / "audio.flac").exists()
