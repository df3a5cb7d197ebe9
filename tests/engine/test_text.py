"""Text appears as soon as it is whole, in any language, and rubbish bytes leave no trace."""

from __future__ import annotations

import io
import itertools

import pytest
import sentencepiece

from app.engine.text import Detokenizer

CORPUS = ["hello there, how are you today?", "こんにちは、今日はいい天気ですね。", "はい、そうですね。"] * 5

TEXTS = [
    "hello there, how are you?",
    "こんにちは、今日はいい天気ですね。",
    "鬱蒼とした森の😀と👩‍👩‍👧と🇯🇵",
    "hello 世界 and здравствуйте",
    "안녕하세요 여러분",
    "naïve café – “quoted”",
]


@pytest.fixture(scope="module")
def pieces() -> sentencepiece.SentencePieceProcessor:
    """Return a vocabulary without whole words for most of what is written in TEXTS."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        vocab_size=320,
        hard_vocab_limit=False,
        byte_fallback=True,
        normalization_rule_name="identity",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


@pytest.fixture
def detokenizer(pieces: sentencepiece.SentencePieceProcessor) -> Detokenizer:
    return Detokenizer(pieces)


def raw(pieces: sentencepiece.SentencePieceProcessor, data: bytes) -> list[int]:
    return [pieces.piece_to_id(f"<0x{byte:02X}>") for byte in data]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_add_up_to_the_text(
    text: str, pieces: sentencepiece.SentencePieceProcessor, detokenizer: Detokenizer
) -> None:
    ids = pieces.encode(text)
    assert "".join(detokenizer.push(token) for token in ids) == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_shown_is_always_whole_and_the_most_there_is(
    text: str, pieces: sentencepiece.SentencePieceProcessor, detokenizer: Detokenizer
) -> None:
    shown = ""
    for token, so_far in zip(ids := pieces.encode(text), itertools.accumulate([t] for t in ids), strict=True):
        shown += detokenizer.push(token)
        assert text.startswith(shown)
        readable = pieces.decode(list(so_far)).rstrip("\ufffd ")
        assert shown == readable


def test_every_split_of_bytes_among_padding_and_words_shows_whole_characters(
    pieces: sentencepiece.SentencePieceProcessor,
) -> None:
    text = "é森😀"
    ids = raw(pieces, text.encode())
    for cut in range(len(ids) + 1):
        detokenizer = Detokenizer(pieces)
        first = "".join(detokenizer.push(token) for token in ids[:cut])
        assert text.startswith(first)
        assert first + "".join(detokenizer.push(token) for token in ids[cut:]) == text


def test_bytes_that_form_no_character_leave_no_trace(
    pieces: sentencepiece.SentencePieceProcessor, detokenizer: Detokenizer
) -> None:
    word = pieces.piece_to_id("▁hello") if pieces.piece_to_id("▁hello") > 3 else pieces.encode("hello")[0]
    rubbish = (b"\xff\xfe", b"\xe3\x81", b"\x81\x82", b"\xc0\x80", b"\xf0\x9f\x98", b"\xed\xa0\x80")
    for data in rubbish:
        shown = "".join(map(detokenizer.push, [*raw(pieces, data), word]))
        assert "\ufffd" not in shown
        assert "<0x" not in shown
        assert shown.strip() == pieces.id_to_piece(word).strip("▁")
    mixed = raw(pieces, b"\xe3\x81" + "あ".encode() + b"\xff" + "い".encode())
    assert "".join(map(detokenizer.push, mixed)).endswith("あい")


def test_control_tokens_and_unknown_ones_say_nothing(detokenizer: Detokenizer) -> None:
    assert [detokenizer.push(token) for token in range(4)] == [""] * 4


def test_a_lone_mark_between_japanese_words_shows_no_space_and_between_english_words_one(
    pieces: sentencepiece.SentencePieceProcessor, detokenizer: Detokenizer
) -> None:
    mark = pieces.piece_to_id("▁")
    japanese = [*pieces.encode("はい"), mark, mark, *raw(pieces, "森".encode())]
    assert "".join(map(detokenizer.push, japanese)) == "はい森"
    detokenizer.reset()
    english = [*pieces.encode("hello"), mark, mark, *raw(pieces, b"you")]
    assert "".join(map(detokenizer.push, english)) == "hello you"


def test_reset_begins_a_new_text(
    pieces: sentencepiece.SentencePieceProcessor, detokenizer: Detokenizer
) -> None:
    hello = pieces.encode("hello")
    first = [detokenizer.push(token) for token in hello]
    for token in raw(pieces, b"\xe3\x81"):
        detokenizer.push(token)
    detokenizer.reset()
    assert [detokenizer.push(token) for token in hello] == first
