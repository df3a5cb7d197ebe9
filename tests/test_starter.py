"""The model that comes with the program holds a talk, loads in moshi's own server, and can be taught."""

from __future__ import annotations

import json
import sys
import warnings
from importlib.abc import SourceLoader
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from moshi.models.loaders import CheckpointInfo
from moshi.utils.compile import no_compile

from app.catalog import STARTER
from app.cli import run_verb
from app.commands.headless import BUNDLED_USER
from app.engine.checkpoint import BUNDLED
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import TimedWord
from app.store.recordings import open_recording
from tests.engine.by_hand import by_hand
from tests.training.dialogues import Stereo, write_dialogue
from training.starter import card
from training.starter.speech import Speaker
from training.starter.voices import draw_voice, model_voice

FOLDER = BUNDLED / STARTER.name
NEW_LINE = "The kettle is on the stove."

TEACHING = """
model = "starter"
data = ["kettle"]
name = "kettle"
method = "full"
precision = "float32"
steps = 120
held_out_share = 0.0
[optimizer]
lr_temporal = 5e-4
lr_depth = 5e-4
warmup_steps = 5
[batch]
seconds = 8.0
min_seconds = 2.0
size = 3
accumulation = 1
[memory]
checkpointing = false
[evaluation]
every_steps = 120
sample_s = 0.0
"""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "house")


def words_of(folder: Path) -> str:
    return " ".join(line.text.strip() for line in open_recording(folder).lines() if line.text)


def test_it_answers_the_recorded_user(tmp_path: Path, where: Paths) -> None:
    out = tmp_path / "out"
    assert run_verb("offline", [str(BUNDLED_USER), str(out), "--greedy"], where) == 0
    said = [line.text.strip() for line in open_recording(out).lines()]
    assert "My name is Aizuchi." in said
    session = json.loads((out / "session.json").read_text())
    assert session["model"] == STARTER.name


def test_its_card_has_the_scores_that_were_measured(tmp_path: Path) -> None:
    scores = json.loads((FOLDER / "scores.json").read_text())
    text = (FOLDER / card.CARD).read_text(encoding="utf-8")
    for name in card._SCORES:
        if name not in scores:
            assert name in " ".join(scores["notes"])
            continue
        line = next(line for line in text.splitlines() if f"`{name}`" in line)
        assert f"| {card.measured(scores[name])} | {scores[name]['n']} |" in line
    card.write_card(tmp_path, scores)
    assert (tmp_path / card.CARD).read_text(encoding="utf-8") == text


def server_state(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return moshi.server's ServerState: the module starts its server when it is imported."""
    spec = find_spec("moshi.server")
    assert spec is not None
    assert isinstance(spec.loader, SourceLoader)
    source = spec.loader.get_source("moshi.server")
    assert source is not None
    server = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "moshi.server", server)
    exec(source.rpartition("with torch.no_grad():")[0], server.__dict__)
    return server.ServerState


def test_moshis_own_server_takes_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.loads((FOLDER / "config.json").read_text())
    with warnings.catch_warnings(), no_compile():
        warnings.simplefilter("ignore")  # moshi's own, about the hub
        info = CheckpointInfo.from_hf_repo(
            "none/none",
            moshi_weights=FOLDER / config["moshi_name"],
            mimi_weights=FOLDER / config["mimi_name"],
            tokenizer=FOLDER / config["tokenizer_name"],
            config_path=FOLDER / "config.json",
            mimi_config_path=FOLDER / config["mimi_config_name"],
        )
        lm = info.get_moshi(device="cpu", dtype=torch.float32)
        state = server_state(monkeypatch)(
            info.model_type, info.get_mimi(), info.get_text_tokenizer(), lm, 1.0, "cpu", **info.lm_gen_config
        )
        # Its own warm-up ends with torch.cuda.synchronize().
        with torch.no_grad():
            for _ in range(4):
                codes = state.mimi.encode(torch.zeros(1, 1, state.frame_size))
                tokens = state.lm_gen.step(codes)
        assert tokens is not None
        assert tokens.shape == (1, lm.dep_q + 1, 1)
        assert state.mimi.decode(tokens[:, 1:]).shape == (1, 1, FRAME_SAMPLES)


def test_it_says_what_moshi_says_with_it(tmp_path: Path, where: Paths) -> None:
    user, out = tmp_path / "user.wav", tmp_path / "out"
    sound, _ = soundfile.read(BUNDLED_USER, frames=100 * FRAME_SAMPLES, dtype="float32")
    soundfile.write(user, sound, SAMPLE_RATE)
    assert run_verb("offline", [str(user), str(out), "--greedy"], where) == 0
    said = by_hand(FOLDER, list(sound.reshape(-1, FRAME_SAMPLES)), seed=0, use_sampling=False)
    spoken = [(frame, token) for frame, (token, _) in enumerate(said) if token not in (0, 3)]
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    ours = [(event["frame"], event["token"]) for event in events if event["kind"] == "spoke"]
    assert [each for each in ours if each[0] < 100] == spoken
    assert len(spoken) > 3


def test_it_learns_a_new_line_from_three_recordings(tmp_path: Path, where: Paths) -> None:
    speaker = Speaker()
    try:
        for number in range(3):
            audio, words = lesson(speaker, seed=number)
            write_dialogue(tmp_path / "lessons", f"kettle-{number}", audio, words)
        asked, _ = lesson(speaker, seed=3)
    finally:
        speaker.close()
    soundfile.write(tmp_path / "asked.wav", asked[1], SAMPLE_RATE)
    (tmp_path / "kettle.toml").write_text(TEACHING)
    arguments = [str(tmp_path / "lessons"), "--name", "kettle", "--language", "en", "--json"]
    assert run_verb("data import", arguments, where) == 0
    assert run_verb("data prepare", ["kettle", "--model", STARTER.name, "--json"], where) == 0
    assert run_verb("train", [str(tmp_path / "kettle.toml"), "--json"], where) == 0
    assert run_verb("export", ["kettle"], where) == 0
    for model, says in ((STARTER.name, False), ("kettle", True)):
        out = tmp_path / f"with-{model}"
        arguments = [str(tmp_path / "asked.wav"), str(out), "--model", model, "--greedy"]
        assert run_verb("offline", arguments, where) == 0
        assert (NEW_LINE in words_of(out)) == says


def lesson(speaker: Speaker, seed: int) -> tuple[Stereo, list[TimedWord]]:
    """Return somebody who asks for a name, each time with another voice, and gets a new answer."""
    chance = np.random.default_rng(seed)
    audio: Stereo = np.zeros((2, 8 * SAMPLE_RATE), dtype=np.float32)
    words: list[TimedWord] = []
    at_s = 0.8
    for channel, text, voice in (
        (1, "what is your name", draw_voice("en", chance)),
        (0, NEW_LINE, model_voice("en")),
    ):
        speech = speaker.say(text, voice)
        first = round(at_s * SAMPLE_RATE)
        audio[channel, first : first + len(speech.sound)] = 0.4 * speech.sound
        words += [
            TimedWord("AB"[channel], word.text, round(at_s + word.start_s, 3), round(at_s + word.end_s, 3))
            for word in speech.words
        ]
        at_s += speech.seconds + 0.5
    return audio, words
