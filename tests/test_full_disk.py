"""A disk that is full is told in a sentence wherever something is written, and nothing is lost by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.errors import UserError
from app.paths import paths
from app.store.archive import pack, unpack
from app.store.recordings import list_recordings, open_recording
from tests.small_disk import small_disk
from tests.ui.recorded import record_dialogue


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Return a recording whose sound does not compress to a small disk."""
    folder = record_dialogue(tmp_path / "talks", span_s=(0, 5))
    noise = np.random.default_rng(0).integers(-9_000, 9_000, (20 * 24_000, 2), dtype=np.int16)
    soundfile.write(folder / "audio.flac", noise, 24_000, "PCM_16")
    return folder


def test_a_headless_talk_says_that_its_recording_ended(talk: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 600_000) as run:
        user = talk / "audio.flac"
        ended = run("talk", "--headless", "--model", "echo", "--input", user, "--seconds", "10")
        assert "The disk is full; the recording ended after 0:0" in ended.stderr
        assert "What was recorded until then is kept." in ended.stderr
        assert "fault of its own" not in ended.stderr and "Traceback" not in ended.stderr
        assert ended.returncode == 0
        (found,) = list_recordings(paths(tmp_path / "disk" / "home").recordings)
        assert f"recording   {found.audio}" in ended.stdout
        assert 1 < found.seconds < 8
        assert not found.whole


def test_a_transcript_that_can_not_be_written_is_a_sentence(talk: Path) -> None:
    (talk / "transcript.txt").mkdir()
    with pytest.raises(UserError, match=r"transcript\.txt can not be written") as caught:
        open_recording(talk).write_transcript()
    assert "is kept" in caught.value.advice


@pytest.mark.parametrize("verb", ["make-tiny", "import", "quantize"])
def test_a_verb_leaves_nothing_half_written(verb: str, talk: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 900_000) as run:
        out = tmp_path / "disk" / "out"
        arguments = {
            "make-tiny": ("models", "make-tiny", out),
            "import": ("data", "import", talk, "--out", out),
            "quantize": ("quantize", "tiny", "--out", out),
        }[verb]
        ended = run(*arguments)
        assert ended.returncode == 1
        sentence, advice = ended.stderr.strip().splitlines()[-2:]
        assert "can not be written" in sentence and advice
        assert "fault of its own" not in ended.stderr and "Traceback" not in ended.stderr
        assert not list((tmp_path / "disk").rglob("*.part*"))
        assert not (out / "model.safetensors").exists() and not list(out.rglob("*.flac"))


def test_exports_and_parcels_leave_nothing_half_written(talk: Path, tmp_path: Path) -> None:
    parcel = pack(talk, tmp_path)
    with small_disk(tmp_path / "disk", 500_000):
        disk = tmp_path / "disk"
        (disk / "full").write_bytes(bytes(400_000))
        try:
            (disk / "more").write_bytes(bytes(400_000))
        except OSError:
            for act in (
                lambda: open_recording(talk).export(disk / "out"),
                lambda: pack(talk, disk / "out"),
                lambda: unpack(parcel, disk / "out"),
            ):
                with pytest.raises(UserError) as caught:
                    act()
                assert caught.value.advice and "[Errno" not in caught.value.sentence
                assert not list((disk / "out").glob("*")) if (disk / "out").exists() else True
