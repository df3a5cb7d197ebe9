"""The tiny random Moshi for tests of training."""

from __future__ import annotations

from tests.engine.conftest import folder, load, tiny

__all__ = ["folder", "load", "tiny"]
