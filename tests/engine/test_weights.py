"""A safetensors header tells what is in a file, and a file that is none or cut short is refused."""

from __future__ import annotations

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
    text.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 15375472640\n")
    for path in (pickled, empty, text):
        with pytest.raises(UserError, match=f"{path.name} is not a safetensors file"):
            read_header(path)


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
