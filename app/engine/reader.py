"""Reads weights as fast as the disk gives them: several threads, and one copy from file to device.

A map of the file, as safetensors uses it, is read page by page by the one thread that touches it. Every
number is looked at on the way: with NaN among the weights a model talks on, and says nothing. Knows nothing
about models.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from app.engine.limits import shorten
from app.engine.weights import Tensor, read_header
from app.errors import UserError

THREADS = 4
"""So many reads are under way at a time: enough to keep a solid-state disk busy."""

CHUNK_BYTES = 16 * 2**20
"""So much is read in one call, and, for a graphics card, pinned by each thread."""

SLICE_BYTES = CHUNK_BYTES
"""So much of a tensor is on the way at a time where it is packed, or becomes another type on a card."""

CONVERTED_BYTES = 2**20
"""So much is read in one call where it becomes another type."""

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
"""The types of elements by their names in a safetensors file."""


class Read(NamedTuple):
    """A tensor that was read."""

    name: str
    tensor: torch.Tensor
    size: int
    """Its bytes in the file."""


class Part(NamedTuple):
    """Rows of a tensor that were read, or all of it."""

    name: str
    rows: torch.Tensor
    at: int
    """Which row of the tensor is the first of these."""
    shape: tuple[int, ...]
    """The shape of the whole tensor."""
    size: int
    """The bytes of these rows in the file."""

    def put(self, into: dict[str, torch.Tensor], name: str, rows: torch.Tensor) -> None:
        """Put what was made of these rows, row for row, into a tensor of a dict, which is made if need be."""
        if name not in into and rows.shape[:1] == self.shape[:1]:
            into[name] = rows
            return
        if name not in into:
            into[name] = rows.new_empty((self.shape[0], *rows.shape[1:]))
        into[name][self.at : self.at + len(rows)] = rows


class _Piece(NamedTuple):
    """What is read in one go."""

    name: str
    tensor: Tensor
    """Only these rows of it."""
    at: int
    shape: tuple[int, ...]
    wanted: torch.dtype


def read_tensors(
    path: Path, device: torch.device, dtype: torch.dtype | None = None, kept: tuple[str, ...] = ()
) -> Generator[Read]:
    """Yield the tensors of a safetensors file, or of the shards of an index, in the order of the files.

    Real numbers become `dtype`, but for those whose names end as in `kept`. Raises UserError where a file
    can not be read, and for real numbers that are not finite.
    """
    whole: dict[str, torch.Tensor] = {}
    size = 0
    for part in read_parts(path, read_header(path), device, dtype, kept=kept):
        part.put(whole, part.name, part.rows)
        size += part.size
        if part.rows.shape[:1] == part.shape[:1] or part.at + len(part.rows) == part.shape[0]:
            yield Read(part.name, whole.pop(part.name), size)
            size = 0


def read_parts(
    path: Path,
    header: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype | None = None,
    *,
    kept: tuple[str, ...] = (),
    sliced: Callable[[str], bool] = lambda _: False,
) -> Generator[Part]:
    """Yield the tensors of a header, as `read_tensors` does, those that `sliced` picks by name in rows.

    While a part is worked on, the next THREADS are read; beside whole tensors no more than so many slices
    take memory of the device. All of that is asked for by the thread that takes the parts.
    """
    source = _Source({tensor.file for tensor in header.values()}, device)
    pieces = deque(_cut(header, device, dtype, kept, sliced))
    ahead: deque[tuple[_Piece, torch.Tensor, Future[None]]] = deque()
    try:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="weights") as threads:
            try:
                while pieces or ahead:
                    while pieces and len(ahead) < THREADS:
                        piece = pieces.popleft()
                        memory = source.memory(piece)
                        ahead.append((piece, memory, threads.submit(source.fill, piece, memory)))
                    piece, memory, future = ahead.popleft()
                    future.result()
                    rows = source.finish(piece, memory)
                    del memory
                    yield Part(piece.name, rows, piece.at, piece.shape, piece.tensor.end - piece.tensor.start)
                    del rows
            finally:
                threads.shutdown(cancel_futures=True)
    except OSError as fault:
        raise UserError(
            f"{path} can not be read: {fault.strerror}.",
            "Check the disk, or copy or download the file again.",
        ) from fault
    finally:
        source.close()


def _cut(
    header: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype | None,
    kept: tuple[str, ...],
    sliced: Callable[[str], bool],
) -> Iterator[_Piece]:
    """Yield what is read in one go, in the order of the files."""
    for name, tensor in sorted(header.items(), key=lambda item: (item[1].file, item[1].start)):
        found = DTYPES[tensor.dtype]
        changes = dtype is not None and tensor.floating and not name.endswith(kept)
        wanted = dtype if changes and dtype is not None else found
        if not (sliced(name) or (wanted != found and device.type != "cpu")) or not tensor.elements:
            yield _Piece(name, tensor, 0, tensor.shape, wanted)
            continue
        for at, rows in _slices(tensor):
            yield _Piece(name, rows, at, tensor.shape, wanted)


def _slices(tensor: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield the rows of a tensor so many at a time as SLICE_BYTES hold, with the number of the first."""
    if not tensor.shape:
        yield 0, tensor
        return
    count, row_bytes = tensor.shape[0], (tensor.end - tensor.start) // tensor.shape[0]
    at_once = max(1, SLICE_BYTES // row_bytes)
    for at in range(0, count, at_once):
        end = min(count, at + at_once)
        start = tensor.start + at * row_bytes
        shape = (end - at, *tensor.shape[1:])
        yield at, replace(tensor, shape=shape, start=start, end=start + (end - at) * row_bytes)


def unfinite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """Return the name of the first tensor that holds NaN or infinity, None if all numbers are finite."""
    return next((name for name, tensor in tensors.items() if not _is_finite(tensor)), None)


def _is_finite(tensor: torch.Tensor) -> bool:
    """Return whether all numbers are finite, by one reduction: NaN is the least and the most of all."""
    if not tensor.is_floating_point() or tensor.numel() == 0:
        return True
    least, most = torch.aminmax(tensor.float() if tensor.itemsize == 1 else tensor)
    return math.isfinite(least) and math.isfinite(most)


class _Source:
    """Open files, and for each thread what it reads through."""

    def __init__(self, files: Iterable[Path], device: torch.device) -> None:
        self._files: dict[Path, int] = {}
        try:
            for file in files:
                self._files[file] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            raise
        self._device = device
        self._on_card = device.type != "cpu"
        self._own = threading.local()

    def close(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def memory(self, piece: _Piece) -> torch.Tensor:
        """Return memory, flat, that a piece is read into: on a card as it is in the file."""
        dtype = DTYPES[piece.tensor.dtype] if self._on_card else piece.wanted
        return torch.empty(piece.tensor.elements, dtype=dtype, device=self._device)

    def fill(self, piece: _Piece, memory: torch.Tensor) -> None:
        """Read a piece. Raises UserError for numbers that are not finite, on a card only in `finish`."""
        tensor, found = piece.tensor, DTYPES[piece.tensor.dtype]
        if piece.wanted != found and not self._on_card:
            self._convert(piece, memory)
            return
        raw = memory.view(torch.uint8)
        chunks = range(0, len(raw), CHUNK_BYTES)
        if self._on_card:
            self._fill_card(raw, tensor, chunks)
            return
        for at in chunks:
            self._fill(raw[at : at + CHUNK_BYTES], tensor, at)
        _refuse_unfinite(piece.name, tensor, memory, memory)

    def finish(self, piece: _Piece, memory: torch.Tensor) -> torch.Tensor:
        """Return a piece that was filled as it is wanted."""
        made = memory.to(piece.wanted)
        if self._on_card:
            _refuse_unfinite(piece.name, piece.tensor, memory, made)
        return made.view(piece.tensor.shape)

    def _convert(self, piece: _Piece, memory: torch.Tensor) -> None:
        """Read a piece into another type, by way of a buffer that is small enough to stay in a cache."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = torch.empty(CONVERTED_BYTES, dtype=torch.uint8)
        found = DTYPES[piece.tensor.dtype]
        step = CONVERTED_BYTES // found.itemsize
        for at in range(0, len(memory), step):
            part = memory[at : at + step]
            raw = self._own.buffer[: len(part) * found.itemsize]
            self._fill(raw, piece.tensor, at * found.itemsize)
            part.copy_(raw.view(found))
            _refuse_unfinite(piece.name, piece.tensor, raw.view(found), part)

    def _fill(self, part: torch.Tensor, tensor: Tensor, at: int) -> None:
        """Read into memory of this computer, [N] uint8, from a place in a tensor's bytes on."""
        view, file, start = memoryview(part.numpy().data), self._files[tensor.file], tensor.start + at
        while view:
            count = os.preadv(file, [view], start)
            if count == 0:
                raise OSError(0, "it became shorter while it was read")
            view, start = view[count:], start + count

    def _fill_card(self, raw: torch.Tensor, tensor: Tensor, chunks: range) -> None:
        """Read by way of two pinned buffers: while one travels to the card, the other is read into."""
        stream, buffers = self._pinned()
        # The memory may have been another tensor's, which work of before may still look at.
        stream.wait_stream(torch.cuda.default_stream(self._device))
        with torch.cuda.stream(stream):
            for turn, at in enumerate(chunks):
                buffer, sent = buffers[turn % len(buffers)]
                sent.synchronize()
                part = raw[at : at + CHUNK_BYTES]
                self._fill(buffer[: len(part)], tensor, at)
                part.copy_(buffer[: len(part)], non_blocking=True)
                sent.record(stream)  # type: ignore[no-untyped-call]
        stream.synchronize()

    def _pinned(self) -> tuple[torch.cuda.Stream, list[tuple[torch.Tensor, torch.cuda.Event]]]:
        if not hasattr(self._own, "pinned"):
            buffers = [torch.empty(CHUNK_BYTES, dtype=torch.uint8, pin_memory=True) for _ in range(2)]
            events = [torch.cuda.Event() for _ in buffers]  # type: ignore[no-untyped-call]
            stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            self._own.pinned = stream, list(zip(buffers, events, strict=True))
        pinned: tuple[torch.cuda.Stream, list[tuple[torch.Tensor, torch.cuda.Event]]] = self._own.pinned
        return pinned


def _refuse_unfinite(name: str, tensor: Tensor, kept: torch.Tensor, made: torch.Tensor) -> None:
    """Raise UserError where real numbers, as the file keeps them or as they became, are not finite."""
    if _is_finite(made):
        return
    if _is_finite(kept):
        kind = str(made.dtype).removeprefix("torch.")
        advice = "Choose another model, or a graphics card that computes in bfloat16."
        raise UserError(f"{tensor.file} holds numbers too large for {kind}, in {shorten(name)}.", advice)
    advice = "The file is damaged, or its training diverged: download it again, or choose another model."
    raise UserError(
        f"{tensor.file} holds numbers that are not finite (NaN or infinity), in {shorten(name)}.", advice
    )
