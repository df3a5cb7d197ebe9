"""Files are written whole or not at all, and what is read is believed within limits only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.files import (
    Malformed,
    clear_parts,
    named,
    parse_json,
    parse_line,
    parse_toml,
    read_json,
    read_toml,
    readable,
    replace_file,
    replacing,
    replacing_folder,
    write_json,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not JSON, or is cut off"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b"[" * 70 + b"]" * 70, "nested too deeply"),
        (b"9" * 5_000, "is not JSON that can be used"),
        (b"9223372036854775808", "the number 9223372036854775808 is too large"),
        (b"-1e999", "the number -1e999 is too large"),
        (b'{"loss": NaN}', "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        ('"言葉"'.encode("shift-jis"), "is not text in UTF-8"),
        (rb'["\ud800"]', "half of a character"),
        (rb'{"\uDC00": 1}', "half of a character"),
    ],
)
def test_what_is_no_json_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse_json(content)


def test_numbers_of_64_bits_are_read_and_those_of_others_as_they_are() -> None:
    assert parse_json("[9223372036854775807, -9223372036854775808, 1e308]") == [2**63 - 1, -(2**63), 1e308]
    assert parse_json("[18446744073709551616, Infinity]", foreign=True) == [2**64, float("inf")]


@pytest.mark.parametrize("line", [b"", b"ALSA lib: no card", b"[1]", b'{"a": ', b'{"a":' * 10_000, b"\xff{}"])
def test_what_another_process_prints_need_be_no_object(line: bytes) -> None:
    assert parse_line(line) is None
    assert parse_line(b'{"a": 1}\n') == {"a": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_understood(encoding: str) -> None:
    assert parse_json('["言葉 \\ud83d\\ude00"]'.encode(encoding)) == ["言葉 😀"]
    assert parse_toml('word = "言葉"\r\n'.encode(encoding)) == {"word": "言葉"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a = ", "is not valid TOML"),
        (b"a = " + b"[" * 50_000, "nested too deeply"),
        (b".".join([b"a"] * 90) + b" = 1", "nested too deeply"),
        (b"a = 2026-02-31", "TOML"),
        ('a = "言"'.encode("shift-jis"), "is not text in UTF-8"),
    ],
)
def test_what_is_no_toml_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse_toml(content)


def test_a_file_is_read_within_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(["a" * 100]))
    assert read_json(file, 200) == ["a" * 100]
    with pytest.raises(Malformed, match="larger"):
        read_json(file, 100)
    with pytest.raises(FileNotFoundError):
        read_toml(tmp_path / "b.toml")


def test_what_is_no_regular_file_does_not_hold_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Malformed, match="regular"):
        read_json(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "folder" / "a.json", {"word": "言葉", "path": Path("b")})
    assert read_json(tmp_path / "new" / "folder" / "a.json") == {"word": "言葉", "path": "b"}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "folder" / "a.json").stat().st_mode & 0o777 == 0o600


def test_the_old_file_stays_where_writing_fails(folder: Path) -> None:
    file = folder / "a"
    replace_file(file, "old")
    with pytest.raises(ZeroDivisionError), replacing(file) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert file.read_text() == "old"
    assert os.listdir(folder) == ["a"]


def test_a_folder_is_replaced_as_a_whole(folder: Path) -> None:
    target = folder / "a"
    for content in ("old", "new"):
        with replacing_folder(target) as part:
            (part / "file").write_text(content)
    with pytest.raises(ZeroDivisionError), replacing_folder(target) as part:
        (part / "file").write_text("half")
        raise ZeroDivisionError
    assert (target / "file").read_text() == "new"
    assert os.listdir(folder) == ["a"]


def test_leftovers_of_a_killed_program_go_and_what_is_being_written_stays(folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.files import replacing, replacing_folder\n"
        "with replacing(Path(sys.argv[1], 'a')), replacing_folder(Path(sys.argv[1], 'b')) as b:\n"
        "    (b / 'file').write_text('half'); print('here', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, folder], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        clear_parts(folder)
        assert len(os.listdir(folder)) == 2
        process.kill()
    deadline = time.monotonic() + 10
    while os.listdir(folder) and time.monotonic() < deadline:
        clear_parts(folder)
    assert os.listdir(folder) == []


def test_a_folder_that_was_about_to_be_replaced_is_put_back(folder: Path) -> None:
    (folder / ".a.123.old.part").mkdir()
    (folder / ".a.123.old.part" / "file").write_text("old")
    (folder / ".a.123.part").mkdir()
    clear_parts(folder)
    assert os.listdir(folder) == ["a"]
    assert (folder / "a" / "file").read_text() == "old"


@pytest.mark.parametrize("spec", ["~nobody-of-this-name/x", "a" * 300, "a\nb", "~"])
def test_what_a_person_names_is_a_path(spec: str) -> None:
    path = named(spec)
    assert path.is_absolute()
    assert not os.path.isfile(path)


def test_links_are_left_in_names(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert named(tmp_path / "loop" / "x") == tmp_path / "loop" / "x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 言葉　é", "plain, 言葉　é"),
        ("a\udc83e", "a\\x83e"),
        ("\ud800", "\\ud800"),
        ("a\nb\x1b[0m\x85", "a\\nb\\x1b[0m\\x85"),
        ("\u2028\u202egpj", "\\u2028\\u202egpj"),
    ],
)
def test_any_name_can_be_shown_in_a_line(text: str, shown: str) -> None:
    assert readable(text) == shown
