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
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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


def read_tensors(
    path: Path, device: torch.device, dtype: torch.dtype | None = None, kept: tuple[str, ...] = ()
) -> Generator[Read]:
    """Yield the tensors of a safetensors file, or of the shards of an index, in the order of the files.

    Real numbers become `dtype`, but for those whose names end as in `kept`.

    While one is worked on, the next THREADS are read. Raises UserError where a file can not be read, and for
    real numbers that are not finite.
    """
    header = read_header(path)
    places = deque(sorted(header.items(), key=lambda item: (item[1].file, item[1].start)))
    source = _Source({tensor.file for tensor in header.values()}, device, dtype, kept)
    ahead: deque[tuple[str, Future[torch.Tensor]]] = deque()
    try:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="weights") as threads:
            try:
                while places or ahead:
                    while places and len(ahead) < THREADS:
                        name, tensor = places.popleft()
                        ahead.append((name, threads.submit(source.read, name, tensor)))
                    name, future = ahead.popleft()
                    yield Read(name, future.result(), header[name].end - header[name].start)
            finally:
                threads.shutdown(cancel_futures=True)
    except OSError as fault:
        raise UserError(
            f"{path} can not be read: {fault.strerror}.",
            "Check the disk, or copy or download the file again.",
        ) from fault
    finally:
        source.close()


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

    def __init__(
        self, files: Iterable[Path], device: torch.device, dtype: torch.dtype | None, kept: tuple[str, ...]
    ) -> None:
        self._files: dict[Path, int] = {}
        try:
            for file in files:
                self._files[file] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            raise
        self._device = device
        self._dtype, self._kept = dtype, kept
        self._own = threading.local()

    def close(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def read(self, name: str, tensor: Tensor) -> torch.Tensor:
        found = DTYPES[tensor.dtype]
        changes = self._dtype is not None and tensor.floating and not name.endswith(self._kept)
        wanted = self._dtype if changes and self._dtype is not None else found
        if wanted != found and self._device.type != "cuda":
            return self._convert(name, tensor, wanted)
        raw = torch.empty(tensor.end - tensor.start, dtype=torch.uint8, device=self._device)
        chunks = range(0, len(raw), CHUNK_BYTES)
        if self._device.type == "cuda":
            self._fill_card(raw, tensor, chunks)
        else:
            for at in chunks:
                self._fill(raw[at : at + CHUNK_BYTES], tensor, at)
        kept = raw.view(found)
        made = kept.to(wanted)
        _refuse_unfinite(name, tensor, kept, made)
        return made.view(tensor.shape)

    def _convert(self, name: str, tensor: Tensor, wanted: torch.dtype) -> torch.Tensor:
        """Read a tensor into another type, by way of a buffer that is small enough to stay in a cache."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = torch.empty(CONVERTED_BYTES, dtype=torch.uint8)
        found = DTYPES[tensor.dtype]
        result = torch.empty(tensor.shape, dtype=wanted)
        flat, step = result.view(-1), CONVERTED_BYTES // found.itemsize
        for at in range(0, len(flat), step):
            part = flat[at : at + step]
            raw = self._own.buffer[: len(part) * found.itemsize]
            self._fill(raw, tensor, at * found.itemsize)
            part.copy_(raw.view(found))
            _refuse_unfinite(name, tensor, raw.view(found), part)
        return result

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
