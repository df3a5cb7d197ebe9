"""A recording goes into one file and comes out of it; an archive that means harm does none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from app.cli import run_verb
from app.errors import UserError
from app.parcel import pack, unpack
from app.paths import paths
from app.recordings import open_recording
from tests.ui.recorded import record_dialogue


def test_a_recording_comes_out_as_it_went_in(tmp_path: Path) -> None:
    folder = record_dialogue(tmp_path / "here")
    (folder / "microphone.flac").write_bytes(b"raw")
    (folder / "levels.npz").write_bytes(b"can be made again")
    file = pack(folder, tmp_path / "out")
    assert file.name == f"{folder.name}.aizuchi"
    there = unpack(file, tmp_path / "there")
    assert there.name == folder.name
    for name in ("audio.flac", "events.jsonl", "session.json", "microphone.flac"):
        assert (there / name).read_bytes() == (folder / name).read_bytes()
    assert not (there / "levels.npz").exists()
    assert open_recording(there).words() == open_recording(folder).words()
    assert unpack(file, tmp_path / "there") == there, "the same is not put twice"
    assert [path.name for path in (tmp_path / "there").iterdir()] == [folder.name]


def test_names_that_lead_elsewhere_stay_inside(tmp_path: Path) -> None:
    file = tmp_path / "bad.aizuchi"
    with zipfile.ZipFile(file, "w") as parcel:
        parcel.writestr("../../../evil/audio.flac", b"sound")
        parcel.writestr("../../session.json", b"{}")
        parcel.writestr("/etc/passwd", b"no")
    folder = unpack(file, tmp_path / "recordings")
    assert folder == tmp_path / "recordings" / "evil"
    assert sorted(path.name for path in folder.iterdir()) == ["audio.flac", "session.json"]
    assert list(tmp_path.rglob("evil")) == [folder]
    assert not list(tmp_path.rglob("passwd"))


def test_a_folder_above_is_no_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.aizuchi", "w") as parcel:
        parcel.writestr("../audio.flac", b"sound")
    assert unpack(tmp_path / "x.aizuchi", tmp_path / "recordings") == tmp_path / "recordings" / "x"


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_parcel_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.aizuchi").write_bytes(content)
    with pytest.raises(UserError, match="can not be opened as a recording"):
        unpack(tmp_path / "x.aizuchi", tmp_path / "recordings")


def test_an_archive_without_sound_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.aizuchi", "w") as parcel:
        parcel.writestr("talk/session.json", b"{}")
    with pytest.raises(UserError, match="holds no recording"):
        unpack(tmp_path / "x.aizuchi", tmp_path / "recordings")
    with pytest.raises(UserError, match="can not be opened"):
        unpack(tmp_path / "nowhere.aizuchi", tmp_path / "recordings")


def test_without_a_window_no_recording_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="opened in the window"):
        run_verb("talk", ["--headless", str(tmp_path / "x.aizuchi")], paths(tmp_path))
