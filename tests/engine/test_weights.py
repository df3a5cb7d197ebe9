"""A safetensors header tells what is in a file, and a file that is none or cut short is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.engine.weights import Tensor, fingerprint, read_header
from app.errors import UserError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.safetensors"
    tensors = {
        "half": torch.zeros(3, 4, dtype=torch.bfloat16),
        "scalar": torch.tensor(1.0),
        "bytes": torch.ones(5, dtype=torch.int8),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def test_header_tells_types_and_shapes(file: Path) -> None:
    assert read_header(file) == {
        "half": Tensor("BF16", (3, 4)),
        "scalar": Tensor("F32", ()),
        "bytes": Tensor("I8", (5,)),
    }


@pytest.mark.parametrize("left", [1, 7, 8, 40, -1])
def test_a_file_cut_anywhere_is_refused_by_name(file: Path, left: int) -> None:
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(UserError, match=r"some.safetensors is (cut short|not a safetensors file)"):
        read_header(file)


def test_a_cut_file_is_told_with_its_sizes(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(UserError, match=rf"should have {len(whole)} bytes and has {len(whole) - 1}"):
        read_header(file)


def test_other_formats_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(3)}, pickled)
    empty, text = tmp_path / "empty.safetensors", tmp_path / "text.safetensors"
    empty.write_bytes(b"")
    text.write_text("Entry not found")
    for path in (pickled, empty, text):
        with pytest.raises(UserError, match=f"{path.name} is not a safetensors file"):
            read_header(path)


def test_what_git_keeps_in_the_place_of_a_large_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 15375472640\n")
    with pytest.raises(UserError, match=r"model.safetensors is a Git LFS pointer.*`git lfs pull`"):
        read_header(path)


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def written(path: Path, header: object, size: int = 64, length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + bytes(size))
    return path


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry(shape=[-2])},
        {"a": entry(shape=[-1, -2])},
        {"a": entry(shape=[2.0])},
        {"a": entry(shape=[True, 2])},
        {"a": entry(shape=2)},
        {"a": entry(shape=[1] * 100 + [2])},
        {"a": entry(shape=[0, 10**30], offsets=[0, 0])},
        {"a": entry(offsets=[-8, 0])},
        {"a": entry(offsets=[8, 0])},
        {"a": entry(offsets=[0, 8, 16])},
        {"a": entry(offsets=[0.0, 8.0])},
        {"a": entry(offsets=None)},
        {"a": entry(dtype=7)},
        {"a": entry(dtype=None)},
        {"a": [1]},
        {"a": entry(), "b": entry(offsets=[4, 12])},
        {"a": entry(), "b": entry()},
        {"a": entry(), "b": entry(offsets=[16, 24])},
        {"a": entry(), "__metadata__": {"x": 1}},
        {"a": entry(), "__metadata__": "x"},
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": {}}',
        b"{" + b'"a":[' * 50_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_header_that_can_not_be_is_refused(header: object, tmp_path: Path) -> None:
    path = written(tmp_path / "odd.safetensors", header)
    with pytest.raises(
        UserError, match=r"odd.safetensors is not a safetensors file, or it is damaged"
    ) as caught:
        read_header(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("length", [0, 1, 2**24 + 1, 2**62, 2**64 - 1])
def test_the_length_of_a_header_is_not_believed(length: int, tmp_path: Path) -> None:
    path = written(tmp_path / "odd.safetensors", {"a": entry()}, length=length)
    with pytest.raises(UserError, match=r"is not a safetensors file"):
        read_header(path)


def test_a_file_that_is_longer_than_its_header_says_is_refused(tmp_path: Path) -> None:
    assert read_header(written(tmp_path / "right.safetensors", {"a": entry()}, size=8))
    with pytest.raises(UserError, match=r"long.safetensors is too long: it should have 77 bytes and has 78"):
        read_header(written(tmp_path / "long.safetensors", {"a": entry()}, size=9))


def test_an_unknown_type_of_numbers_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "odd.safetensors", {"a\x1b": entry(dtype="F4")}, size=8)
    with pytest.raises(UserError, match=r"keeps a\\x1b… as F4, which is not known"):
        read_header(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(UserError, match="is not a safetensors file"):
        read_header(tmp_path / "pipe.safetensors")


@pytest.mark.parametrize(
    "header",
    [b"{broken", b"[1, 2]", b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', b'{"a": 3}'],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(64))
    with pytest.raises(UserError, match=r"damaged.safetensors is not a safetensors file"):
        read_header(path)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone.safetensors can not be read"):
        read_header(tmp_path / "gone.safetensors")


def test_fingerprints_tell_weights_apart(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    data = bytearray(10_000_000)
    path.write_bytes(data)
    first = fingerprint(path)
    assert fingerprint(path) == first
    data[-1] = 1
    path.write_bytes(data)
    assert fingerprint(path) != first
