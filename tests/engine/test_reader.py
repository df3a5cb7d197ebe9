"""What the threads read is what safetensors reads, and a bad disk is one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.engine import reader
from app.engine.reader import read_parts, read_tensors
from app.engine.weights import read_header
from app.errors import UserError

CPU = torch.device("cpu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    chance = torch.Generator().manual_seed(0)
    tensors = {
        "b.whole": torch.randn(300, 70, generator=chance),
        "a.half": torch.randn(1000, 33, generator=chance).bfloat16(),
        "c.codes": torch.randint(-127, 127, (5, 7), generator=chance, dtype=torch.int8),
        "d.scalar": torch.tensor(3.5),
        "e.none": torch.empty(0, 4),
        **{f"f.{at}": torch.full((17,), float(at)) for at in range(20)},
    }
    save_file(tensors, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


@pytest.mark.parametrize("chunk_bytes", [1000, reader.CHUNK_BYTES])
def test_every_tensor_is_read_whole(file: Path, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK_BYTES", chunk_bytes)
    expected, found = load_file(file), {name: tensor for name, tensor, _ in read_tensors(file, CPU)}
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


def test_real_numbers_become_another_type_on_the_way(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CONVERTED_BYTES", 1000)
    expected, sizes = load_file(file), 0
    for name, tensor, size in read_tensors(file, CPU, torch.float64, ("scalar", "half")):
        kept = name.endswith(("scalar", "half", "codes"))
        assert tensor.dtype == (expected[name].dtype if kept else torch.float64)
        assert torch.equal(tensor, expected[name].to(tensor.dtype)), name
        sizes += size
    assert sizes == sum(tensor.nbytes for tensor in expected.values())


@pytest.mark.parametrize("dtype", [None, torch.float64])
@pytest.mark.parametrize("slice_bytes", [10, 1000, 100_000])
def test_rows_that_are_read_apart_are_the_tensor(
    slice_bytes: int, dtype: torch.dtype | None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SLICE_BYTES", slice_bytes)
    expected, found = load_file(file), {}
    parts, sizes = 0, 0
    for part in read_parts(file, read_header(file), CPU, dtype, sliced=lambda name: name != "f.3"):
        part.put(found, part.name, part.rows)
        assert part.size <= max(slice_bytes, 70 * 4) or part.name == "f.3"
        parts, sizes = parts + 1, sizes + part.size
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor.to(found[name].dtype)), name
    assert sizes == sum(tensor.nbytes for tensor in expected.values())
    assert parts > len(expected) or slice_bytes == 100_000


def test_what_is_read_is_no_window_on_the_file(file: Path) -> None:
    found = {name: tensor for name, tensor, _ in read_tensors(file, CPU)}
    before = found["b.whole"].clone()
    with file.open("r+b") as raw:
        raw.seek(4000)
        raw.write(bytes(50_000))
    assert torch.equal(found["b.whole"], before)


def test_a_disk_that_fails_is_one_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(UserError, match="can not be read: Input/output error"):
        list(read_tensors(file, CPU))


def test_a_file_that_shrinks_meanwhile_is_one_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    with pytest.raises(UserError, match="became shorter"):
        list(read_tensors(file, CPU))


def test_who_stops_early_leaves_nothing_open(file: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        tensors = read_tensors(file, CPU)
        next(tensors)
        tensors.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused_by_name(
    value: float, kind: torch.dtype, dtype: torch.dtype | None, tmp_path: Path
) -> None:
    path = tmp_path / "weights.safetensors"
    weights = torch.zeros(600_000)
    weights[555_555] = value
    save_file(
        {"fine": torch.ones(3), "whole": torch.ones(3, dtype=torch.int8), "odd": weights.to(kind)}, path
    )
    with pytest.raises(UserError, match=r"weights.safetensors holds numbers that are not finite.* in odd"):
        list(read_tensors(path, CPU, dtype))


def test_numbers_that_become_too_large_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"large": torch.tensor([1e6])}, path)
    assert len(list(read_tensors(path, CPU))) == 1
    with pytest.raises(UserError, match=r"holds numbers too large for float16, in large"):
        list(read_tensors(path, CPU, torch.float16))
