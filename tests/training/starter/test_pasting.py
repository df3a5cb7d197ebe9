"""Rows are what is said: words fall on their sound, and nobody speaks where nothing is said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import sentencepiece

from app.cli import run_verb
from app.errors import UserError
from app.frames import FRAME_RATE, FRAME_SAMPLES
from app.paths import paths
from tests.training.starter.conftest import BOOKS
from training.data.align import END_OF_PADDING, PADDING
from training.starter import codes, pasting
from training.starter.bank import INDEX, Entry
from training.starter.bank_codes import ROOM, Coded, write_codes
from training.starter.clips import HELD_OUT_EVERY, Clips, ClipUser, Source, Spoken, spoken
from training.starter.dialogues import NORMAL, SLOW, Dialogue, Line
from training.starter.language import EXAMPLE_S
from training.starter.own_lines import OwnLines
from training.starter.pasting import Paster
from training.starter.scripts import LANGUAGES, display, phrases
from training.starter.user_texts import taught

LEAD, TAIL = 4, 8
ROOMS = 60_000
VOICES = "anna", "tom"
NOBODY = 1000
"""Codes of the first book from here on are those of frames in which nobody speaks; lower ones count them."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Each text by two voices, in two renditions; every text is also among those that are held out."""
    bank, coded = tmp_path_factory.mktemp("bank"), tmp_path_factory.mktemp("codes")
    (bank / "0000").mkdir()
    entries, every = [], [room(number) for number in range(2)]
    for at, text in enumerate(taught()):
        for number, who in ((2 * at + 1, VOICES[at % 2]), (2 * at + 2, "tom"), (HELD_OUT_EVERY * at, "eve")):
            words = len(text.words)
            timed = [(word, 0.2 * at, 0.2 * (at + 1)) for at, word in enumerate(text.words)]
            entries.append(
                Entry(
                    number, 0, text.kind, text.language, text.written, text.answer, "e", who, 1.0, 0.0, None,
                    True, timed, 0, round(0.2 * words * 24_000),
                )
            )  # fmt: skip
            every += [clip(number, rendition, words) for rendition in range(2)]
    unique = {entry.number: entry for entry in reversed(entries)}
    (bank / "0000" / INDEX).write_text("\n".join(json.dumps(each._asdict()) for each in unique.values()))
    write_codes(coded / "0000.npz", every)
    return Source(bank, coded)


def clip(number: int, rendition: int, words: int) -> Coded:
    stretch = 1.0 + 0.1 * rendition
    length = 0.2 * words * FRAME_RATE * stretch
    frames = LEAD + 1 + int(np.ceil(length)) + TAIL
    counted = np.arange(frames)
    counted[:LEAD] += NOBODY
    counted[int(np.ceil(LEAD + 0.5 + length)) :] += NOBODY
    values = np.stack([counted, *[np.full(frames, number)] * (BOOKS - 1)]).astype(np.uint16)
    return Coded(number, rendition, values, LEAD + 0.5, LEAD + 0.5 + length, stretch)


def room(number: int) -> Coded:
    return Coded(ROOM, number, np.full((BOOKS, 50), ROOMS + number, dtype=np.uint16), 0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def paster(source: Source, lines: OwnLines, tokenizer: sentencepiece.SentencePieceProcessor) -> Paster:
    return Paster(Clips([source]), lines, tokenizer)


def made(paster: Paster, number: int) -> tuple[Any, Dialogue]:
    return paster.make(number, 0, EXAMPLE_S)


@pytest.fixture(scope="module")
def rows(paster: Paster) -> list[tuple[Any, Dialogue]]:
    return [made(paster, number) for number in range(60)]


def test_the_same_seed_gives_the_same_row(paster: Paster, rows: list[tuple[Any, Dialogue]]) -> None:
    again, _ = made(paster, 7)
    np.testing.assert_array_equal(again.a, rows[7][0].a)
    np.testing.assert_array_equal(again.b, rows[7][0].b)
    assert not np.array_equal(again.b, rows[8][0].b)


def test_a_row_is_whole(rows: list[tuple[Any, Dialogue]]) -> None:
    for row, dialogue in rows:
        assert row.a.shape == row.b.shape == (1 + BOOKS, dialogue.frames)
        assert row.a.dtype == row.b.dtype == np.int32
        assert row.dialogue.startswith(dialogue.language)


def test_what_the_model_writes_is_what_it_says(
    rows: list[tuple[Any, Dialogue]], tokenizer: sentencepiece.SentencePieceProcessor, lines: OwnLines
) -> None:
    whole = stopped = 0
    for row, dialogue in rows:
        for line, after in zip(dialogue.lines, [*dialogue.lines[1:], None], strict=True):
            last = dialogue.frames if after is None else after.first
            text = row.a[0, line.first : last]
            written = tokenizer.decode([int(each) for each in text if each not in (PADDING, END_OF_PADDING)])
            if line.end is None and last < dialogue.frames:
                assert written == display(line.text, line.language)
                whole += 1
            elif line.end is not None and line.end < dialogue.frames:
                assert written.endswith("—")
                assert display(line.text, line.language).startswith(written[:-1])
                assert text[line.end - line.first - 1] == tokenizer.piece_to_id("—")
                assert (text[line.end - line.first :] <= PADDING).all(), "nothing but padding"
                stopped += 1
    assert whole > 300
    assert stopped > 50


def test_padding_ends_before_whatever_is_written(rows: list[tuple[Any, Dialogue]]) -> None:
    for row, _ in rows:
        for text in (row.a[0], row.b[0]):
            begins = (text[1:] > PADDING) & (text[:-1] <= PADDING)
            assert begins.any()
            assert (text[:-1][begins] == END_OF_PADDING).all()


def test_words_of_the_model_fall_on_their_sound(rows: list[tuple[Any, Dialogue]], lines: OwnLines) -> None:
    for row, dialogue in rows:
        sounds = row.a[1] > 0
        spoken_frames = np.zeros(dialogue.frames, dtype=bool)
        for line in dialogue.lines:
            end = (
                line.end
                or line.first + len(lines.speech[line.language, line.text, line.tempo].sound) // FRAME_SAMPLES
            )
            spoken_frames[line.first : end + 1] = True
            begun = [round(word.start_s * FRAME_RATE) for word in lines.words(line)]
            tokens = np.flatnonzero(row.a[0, line.first : end] > PADDING) + line.first
            assert all(np.abs(tokens - at).min() <= 1 for at in begun if at < min(end, dialogue.frames) - 2)
        assert not sounds[~spoken_frames].any(), "silence where it says nothing"
        assert sounds[spoken_frames].mean() > 0.8


def test_a_line_that_is_cut_fades_and_is_still(lines: OwnLines) -> None:
    story = next(question.answer for question in phrases("en").questions if question.long)
    for cut in (3, 12, 30):
        whole, short = lines.codes(Line(story, "en", 0)), lines.codes(Line(story, "en", 0, cut))
        np.testing.assert_array_equal(short[:, : cut - 1], whole[:, : cut - 1])
        assert short[0, cut - 1] <= whole[0, cut - 1]
        assert not short[:, cut:].any()
        assert short.shape[1] < whole.shape[1]


def test_a_line_is_slower_where_it_should_be(lines: OwnLines) -> None:
    answer = phrases("en").questions[0].answer
    normal, slow = (lines.codes(Line(answer, "en", 0, tempo=tempo)).shape[1] for tempo in (NORMAL, SLOW))
    assert 1.1 < slow / normal < 1.5
    assert lines.text(Line(answer, "en", 0, tempo=SLOW)).shape > lines.text(Line(answer, "en", 0)).shape


def test_the_microphone_hears_what_is_said_when_it_is_said(source: Source, paster: Paster) -> None:
    heard_frames = 0
    for number in range(40):
        chance = np.random.default_rng([1, number])
        user = ClipUser(paster.clips, chance, shaken=number % 2 == 0)
        dialogue = pasting.make_dialogue(user, paster.lines, chance, EXAMPLE_S)
        heard = pasting._heard(dialogue, paster.clips.rooms, paster.lines.silence, chance)
        speaks = np.zeros(dialogue.frames, dtype=bool)
        for turn in dialogue.turns:
            said = turn.utterance
            assert isinstance(said, Spoken)
            first, end = int(turn.first + said.begin), int(np.ceil(turn.first + said.end))
            ours = heard[:, max(0, first) : end]
            np.testing.assert_array_equal(
                ours, said.codes[:, max(0, first) - turn.first :][:, : ours.shape[1]]
            )
            # A frame in which speech begins or ends may be there twice.
            speaks[max(0, first - 1) : end + 1] = True
            heard_frames += ours.shape[1]
        still = heard[0, ~speaks]
        assert ((still >= NOBODY) | (still == paster.lines.silence[0])).all(), "speech where nobody speaks"
    assert heard_frames > 5000


def test_words_of_the_user_fall_on_their_sound(
    rows: list[tuple[Any, Dialogue]], tokenizer: sentencepiece.SentencePieceProcessor
) -> None:
    for row, dialogue in rows:
        for turn in dialogue.turns:
            end = int(turn.first + turn.utterance.end)
            if turn.first < 0 or end + 2 > dialogue.frames:
                continue
            begun = [int(word.start_s * FRAME_RATE + 1e-6) for word in turn.words]
            assert turn.words[0].start_s == pytest.approx(turn.begin_s)
            assert begun[-1] <= end
            assert row.b[0, begun[0]] > PADDING


def test_words_move_with_frames_that_are_doubled_or_left_out(paster: Paster) -> None:
    one = next(clip for clip in paster.clips._clips if len(clip.entry.words) == 4)
    coded = one.renditions[0]
    whole = spoken(one, coded)
    assert whole.words[-1].end_s == pytest.approx(whole.end / FRAME_RATE)
    twice = np.concatenate([np.arange(LEAD), np.repeat(np.arange(LEAD, coded.codes.shape[1]), 2)])
    slow = spoken(one, coded, twice)
    assert slow.end - slow.begin == pytest.approx(2 * (whole.end - whole.begin))
    for word, before in zip(slow.words, whole.words, strict=True):
        at = LEAD / FRAME_RATE
        assert word.start_s - at == pytest.approx(2 * (before.start_s - at))


def test_what_is_shaken_is_mostly_what_it_was(paster: Paster) -> None:
    codes_before = np.tile(np.arange(1000, dtype=np.int32), (BOOKS, 1))
    kept = np.mean(
        [pasting._swapped(codes_before, np.random.default_rng(at)) == codes_before for at in range(200)],
        (0, 2),
    )
    assert kept[0] == pytest.approx(1 - pasting._SWAPPED / 2, abs=0.01)
    assert kept[-1] == pytest.approx(1 - (pasting._SWAPPED + pasting._SWAPPED_DEEP) / 2, abs=0.02)


def test_a_user_mostly_keeps_a_voice(paster: Paster) -> None:
    chance = np.random.default_rng(0)
    shares = []
    for _ in range(50):
        user = ClipUser(paster.clips, chance, shaken=False)
        said = [user.say("cut_in", "en") for _ in range(20)]
        voices = [each.clip.entry.voice for each in said if each]
        shares.append(max(voices.count(voice) for voice in VOICES) / len(voices))
    assert np.mean(shares) > 0.7


def test_clips_that_are_held_out_are_in_no_dialogue_of_training(source: Source, paster: Paster) -> None:
    kept = Clips([source], held_out=True)
    numbers = {one.entry.number for one in kept._clips}
    assert numbers
    assert all(number % HELD_OUT_EVERY == 0 for number in numbers)
    assert not numbers & {one.entry.number for one in paster.clips._clips}


def test_all_phrasings_of_all_questions_are_asked(paster: Paster) -> None:
    chance = np.random.default_rng(0)
    asked = set()
    for language in LANGUAGES:
        for question in phrases(language).questions:
            user = ClipUser(paster.clips, chance, shaken=True)
            said = [user.say("question", language, question.answer) for _ in range(60)]
            assert {each.answer for each in said if each} == {question.answer}
            asked |= {(language, each.text) for each in said if each}
    texts = {(text.language, text.written) for text in taught(["question"])}
    assert len(asked) > 0.95 * len(texts)


def test_a_bank_that_is_in_codes_twice_has_each_clip_once(source: Source) -> None:
    once, twice = Clips([source]), Clips([source, source])
    assert len(twice) == len(once)
    assert {len(one.renditions) for one in once._clips} == {2}
    assert {len(one.renditions) for one in twice._clips} == {4}


def test_a_bank_without_codes_is_refused(source: Source, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No clip of the bank is in codes"):
        Clips([Source(source.bank, tmp_path)])


def test_what_is_no_bank_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    options = [
        "--source",
        str(tmp_path),
        str(tmp_path),
        "--voice",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    with pytest.raises(UserError, match="is no bank of speech"):
        run_verb("starter dialogues", options, paths(tmp_path / "house"))
    assert not (tmp_path / "out").exists()


def test_shards_are_written_once_and_the_same(
    source: Source, paster: Paster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "_SHARD", 4)
    begin_s = time.monotonic()
    for name in ("one", "two"):
        codes.write_shards(tmp_path / name, paster, codes._missing(tmp_path / name, 10), 3)
    # 20 dialogues: thousands have to take minutes, on a machine that has much else to do as well.
    assert time.monotonic() - begin_s < 20 * 0.25
    assert [shard.name for shard in sorted((tmp_path / "one").iterdir())] == ["00000", "00004", "00008"]
    assert not codes._missing(tmp_path / "one", 10)
    (path,) = (tmp_path / "one" / "00004").glob("*.parquet")
    before = pq.read_table(path)
    assert before.num_rows == 4
    path.unlink()
    assert codes._missing(tmp_path / "one", 10) == [range(4, 8)]
    codes.write_shards(tmp_path / "one", paster, codes._missing(tmp_path / "one", 10), 3)
    assert pq.read_table(path).equals(before)
