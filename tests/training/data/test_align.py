"""Text streams are those of the two public finetuners, token for token."""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Iterator
from itertools import groupby
from typing import cast

import numpy as np
import pytest
import sentencepiece

from app.errors import UserError
from app.frames import FRAME_RATE
from training.data.align import (
    END_OF_PADDING,
    PADDING,
    Placement,
    TextStatistics,
    TextStream,
    Word,
    spoken_stream,
    text_statistics,
    text_stream,
)

ENGLISH = "hello there, how are you today? I am fine. no, supercalifragilistic weather is nice 1234567"
JAPANESE = "こんにちは 今日 は いい 天気 です ね はい そう ですねえ 散歩 に 行きましょう"
UNKNOWN = "😀 鬱蒼 👩‍👧 naïve"
"""Words with characters that the vocabularies lack."""

Tokenizer = sentencepiece.SentencePieceProcessor


def train(model_type: str, normalisation: str = "nmt_nfkc", *, space_first: bool = True) -> Tokenizer:
    """Return a small vocabulary with the special ids of Moshi's: 0 unknown, 3 padding."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([ENGLISH, JAPANESE.replace(" ", ""), "abcdefghijklmnopqrstuvwxyz"] * 5),
        model_writer=model,
        model_type=model_type,
        vocab_size=400,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=1.0,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        minloglevel=2,
        normalization_rule_name=normalisation,
        add_dummy_prefix=space_first,
    )
    return Tokenizer(model_proto=model.getvalue())


@pytest.fixture(scope="module")
def letters() -> Tokenizer:
    """Return a vocabulary of single characters, so that streams can be written down by hand."""
    return train("char", normalisation="identity")


@pytest.fixture(scope="module")
def pieces() -> Tokenizer:
    return train("unigram", normalisation="identity")


def written(stream: TextStream, tokenizer: Tokenizer) -> str:
    """Return a stream as one mark a frame: '-' padding, '0' end of padding, '#' a byte, else the piece."""
    marks = {PADDING: "-", END_OF_PADDING: "0"}
    return "".join(
        marks.get(token, "#" if tokenizer.is_byte(token) else tokenizer.id_to_piece(token))
        for token in stream.tolist()
    )


def parse(line: str) -> list[Word]:
    """Return the words of 'hi 0.02 0.18, you 0.50 0.82'."""
    fields = (word.rsplit(" ", 2) for word in line.split(", "))
    return [Word(text, float(start), float(end)) for text, start, end in fields]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # Characters share their word's time; the space belongs to the word behind it.
        ("hi 0.02 0.18, you 0.50 0.82", "hi---0▁you--"),
        ("hi 0.02 1.00", "h----0i-----"),
        # Alone at the beginning, the space of SentencePiece is left out; a first frame has none before it.
        ("a 0.10 0.14", "0a----------"),
        ("a 0.02 0.04", "a-----------"),
        # Taken frames push to the right, past what is there already.
        ("abc 0.02 0.05, d 0.10 0.15", "abc▁d-------"),
        ("ab 0.02 0.05, cd 0.02 0.05, e 0.02 0.05", "ab▁cd▁e-----"),
        # The frame before text is taken too: 'c' would begin in it.
        ("ab 0.02 0.50, c 0.17 0.19", "a-0b▁c------"),
        # A word inside a longer one is said before its end.
        ("ab 0.02 0.98, c 0.18 0.34", "a0▁c-0b-----"),
        ("ab 0.02 5.02, c 0.18 2.58", f"a0▁{'-' * 13}0c{'-' * 12}0b--"),
        # There is room until a second after the last word's end; the first token without loses all behind it.
        ("ab 0.02 5.02, c 0.18 0.34", "a-----------"),
        # One frame between two words is no padding any more.
        ("a 0.02 0.04, b 0.17 0.19", "a0▁b--------"),
        # The order is that of the beginnings.
        ("you 0.50 0.82, hi 0.02 0.18", "hi---0▁you--"),
        # A word without duration, a blank one, and blanks around one.
        ("ab 0.18 0.18", "-0ab--------"),
        ("  0.02 0.10, a 0.18 0.20,    0.30 0.40,  b  0.50 0.52", "-0a--0▁b----"),
        # What is behind the audio is cut off, and its end of padding stays.
        ("ab 0.82 1.90", "---------0a-"),
        ("a 0.02 0.04, b 0.98 1.20", "a----------0"),
    ],
)
def test_nu_dialogue_puts_a_token_where_its_first_character_begins(
    words: str, expected: str, letters: Tokenizer
) -> None:
    stream = text_stream(parse(words), len(expected), letters)
    assert written(stream, letters) == expected
    assert stream.dtype == np.int32


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hi 0.02 0.18, you 0.50 0.82", "▁hi--0▁you--"),
        # A word that begins cuts the one before off; a word with less to say leaves its time empty.
        ("abcdef 0.02 0.40, z 0.18 0.90", "▁a▁z--------"),
        ("ab 0.02 0.05, cd 0.02 0.05", "▁cd---------"),
        ("ab 0.02 0.80, cd 0.42 0.43", "▁ab-0▁cd----"),
        ("ab 0.02 0.80, cd 0.26 0.40", "▁ab▁cd------"),
        ("ab 0.18 0.18, c 0.34 0.40", "---0▁c------"),
        ("you 0.50 0.82, hi 0.02 0.18", "▁hi--0▁you--"),
        ("a 0.02 0.04,   0.26 0.30", "▁a----------"),
        ("abcd 0.82 1.90", "---------0▁a"),
        ("a 0.02 0.04, b 0.98 1.20", "▁a----------"),
    ],
)
def test_kyutai_puts_a_word_where_it_begins(words: str, expected: str, letters: Tokenizer) -> None:
    assert written(text_stream(parse(words), len(expected), letters, "kyutai"), letters) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("abcdef 0.02 0.40, z 0.18 0.90", "▁abcdef▁z---"),
        ("ab 0.02 0.05, cd 0.02 0.05", "▁ab▁cd------"),
        ("abcd 0.66 0.80, ef 0.82 1.90", "-------0▁abc"),
    ],
)
def test_kyutai_keeps_and_shifts_if_asked(words: str, expected: str, letters: Tokenizer) -> None:
    stream = text_stream(parse(words), len(expected), letters, "kyutai", keep_and_shift=True)
    assert written(stream, letters) == expected


def test_nu_dialogue_drops_what_is_pushed_a_second_behind_the_end(
    letters: Tokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        stream = text_stream([Word("abcdefghijklmnopqrst", 0.0, 0.08)], 30, letters)
    assert written(stream, letters) == "abcdefghijklm" + "-" * 17, "int((0.08 + 1) * 12.5) = 13 frames"
    assert "7 of 20 text tokens" in caplog.text


def test_each_finetuner_rounds_the_edge_of_a_frame_in_its_own_way(letters: Tokenizer) -> None:
    """Frame 6 begins at 0.48 s, and 0.48 * 12.5 is 6.0, but 0.48 // 0.08 is 5.0 in floating point."""
    assert written(text_stream([Word("a", 0.48, 0.5)], 9, letters), letters) == "----0a---"
    assert written(text_stream([Word("a", 0.48, 0.5)], 9, letters, "kyutai"), letters) == "-----0▁a-"


def test_japanese_has_no_spaces_between_its_words(letters: Tokenizer) -> None:
    words = [Word("はい", 0.02, 0.18), Word("そう", 0.42, 0.58), Word("", 0.6, 0.7)]
    stream = text_stream(words, 10, letters, no_whitespace_before_word=True)
    assert written(stream, letters) == "はい--0そう---"
    assert written(text_stream(words, 10, letters), letters) == "はい--0▁そう--"


def test_a_character_outside_the_vocabulary_is_one_unknown_piece_or_its_bytes(letters: Tokenizer) -> None:
    words = [Word("a😀😀b", 0.02, 2.06)]
    assert letters.encode("a😀😀b")[2:6] == letters.encode("a😀😀b")[6:10], "four bytes each"
    # 0.51 s a character: frames 0, 6, 13 and 19. The unknown piece has the id 0, too.
    assert written(text_stream(words, 22, letters), letters) == "a----00-----00----0b--"
    spelled = text_stream(words, 22, letters, spell_bytes=True)
    assert written(spelled, letters) == "a----0####--0####-0b--"
    assert letters.decode(text_of(spelled)) == "a😀😀b"
    assert text_stream(words, 11, letters, "kyutai").tolist() == letters.encode("a😀😀b")


def test_a_vocabulary_that_puts_no_space_before_a_text_gives_the_same(letters: Tokenizer) -> None:
    plain = train("char", "identity", space_first=False)
    words = parse("hi 0.02 0.18, 😀 0.50 0.82, you 1.02 1.34")
    assert plain.encode_as_pieces("hi") == ["h", "i"] and letters.encode_as_pieces("hi") == ["▁", "h", "i"]
    for tokenizer in (plain, letters):
        assert written(text_stream(words, 20, tokenizer), tokenizer) == "hi---0▁00--0▁you----"


def test_normalisation_does_not_move_the_characters_behind_it() -> None:
    """An ellipsis becomes three characters, a half-width letter and its voicing mark become one."""
    folding = train("char")
    assert folding.normalize("a…ｶﾞb") == "▁a...ガb"
    # Five characters of 0.41 s each: frames 0, 5, 10, 15 and 20.
    words = [Word("a…ｶﾞb", 0.02, 2.07)]
    stream = text_stream(words, 22, folding, no_whitespace_before_word=True, spell_bytes=True)
    assert written(stream, folding) == "a---0...-0###------0b-"


@pytest.mark.parametrize("placement", ["nu-dialogue", "kyutai"])
@pytest.mark.parametrize("words", [[], [Word(" ", 0.01, 0.02)]])
def test_an_empty_channel_is_padding(words: list[Word], placement: Placement, letters: Tokenizer) -> None:
    assert text_stream(words, 5, letters, placement).tolist() == [PADDING] * 5
    assert text_stream(words, 0, letters, placement).tolist() == []


def text_of(stream: TextStream) -> list[int]:
    return [token for token in stream.tolist() if token not in (PADDING, END_OF_PADDING)]


def dialogues(vocabulary: str) -> Iterator[list[Word]]:
    """Yield channels of words one after another, from a single one to many, close together and far apart."""
    chance = random.Random(3)
    for length in [1, 2, 3, 10, 40, 100] * 5:
        words, at_s = [], chance.uniform(0, 2)
        for _ in range(length):
            end_s = at_s + chance.choice([0.0, 0.04, 0.3, chance.uniform(0, 1)])
            words.append(Word(chance.choice(vocabulary.split()), at_s, end_s))
            at_s = end_s + chance.choice([0.0, 0.0, 0.02, chance.uniform(0, 4)])
        yield words


@pytest.mark.parametrize(
    ("vocabulary", "spaceless"),
    [(f"{ENGLISH} {UNKNOWN}", False), (f"{JAPANESE} {UNKNOWN}", True), (JAPANESE, False)],
)
def test_every_token_of_one_encoding_appears_once_and_in_order(
    vocabulary: str, spaceless: bool, pieces: Tokenizer
) -> None:
    for words in dialogues(vocabulary):
        # Room for all that may be pushed: the last word is drawn out.
        words.append(Word("はい", words[-1].end_s, words[-1].end_s + 1000))
        frames = int((words[-1].end_s + 1) * FRAME_RATE)
        stream = text_stream(words, frames, pieces, no_whitespace_before_word=spaceless, spell_bytes=True)
        whole = pieces.encode(("" if spaceless else " ").join(word.text for word in words))
        alone = whole[0] == pieces.piece_to_id("▁")
        assert text_of(stream) == whole[alone:]
        assert_padding_ends_before_text(stream)


@pytest.mark.parametrize("vocabulary", [f"{ENGLISH} {UNKNOWN}", f"{JAPANESE} {UNKNOWN}"])
def test_every_token_of_every_word_appears_once_and_in_order_when_words_are_shifted(
    vocabulary: str, pieces: Tokenizer
) -> None:
    for words in dialogues(vocabulary):
        lasting = [word for word in words if word.end_s > word.start_s]
        frames = int((words[-1].end_s + 1000) * FRAME_RATE)
        stream = text_stream(words, frames, pieces, "kyutai", keep_and_shift=True)
        assert text_of(stream) == [token for word in lasting for token in pieces.encode(word.text)]
        assert_padding_ends_before_text(stream)


def assert_padding_ends_before_text(stream: TextStream) -> None:
    """Assert that each run of frames without text that text follows ends with the one mark, and no other."""
    runs = [list(run) for _, run in groupby(stream.tolist(), lambda t: t in (PADDING, END_OF_PADDING))]
    empty = [run for run in runs if run[0] in (PADDING, END_OF_PADDING)]
    for run in empty:
        mark = PADDING if run is runs[-1] else END_OF_PADDING
        assert run == [PADDING] * (len(run) - 1) + [mark]


@pytest.mark.parametrize("placement", ["nu-dialogue", "kyutai"])
def test_a_talk_gives_the_stream_that_was_spoken(placement: Placement, pieces: Tokenizer) -> None:
    for words in dialogues(ENGLISH):
        frames = int((words[-1].end_s + 1) * FRAME_RATE) + 1
        stream = text_stream(words, frames, pieces, placement)
        spoken = [(f, t) for f, t in enumerate(stream.tolist()) if t not in (PADDING, END_OF_PADDING)]
        assert np.array_equal(spoken_stream(spoken, frames), stream)


def test_a_talk_without_text_is_padding() -> None:
    assert spoken_stream([], 3).tolist() == [PADDING] * 3
    assert spoken_stream([], 0).tolist() == []
    assert spoken_stream([(0, 9), (2, 8), (3, 7)], 5).tolist() == [9, END_OF_PADDING, 8, 7, PADDING]
    assert spoken_stream([(0, 9)], 1).dtype == np.int32


@pytest.mark.parametrize(
    ("spoken", "said"),
    [
        ([(5, 9)], "frame 5 of a talk with 5 frames"),
        ([(-1, 9)], "frame -1"),
        ([(2, 9), (2, 8)], "Frame 2 has more than one"),
        ([(1, PADDING)], "token 3, which is no text"),
        ([(1, END_OF_PADDING)], "token 0, which is no text"),
        ([(1, -1)], "token -1, which is no text"),
    ],
)
def test_a_damaged_talk_is_refused(spoken: list[tuple[int, int]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        spoken_stream(spoken, 5)


@pytest.mark.parametrize("placement", ["nu-dialogue", "kyutai"])
@pytest.mark.parametrize(
    ("word", "said"),
    [
        (Word("one", 1.5, 1.2), "'one' ends at 1.20 s, before it begins at 1.50 s"),
        (Word("two", -0.5, 1.2), "'two' begins at -0.50 s, before the audio"),
        (Word("three", 2.1, 2.2), "'three' begins at 2.10 s, after the audio of 2.00 s"),
        (Word("four", float("nan"), 1.0), "'four' has no times"),
        (Word("five", 1.0, float("inf")), "'five' has no times"),
    ],
)
def test_impossible_times_are_told_with_their_word(
    word: Word, said: str, placement: Placement, letters: Tokenizer
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        text_stream([Word("fine", 0.1, 0.2), word], 25, letters, placement)
    assert caught.value.advice


def test_a_word_in_the_last_piece_of_a_frame_is_no_fault(letters: Tokenizer) -> None:
    """2.05 s of audio are 25 whole frames."""
    assert written(text_stream([Word("a", 2.04, 2.3)], 25, letters), letters) == "-" * 24 + "0"


def test_an_unknown_placement_is_named(letters: Tokenizer) -> None:
    with pytest.raises(UserError, match="no text placement 'words'"):
        text_stream([], 5, letters, cast(Placement, "words"))


def test_statistics_count_text_padding_and_bare_spaces(letters: Tokenizer) -> None:
    stream = text_stream(parse("ab 0.02 0.18, c 0.82 0.98, d 1.02 1.18"), 25, letters)
    assert written(stream, letters) == "ab-------0▁c▁d-----------"
    found = text_statistics(stream, letters)
    assert found == TextStatistics(frames=25, tokens=6, bare_spaces=2)
    assert found.padding_share == pytest.approx(19 / 25)
    assert found.bare_space_share == pytest.approx(2 / 6)
    assert found.tokens_per_s == pytest.approx(3.0)


def test_statistics_of_nothing_are_zero(letters: Tokenizer) -> None:
    nothing = text_statistics(spoken_stream([], 0), letters)
    assert (nothing.padding_share, nothing.bare_space_share, nothing.tokens_per_s) == (0.0, 0.0, 0.0)
    silence = text_statistics(spoken_stream([], 10), letters)
    assert (silence.padding_share, silence.bare_space_share, silence.tokens_per_s) == (1.0, 0.0, 0.0)


def test_spaces_before_japanese_words_show_in_the_statistics(pieces: Tokenizer) -> None:
    words = [Word(text, float(at), at + 0.8) for at, text in enumerate(JAPANESE.split())]
    spaced = text_statistics(text_stream(words, 200, pieces), pieces)
    spaceless = text_statistics(text_stream(words, 200, pieces, no_whitespace_before_word=True), pieces)
    assert spaceless.bare_space_share == 0.0
    assert spaced.bare_space_share > 0.1
