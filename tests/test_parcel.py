"""A recording goes into one file and comes out of it; an archive that means harm does none."""

from __future__ import annotations

import os
import random
import shutil
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from app.cli import run_verb
from app.errors import UserError
from app.paths import paths
from app.store.archive import pack, unpack
from app.store.recordings import open_recording
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


def archive(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as parcel:
        for name, content in members.items():
            parcel.writestr(name, content)
    return path


def refused(file: Path, recordings: Path, match: str | None = None) -> None:
    """See that a file is refused in one sentence, and that nothing of it is left."""
    with pytest.raises(UserError, match=match) as caught:
        unpack(file, recordings)
    assert str(file) in caught.value.sentence and caught.value.advice
    assert not recordings.exists() or not list(recordings.iterdir())


STRANGE = "..", "", "....", " ", "a\nb\x1b[31m", "-", 60 * "声", "a;$(b)"
PLACES = "", "./", "../", "..", "a\\..\\..\\b/", "\x01\x02/", 300 * "n" + "/", ".hidden/"


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_its_name_a_parcel_becomes_a_new_folder(name: str, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    for place in PLACES:
        (recordings / "mine").mkdir(parents=True)
        file = archive(tmp_path / f"{name}.aizuchi", {f"{place}/audio.flac": b"sound"})
        folder = unpack(file, recordings)
        assert folder.parent == recordings and folder.name != "mine"
        assert not folder.name.startswith(".") and folder.name.isprintable()
        assert (folder / "audio.flac").read_bytes() == b"sound"
        assert {path.name for path in recordings.iterdir()} == {"mine", folder.name}
        assert {path.name for path in tmp_path.iterdir()} == {"recordings", "home", file.name}
        shutil.rmtree(recordings)


def test_another_recording_of_the_same_name_is_put_beside(tmp_path: Path) -> None:
    one = archive(tmp_path / "one.aizuchi", {"talk/audio.flac": b"one"})
    two = archive(tmp_path / "two.aizuchi", {"talk/audio.flac": b"two"})
    recordings = tmp_path / "recordings"
    assert [unpack(file, recordings).name for file in (one, two, one, two)] == [
        "talk",
        "talk-2",
        "talk",
        "talk-2",
    ]
    assert (recordings / "talk-2" / "audio.flac").read_bytes() == b"two"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["session.json", "events.jsonl", "audio.flac", "microphone.wav"])
def test_what_unpacks_to_more_than_was_ever_recorded_is_refused(
    name: str, method: int, tmp_path: Path
) -> None:
    file = archive(tmp_path / "x.aizuchi", {"t/audio.wav": b"sound", f"t/{name}": bytes(157_000_000)}, method)
    tracemalloc.start()
    refused(file, tmp_path / "recordings", "holds")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_silence_and_words_that_pack_well_come_out(tmp_path: Path) -> None:
    members = {"t/audio.wav": bytes(8_000_000), "t/events.jsonl": 40_000 * b'{"kind": "spoke", "frame": 1}\n'}
    folder = unpack(archive(tmp_path / "x.aizuchi", members, zipfile.ZIP_DEFLATED), tmp_path / "recordings")
    assert {path.stat().st_size for path in folder.iterdir()} == {8_000_000, 1_200_000}


@pytest.mark.parametrize("said", [10, 8_000_000_000, 2**40])
def test_a_size_that_is_not_true_is_found_out(said: int, tmp_path: Path) -> None:
    file = archive(tmp_path / "x.aizuchi", {"t/audio.wav": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    lie(file, said)
    refused(file, tmp_path / "recordings")


def lie(file: Path, size: int) -> None:
    """Let an archive of one member say that it is of another size, unpacked and packed."""
    raw = file.read_bytes()
    at = raw.rindex(b"PK\x01\x02")
    name = int.from_bytes(raw[at + 28 : at + 30], "little")
    end = raw.rindex(b"PK\x05\x06")
    entry = bytearray(raw[at:end])
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    entry[20:28] = b"\xff" * 8
    entry[30:32] = len(extra).to_bytes(2, "little")
    entry[46 + name : 46 + name] = extra
    tail = bytearray(raw[end:])
    tail[12:16] = len(entry).to_bytes(4, "little")
    file.write_bytes(raw[:at] + entry + tail)


def test_a_file_twice_a_link_and_a_password_are_refused(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    file = tmp_path / "x.aizuchi"
    with zipfile.ZipFile(file, "w") as parcel:
        parcel.writestr("a/audio.flac", b"one")
        parcel.writestr("b/audio.flac", b"two")
    refused(file, recordings, "holds audio.flac twice")
    with zipfile.ZipFile(file, "w") as parcel:
        parcel.writestr("a/audio.flac", b"one")
        link = zipfile.ZipInfo("a/session.json")
        link.external_attr = 0o120777 << 16
        parcel.writestr(link, "/etc/passwd")
    refused(file, recordings, "holds no recording")
    raw = bytearray(archive(file, {"a/audio.flac": b"one"}).read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    raw[6] |= 1
    file.write_bytes(raw)
    refused(file, recordings, "is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_no_byte_of_a_parcel_can_do_more_than_be_refused(method: int, tmp_path: Path) -> None:
    generator = random.Random(method)
    content = generator.randbytes(300)
    whole = archive(
        tmp_path / "x.aizuchi", {"t/audio.flac": content, "t/session.json": b"{}"}, method
    ).read_bytes()
    file, recordings = tmp_path / "y.aizuchi", tmp_path / "recordings"
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]):
            file.write_bytes(damaged)
            with suppress(UserError):
                assert (unpack(file, recordings) / "audio.flac").read_bytes() == content
    assert all((folder / "audio.flac").exists() for folder in recordings.glob("*"))


def test_a_list_longer_than_any_recording_has_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.aizuchi", "w") as parcel:
        parcel.writestr("t/audio.flac", b"sound")
        for number in range(20_000):
            parcel.writestr(f"{number}/{60 * 'x'}", b"")
    refused(tmp_path / "x.aizuchi", tmp_path / "recordings", "lists more than a recording holds")


def test_a_pipe_is_no_parcel(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.aizuchi")
    refused(tmp_path / "x.aizuchi", tmp_path / "recordings", "not a regular file")
