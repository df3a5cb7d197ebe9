"""The model's own voice: each line is said once, and its words are known to the frame."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.frames import SAMPLE_RATE
from tests.training.starter import needs
from training.starter.engines import Engines, Spoken, Who
from training.starter.kokoro import with_output
from training.starter.listeners import WordRecogniser
from training.starter.own_voice import ESPEAK, KOKORO, OwnVoice
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Speech
from training.starter.user_texts import UserText
from training.starter.word_times import time_words

ENGINES = [
    pytest.param(ESPEAK, marks=needs.engine("espeak-ng")),
    pytest.param(KOKORO, marks=needs.engine("kokoro")),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("language", "line"), [("en", "Sorry, I have no clock."), ("ja", "それ は おもしろい です ね。")]
)
def test_a_line_has_its_words_and_a_steady_level(
    tmp_path: Path, engine: str, language: str, line: str
) -> None:
    said = OwnVoice(tmp_path, engine).say(language, line)
    assert [word.text for word in said.words] == line.split()
    assert said.words[0].start_s == 0
    assert all(one.start_s < one.end_s <= two.start_s + 0.3 for one, two in pairwise(said.words))
    assert said.words[-1].end_s <= said.seconds + 1e-6
    assert 0.8 < said.seconds < 2.5
    loud = said.sound[np.abs(said.sound) > 0.01 * np.abs(said.sound).max()]
    assert 10 * np.log10(np.mean(loud**2)) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_is_said_once_and_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    asked: list[str] = []
    say = Engines.say

    def counted(self: Engines, text: UserText, who: Who) -> Spoken:
        asked.append(text.written)
        return say(self, text, who)

    monkeypatch.setattr(Engines, "say", counted)
    first = OwnVoice(tmp_path, engine).say("en", "My name is Aizuchi.")
    again = OwnVoice(tmp_path, engine).say("en", "My name is Aizuchi.")
    assert asked == ["My name is eye-zoo-chee."]
    np.testing.assert_array_equal(first.sound, again.sound)
    assert first.words == again.words
    faster = OwnVoice(tmp_path, engine).say("en", "My name is Aizuchi.", 1.25)
    assert len(asked) == 2
    assert faster.seconds < 0.9 * first.seconds


@needs.engine("espeak-ng")
def test_sound_without_words_is_made_anew(tmp_path: Path) -> None:
    said = OwnVoice(tmp_path, ESPEAK).say("en", "Right.")
    (told,) = tmp_path.glob("*.json")
    assert json.loads(told.read_text())["line"] == "Right."
    told.unlink()
    told.with_suffix(".flac").write_bytes(b"half a file")
    again = OwnVoice(tmp_path, ESPEAK).say("en", "Right.")
    np.testing.assert_array_equal(said.sound, again.sound)


def test_every_japanese_line_is_read_in_its_clauses() -> None:
    said = phrases("ja")
    assert set(said.read) <= set(said.lines)
    for line, read in said.read.items():
        assert [read.count(mark) for mark in "、。"] == [line.count(mark) for mark in "、。"]


@needs.engine("kokoro")
@needs.package("faster_whisper")
def test_words_are_where_a_recogniser_hears_them(tmp_path: Path) -> None:
    voice, recogniser = OwnVoice(tmp_path), WordRecogniser()
    late = []
    for line in ("My jokes are far too short.", "A cat, a dog, a horse and a bird."):
        said = voice.say("en", line)
        late += _lateness(said, recogniser)
    assert min(late) > -0.25
    assert max(late) < 0.15


def _lateness(said: Speech, recogniser: WordRecogniser) -> list[float]:
    """Return how much later than the recogniser the words of a line are told, in s."""
    padded = np.pad(said.sound, round(0.4 * SAMPLE_RATE))
    segments, _ = recogniser._model.transcribe(
        np.interp(np.arange(0, len(padded), 1.5), np.arange(len(padded)), padded).astype(np.float32),
        language="en",
        word_timestamps=True,
    )
    heard = [word.start - 0.4 for segment in segments for word in segment.words]
    assert len(heard) == len(said.words)
    # The recogniser puts a first word as early as the silence goes.
    return [word.start_s - at for word, at in list(zip(said.words, heard, strict=True))[1:]]


def test_words_stand_where_their_phonemes_do() -> None:
    edges = [0.1 * at for at in range(12)]
    words = time_words(["Oh,", "one", "two."], [2, 3, 3], "o, wan tu.", edges)
    assert [(each.text, round(each.start_s, 3), round(each.end_s, 3)) for each in words] == [
        ("Oh,", 0.0, 0.1),
        ("one", 0.3, 0.6),
        ("two.", 0.7, 0.9),
    ]


def test_words_that_are_run_together_share_their_clause_by_length() -> None:
    words = time_words(
        ["A,", "there", "was", "it."], [1, 3, 3, 2], "a, ðɛɹwʌz ɪt.", [float(n) for n in range(14)]
    )
    assert [(each.start_s, each.end_s) for each in words] == [(0, 1), (3, 6), (6, 10), (10, 12)]


def test_an_output_is_added_to_a_graph_as_protobuf_merges_it() -> None:
    assert (
        with_output(b"model", "x") == b"model" + bytes([7 << 3 | 2, 5, 12 << 3 | 2, 3, 1 << 3 | 2, 1]) + b"x"
    )


def test_both_languages_have_a_voice() -> None:
    for language in LANGUAGES:
        assert OwnVoice(Path(), KOKORO)._who(language, 1.0).name.startswith(language[0].replace("e", "a"))
