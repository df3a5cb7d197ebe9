"""What the parts below the window say when something is amiss is said in the user's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.ui import language
from app.ui.sentences import TEMPLATES
from app.ui.told import told

ROOT = Path(__file__).parents[2]

TERMINAL = (
    "bench.py", "bench_loading.py", "headless.py", "offline.py",
    "quantize.py", "compare.py", "rig.py", "fake.py", "talk.py",
)  # fmt: skip
"""What is said on a terminal alone."""

SAYING = ("UserError", "Trouble", "Failed", "report")

BY_HAND = {
    "The {0} “{1}” is not there; the default {2} is used.",
    "{0} needs {1} GB of {2}, and {3} of {4} GB are free on {5}.",
}
"""Their parts are words that are translated: they stand in the list once for each."""

LEAST_LETTERS = 6
"""A sentence of fewer is all filled in."""


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the module and the template of each sentence that is written where it is said."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        if "ui" in file.relative_to(ROOT).parts or file.name in TERMINAL:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in SAYING:
                yield from ((file.name, text) for each in node.args[:2] if (text := template(each)))
            elif isinstance(node, ast.keyword) and node.arg in ("trouble", "advice"):
                yield from ((file.name, text) for text in [template(node.value)] if text)


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def template(node: ast.expr) -> str:
    """Return a text with {0}, {1} for what is filled in, '' for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    text, number = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{number}}}"
            number += 1
    return text


def test_no_sentence_is_missing() -> None:
    found = {text for _, text in sentences() if sum(map(str.isalpha, text)) >= LEAST_LETTERS}
    assert len(found) > 80
    assert found - BY_HAND - set(TEMPLATES) == set()


@pytest.fixture
def japanese(qapp: QApplication) -> Iterator[None]:
    installed = language.install(qapp, "ja")
    yield
    for translator in installed:
        qapp.removeTranslator(translator)
    language.install(qapp, "en")


@pytest.mark.usefixtures("japanese")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("No model is loaded.", "モデルが読み込まれていません。"),
        ("There is no model called 'moshi9'.", "「moshi9」というモデルはありません。"),
        (
            "moshiko needs 17.9 GB of graphics memory, and 11.2 of 12.0 GB are free on A Card.",
            "moshiko には GPU メモリが 17.9 GB 必要ですが、A Card で空いているのは 12.0 GB 中 11.2 GB です。",
        ),
        (
            "The talk broke off. The graphics memory ran out.",
            "会話が中断しました。 GPU メモリが足りなくなりました。",
        ),
        ("A sentence that nobody knows.", "A sentence that nobody knows."),
        ("talk-07: B speaks for 38 s and has no words.", "talk-07: B speaks for 38 s and has no words."),
    ],
)
def test_it_is_said_in_japanese(said: str, expected: str) -> None:
    assert told(said) == expected


def test_in_english_it_stays_as_it_is() -> None:
    for text in ("There is no model called 'moshi9'.", "The talk broke off. The graphics memory ran out."):
        assert told(text) == text
