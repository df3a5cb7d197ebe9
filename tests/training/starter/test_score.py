"""`starter score` asks in voices that nothing is trained on, counts, and says what it could not measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from app.catalog import STARTER
from app.cli import run_verb
from app.engine.checkpoint import BUNDLED
from app.errors import UserError
from app.paths import paths
from tests.training.starter import needs
from training.starter import card, score
from training.starter.engines import Who
from training.starter.judges import JUDGES, PERSON, knows
from training.starter.listeners import WordRecogniser
from training.starter.score import FULL, NOISY, QUIET, SEEDS, Amount
from training.starter.scripts import LANGUAGES, display, phrases
from training.starter.speech import Sound

ONE = Amount(questions=1, new=1, cut_ins=1, controls=1, stories=1)


@pytest.fixture
def one_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one voice of espeak-ng ask, for seconds."""
    torch.set_num_threads(1)
    monkeypatch.setattr("training.starter.judges.JUDGES", {"en": (Who("espeak-ng", "en-us+m5"),)})
    monkeypatch.setattr("training.starter.judges._PROMPTS", BUNDLED / "nowhere")
    monkeypatch.setattr(score, "FEW", ONE)
    monkeypatch.setattr(score, "_EVERY_LINE", 20)


@pytest.mark.usefixtures("one_judge")
@needs.engine("espeak-ng")
def test_without_a_folder_the_bundled_model_is_scored_and_nothing_is_left_out_in_silence(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb("starter score", ["--few", "--json"], paths(home)) == 0
    said = capsys.readouterr()
    scores = json.loads(said.out)
    measured = {name for name, each in scores.items() if isinstance(each, dict) and "n" in each}
    assert {"answer_match_rate", "answer_match_rate_15db", "yield_rate_control", "step_ms_p95"} <= measured
    for name in card._SCORES:
        assert name in measured or name in " ".join(scores["notes"]), name
    assert scores["answer_match_rate"]["n"] == scores["new_phrasing_match_rate"]["n"] == 1
    assert scores["by_voice"]["answer_match_rate"]["espeak-ng en-us+m5"]["n"] == 1
    assert scores["step_ms_p95"]["value"] > 0
    # No recordings of a person are installed.
    assert "asterisk-core-sounds-en-g722" in said.err


def test_nobody_who_could_ask_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.starter.judges.JUDGES", {"en": (), "ja": ()})
    monkeypatch.setattr("training.starter.judges._PROMPTS", BUNDLED / "nowhere")
    with pytest.raises(UserError, match="No voice is installed that could ask"):
        score.score(BUNDLED / STARTER.name)


def test_all_voices_together_ask_often_enough() -> None:
    asked = {"question": 0, "new": 0, "cut_in": 0, "control": 0, "story": 0, "noisy": 0}
    texts = set()
    voices = [*((language, who) for language in JUDGES for who in JUDGES[language]), ("en", PERSON)]
    for number, (language, who) in enumerate(voices):
        for place, plan in score._plans(language, who, FULL, np.random.default_rng([0, number])):
            assert all(knows(who, text) for turn in plan for text in turn.texts), who
            for turn in plan:
                new = turn.kind == "question" and turn.texts[0].new
                asked["noisy" if place == NOISY else "new" if new else turn.kind] += 1
                if turn.kind == "question" and place == QUIET and not new:
                    texts.add((who, turn.texts[0].spoken))
    assert asked["question"] >= 100
    assert asked["noisy"] == asked["question"]
    assert asked["cut_in"] >= 60
    assert asked["control"] >= 30
    assert asked["new"] >= 50
    assert asked["story"] >= 20
    assert len(texts) >= 100
    assert SEEDS == 3


def test_plans_follow_from_the_seed_and_are_others_with_another() -> None:
    who = JUDGES["en"][0]
    first, again, other = (
        score._plans("en", who, FULL, np.random.default_rng([seed, 0])) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_question_comes_again_only_after_all_others() -> None:
    drawn = score._drawn("abc", 7, np.random.default_rng(0))
    assert sorted(drawn[:3]) == sorted(drawn[3:6]) == ["a", "b", "c"]


def test_the_card_tells_figures_with_their_intervals(tmp_path: Path) -> None:
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90, "of": 30}
    nothing = {"value": None, "low": None, "high": None, "n": 0, "of": 0}
    scores = {
        **dict.fromkeys(card._SCORES, figure),
        "yield_rate_control": nothing,
        "seeds": 3,
        "notes": ["The weather is left out."],
        "by_voice": {"answer_match_rate": {"flite slt": figure, "piper joe": nothing}},
    }
    card.write_card(tmp_path, scores)
    text = (tmp_path / card.CARD).read_text(encoding="utf-8")
    assert "| 0.50 (0.40 to 0.60) | 90 | at least 0.80 |" in text
    assert "| not measured | 0 | 0 |" in text
    assert "flite slt 0.50 of 90" in text
    assert "\nThe weather is left out.\n" in text
    assert "the right answer 45 times in 90" in text
    assert text.count("| 0.50 (0.40 to 0.60) | 90 |") == len(card._SCORES) - 1
    for language in LANGUAGES:
        for each in phrases(language).questions:
            assert display(each.answer, language) in text


class Ears(WordRecogniser):
    """Hears the words of whatever sound it knows."""

    def __init__(self, told: dict[float, str]) -> None:
        self._told = told

    def words(self, sound: Sound) -> list[str]:
        return self._told[float(sound[0])].split()


def test_word_errors_through_the_codec_stand_against_those_before_it() -> None:
    def through(line: str, before: float, after: float) -> score._Through:
        return score._Through(line, *(np.full(3, each, dtype=np.float32) for each in (before, after)))

    ears = Ears({1.0: "a small bird", 2.0: "a ball hurt", 3.0: "it came home", 4.0: "it came on"})
    lines = [through("A small bird.", 1, 2), through("It came home.", 3, 4)]
    assert score._codec_word_error(lines, ears).value == pytest.approx(3 / 6)
    against = score._codec_word_error_ratio(lines, ears)
    # Three more than none, and one is counted in both.
    assert against.value == pytest.approx(4 / 1)
    assert (against.low, against.high) == pytest.approx((3, 5))
    same = [through("A small bird.", 1, 1), through("It came home.", 4, 4)]
    assert score._codec_word_error_ratio(same, ears).value == 1
