"""Triton's kernels on a processor, in Triton's own interpreter, whichever test imports Triton first.

Triton decides when a function is decorated whether it is compiled or interpreted, and its interpreter leaves
its marks in the modules of its language. Here every function is exchanged where it stands, and everything is
put back. Knows nothing about what the kernels compute.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

LANGUAGE = "triton.language"
ENGINE = "app.engine.fast"


@contextmanager
def interpreted() -> Iterator[None]:
    """Let whatever Triton would compile for a card be interpreted on a processor."""
    from triton.runtime import interpreter

    places = _places()
    before = [(place, dict(vars(place))) for place in places]
    with pytest.MonkeyPatch.context() as patch:
        # The language's functions of constants ask for it each time.
        patch.setenv("TRITON_INTERPRET", "1")
        patch.setattr(interpreter, "_patch_lang", _once_a_module(interpreter._patch_lang))
        for place, values in before:
            _exchange(place, values)
        try:
            yield
        finally:
            for place, values in before:
                _put_back(place, values)


def _once_a_module(prepare: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return what makes the language ready for a function, and does so once for all of a module.

    Triton does it in each call, which takes more than a third of the time.
    """
    done: set[int] = set()

    def prepare_once(function: Any) -> None:
        if id(function.__globals__) not in done:
            done.add(id(function.__globals__))
            prepare(function)

    return prepare_once


def _places() -> list[Any]:
    """Return the modules of Triton's language and of the engine's kernels, and the classes in the former."""
    package = importlib.import_module(ENGINE)
    for each in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{ENGINE}.{each.name}")
    modules = [
        each
        for name, each in list(sys.modules.items())
        if f"{name}.".startswith((f"{LANGUAGE}.", f"{ENGINE}."))
    ]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__.startswith(LANGUAGE)
    }
    return [*modules, *classes]


def _exchange(place: ModuleType | type, values: dict[str, Any]) -> None:
    from triton.runtime.interpreter import InterpretedFunction
    from triton.runtime.jit import JITFunction

    # What was made of a function before may name what was taken out of its module since.
    InterpretedFunction.rewritten_fn.clear()
    for name, value in values.items():
        if type(value) is JITFunction:
            setattr(place, name, InterpretedFunction(value.fn))


def _put_back(place: ModuleType | type, values: dict[str, Any]) -> None:
    for name in vars(place).keys() - values.keys():
        # A module of a package that was imported meanwhile stays: Python would not put it there again.
        if f"{place.__name__}.{name}" not in sys.modules:
            delattr(place, name)
    for name, value in values.items():
        if vars(place)[name] is not value:
            setattr(place, name, value)
