"""Words with times: cutting, hearing, putting back, writing, and the command around it.

Whisper's weights can not come with the tests. What listens here is an ear for tones, whose words and times
are exact.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app import cli
from app.errors import UserError
from app.files import write_json
from app.frames import SAMPLE_RATE, SILENCE_DB
from app.store.datasets import Dataset, TimedWord, create_dataset, hold, open_dataset, read_words, write_words
from app.store.turn_taking import Span
from tests.training.data.ears import TONES, WORD_S, Mono, Placed, ToneEar, run, whisper
from training.data.listening import LONGEST_FRAMES, MARGIN_FRAMES, in_order, stretches, tidy
from training.data.recogniser import RECOGNISER_RATE, HeardWord
from training.data.transcribe import TRANSCRIBED, plan

__all__ = ["whisper"]  # a fixture


def _sound(words: Placed, length_s: float) -> Mono:
    sound = np.zeros(round(length_s * SAMPLE_RATE), dtype=np.float32)
    time = np.arange(round(WORD_S * SAMPLE_RATE)) / SAMPLE_RATE
    for text, start_s in words:
        at = round(start_s * SAMPLE_RATE)
        sound[at : at + len(time)] += (0.3 * np.sin(2 * np.pi * TONES[text] * time)).astype(np.float32)
    return sound


def _add(dataset: Dataset, dialogue: str, a: Placed, b: Placed, length_s: float = 30.0) -> None:
    stereo = np.stack([_sound(a, length_s), _sound(b, length_s)], axis=1)
    soundfile.write(dataset.audio(dialogue), stereo, SAMPLE_RATE, "PCM_16")


def _check(found: Iterable[TimedWord], speaker: str, placed: Placed, within_s: float = 0.011) -> None:
    words = [word for word in found if word.speaker == speaker]
    assert [word.text for word in words] == [text for text, _ in placed]
    for word, (_, start_s) in zip(words, placed, strict=True):
        assert word.start_s == pytest.approx(start_s, abs=within_s)
        assert word.end_s == pytest.approx(start_s + WORD_S, abs=within_s)


A: Placed = [("red", 0.0), ("green", 0.41), ("blue", 0.93), ("red", 9.05), ("white", 9.5), ("black", 29.6)]
B: Placed = [("white", 0.7), ("black", 1.27), ("red", 6.333), ("green", 20.0), ("blue", 20.9)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = create_dataset(tmp_path / "talks", language="en")
    _add(made, "one", A, B)
    return made


def test_the_words_of_both_voices_are_where_they_were_said(dataset: Dataset) -> None:
    ear = ToneEar()
    outcome = run(dataset, ear)
    words = read_words(dataset.text("one"))
    _check(words, "A", A)
    _check(words, "B", B)
    assert (outcome.dialogues, outcome.voices, outcome.words, outcome.invented) == (1, 2, 11, 0)
    assert ear.languages == {"en"}
    assert len(ear.lengths_s) == 3 + 3
    assert max(word.end_s for word in words) <= 30.0


def test_a_long_talk_is_heard_in_stretches_that_a_recogniser_can_take(tmp_path: Path) -> None:
    dataset = create_dataset(tmp_path / "talks", language="en")
    names = list(TONES)
    # A minute of words with pauses of a third of a second, and half a minute of words without any.
    paused = [(names[at % 5], 0.5 + at * 0.633) for at in range(95)]
    dense = [(names[at % 5], 70.0 + at * 0.35) for at in range(85)]
    _add(dataset, "long", [*paused, *dense], [], length_s=101)
    ear = ToneEar()
    run(dataset, ear)
    found = read_words(dataset.text("long"))
    _check([word for word in found if word.start_s < 65], "A", paused)
    # A cut may fall into a word where there is no pause, which then counts twice: no more than once a cut.
    assert 0 <= len(found) - 95 - 85 <= 1
    assert all(before.end_s <= after.start_s for before, after in pairwise(found))
    assert len(ear.lengths_s) == 3 + 2


def test_stretches_are_turns_with_margins_and_reach_nowhere_into_each_other() -> None:
    levels = np.full(1000, SILENCE_DB, dtype=np.float32)
    levels[1:10] = -20  # at the beginning: no room for a whole margin
    levels[18:30] = -20  # 0.6 s later: the same turn
    levels[45:50] = -20  # 1.2 s later: another one
    levels[990:] = -20  # up to the end
    assert stretches(levels) == [
        Span(0, 29 + MARGIN_FRAMES),
        Span(45 - MARGIN_FRAMES, 49 + MARGIN_FRAMES),
        Span(990 - MARGIN_FRAMES, 999),
    ]
    assert stretches(np.full(100, SILENCE_DB, dtype=np.float32)) == []


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    levels = np.full(1000, SILENCE_DB, dtype=np.float32)
    levels[:700] = -20
    levels[250] = -25
    levels[40:60] = -26  # quieter, but too early to be of use
    found = stretches(levels)
    assert found[0] == Span(0, 250)
    assert all(span.frames <= LONGEST_FRAMES + 2 * MARGIN_FRAMES for span in found)
    assert [span.first for span in found[1:]] == [span.last + 1 for span in found[:-1]]
    assert found[-1].last == 699 + MARGIN_FRAMES


def test_what_whisper_adds_to_words_in_silence_is_taken_away(dataset: Dataset) -> None:
    """Whisper divides all time between words: each lasts until the next begins, the first begins at 0."""

    class Spread(ToneEar):
        def hear(self, samples: Mono, language: str) -> list[HeardWord]:
            words = super().hear(samples, language)
            ends_s = [word.start_s for word in words[1:]] + [len(samples) / RECOGNISER_RATE + 3]
            spread = [word._replace(end_s=end_s) for word, end_s in zip(words, ends_s, strict=True)]
            return [spread[0]._replace(start_s=0.0), *spread[1:]]

    run(dataset, Spread())
    found = read_words(dataset.text("one"))
    # Frames of 80 ms are as near as levels tell; gaps below 0.2 s count as speech.
    firsts = [word for word in found if word.text == "red" and word.start_s > 5]
    assert [word.start_s for word in firsts] == pytest.approx([6.333, 9.05], abs=0.081)
    lasts = [word.end_s for word in found if word.text in ("white", "blue") and word.start_s > 5]
    assert lasts == pytest.approx([9.8, 21.2], abs=0.081)


def test_unsure_words_in_silence_are_left_out_and_counted(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    def invent(length_s: float) -> list[HeardWord]:
        return [
            HeardWord(" Thanks", length_s - 0.05, length_s, 0.1),
            HeardWord(" for", length_s + 2, length_s + 3, 0.3),
            HeardWord(" sure", length_s - 0.03, length_s - 0.03, 0.95),
        ]

    outcome = run(dataset, ToneEar(adds=invent), voices="B")
    texts = [word.text for word in read_words(dataset.text("one"))]
    assert texts == ["white", "black", "sure", "red", "sure", "green", "blue", "sure"]
    assert outcome.invented == 6
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [finding] = [line for line in found if line["kind"] == "finding"]
    assert (finding["finding"], finding["voice"]) == ("invented", "B")
    assert finding["sentence"] == "6 unsure words in silence in B."


def test_words_that_somebody_corrected_are_left_alone_until_asked(dataset: Dataset) -> None:
    corrected = [TimedWord("A", "Corrected!", 1.0, 1.5)]
    write_words(dataset.text("one"), corrected)
    outcome = run(dataset, ToneEar())
    found = read_words(dataset.text("one"))
    assert [word for word in found if word.speaker == "A"] == corrected
    _check(found, "B", B)
    assert outcome.voices == 1
    run(dataset, ToneEar(), again=True)
    _check(read_words(dataset.text("one")), "A", A)


def test_what_the_model_is_known_to_have_said_needs_no_recogniser(dataset: Dataset) -> None:
    write_json(dataset.spoken("one"), {"frames": 375, "tokens": []})
    assert [task.voices for task in plan(dataset, ("A", "B")).tasks] == [("B",)]
    assert [task.voices for task in plan(dataset, ("A", "B"), again=True).tasks] == [("A", "B")]
    assert plan(dataset, ("A",)).tasks == []


def test_a_correction_made_in_the_meantime_is_kept(dataset: Dataset) -> None:
    corrected = [TimedWord("B", "Mine!", 1.0, 1.5)]
    run(dataset, ToneEar(before=lambda: write_words(dataset.text("one"), corrected)))
    found = read_words(dataset.text("one"))
    assert [word for word in found if word.speaker == "B"] == corrected
    _check(found, "A", A)


def test_a_voice_without_words_is_not_listened_to_again_until_its_sound_changes(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(dataset, "one", A, [])
    run(dataset, ToneEar())
    assert "Nobody speaks in B." in capsys.readouterr().out
    assert plan(dataset, ("A", "B")) == ([], 2, [])
    _add(dataset, "one", A, B, length_s=31)
    assert [task.voices for task in plan(dataset, ("A", "B")).tasks] == [("B",)]


def test_an_interrupted_run_goes_on_with_what_is_missing(dataset: Dataset) -> None:
    _add(dataset, "two", B, A)
    _add(dataset, "three", A, [])

    def out_of_memory() -> None:
        if len(ear.lengths_s) == 8:
            raise UserError("The recogniser stopped: out of memory.")

    ear = ToneEar(before=out_of_memory)
    with pytest.raises(UserError, match="out of memory"):
        run(dataset, ear)
    _check(read_words(dataset.text("one")), "B", B)
    # A crash may cut off the last line of the record.
    with (dataset.folder / TRANSCRIBED).open("a") as file:
        file.write('{"dialogue": "tw')
    assert [task.dialogue for task in plan(dataset, ("A", "B")).tasks] == ["three", "two"]
    run(dataset, ToneEar())
    _check(read_words(dataset.text("three")), "A", A)
    _check(read_words(dataset.text("two")), "A", B)


def test_damaged_dialogues_are_told_and_the_others_go_on(dataset: Dataset) -> None:
    for name in ("broken", "mono", "words"):
        _add(dataset, name, A, B)
    whole = dataset.audio("one").read_bytes()
    dataset.audio("broken").write_bytes(b"fLaC" + bytes(100))
    dataset.audio("cut").write_bytes(whole[: len(whole) // 2])
    soundfile.write(dataset.audio("mono"), _sound(A, 30), 16_000)
    dataset.text("words").write_text("[{]")
    made = plan(dataset, ("A", "B"))
    assert [finding["dialogue"] for finding in made.unreadable] == ["broken", "mono", "words"]
    sentences = [str(finding["sentence"]) for finding in made.unreadable]
    assert "1 channel at 16000 Hz, not two at 24000 Hz" in sentences[1]
    assert "words.json can not be read" in sentences[2]
    run(dataset, ToneEar())
    _check(read_words(dataset.text("one")), "A", A)
    assert dataset.text("words").read_text() == "[{]"


def test_times_rise_without_overlap_within_the_audio() -> None:
    words = [
        HeardWord("a", -0.5, 0.3, 1),
        HeardWord("b", 0.2, 0.2, 1),
        HeardWord("c", 0.1, 5.0, 1),
        HeardWord("d", 9.99, 9.995, 1),
        HeardWord("e", 12.0, 13.0, 1),
    ]
    assert [(w.start_s, w.end_s) for w in in_order(words, 10.0)] == [
        (0.0, 0.2),
        (0.2, 0.22),
        (0.22, 5.0),
        (9.96, 9.98),
        (9.98, 10.0),
    ]
    assert in_order([], 10.0) == []
    assert [w.text for w in in_order(words, 0.05)] == ["d", "e"]


@pytest.mark.parametrize(
    ("language", "heard", "texts"),
    [
        ("en", [" I'm", " fine.", " ", "", " \N{REPLACEMENT CHARACTER}"], ["I'm", "fine."]),
        ("ja", [" はい", "、", "そう", " です", "か。"], ["はい", "、", "そう", "です", "か。"]),
        ("ja", ["OK", " Google", "を", " OK"], ["OK", " Google", "を", "OK"]),
        ("ja", ["今", "\N{REPLACEMENT CHARACTER}", "日"], ["今", "日"]),
    ],
)
def test_spaces_around_words_are_none_of_their_text(
    language: str, heard: list[str], texts: list[str]
) -> None:
    assert [word.text for word in tidy([HeardWord(t, 0, 1, 1) for t in heard], language)] == texts


# The command


@pytest.fixture
def command(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `aizuchi data transcribe` and return its status, stdout and stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        status = cli.main(["--home", str(tmp_path / "home"), "data", "transcribe", *argv])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_the_command_tells_programs_how_far_it_is(command: Any, dataset: Dataset, whisper: Path) -> None:
    _add(dataset, "two", B, [])
    dataset.audio("three").write_bytes(b"nothing")
    folder = str(dataset.folder)
    status, out, err = command(folder, "--model", str(whisper), "--device", "cpu", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (1, "")
    assert [line["finding"] for line in lines if line["kind"] == "finding"] == ["unreadable", "silent"]
    stages = [line for line in lines if line["kind"] == "progress"]
    assert {line["stage"] for line in stages} == {"Reading the recogniser", "Transcribing"}
    assert (stages[-1]["done"], stages[-1]["total"], stages[-1]["unit"]) == (120.0, 120.0, "s")
    figures = {"dialogues": 2, "voices": 4, "words": 16, "invented": 0, "failed": 1, "spared": 0}
    sentence = "Found 16 words in 4 voices of 2 dialogues. 1 dialogue could not be read."
    assert lines[-1] == {"kind": "result", **figures, "sentence": sentence}
    _check(read_words(dataset.text("one")), "B", B)

    dataset.audio("three").unlink()
    status, out, err = command(folder, "--model", str(whisper))
    assert (status, err) == (0, "")
    assert out == "4 voices had been done before; `--again` listens anew.\n"


def test_the_command_does_not_write_what_another_one_writes(
    command: Any, dataset: Dataset, whisper: Path
) -> None:
    with hold(dataset, "aizuchi data import"):
        status, _, err = command(str(dataset.folder), "--model", str(whisper))
    assert status == 1
    assert "is in use: `aizuchi data import` is at work on it" in err
    assert not (dataset.folder / TRANSCRIBED).exists()


def test_the_command_keeps_a_language_that_was_not_known(
    command: Any, dataset: Dataset, whisper: Path
) -> None:
    write_json(dataset.folder / "dataset.json", {"format": 1, "name": "talks", "language": ""})
    folder = str(dataset.folder)
    status, _, err = command(folder, "--recogniser", str(whisper), "--device", "cpu")
    assert status == 1
    assert re.search("language of the dataset talks is not known", err)
    assert command(folder, "--recogniser", str(whisper), "--device", "cpu", "--language", "日本語")[0] == 1
    status, out, _ = command(folder, "--recogniser", str(whisper), "--device", "cpu", "--language", "ja")
    assert (status, out) == (0, "Found 11 words in 2 voices of 1 dialogue.\n")
    assert open_dataset(dataset.folder).language == "ja"


def test_without_faster_whisper_the_command_says_how_to_get_it(
    command: Any, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    status, out, err = command(str(dataset.folder))
    assert (status, out) == (1, "")
    assert err.splitlines()[-2:] == [
        "Words are found by faster-whisper, which is not installed.",
        "Install it with `uv sync --extra transcribe`.",
    ]


def test_an_empty_dataset_has_nothing_to_transcribe(command: Any, tmp_path: Path) -> None:
    create_dataset(tmp_path / "empty", language="en")
    status, _, err = command(str(tmp_path / "empty"))
    assert status == 1
    assert err.startswith("empty holds no dialogues.")
