"""Where a space stands between words, and where pieces of text become words: by their script."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.paths import Paths, paths
from app.store.datasets import read_words
from tests.training.imports import record, run
from training.data.align import Word
from training.data.spacing import has_space_between, is_spaceless
from training.data.texts import _spaced_by_script


@pytest.mark.parametrize(
    "text", ["今日", "ｱｲｳﾞ", "カー。", "你好", "สวัสดี", "ＯＫ", "𠮷", "々〆", "「」", "ສະ", "ㄅ"]
)
def test_scripts_without_spaces(text: str) -> None:
    assert all(map(is_spaceless, text))


@pytest.mark.parametrize("text", ["hello", "안녕", "ﾡ", "привет", "שלום", "नमस्ते", "42", "…", "é", "😀"])
def test_scripts_with_spaces(text: str) -> None:
    assert not any(map(is_spaceless, text))


@pytest.mark.parametrize(
    ("before", "after", "pause_s", "spaced"),
    [
        ("hello", "there", 0.1, True),
        ("안녕", "하세요", 0.1, True),
        ("今日", "は", 0.1, False),
        ("今日", "は", 9.0, False),
        ("これは", "OK", 0.1, False),
        ("OK", "です", 0.1, False),
        ("です", "hello", 2.0, True),
        ("สวัสดี", "ครับ", 0.1, False),
    ],
)
def test_between_two_words(before: str, after: str, pause_s: float, spaced: bool) -> None:
    assert has_space_between(before, after, pause_s) is spaced


def test_a_text_of_several_scripts_is_spaced_as_it_is_written() -> None:
    said = [
        ("well", 0),
        ("ok", 0.5),
        ("今日", 5),
        ("は", 5.5),
        ("OK", 6),
        ("です", 6.5),
        ("so", 9),
        (" ", 9.5),
    ]
    words = [Word(text, at, at + 0.4) for text, at in reversed(said)]
    assert "".join(word.text for word in _spaced_by_script(words)) == "well ok今日はOKです so"


PIECES = {
    "en ja": [
        (3, 50, " Hel"), (4, 51, "lo"), (5, 52, "."), (40, 53, "今日"), (41, 54, "は"), (180, 55, "は"),
        (181, 56, "い"), (220, 57, " OK"), (240, 58, "ay"),
    ],
    "ko": [(3, 50, " 안녕"), (4, 51, "하세요"), (6, 52, " 네")],
    "th": [(3, 50, "สวัส"), (4, 51, "ดี"), (5, 52, "\u0e49า")],
    "ja": [(3, 50, "ｶ"), (4, 51, "\uff9eｯｺｳ"), (6, 52, "Go"), (7, 53, "ogle")],
    "": [(3, 50, "今日"), (4, 51, "は"), (150, 52, "はい")],
}  # fmt: skip
WORDS = {
    "en ja": ["Hello.", "今日", "は", "は", "い", "OK", "ay"],
    "ko": ["안녕하세요", "네"],
    "th": ["สวัส", "ดี\u0e49า"],
    "ja": ["ｶ\uff9eｯｺｳ", "Google"],
    "": ["今日", "は", "はい"],
}


@pytest.mark.parametrize("language", PIECES)
def test_pieces_become_words_by_their_script_and_never_over_a_pause(tmp_path: Path, language: str) -> None:
    where: Paths = paths(tmp_path / "files")
    record(where, "a", PIECES[language], language=language, frames=250)
    words = read_words(run(where, "a").text("a"))
    assert [word.text for word in words] == WORDS[language]
    assert all(word.end_s - word.start_s < 1.0 for word in words)
