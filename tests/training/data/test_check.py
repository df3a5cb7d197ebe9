from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from app.cli import main as aizuchi
from app.errors import UserError
from app.paths import Paths, paths
from app.store.datasets import Dataset, TimedWord, create_dataset, write_words
from training.data import check, prepare
from training.data.statistics import look
from training.data.texts import is_japanese, is_spaceless

from .test_prepare import sound

TURNS = tuple(
    TimedWord(speaker, word, round(start + at, 2), round(start + at + 0.4, 2))
    for at in (0.0, 7.0)
    for speaker, word, start in (
        ("A", "hello", 0.5), ("A", "good", 0.9), ("A", "morning", 1.3),
        ("B", "oh", 2.5), ("B", "really", 3.0), ("B", "thank", 3.4), ("B", "you", 3.8),
        ("A", "right", 5.0),
    )
)  # fmt: skip


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "home")


@pytest.fixture
def dataset(where: Paths) -> Dataset:
    return create_dataset(where.datasets / "talks", language="en")


def add(
    dataset: Dataset, name: str, seconds: float = 14.0, *, said: Sequence[TimedWord] = TURNS,
    words: Sequence[TimedWord] | None = None,
) -> None:  # fmt: skip
    """Add a dialogue in which `said` is heard, and `words` are said to be."""
    soundfile.write(dataset.audio(name), sound(seconds, len(name), said), 24_000, "PCM_16")
    write_words(dataset.text(name), said if words is None else words)


def report(dataset: Dataset) -> dict[str, list[str]]:
    """Return the findings of each dialogue."""
    return {item["dialogue"]: item["findings"] for item in check.check(dataset)["items"]}


def test_a_good_dialogue_is_counted_and_not_complained_about(
    dataset: Dataset, where: Paths, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(dataset, "one")
    add(dataset, "three", 40.0)
    prepare.main(["talks", "--model", str(tiny), "--device", "cpu"], where)
    capsys.readouterr()
    assert check.main(["talks", "--json"], where) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((dataset.folder / "check.json").read_text())
    assert (found["findings"], found["refused"]) == ([], False)
    assert (found["dialogues"], found["language"]) == (2, "en")
    assert found["hours"] == pytest.approx(54 / 3600, abs=1e-4)
    for speaker, words, speech_s in (("A", 16, 6.4), ("B", 16, 6.4)):
        voice = found[speaker]
        assert (voice["words"], voice["with_text"]) == (words, 2)
        assert voice["speech_s"] == pytest.approx(speech_s, abs=1.0)
        assert voice["speech_share"] == pytest.approx(voice["speech_s"] / 54, abs=1e-3)
        assert voice["tokens"] >= words
        assert voice["tokens_per_s"] == pytest.approx(voice["tokens"] / 54, abs=1e-2)
        assert voice["padding_share"] == pytest.approx(1 - voice["tokens"] / (54 * 12.5), abs=1e-2)
    assert found["overlap_share"] == 0
    assert found["turns_per_minute"] == pytest.approx(10 / 54 * 60, abs=0.1)
    assert found["gaps_per_minute"] > found["pauses_per_minute"]
    assert found["lengths_s"] == {"edges": [0, 30, 60], "counts": [1, 1]}
    one = found["items"][0]
    assert (one["dialogue"], one["A_words"], one["B_words"]) == ("one", 8, 8)
    assert one["seconds"] == pytest.approx(14.0, abs=0.1)
    assert check.main(["talks"], where) == 0
    table = capsys.readouterr().out
    assert "talks: 2 dialogues, 54 s, en" in table
    assert "Findings" not in table


def test_what_is_odd_is_said(dataset: Dataset) -> None:
    a_only = [word for word in TURNS if word.speaker == "A"]
    add(dataset, "short", 8.0, said=TURNS[:8])
    add(dataset, "lonely", said=a_only)
    add(dataset, "wordless", words=[])
    add(
        dataset,
        "shifted",
        words=[word._replace(start_s=word.start_s + 2, end_s=word.end_s + 2) for word in a_only[:3]],
    )
    add(dataset, "sparse", words=[*TURNS[:1], *TURNS[3:7]])
    add(dataset, "drawn", words=[TURNS[0]._replace(end_s=4.6), *TURNS[1:]])
    add(dataset, "backwards", words=[*TURNS[:7], TURNS[7]._replace(end_s=4.0)])
    add(dataset, "broken")
    dataset.audio("broken").write_bytes(b"no sound")
    add(dataset, "torn")
    dataset.text("torn").write_text("[")
    found = report(dataset)
    for name, sentence in (
        ("short", "It lasts only 8.0 s."),
        ("lonely", "B never speaks."),
        ("wordless", "A speaks for 3."),
        ("wordless", "B speaks for 3."),
        ("shifted", "3 of 3 words of A lie where it is silent, such as"),
        ("sparse", "without words, most from"),
        ("drawn", "One word of A is too long: “hello” lasts 4.1 s."),
        ("drawn", "One word of A is said over the one before: “hello” and “good” at 0.9 s."),
        ("backwards", "One word of A is at impossible times: “right” from 5.0 to 4.0 s."),
        ("broken", "can not be read as sound"),
        ("torn", "can not be read"),
    ):
        assert any(sentence in finding for finding in found[name]), (name, found[name])
    whole = check.check(dataset)
    assert whole["dialogues"] == 9
    assert whole["findings"][0]["sentence"] == "talks is not prepared yet."
    assert whole["A"]["tokens"] is None
    assert {odd["severity"] for odd in whole["findings"]} == {"odd"}
    assert all(odd["advice"] for odd in whole["findings"])


def test_text_that_can_not_keep_up_is_odd(dataset: Dataset) -> None:
    add(dataset, "one")
    seen = look(dataset.audio("one"), TURNS, (120, 8))
    assert [finding.sentence for finding in seen.findings] == [
        "A has 120 text tokens for 3.2 s of words: the text can not keep up."
    ]


def test_how_fast_text_may_be_follows_from_the_size_of_the_tokenizer(dataset: Dataset) -> None:
    """A smaller one needs more tokens for the same words; a larger one fewer."""
    add(dataset, "one")
    for text_card, most in ((32_000, 22), (600, 36), (48_000, 21), (4, 40)):
        for tokens in (most, most + 1):
            seen = look(dataset.audio("one"), TURNS, (tokens, 8), text_card)
            assert bool(seen.findings) == (tokens > most), (text_card, tokens)


def test_tokens_that_a_model_does_not_know_are_refused(
    where: Paths, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tiny model knows 600 text tokens and 256 codes, the 7B 32,000 and 2,048."""
    home = ["--home", str(where.config.parent)]
    frames = np.full((2, 9, 150), 3)
    frames[:, 0, ::10] = 599
    for name, at, most in (("fits", 0, 599), ("text", 0, 600), ("code", 5, 300)):
        voices = frames.copy()
        voices[0, at, 7] = most
        shard = where.config.parent / f"{name}.parquet"
        shard.parent.mkdir(parents=True, exist_ok=True)
        columns = {side: [voice.tolist()] for side, voice in zip("AB", voices, strict=True)}
        pq.write_table(pa.table({"dialogue_id": [name], **columns}), shard)
        assert aizuchi([*home, "data", "import", str(shard), "--name", name]) == 0
        capsys.readouterr()
        refused = aizuchi([*home, "data", "check", name, "--model", str(tiny), "--json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        beyond = [odd["sentence"] for odd in found if "knows 0 to" in odd["sentence"]]
        if name == "fits":
            assert (refused, beyond) == (0, [])
        else:
            what, last = ("text token 600", 599) if name == "text" else ("code 300", 255)
            assert refused == 1
            assert len(beyond) == 1
            assert beyond[0].startswith(f"It has the {what}, and ")
            assert beyond[0].endswith(f" knows 0 to {last}.")


def test_a_finding_tells_where_it_is(dataset: Dataset) -> None:
    add(dataset, "drawn", words=[TURNS[0]._replace(end_s=5.0), *TURNS[1:]])
    long = next(odd for odd in check.check(dataset)["findings"] if "too long" in odd["sentence"])
    assert (long["at_s"], long["speaker"]) == (TURNS[0].start_s, "A")
    whole = next(odd for odd in check.check(dataset)["findings"] if not odd["dialogue"])
    assert (whole["at_s"], whole["speaker"]) == (None, "")


def test_what_changed_since_it_was_prepared_is_said(dataset: Dataset, where: Paths, tiny: Path) -> None:
    add(dataset, "one")
    add(dataset, "late", words=[*TURNS, TimedWord("A", "late", 99.0, 99.2)])
    prepare.main(["talks", "--model", str(tiny), "--device", "cpu"], where)
    assert any("was left out" in finding for finding in report(dataset)["late"])
    write_words(dataset.text("one"), TURNS[1:])
    [first, *_] = check.check(dataset)["findings"]
    assert first["sentence"] == "Words or sound have changed since the dataset was prepared."
    assert first["advice"] == "Run `aizuchi data prepare talks`."


def test_japanese_with_bare_spaces_is_refused(
    where: Paths, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word._replace(text="はい" if word.speaker == "A" else "ええ") for word in TURNS]
    home = ["--home", str(where.config.parent)]
    options = ["--model", str(tiny), "--device", "cpu"]
    for name, language in (("talks", "ja"), ("others", "")):
        made = create_dataset(where.datasets / name, language=language)
        add(made, "one", said=words)
        assert aizuchi([*home, "data", "prepare", name, *options]) == 0
        check.refuse_bad(made)
        assert aizuchi([*home, "data", "check", name, "--json"]) == 0
        assert aizuchi([*home, "data", "prepare", name, *options, "--whitespace-before-word"]) == 0
        capsys.readouterr()
        assert aizuchi([*home, "data", "check", name]) == 1
        assert "Training refuses this: " in capsys.readouterr().out
        with pytest.raises(
            UserError, match=r"\d\d % of the text tokens of A in \w+ are bare spaces"
        ) as caught:
            check.refuse_bad(made)
        assert "--no-whitespace-before-word" in caught.value.advice
        written = json.loads((made.folder / "check.json").read_text())
        assert written["refused"] is True
        assert written["A"]["bare_space_share"] > 0.1
        assert [odd["severity"] for odd in written["findings"]] == ["refused", "refused"]
    shard, share = str(made.shards[0]), written["A"]["bare_space_share"]
    assert aizuchi([*home, "data", "import", shard, "--name", "tokens", "--language", "ja"]) == 0
    capsys.readouterr()
    assert aizuchi([*home, "data", "check", "tokens", "--model", str(tiny), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["A"]["bare_space_share"] == pytest.approx(share)
    assert [odd["severity"] for odd in told["findings"]] == ["odd", "odd", "odd"]
    assert "nu-dialogue's `--no_whitespace_before_word`" in told["findings"][1]["advice"]


def test_the_same_sound_twice_is_told(dataset: Dataset) -> None:
    add(dataset, "one")
    shutil.copy(dataset.audio("one"), dataset.audio("two"))
    samples, rate = soundfile.read(dataset.audio("one"), dtype="int16")
    soundfile.write(dataset.audio("three"), samples[:, ::-1], rate, "PCM_16")
    for name in ("two", "three"):
        write_words(dataset.text(name), TURNS)
    found = report(dataset)
    assert "It has the same sound as one." in found["two"]
    assert not any("same sound" in sentence for name in ("one", "three") for sentence in found[name])


def test_languages_without_spaces_are_known_by_name_or_by_their_words(where: Paths) -> None:
    for number, (language, word, japanese, spaceless) in enumerate((
        ("ja", "hello", True, True), ("ja-JP", "", True, True), ("zh", "你好", False, True),
        ("", "こんにちは", True, True), ("", "hello", False, False), ("en", "はい", False, False),
    )):  # fmt: skip
        made = create_dataset(where.datasets / f"{number}", language=language)
        add(made, "one", words=[TimedWord("B", word, 1.0, 1.2)])
        assert (is_japanese(made), is_spaceless(made)) == (japanese, spaceless)


def test_of_tokens_alone_is_said_what_they_tell(
    where: Paths, tiny: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    add(dataset, "one")
    add(dataset, "short", 8.0, said=TURNS[:8])
    prepare.main(["talks", "--model", str(tiny), "--device", "cpu"], where)
    whole = check.check(dataset)
    home = ["--home", str(where.config.parent)]
    assert aizuchi([*home, "data", "import", str(dataset.shards[0]), "--name", "tokens"]) == 0
    capsys.readouterr()
    assert aizuchi([*home, "data", "check", "tokens", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dialogues"], told["refused"]) == (2, False)
    assert told["hours"] == pytest.approx(whole["hours"], abs=1e-4)
    assert told["lengths_s"] == whole["lengths_s"]
    for speaker in "AB":
        figures = ("tokens", "tokens_per_s", "padding_share", "with_text")
        assert [told[speaker][name] for name in figures] == [whole[speaker][name] for name in figures]
        assert told[speaker]["bare_space_share"] is None
    assert [item["findings"] for item in told["items"]] == [[], ["It lasts only 8.0 s."]]
    assert aizuchi([*home, "data", "check", "tokens"]) == 0
    table = capsys.readouterr().out
    assert "tokens: 2 dialogues, 22 s, language unknown" in table
    assert "tokens holds tokens alone" in table
    assert "speech" not in table
    for command in (["prepare", "tokens"], ["transcribe", "tokens", "--language", "en"]):
        assert aizuchi([*home, "data", *command]) == 1
        assert capsys.readouterr().err.startswith("tokens holds tokens alone, without sound.")


def test_bad_names_are_sentences(where: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(where.config.parent)]
    create_dataset(where.datasets / "empty")
    for name, sentence in (("none", "There is no dataset 'none'."), ("empty", "empty holds no dialogues.")):
        for verb in ("prepare", "check"):
            assert aizuchi([*home, "data", verb, name]) == 1
            assert sentence in capsys.readouterr().err


def test_lengths_are_counted_in_not_too_many_steps() -> None:
    assert check._histogram([1.0, 29.9, 30.0, 65.0]) == {"edges": [0, 30, 60, 90], "counts": [2, 1, 1]}
    long = check._histogram([100.0, 7_000.0])
    assert sum(long["counts"]) == 2
    assert len(long["counts"]) <= 16
    assert check._histogram([]) == {"edges": [0, 30], "counts": [0]}
