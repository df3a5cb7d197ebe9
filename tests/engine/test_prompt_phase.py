"""A model with a prompt says what the published procedure says, code for code and sample for sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from moshi.utils.compile import no_compile

from app import catalog
from app.engine.events import Loadout, Prompt, Sampling
from app.engine.model import Moshi
from app.frames import Samples
from tests.engine import personaplex
from tests.engine.conftest import GREEDY, Load, speech

ROLE = "You enjoy having a good conversation. Your name is Anna."
FRAMES = 40
HEARD = speech(FRAMES + 1, seed=3)

VOICES = {
    name: np.random.default_rng(frames).integers(0, 2048, (frames, 8)).tolist()
    for name, frames in (("NATF0", 11), ("NATM1", 14))
}
"""The codes that the published voices are of."""


@pytest.fixture(scope="module")
def folder(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model with two published voices; it is only read."""
    place = personaplex.make_model(tiny, tmp_path_factory.mktemp("personaplex") / "personaplex")
    files = {}
    with torch.no_grad(), no_compile():
        model = personaplex.Public(place)
        for name, codes in VOICES.items():
            model.save_voice(codes, place / "voice.pt")
            files[name] = (place / "voice.pt").read_bytes()
    (place / "voice.pt").unlink()
    personaplex.pack_voices(files, place / catalog.VOICES_NAME)
    return place


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with torch.no_grad(), no_compile():
        yield


class Spy:
    """Notes the tokens that a model says."""

    def __init__(self, model: Moshi) -> None:
        self.said: list[list[int]] = []
        self._step = model._stepper.step
        model._stepper.step = self.step  # type: ignore[method-assign]

    def step(self, heard: torch.Tensor) -> torch.Tensor | None:
        tokens = self._step(heard)
        self.said.append([] if tokens is None else tokens[0, :, 0].tolist())
        return tokens


def say(model: Moshi, heard: list[Samples]) -> tuple[list[list[int]], list[Samples]]:
    """Return tokens and sound that a model says."""
    spy = Spy(model)
    sound = [model.step(each).samples for each in heard]
    return spy.said, sound


def expect(
    public: personaplex.Public, voice: Path | list[list[int]] | None, role: str, seed: int | None
) -> tuple[list[list[int]], list[Samples]]:
    """Return the same by the published procedure, whose answer to a frame comes one frame later."""
    public.greedy = seed is None
    public.prompt(voice, role, seed or 0)
    said = list(public.talk(HEARD))
    assert said[0][0] == [3, *personaplex.SILENCE], "what was forced last"
    assert len({tokens[0] for tokens, _ in said}) > 5 and len({str(tokens[1:]) for tokens, _ in said}) > 20
    return [tokens for tokens, _ in said[1:]], [sound for _, sound in said[1:]]


def same(
    found: tuple[list[list[int]], list[Samples]], expected: tuple[list[list[int]], list[Samples]]
) -> None:
    assert found[0] == expected[0]
    for ours, theirs in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(ours, np.clip(theirs, -1, 1), atol=1e-6)


@pytest.mark.parametrize("engine", ["fast", "moshi"])
@pytest.mark.parametrize(("voice", "seed"), [("NATF0", None), ("NATM1", 7), ("NATF0", 1)])
def test_a_published_voice_and_a_role(
    folder: Path, load: Load, engine: str, voice: str, seed: int | None
) -> None:
    how = {"sampling": GREEDY if seed is None else Sampling(), "loadout": Loadout(engine=engine)}
    found = say(load(folder, prompt=Prompt(voice, ROLE), seed=seed or 0, **how), HEARD[:FRAMES])
    public = personaplex.Public(folder)
    public.save_voice(VOICES[voice], path := folder / f"{engine}.pt")
    expected = expect(public, path, ROLE, seed)
    path.unlink()
    same(found, expected)
    # The whole of the codes says what the embeddings of them do.
    public.reset()
    assert expect(public, VOICES[voice], ROLE, seed)[0] == expected[0]
