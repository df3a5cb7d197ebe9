"""Skips tests of engines and packages that a computer does not have, by the name of what is missing."""

from importlib.util import find_spec

import pytest

from training.starter.engines import missing


def engine(name: str) -> pytest.MarkDecorator:
    fault = missing(name)
    return pytest.mark.skipif(fault is not None, reason=f"{name}: {fault}")


def package(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is missing: the extra `starter`")
