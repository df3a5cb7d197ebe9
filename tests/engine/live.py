"""Counts the bytes of tensors that are alive at the same time, whatever made them."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Live(TorchDispatchMode):
    """While it is entered, every memory that an operator returns is counted until nothing holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.most_bytes = 0
        self._now_bytes = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self, operator: Any, _types: Any, arguments: Any = (), named: dict[str, Any] | None = None
    ) -> Any:
        result = operator(*arguments, **(named or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor):
                self._count(each.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen or storage.device.type == "meta":
            return
        self._seen.add(storage)
        size = storage.nbytes()
        self._now_bytes += size
        self.most_bytes = max(self.most_bytes, self._now_bytes)
        weakref.finalize(storage, self._forget, size)

    def _forget(self, size: int) -> None:
        self._now_bytes -= size
