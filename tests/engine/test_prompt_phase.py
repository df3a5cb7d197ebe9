"""A model with a prompt says what the published procedure says, code for code and sample for sample."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from moshi.utils.compile import no_compile

from app import catalog
from app.commands.quantize import write_packed
from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.engine.events import Event, Loading, Loadout, Prompt, Prompting, PromptSupport, Sampling
from app.engine.fast.frame import FrameStep
from app.engine.model import Moshi
from app.engine.prompt import role_tokens
from app.engine.prompt_phase import Voice, follow_script, write_script
from app.engine.stepper import MoshiStepper, Stepper
from app.engine.voices import Shape, read_published
from app.errors import UserError
from app.frames import SAMPLE_RATE, Samples
from tests.engine import personaplex
from tests.engine.conftest import GREEDY, Load, speech
from tests.engine.graphs import emulated

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
        self._stepper = model._stepper
        self._step = model._stepper.step
        model._stepper.step = self.step  # type: ignore[method-assign]

    def leave(self) -> None:
        self._stepper.step = self._step  # type: ignore[method-assign]

    def step(self, heard: torch.Tensor) -> torch.Tensor | None:
        tokens = self._step(heard)
        self.said.append([] if tokens is None else tokens[0, :, 0].tolist())
        return tokens


def say(model: Moshi, heard: list[Samples]) -> tuple[list[list[int]], list[Samples]]:
    """Return tokens and sound that a model says."""
    spy = Spy(model)
    sound = [model.step(each).samples for each in heard]
    spy.leave()
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
    if seed is None:
        # The whole of the codes says what the inputs made of them do.
        public.reset()
        assert expect(public, VOICES[voice], ROLE, seed)[0] == expected[0]


@pytest.mark.parametrize("engine", ["fast", "moshi"])
def test_a_voice_in_a_sound_file(folder: Path, load: Load, tmp_path: Path, engine: str) -> None:
    sound = 0.02 * np.concatenate(speech(20, seed=8))[:-500]
    soundfile.write(path := tmp_path / "anna.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    prompt = Prompt(str(path), f"<system> {ROLE} <system>", consented=True)
    model = load(folder, prompt=prompt, seed=5, loadout=Loadout(engine=engine))
    found = say(model, HEARD[:FRAMES])
    public = personaplex.Public(folder)
    codes = list(public.encode(personaplex.loud(path)))
    assert len(codes) == 20 and len(set(map(tuple, codes))) > 2
    public.reset()
    same(found, expect(public, codes, ROLE, 5))
    persona = model.details["persona"]
    assert persona == {
        "voice": {"file": "anna.wav", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "role": f"<system> {ROLE} <system>",
    }


def test_without_a_prompt_it_has_the_first_voice_and_no_role(folder: Path, load: Load) -> None:
    model = load(folder, sampling=GREEDY)
    assert model.prompt_support == PromptSupport(("NATF0", "NATM1"), own_voice=True, role=True)
    found = say(model, HEARD[:FRAMES])
    assert model.details["persona"] == {"voice": "NATF0", "role": ""}
    same(found, expect(personaplex.Public(folder), VOICES["NATF0"], "", None))


def test_a_prompt_holds_from_the_next_restart_on(folder: Path, load: Load) -> None:
    model = load(folder, seed=3, prompt=Prompt("NATM1", ROLE), sampling=Sampling(repetition_penalty=1.5))
    first = say(model, HEARD[:20])[0]
    model.set_prompt(Prompt("NATF0"))
    with pytest.raises(UserError, match="no voice called 'nobody'"):
        model.set_prompt(Prompt("nobody"))
    told: list[tuple[int, int]] = []
    model.restart(3, lambda *done: told.append(done))
    # The voice has 11 frames, and there is silence twice.
    assert told == [(frame, 23) for frame in range(1, 24)]
    other = say(model, HEARD[:20])[0]
    assert other != first
    model.set_prompt(Prompt("NATM1", ROLE))
    model.restart(3)
    assert say(model, HEARD[:20])[0] == first
    model.restart(4)
    assert say(model, HEARD[:20])[0] != first


@pytest.mark.parametrize("engine", [FrameStep, MoshiStepper])
def test_a_load_goes_through_no_prompt_and_rehearses_what_one_takes(
    folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch, engine: type[Stepper]
) -> None:
    gone: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        through = getattr(engine, name)
        return lambda *given: (gone.append(name), through(*given))[1]

    for name in ("step", "feed", "force"):
        monkeypatch.setattr(engine, name, noted(name))
    events: list[Event] = []
    model = load(folder, events.append, seed=None, loadout=Loadout(engine=engine.engine))
    assert not [event for event in events if isinstance(event, Prompting)]
    frames = gone.count("step") + gone.count("feed")
    assert frames < 15, "the voice and the silence after it have 23"
    # What a graph is captured of, or a kernel is compiled for, is met twice before the first talk.
    assert min(gone.count("feed"), gone.count("force")) >= 2
    gone.clear()
    model.restart(3)
    first = say(model, HEARD[:3])[0]
    assert gone.count("step") + gone.count("feed") == 23 + 3, "it is gone through once"
    other = load(folder, seed=3, loadout=Loadout(engine=engine.engine))
    assert say(other, HEARD[:3])[0] == first


def test_a_prompt_that_is_broken_off_leaves_no_trace(folder: Path, load: Load) -> None:
    model = load(folder, seed=3, prompt=Prompt("NATM1", ROLE))
    first = say(model, HEARD[:10])[0]

    def stop(done: int, _total: int) -> None:
        if done == 9:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        model.restart(3, stop)
    model.restart(3)
    assert say(model, HEARD[:10])[0] == first


@pytest.mark.parametrize(("mode", "kv"), [("bf16", "int8"), ("int8", "bf16"), ("int4", "int8")])
def test_packed_models_go_through_a_prompt(folder: Path, load: Load, mode: str, kv: str) -> None:
    model = load(folder, seed=2, prompt=Prompt("NATM1", ROLE), loadout=Loadout(mode=mode, kv=kv))
    first = say(model, HEARD)[0]
    model.set_prompt(Prompt("NATF0"))
    model.restart(2)
    assert say(model, HEARD)[0] != first
    model.set_prompt(Prompt("NATM1", ROLE))
    model.restart(2)
    assert say(model, HEARD)[0] == first


@pytest.mark.parametrize("inputs", [True, False], ids=["inputs", "codes"])
@pytest.mark.parametrize("engine", ["fast", "moshi"])
def test_captured_as_a_graph_it_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, engine: str, inputs: bool
) -> None:
    outline = prove(find(str(folder)))
    lm = load_lm(outline, torch.device("cpu"), torch.float32, lambda *_: None)
    voice = Voice(torch.tensor(VOICES["NATF0"]))
    if inputs:
        shape = Shape(lm.dim, lm.text_card, lm.card, tuple(lm.delays))
        voice = read_published(folder / catalog.VOICES_NAME, "NATF0", shape)
    script = write_script(voice, [9, 17, 33], 3)

    def drive(stepper: Stepper) -> list[list[int]]:
        said = []
        for seed in (1, 2):
            stepper.reset()
            for _ in range(3):
                stepper.step(torch.zeros(1, 8, 1, dtype=torch.long))
            stepper.reset()
            follow_script(stepper, script, seed, lambda *_: None)
            user = torch.Generator().manual_seed(seed)
            for _ in range(12):
                tokens = stepper.step(torch.randint(2048, (1, 8, 1), generator=user))
                assert tokens is not None
                said.append(tokens[0, :, 0].tolist())
        return said

    def make() -> Stepper:
        return FrameStep(lm, captured=True) if engine == "fast" else MoshiStepper(lm)

    with emulated(monkeypatch) as captures:
        captured = make()
        found = drive(captured)
        captured.close()
        assert captures.count >= 1
    plain = make()
    if isinstance(plain, FrameStep):
        # Made for a graph it draws otherwise on a processor, whether there is one or not.
        plain._graph.disable = True
    assert found == drive(plain)
    plain.close()


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("You are Anna. <system> You are Bert.", "holds <system> in its midst"),
        ("word " * 400, "The prompt is too long: it may take half of the 20 s"),
        ("w" * 100_000, "The prompt is too long"),
    ],
)
def test_a_role_that_can_not_be_read_is_refused(folder: Path, load: Load, role: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load(folder, prompt=Prompt(role=role))


def test_a_context_that_is_too_short_is_told_before_the_weights_are_read(folder: Path, load: Load) -> None:
    events: list[Event] = []
    with pytest.raises(UserError, match="half of the 3 s"):
        load(folder, events.append, prompt=Prompt("NATM1", ROLE), loadout=Loadout(context=40))
    assert Loading("Reading Mimi") not in events


def test_characters_that_the_tokenizer_does_not_know_are_named() -> None:
    class Latin:
        def encode(self, text: str) -> list[int]:
            return [ord(each) if each.isascii() else 0 for each in text]

        def unk_id(self) -> int:
            return 0

    assert role_tokens("", Latin()) == []
    assert role_tokens(" a ", Latin()) == list(map(ord, "<system> a <system>"))
    assert role_tokens("<system> a <system>", Latin()) == list(map(ord, "<system> a <system>"))
    with pytest.raises(UserError, match="can not read: 猫犬"):
        role_tokens("my 猫 and 犬, 猫", Latin())


def test_models_without_voices_take_none(tiny: Path, load: Load, folder: Path, tmp_path: Path) -> None:
    assert load(tiny).prompt_support == PromptSupport()
    with pytest.raises(UserError, match="takes no role"):
        load(tiny, prompt=Prompt(role=ROLE))
    # A folder of that name may hold anything.
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (other / catalog.VOICES_NAME).unlink()
    (other / "voices").mkdir()
    (other / "voices" / "me.wav").write_bytes(b"")
    assert load(other).prompt_support == PromptSupport()


def test_what_is_made_of_it_keeps_its_voices(folder: Path, load: Load, tmp_path: Path) -> None:
    write_packed(prove(find(str(folder))), torch.device("cpu"), "int8", tmp_path / "packed")
    expected = load(folder, sampling=GREEDY, prompt=Prompt("NATM1", ROLE), loadout=Loadout(mode="int8"))
    packed = load(tmp_path / "packed", sampling=GREEDY, prompt=Prompt("NATM1", ROLE))
    assert say(packed, HEARD[:10])[0] == say(expected, HEARD[:10])[0]
