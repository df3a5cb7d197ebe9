"""`starter probe` asks in voices that nothing is trained on, and tells how far they are heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from moshi.models import MimiModel

from app.catalog import STARTER
from app.cli import run_verb
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.errors import UserError
from app.paths import paths
from tests.training.starter import needs
from training.starter import judged, probe
from training.starter.bank import Settings as BankSettings
from training.starter.bank import make_bank
from training.starter.bank_codes import TAIL_FRAMES, Settings, encode_bank
from training.starter.engines import Who
from training.starter.judged import PLACES, Asked, encode_judges, read_judged
from training.starter.probe import learnt, probe_codes
from training.starter.user_texts import user_texts

pytestmark = needs.engine("espeak-ng")
MODEL = BUNDLED / STARTER.name
ASKER = Who("espeak-ng", "en-us+m5")


@pytest.fixture(scope="module")
def mimi() -> MimiModel:
    torch.set_num_threads(1)
    return build.load_mimi(checkpoint.find(str(MODEL)), torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mimi: MimiModel) -> Path:
    """Return a folder of what one voice asks."""
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as monkeypatch:
        one_judge(monkeypatch)
        encode_judges(folder, mimi)
    return folder


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a bank of a few questions, and its codes."""
    bank, codes = tmp_path_factory.mktemp("bank"), tmp_path_factory.mktemp("codes")
    make_bank(bank, BankSettings(engines=("espeak-ng",), revoiced=False, kinds=("question",), share=0.0005))
    encode_bank(bank, codes, MODEL, Settings(renditions=1))
    return bank, codes


def one_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one voice of espeak-ng ask, for seconds."""
    monkeypatch.setattr("training.starter.judges.JUDGES", {"en": (ASKER,)})
    monkeypatch.setattr("training.starter.judges._PROMPTS", BUNDLED / "nowhere")
    monkeypatch.setattr(judged, "LEARNT", 4)
    monkeypatch.setattr(judged, "NEW", 2)


def test_a_judge_asks_each_question_in_both_places(folder: Path) -> None:
    asked = read_judged(folder)
    assert len(asked) == (4 + 2) * len(PLACES)
    texts = {text.written: text for text in user_texts("en")}
    for each in asked:
        text = texts[each.question.text]
        assert (text.answer, text.new) == (each.question.answer, each.question.new)
        assert each.question[:3] == ("en", ASKER.engine, ASKER.name)
    quiet, noisy = ([each for each in asked if each.place == place] for place in PLACES)
    assert [each.question for each in quiet] == [each.question for each in noisy]
    assert sum(each.question.new for each in quiet) == 2
    assert len({each.question.answer for each in quiet if not each.question.new}) == 4


def test_noise_is_heard_in_one_of_them(folder: Path) -> None:
    rooms: dict[str, list[int]] = {place: [] for place in PLACES}
    for each in read_judged(folder):
        rooms[each.place].append(len(np.unique(each.coded.codes[1:, -TAIL_FRAMES + 3 :])))
    assert np.mean(rooms["noisy"]) > np.mean(rooms["quiet"]) + 2, "noise has more codes"


def test_who_has_asked_is_not_asked_again(
    folder: Path, mimi: MimiModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_judge(monkeypatch)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    encode_judges(folder, mimi)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_folder_without_judges_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No judge asks anything"):
        read_judged(tmp_path)


def test_codes_are_read_where_the_very_same_were_seen(
    bank: tuple[Path, Path], folder: Path, mimi: MimiModel
) -> None:
    known = list(learnt(*bank))
    assert known
    same = [
        Asked(judged.Question(entry.language, "kokoro", "one", str(at), entry.answer, False), "quiet", coded)
        for at, (entry, coded) in enumerate(known)
    ]
    figures = probe_codes(mimi, known, same)
    assert figures["codes quiet learnt"].value == 1
    assert figures["codes quiet kokoro"].n == len(same)
    assert figures["codes quiet others"].n == figures["codes quiet new"].n == 0
    with pytest.raises(UserError, match="No question of the bank is in codes"):
        probe_codes(mimi, [], read_judged(folder))


def test_the_verb_probes_codes_and_a_model(
    bank: tuple[Path, Path],
    folder: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one_judge(monkeypatch)
    # Less silence before each line: seconds less.
    monkeypatch.setattr(probe, "_SETTLED_FRAMES", 4)
    argv = [*map(str, bank), str(MODEL), "--judged", str(folder), "--own", "espeak-ng", "--json"]
    assert run_verb("starter probe", argv, paths(home)) == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    for measure in ("codes", "first", "path"):
        for place in PLACES:
            figure = figures[f"{measure} {place} learnt"]
            assert (figure["n"], figure["of"]) == (4, 4)
            assert 0 <= figure["value"] <= 1
    assert figures["path quiet learnt"]["value"] <= figures["first quiet learnt"]["value"]
    assert "recordings of a person" in err, "who can not speak is named"
