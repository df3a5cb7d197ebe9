"""Words in the files of others: each form of them, and whatever may stand where a text or a time should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import UserError
from app.store.datasets import TimedWord, read_words
from training.data.oddities import Finding
from training.data.transcript_formats import UnknownSpeakersError, read_transcript

WORDS: list[tuple[str, Any, Any, Any]] = [
    ("A", "hello", 0.5, 0.8),
    ("A", "there", 1.0, 1.3),
    ("A", "friend", 1.5, 1.9),
    ("B", "good", 2.5, 2.8),
    ("B", "morning", 3.0, 3.4),
]
GOOD = [TimedWord(*word) for word in WORDS]


def flat(words: list[tuple[Any, ...]]) -> Any:
    return [{"speaker": s, "word": w, "start": a, "end": b} for s, w, a, b in words]


def kyutai(words: list[tuple[Any, ...]]) -> Any:
    names = {"A": "SPEAKER_MAIN", "B": "SPEAKER_USER"}
    return {"alignments": [[w, [a, b], names.get(s, s) if isinstance(s, str) else s] for s, w, a, b in words]}


def whisperx(words: list[tuple[Any, ...]]) -> Any:
    return {"segments": [{"speaker": word[0], "words": flat([word])} for word in words]}


FORMS = pytest.mark.parametrize("form", [flat, kyutai, whisperx])
Form = Callable[[list[tuple[Any, ...]]], Any]

NO_TEXTS = [None, True, False, 5, 0.5, [], ["a"], {}, {"text": "a"}, "", " \n"]
NO_TIMES = [None, True, "0.5", "", [], {}, float("nan"), float("inf"), float("-inf"), 10**400]


def read(path: Path, value: Any, speaker: str | None = None) -> tuple[list[TimedWord], list[Finding]]:
    path.write_text(json.dumps(value))
    return read_transcript(path, speaker)


@FORMS
def test_each_form_gives_the_same_words(form: Form, tmp_path: Path) -> None:
    assert read(tmp_path / "one.json", form(WORDS)) == (GOOD, [])


@FORMS
@pytest.mark.parametrize("text", NO_TEXTS, ids=repr)
@pytest.mark.parametrize("at", [0, 1, 4])
def test_what_is_not_text_is_no_word(form: Form, text: object, at: int, tmp_path: Path) -> None:
    odd = [*WORDS]
    odd[at] = (odd[at][0], text, *odd[at][2:])
    words, findings = read(tmp_path / "one.json", form(odd))
    assert words == [word for number, word in enumerate(GOOD) if number != at]
    (finding,) = findings
    assert finding.sentence.startswith(f"Word {at + 1} is ")
    assert finding.done == "It was left out."


def test_several_are_told_as_one(tmp_path: Path) -> None:
    odd = [*WORDS, ("A", None, 4.0, 4.1), ("B", {"text": "x"}, 4.2, 4.3)]
    _, (finding,) = read(tmp_path / "one.json", flat(odd))
    assert finding.sentence == "2 words are not text; the first is word 6, which is null."


@FORMS
@pytest.mark.parametrize("time", NO_TIMES, ids=repr)
def test_a_word_without_times_takes_the_gap(form: Form, time: object, tmp_path: Path) -> None:
    odd = [*WORDS]
    odd[1] = ("A", "there", time, time)
    words, findings = read(tmp_path / "one.json", form(odd))
    assert words == [GOOD[0], GOOD[1]._replace(start_s=0.8, end_s=1.5), *GOOD[2:]]
    assert findings == [
        Finding(
            "times", "The word 'there' (word 2) has no times.", "It takes the gap between its neighbours."
        )
    ]


def test_two_without_times_share_a_gap_and_one_keeps_the_time_it_has(tmp_path: Path) -> None:
    said = [("A", "a", 0.0, 1.0), ("A", "b", None, None), ("A", "c", None, None), ("A", "d", 2.0, 3.0)]
    words, _ = read(tmp_path / "one.json", flat(said))
    assert words[1:3] == [TimedWord("A", "b", 1.0, 1.5), TimedWord("A", "c", 1.5, 2.0)]
    said[1:3] = [("A", "b", 1.2, None), ("A", "c", None, 1.9)]
    words, _ = read(tmp_path / "one.json", flat(said))
    assert (words[1].start_s, words[2].end_s) == (1.2, 1.9)
    assert all(word.start_s <= word.end_s for word in words)


@pytest.mark.parametrize(
    ("order", "start_s", "end_s"),
    [
        # The last word of a turn follows the one before; the first one of a turn precedes the next.
        (["A1", "A?", "B1", "A2"], 1.0, 4.0),
        (["A1", "B1", "A?", "A2"], 17.0, 20.0),
        (["A?", "A2"], 17.0, 20.0),
        (["A1", "A?"], 1.0, 4.0),
    ],
)
def test_of_a_long_gap_it_takes_the_end_that_it_stands_at(
    order: list[str], start_s: float, end_s: float, tmp_path: Path
) -> None:
    known = {
        "A1": ("A", "one", 0.5, 1.0),
        "A2": ("A", "two", 20.0, 21.0),
        "B1": ("B", "mm", 10.0, 11.0),
        "A?": ("A", "1984", None, None),
    }
    words, _ = read(tmp_path / "one.json", flat([known[name] for name in order]))
    assert words[order.index("A?")] == TimedWord("A", "1984", start_s, end_s)


@pytest.mark.parametrize("speaker", [None, True, 0.5, [], {}], ids=repr)
def test_a_word_without_a_speaker_is_of_its_neighbours_if_they_agree(speaker: object, tmp_path: Path) -> None:
    odd = [*WORDS]
    odd[1] = (speaker, *odd[1][1:])
    assert read(tmp_path / "one.json", flat(odd)) == (GOOD, [])
    odd[2] = (speaker, *odd[2][1:])
    words, findings = read(tmp_path / "one.json", flat(odd))
    assert [word.text for word in words] == ["hello", "good", "morning"]
    assert "2 words have no speaker" in findings[0].sentence


def test_the_number_of_whisperx_without_times_and_speaker(tmp_path: Path) -> None:
    value = flat(WORDS)
    value[1] = {"word": "1984"}
    words, findings = read(tmp_path / "one.json", value)
    assert words == [GOOD[0], TimedWord("A", "1984", 0.8, 1.5), *GOOD[2:]]
    assert [finding.kind for finding in findings] == ["times"]


@pytest.mark.parametrize(
    ("labels", "speaker", "a"),
    [
        (("SPEAKER_MAIN", "SPEAKER_USER"), None, "SPEAKER_MAIN"),
        (("SPEAKER_MAIN", "SPEAKER_OTHER"), "A", "SPEAKER_MAIN"),
        (("SPEAKER_MAIN", "caller"), None, "SPEAKER_MAIN"),
        (("SPEAKER_MAIN", "caller"), "caller", "caller"),
        (("SPEAKER_MAIN", "SPEAKER_USER"), "B", "SPEAKER_USER"),
        (("SPEAKER_USER",), None, ""),
        (("A", "B"), "B", "B"),
        ((0, 1), "1", "1"),
    ],
)
def test_who_is_a(labels: tuple[Any, ...], speaker: str | None, a: str, tmp_path: Path) -> None:
    said = [(label, f"word-{label}", at, at + 0.5) for at, label in enumerate(labels)]
    words, _ = read(tmp_path / "one.json", kyutai(said), speaker)
    assert {word.text for word in words if word.speaker == "A"} == ({f"word-{a}"} if a else set())


@pytest.mark.parametrize(("labels", "speaker"), [(("X", "Y"), None), (("A", "C"), None), (("A", "B"), "C")])
def test_unknown_speakers_are_asked_for(labels: tuple[str, ...], speaker: str | None, tmp_path: Path) -> None:
    said = [(label, "word", at, at + 0.5) for at, label in enumerate(labels)]
    with pytest.raises(UnknownSpeakersError, match="names the speakers"):
        read(tmp_path / "one.json", flat(said), speaker)


@pytest.mark.parametrize(
    "content",
    [
        b"[{", b"12", b"\0\1", b'{"words": []}', b'{"alignments": 5}', b'{"segments": {}}', b'[["a"]]',
        b'["a"]', b"[" * 100_000, b'[{"speaker": "A", "word": "x", "start": null, "end": null}]',
        b'[{"word": "x", "start": 0, "end": 1}]', '[{"word": "はい"}]'.encode("shift_jis"),
        b'[{"speaker": "A", "word": "\\ud800", "start": 0, "end": 1}]', b'[{"a": ' + b"9" * 5000 + b"}]",
    ],
)  # fmt: skip
def test_what_holds_no_words_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_transcript(path, None)
    assert caught.value.sentence.startswith(str(path))
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_of_encodings_are_understood(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(json.dumps(flat(WORDS)).encode(encoding))
    assert read_transcript(tmp_path / "one.json", None) == (GOOD, [])


@pytest.mark.parametrize("text", [each for each in NO_TEXTS if not isinstance(each, str)], ids=repr)
def test_words_of_a_dataset_are_text(text: object, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(flat([*WORDS[:2], ("A", text, 1.5, 1.6)])))
    with pytest.raises(UserError, match="does not hold words with times: word 3 is"):
        read_words(path)


@pytest.mark.parametrize("time", NO_TIMES, ids=repr)
@pytest.mark.parametrize("name", ["start", "end"])
def test_words_of_a_dataset_have_times(time: object, name: str, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    said = flat(WORDS)
    said[1][name] = time
    path.write_text(json.dumps(said))
    with pytest.raises(UserError, match="word 2 is the word 'there' without a speaker or times"):
        read_words(path)
