"""Lets the state of moshi's modules keep its place in memory, so that a CUDA graph may hold them.

A graph reads and writes the memory that it saw when it was captured. Most of moshi's modules write into their
state; one (`StreamingConv1d` with replicated padding, in Mimi's downsampling) puts a new tensor in its place
in each call, and a graph of it would read the old one for ever.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from moshi.modules.streaming import State, StreamingModule
from torch import nn


def keep_in_place(module: nn.Module) -> None:
    """Let every tensor of the streaming state below a module be written into where it is assigned to.

    The module is in streaming mode. Leaving it and entering it again takes that back.
    """
    for each in module.modules():
        if isinstance(each, StreamingModule) and isinstance(each._streaming_state, State):
            state = each._streaming_state
            kind: Any = type(state)
            state.__class__ = _in_place(kind)


@cache
def _in_place(kind: Any) -> Any:
    return type(f"InPlace{kind.__name__}", (kind,), {"__setattr__": _write})


def _write(state: State, name: str, value: Any) -> None:
    """Set an attribute; a tensor takes the place of one like it in memory."""
    old = state.__dict__.get(name)
    if isinstance(old, torch.Tensor) and isinstance(value, torch.Tensor) and _alike(old, value):
        if old is not value:
            old.copy_(value)
    else:
        object.__setattr__(state, name, value)


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and one.device == other.device
