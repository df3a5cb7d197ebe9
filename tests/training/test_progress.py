from __future__ import annotations

import json

import pytest

from training.progress import Progress

FINDING = {"dialogue": "one", "finding": "mono", "sentence": "It is mono.", "done": "B is silent."}


def test_programs_read_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("Encoding", 3.0, "s", True) as progress:
        progress.advance(1.0)
        progress.finding(FINDING)
        progress.advance(5.0)
    progress.result({"dialogues": 1, "sentence": "Done."})
    told, bar = capsys.readouterr()
    lines = [json.loads(line) for line in told.splitlines()]
    first = {"kind": "progress", "stage": "Encoding", "done": 0.0, "total": 3.0, "unit": "s", "left_s": None}
    assert lines[0] == first
    assert {"kind": "finding", **FINDING} in lines
    assert lines[-2] == {**first, "done": 3.0, "left_s": 0.0}
    assert lines[-1] == {"kind": "result", "dialogues": 1, "sentence": "Done."}
    assert bar == ""


def test_people_see_a_bar_and_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("Encoding", 2.0, "dialogues", False) as progress:
        progress.advance(2.5)
        progress.finding(FINDING)
    progress.result({"dialogues": 1, "sentence": "Done."})
    told, bar = capsys.readouterr()
    assert told.splitlines() == ["one: It is mono. B is silent.", "Done."]
    assert "Encoding: 100%" in bar
    assert "2/2 dialogues" in bar


@pytest.mark.parametrize("as_json", [True, False])
def test_what_can_not_be_printed_is_escaped(as_json: bool, capfd: pytest.CaptureFixture[str]) -> None:
    with Progress("Importing", 1.0, "s", as_json) as progress:
        progress.finding({**FINDING, "dialogue": "a\udc83b\nc", "sentence": "\ud800 is none."})
    progress.result({"sentence": "\udcff."})
    told = capfd.readouterr().out.splitlines()
    names = [json.loads(line).get("dialogue") for line in told] if as_json else [told[0].partition(":")[0]]
    assert "a\\x83b\\nc" in names
    assert all(line.isprintable() for line in told)
