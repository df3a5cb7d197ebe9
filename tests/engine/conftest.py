"""A tiny random Moshi in the official format, made once, and what tests of the engine do with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from app.engine.events import Event, Sampling
from app.engine.fake import make_tiny
from app.frames import FRAME_SAMPLES, Samples
from tests.engine.interpreter import interpreted

if TYPE_CHECKING:
    from app.engine.fast.fused import Fused
    from app.engine.model import Moshi

GREEDY = Sampling(greedy=True)

Load = Callable[..., "Moshi"]

INTERPRETED = pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")
"""For tests of kernels: the warning is of the interpreter's own code."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that is only read. From here on torch takes one core, as it does in the product."""
    torch.set_num_threads(1)
    return make_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny model that the test may damage."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


@pytest.fixture
def load() -> Iterator[Load]:
    """Return load_model for real models, which are closed after the test."""
    from app.engine.model import Moshi, load_model

    models: list[Moshi] = []

    def load(spec: Path | str, emit: Callable[[Event], None] = lambda _: None, **options: object) -> Moshi:
        model = load_model(str(spec), emit, **options)  # type: ignore[arg-type]  # forwarded as they are
        assert isinstance(model, Moshi)
        models.append(model)
        return model

    yield load
    for model in models:
        model.close()


@pytest.fixture(scope="module")
def fused() -> Iterator[Fused]:
    """Yield the kernels, which Triton interprets as long."""
    with interpreted():
        from app.engine.fast.fused import Fused

        yield Fused()


def speech(frames: int, seed: int = 0) -> list[Samples]:
    """Return noise that swells and fades like speech."""
    rng = np.random.default_rng(seed)
    loudness = 0.3 * (1.01 + np.sin(np.arange(frames) / 4))
    noise = rng.standard_normal((frames, FRAME_SAMPLES))
    return list((noise * loudness[:, None]).astype(np.float32))


def talk(model: Moshi, frames: list[Samples]) -> list[tuple[int | None, bytes]]:
    """Return what a model says to some frames: token and exact samples of each."""
    said = (model.step(frame) for frame in frames)
    return [(each.token, each.samples.tobytes()) for each in said]
