"""Reads weights as fast as the disk gives them: several threads, and one copy from file to device.

A map of the file, as safetensors uses it, is read page by page by the one thread that touches it. Knows
nothing about models.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch

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
    """Yield the tensors of a safetensors file on a device, in the order of the file.

    Real numbers become `dtype`, but for those whose names end as in `kept`.

    While one is worked on, the next THREADS are read. Raises UserError where the file can not be read.
    """
    header = read_header(path)
    places = deque(sorted(header.items(), key=lambda item: item[1].start))
    source = _Source(path, device, dtype, kept)
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


class _Source:
    """An open file, and for each thread what it reads through."""

    def __init__(
        self, path: Path, device: torch.device, dtype: torch.dtype | None, kept: tuple[str, ...]
    ) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._device = device
        self._dtype, self._kept = dtype, kept
        self._own = threading.local()

    def close(self) -> None:
        os.close(self._file)

    def read(self, name: str, tensor: Tensor) -> torch.Tensor:
        found = DTYPES[tensor.dtype]
        changes = self._dtype is not None and tensor.floating and not name.endswith(self._kept)
        wanted = self._dtype if changes and self._dtype is not None else found
        if wanted != found and self._device.type != "cuda":
            return self._convert(tensor, found, wanted)
        raw = torch.empty(tensor.end - tensor.start, dtype=torch.uint8, device=self._device)
        chunks = range(0, len(raw), CHUNK_BYTES)
        if self._device.type == "cuda":
            self._fill_card(raw, tensor.start, chunks)
        else:
            for at in chunks:
                self._fill(raw[at : at + CHUNK_BYTES], tensor.start + at)
        return raw.view(found).view(tensor.shape).to(wanted)

    def _convert(self, tensor: Tensor, found: torch.dtype, wanted: torch.dtype) -> torch.Tensor:
        """Read a tensor into another type, by way of a buffer that is small enough to stay in a cache."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = torch.empty(CONVERTED_BYTES, dtype=torch.uint8)
        result = torch.empty(tensor.shape, dtype=wanted)
        flat, step = result.view(-1), CONVERTED_BYTES // found.itemsize
        for at in range(0, len(flat), step):
            part = flat[at : at + step]
            raw = self._own.buffer[: len(part) * found.itemsize]
            self._fill(raw, tensor.start + at * found.itemsize)
            part.copy_(raw.view(found))
        return result

    def _fill(self, part: torch.Tensor, start: int) -> None:
        """Read into memory of this computer, [N] uint8, from a place in the file on."""
        view = memoryview(part.numpy().data)
        while view:
            count = os.preadv(self._file, [view], start)
            if count == 0:
                raise OSError(0, "it became shorter while it was read")
            view, start = view[count:], start + count

    def _fill_card(self, raw: torch.Tensor, start: int, chunks: range) -> None:
        """Read by way of two pinned buffers: while one travels to the card, the other is read into."""
        stream, buffers = self._pinned()
        # The memory may have been another tensor's, which work of before may still look at.
        stream.wait_stream(torch.cuda.default_stream(self._device))
        with torch.cuda.stream(stream):
            for turn, at in enumerate(chunks):
                buffer, sent = buffers[turn % len(buffers)]
                sent.synchronize()
                part = raw[at : at + CHUNK_BYTES]
                self._fill(buffer[: len(part)], start + at)
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
