"""What the parts below the window say when something is amiss is said in the user's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.ui.shell import language
from app.ui.shell.translation import SENTENCES, TEMPLATES, told

ROOT = Path(__file__).parents[2]

TERMINAL = (
    "headless.py", "offline.py", "quantize.py", "compare.py", "rig.py", "fake.py", "naming.py", "talk.py",
    "screen.py", "cli.py", "yardstick.py", "zero.py", "record.py", "bench.py",
)  # fmt: skip
"""What is said on a terminal alone."""

PRINTED = ("debug", "info", "warning", "exception", "print", "add_argument", "add_parser", "ArgumentParser")
"""What is called with sentences that no window shows."""

PUT_TOGETHER = {
    "The {0} “{1}” is not there; the default {2} is used.",
    "{0} needs {1} GB of {2}, and {3} of {4} GB are free on {5}.",
    "Training {0} this way needs about {1} GB of {2}, and {3} of {4} GB are free on {5}.",
    "The disk is full; the recording ended after {0}:{1}.",
    "The recording ended after {0}:{1}, since the disk refused it: {2}.",
    "Accept its licence at {0}, then give a token of yours under Settings, or `hf auth login`.",
    "{0} has an unknown setting {1}{2}.", "{0}, shorter than the prompt of {1} s: {2}.",
    "The dataset {0} holds {1}.",
    "The word '{0}' ends {1}.", "The word '{0}' begins {1}.", "It has {0} samples a second{1}.",
    "The model forgot the talk {0}.", "The dialogue {0} in {1} {2}.",
    "{0} at impossible times: {1}.", "{0} too long: {1}.", "{0} said over the one before: {1}.",
    "{0} speaks for {1} of {2} s without words, {3}.", "{0} has the {1} {2}, not 0 to {3}.",
    "{0} has {1}, not two at 24000 Hz.", "{0}, or raise batch.seconds, which is {1}.",
    "No dialogue is long enough to learn from: the longest has {0} s{1}.", "{0}; the best is step {1}.",
    "The weights {0}, and their configuration speaks of {1} depth steps.",
    "{0} does not fit its run: {1} {2}.",
}  # fmt: skip
"""Parts of these are phrases: they stand in the lists once for each way."""

LEAST_LETTERS = 6
"""A sentence of fewer is all filled in."""


def sentences() -> Iterator[str]:
    """Yield the template of each sentence that the parts below the window can say in it."""
    for file in sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "training").rglob("*.py")]):
        if {"ui", "starter", "bench"}.isdisjoint(file.relative_to(ROOT).parts) and file.name not in TERMINAL:
            yield from filter(is_sentence, texts(ast.parse(file.read_text(encoding="utf-8"))))


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts below a node, but for docstrings and what is printed."""
    if isinstance(node, (ast.Constant, ast.JoinedStr)):
        yield template(node)
    elif not (isinstance(node, ast.Call) and called(node) in PRINTED):
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
                yield from texts(child)


def is_sentence(text: str) -> bool:
    return (
        text.endswith(".")
        and " " in text
        and (text[0].isupper() or text[0] in "{'`")
        and sum(map(str.isalpha, text)) >= LEAST_LETTERS
    )


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
    found = set(sentences())
    assert len(found) > 300
    assert found - PUT_TOGETHER - set(TEMPLATES) - set(SENTENCES) == set()
    assert found > PUT_TOGETHER, "what is not said any more"


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
        (
            "talk-07: B speaks for 38 s and has no words.",
            "talk-07: B は 38 秒話していますが、言葉がありません。",
        ),
        (
            "3 words of A are at impossible times: “so” from 2.0 to 1.0 s.",
            "A の言葉 3 個の時刻がありえません: 2.0 秒から 1.0 秒の「so」。",
        ),
        ("a.toml: lora.rank can not be 'x'.", "a.toml: lora.rank を 'x' にはできません。"),
        ("There are no words of A and B.", "A と B の言葉がありません。"),
    ],
)
def test_it_is_said_in_japanese(said: str, expected: str) -> None:
    assert told(said) == expected


def test_in_english_it_stays_as_it_is() -> None:
    for text in ("There is no model called 'moshi9'.", "The talk broke off. The graphics memory ran out."):
        assert told(text) == text
