"""torch's caching allocator without a graphics card: what is asked for is noted, and played on a card.

The rules are those of c10/cuda/CUDACachingAllocator.cpp of torch 2.9: rounding, two sizes of pools, best fit,
splitting and merging, segments that are asked for anew or that grow page by page, and cached memory given
back when the card is full. Knows nothing about models.
"""

from __future__ import annotations

import weakref
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

LEAST_BYTES = 512
"""Every size is rounded up to a multiple."""

SMALL_BYTES = 2**20
"""So much and less is taken from small segments."""

SMALL_SEGMENT_BYTES = 2 * 2**20
LARGE_SEGMENT_BYTES = 20 * 2**20
LARGE_BYTES = 10 * 2**20
"""What is larger gets a segment of its own, rounded up to ROUND_BYTES."""

ROUND_BYTES = 2 * 2**20


class Event(NamedTuple):
    """Memory asked for or given back by a number, or all cached memory given back: `size` below zero."""

    number: int
    size: int
    pool: str = ""
    """The name of a captured graph's own pool, '' outside of graphs."""


GIVE_BACK = Event(-1, -1)


class OutOfMemory(Exception):
    """The card is full."""


class Recorder(TorchDispatchMode):
    """Notes what operators ask for on the device `meta`, which stands for a card, and when it is let go."""

    _numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self._pool, self._off = "", False
        self._known: dict[int, int] = {}

    @contextmanager
    def pool(self, name: str) -> Iterator[None]:
        """Let what is asked for be of a captured graph."""
        self._pool = name
        yield
        self._pool = ""

    @contextmanager
    def outlines(self) -> Iterator[None]:
        """Let what is made on `meta` be what it is: tensors without memory."""
        self._off = True
        yield
        self._off = False

    def ask(self, size: int, pool: str = "") -> None:
        """Note what something beside operators asks for and keeps."""
        self.events.append(Event(next(self._numbers), size, pool))

    def repeated(
        self, function: Callable[[Tensor], Sequence[Tensor | None]], whole_every: int = 1
    ) -> Callable[[Tensor], Any]:
        """Return a function that runs once for each shape and type, and is noted again without running.

        It keeps nothing but what it returns. What else it asks for is noted once in `whole_every` calls.
        """
        calls = count()
        seen: dict[Any, tuple[Sequence[Tensor | None], list[Event], list[int | None]]] = {}

        def call(given: Tensor) -> Sequence[Tensor | None]:
            key = given.shape, given.dtype
            if key in seen:
                likes, events, numbers = seen[key]
                if next(calls) % whole_every:
                    events = [event for event in events if event.number in numbers]
                return self._repeat(likes, events, numbers)
            begin = len(self.events)
            results = function(given)
            with self.outlines():
                likes = [each if each is None else torch.empty_like(each) for each in results]
            numbers = [each if each is None else self._known[_storage(each)] for each in results]
            seen[key] = likes, self.events[begin:], numbers
            return results

        return call

    def _repeat(
        self, likes: Sequence[Tensor | None], events: list[Event], numbers: list[int | None]
    ) -> list[Tensor | None]:
        """Note events again under new numbers, and return new results."""
        new = {event.number: next(self._numbers) for event in events if event.size}
        self.events += [event._replace(number=new[event.number]) for event in events]
        results: list[Tensor | None] = []
        for like, number in zip(likes, numbers, strict=True):
            with self.outlines():
                result = like if like is None else torch.empty_like(like)
            results.append(result)
            if result is not None and number is not None:
                self._known[_storage(result)] = new[number]
                weakref.finalize(result.untyped_storage(), self._let_go, _storage(result)).atexit = False
        return results

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {_storage(each) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)}
        out = operator(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if isinstance(each, Tensor) and each.device.type == "meta" and not self._off:
                self._note(each, given)
        return out

    def _note(self, tensor: Tensor, given: set[int]) -> None:
        key, storage = _storage(tensor), tensor.untyped_storage()
        if key in given or key in self._known or not storage.nbytes():
            return
        number = self._known[key] = next(self._numbers)
        self.events.append(Event(number, storage.nbytes(), self._pool))
        weakref.finalize(storage, self._let_go, key).atexit = False

    def _let_go(self, key: int) -> None:
        self.events.append(Event(self._known.pop(key), 0))


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class Free(NamedTuple):
    """A free piece, in the order of the search: the smallest that is large enough, the first of those."""

    size: int
    start: int


@dataclass
class Pool:
    """The memory of one kind of sizes: pieces below each other, each between free and taken."""

    small: bool
    growing: bool
    free: list[Free] = field(default_factory=list)
    starts: dict[int, int] = field(default_factory=dict)
    """Sizes of free pieces by where they start."""
    ends: dict[int, int] = field(default_factory=dict)
    """Where free pieces start by where they end."""
    segments: dict[int, int] = field(default_factory=dict)
    """Sizes of segments by where they start; of a growing one each page is one."""
    end: int = 0

    @property
    def segment_bytes(self) -> int:
        """Return the size of a segment of ordinary sizes, or of a page."""
        return SMALL_SEGMENT_BYTES if self.small else LARGE_SEGMENT_BYTES

    def put(self, start: int, size: int) -> None:
        """Give a piece back and merge it with its free neighbours."""
        if (before := self.ends.get(start)) is not None and self._mergeable(start):
            size += self.starts[before]
            start = before
            self.take(start)
        if (after := self.starts.get(start + size)) is not None and self._mergeable(start + size):
            self.take(start + size)
            size += after
        self.starts[start], self.ends[start + size] = size, start
        insort(self.free, Free(size, start))

    def take(self, start: int) -> int:
        """Take a free piece out and return its size."""
        size = self.starts.pop(start)
        del self.ends[start + size]
        del self.free[bisect_left(self.free, Free(size, start))]
        return size

    def find(self, size: int) -> Free | None:
        """Return the best free piece."""
        at = bisect_left(self.free, Free(size, 0))
        return self.free[at] if at < len(self.free) else None

    def cut(self, start: int, size: int) -> int:
        """Take so much of a free piece, all where the rest is not worth a piece; return what is taken."""
        whole = self.take(start)
        rest = whole - size
        if rest < LEAST_BYTES or (rest <= SMALL_BYTES and not (self.small or self.growing)):
            return whole
        self.put(start + size, rest)
        return size

    def _mergeable(self, border: int) -> bool:
        return self.growing or border not in self.segments


class Card:
    """The memory of a card that torch may have, and what it asks of the driver."""

    def __init__(self, capacity: int, *, growing: bool) -> None:
        self.capacity, self.reserved, self.peak, self.live = capacity, 0, 0, 0
        self.live_peak = 0
        self.emptied = 0
        """How often the card was full and cached memory was given back for more."""
        self._growing = growing
        self._pools: dict[tuple[str, bool], Pool] = {}
        self._taken: dict[int, tuple[Pool, int, int]] = {}

    def play(self, events: Iterable[Event]) -> Card:
        """Do what was noted. Raises OutOfMemory."""
        for event in events:
            if event.size < 0:
                self.give_back()
            elif event.size:
                self.ask(event.number, event.size, event.pool)
            else:
                self.let_go(event.number)
        return self

    def ask(self, number: int, size: int, name: str = "") -> None:
        """Take memory, of a captured graph's pool where it has a name. Raises OutOfMemory."""
        size = max(LEAST_BYTES, -(-size // LEAST_BYTES) * LEAST_BYTES)
        small = size <= SMALL_BYTES
        pool = self._pools.setdefault((name, small), Pool(small, self._growing))
        found = pool.find(size)
        start = found.start if found is not None else self._extend(pool, size)
        taken = pool.cut(start, size)
        self._taken[number] = pool, start, taken
        self.live += taken
        self.live_peak = max(self.live_peak, self.live)

    def let_go(self, number: int) -> None:
        """Give memory back to its pool."""
        pool, start, size = self._taken.pop(number)
        self.live -= size
        pool.put(start, size)

    def give_back(self) -> None:
        """Give segments that are wholly free back to the driver, as torch.cuda.empty_cache does."""
        for (name, _), pool in self._pools.items():
            if not name:
                for start in list(pool.starts):
                    self._release(pool, start)

    def _extend(self, pool: Pool, size: int) -> int:
        """Ask the driver for more and return where a free piece of the size begins. Raises OutOfMemory."""
        if pool.growing:
            return self._grow(pool, size)
        if pool.small or size < LARGE_BYTES:
            segment = pool.segment_bytes
        else:
            segment = -(-size // ROUND_BYTES) * ROUND_BYTES
        self._reserve(segment)
        start = pool.end
        pool.segments[start] = segment
        pool.end += segment
        pool.put(start, segment)
        return start

    def _grow(self, pool: Pool, size: int) -> int:
        """Map pages behind, or between, what is mapped, from a free piece before them on."""
        page = pool.segment_bytes
        start = first = self._gap(pool, size)
        missing = [at for at in range(start // page * page, start + size, page) if at not in pool.segments]
        self._reserve(len(missing) * page)
        for at in missing:
            pool.segments[at] = page
            pool.end = max(pool.end, at + page)
            pool.put(at, page)
        # The piece before the pages was merged with them.
        return first

    def _gap(self, pool: Pool, size: int) -> int:
        """Return the first place from which so much is free, mapped or not."""
        page = pool.segment_bytes
        begin: int | None = None
        for at in range(0, pool.end + page, page):
            if at not in pool.segments:
                begin = pool.ends.get(at, at) if begin is None else begin
                if at + page >= begin + size or at >= pool.end:
                    return begin
            elif begin is not None and begin + size <= at + pool.starts.get(at, 0):
                return begin
            elif pool.starts.get(at, 0) < page:
                begin = None
        return pool.ends.get(pool.end, pool.end) if begin is None else begin

    def _reserve(self, size: int) -> None:
        if self.reserved + size > self.capacity:
            self.emptied += 1
            self.give_back()
            if self.reserved + size > self.capacity:
                raise OutOfMemory(f"{size:,} more than {self.reserved:,} of {self.capacity:,} bytes")
        self.reserved += size
        self.peak = max(self.peak, self.reserved)

    def _release(self, pool: Pool, start: int) -> None:
        size = pool.starts[start]
        if not pool.growing:
            if pool.segments.get(start) == size:
                pool.take(start)
                del pool.segments[start]
                self.reserved -= size
            return
        page = pool.segment_bytes
        first, last = -(-start // page) * page, (start + size) // page * page
        if first >= last:
            return
        pool.take(start)
        for at in range(first, last, page):
            del pool.segments[at]
        self.reserved -= last - first
        for part, end in ((start, first), (last, start + size)):
            if part < end:
                pool.put(part, end - part)

    def check(self) -> None:
        """Assert that every byte of every segment is either free or taken, once."""
        for pool in self._pools.values():
            pieces = [(piece.start, piece.size) for piece in pool.free]
            pieces += [(start, size) for owner, start, size in self._taken.values() if owner is pool]
            pieces.sort()
            for (start, size), (following, _) in pairwise(pieces):
                assert start + size <= following
            assert sum(size for _, size in pieces) == sum(pool.segments.values())
        assert self.reserved == sum(sum(pool.segments.values()) for pool in self._pools.values())
