"""The bank of speech follows from its seed, goes on after it was stopped, and no judge speaks in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.errors import UserError
from app.frames import SAMPLE_RATE
from tests.training.starter import needs
from training.starter import bank
from training.starter.bank import Settings, make_bank, plan, read_shard, render, shards, summary
from training.starter.bank_voices import OWN_VOICES, kokoro_voices
from training.starter.engines import Engines, Spoken
from training.starter.judges import ENGINE_JUDGES, JUDGES, KOKORO_JUDGES
from training.starter.scripts import phrases
from training.starter.user_texts import KINDS

TINY = Settings(seed=3, engines=("espeak-ng",), revoiced=False, share=0.0003)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "SHARD_CLIPS", 4)


@pytest.mark.usefixtures("small_shards")
@needs.engine("espeak-ng")
def test_a_bank_is_the_same_each_time_and_on_two_cores(tmp_path: Path) -> None:
    make_bank(tmp_path / "one", TINY)
    make_bank(tmp_path / "two", TINY, workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert len(shards(tmp_path / "one")) > 1


@pytest.mark.usefixtures("small_shards")
@needs.engine("espeak-ng")
def test_one_that_was_stopped_goes_on_and_says_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bank(tmp_path / "whole", TINY)
    say, said = bank.render, []

    def stop(engines: Engines, clip: bank.Clip) -> Spoken:
        said.append(clip.number)
        if len(said) == 6:
            raise KeyboardInterrupt
        return say(engines, clip)

    monkeypatch.setattr(bank, "render", stop)
    with pytest.raises(KeyboardInterrupt):
        make_bank(tmp_path / "stopped", TINY)
    assert len(shards(tmp_path / "stopped")) == 1
    make_bank(tmp_path / "stopped", TINY)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")
    # Only those of the shard that was under way: the first shard was not said again.
    assert Counter(said).most_common(1)[0][1] == 2
    assert said.count(0) == 1
    make_bank(tmp_path / "stopped", TINY)
    assert len(said) == len(plan(TINY)) + 2


@needs.engine("espeak-ng")
def test_a_killed_one_leaves_nobody_behind_and_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "starter", "bank", "--engines", "espeak-ng", "--plain"]
    command += ["--share", "0.012", "--workers", "2", "--out"]
    with subprocess.Popen([*command, str(tmp_path / "killed")], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "0000").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert len(shards(tmp_path / "killed")) < 4
    assert len(workers) >= 2
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    for name in ("killed", "whole"):
        done = subprocess.run([*command, str(tmp_path / name)], capture_output=True, text=True, check=True)
        assert "385 clips" in done.stdout
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


@pytest.mark.usefixtures("small_shards")
@needs.engine("espeak-ng")
def test_a_larger_share_goes_on_where_a_smaller_one_ended(tmp_path: Path) -> None:
    make_bank(tmp_path / "grown", TINY)
    larger = Settings(**{**TINY.__dict__, "share": 0.0005})
    make_bank(tmp_path / "grown", larger)
    make_bank(tmp_path / "large", larger)
    assert files(tmp_path / "grown") == files(tmp_path / "large")


@pytest.mark.usefixtures("small_shards")
@needs.engine("espeak-ng")
def test_a_clip_is_made_again_from_its_index(tmp_path: Path) -> None:
    make_bank(tmp_path, TINY)
    clips = plan(TINY)
    for entry, sound in [each for shard in shards(tmp_path) for each in read_shard(shard)]:
        again = render(Engines(), clips[entry.number])
        assert (entry.text, entry.voice, entry.seed) == (
            again_text(clips, entry.number),
            clips[entry.number].who.name,
            3,
        )
        np.testing.assert_allclose(sound, again.sound, atol=2 / 2**15)
        assert np.abs(sound).max() == pytest.approx(0.7, abs=0.01)
        assert [word for word, _, _ in entry.words] == clips[entry.number].text.words
        assert entry.words[-1][2] <= entry.samples / SAMPLE_RATE + 0.01


def again_text(clips: list[bank.Clip], number: int) -> str:
    return clips[number].text.written


@needs.engine("espeak-ng")
def test_other_settings_are_refused_and_a_strange_folder_is_no_bank(tmp_path: Path) -> None:
    make_bank(tmp_path / "bank", TINY)
    with pytest.raises(UserError, match="was begun with other settings"):
        make_bank(tmp_path / "bank", Settings(**{**TINY.__dict__, "seed": 4}))
    with pytest.raises(UserError, match="is no bank of speech"):
        shards(tmp_path)
    with pytest.raises(UserError, match="No engine of the bank is called flite"):
        make_bank(tmp_path / "other", Settings(engines=("flite",)))
    assert "voices" in summary(tmp_path / "bank")


def test_the_whole_bank_has_every_question_often_and_in_many_voices() -> None:
    clips = plan(Settings())
    asked = Counter(clip.text.answer for clip in clips if clip.text.kind == "question")
    assert set(asked) == {each.answer for language in ("en", "ja") for each in phrases(language).questions}
    assert min(asked.values()) >= 150
    voices = {(clip.who.engine, clip.who.name) for clip in clips}
    assert len(voices) > 300
    assert len({name for engine, name in voices if engine == "kokoro"}) >= 100
    shares = Counter(clip.who.engine for clip in clips)
    assert 0.2 < shares["espeak-ng"] / len(clips) < 0.3
    assert 0.15 < np.mean([clip.change is not None for clip in clips]) < 0.6
    assert not any(clip.text.new for clip in clips)


def test_any_beginning_of_the_bank_is_a_small_bank() -> None:
    beginning = plan(Settings(share=0.05))
    assert beginning == plan(Settings())[: len(beginning)]
    asked = {clip.text.answer for clip in beginning if clip.text.kind == "question"}
    assert len(asked) == 59


def test_no_judge_speaks_in_the_bank_nor_the_model_itself() -> None:
    for clip in plan(Settings()):
        assert clip.who.engine not in ENGINE_JUDGES
        if clip.who.engine == "kokoro":
            styles = {part.partition(":")[0] for part in clip.who.name.split("+")}
            assert not styles & (KOKORO_JUDGES | set(OWN_VOICES.values())), clip.who
    judges = {who.name for each in JUDGES.values() for who in each if who.engine == "kokoro"}
    assert judges == KOKORO_JUDGES


def test_voices_and_their_speeds_are_always_the_same() -> None:
    first = kokoro_voices("en")
    kokoro_voices.cache_clear()
    assert kokoro_voices("en") == first
    assert len({speed for _, speed in first}) == len(first)


@needs.engine("espeak-ng")
def test_a_bank_says_whose_voices_it_has(tmp_path: Path) -> None:
    make_bank(tmp_path, TINY)
    assert "espeak-ng" in (tmp_path / bank.NOTICE).read_text()
    assert json.loads((tmp_path / bank.SETTINGS).read_text())["engines"] == ["espeak-ng"]


@pytest.mark.parametrize("name", ["kokoro", "festival", "open-jtalk"])
def test_an_engine_that_is_missing_is_said_before_anything_is_done(tmp_path: Path, name: str) -> None:
    from training.starter.engines import missing

    if missing(name) is None:
        pytest.skip(f"{name} is installed")
    with pytest.raises(UserError, match=f"{name} can not speak here"):
        make_bank(tmp_path / "bank", Settings(engines=("espeak-ng", name)))
    assert not (tmp_path / "bank").exists()


def test_kinds_that_came_later_leave_the_plan_of_the_others_as_it_was() -> None:
    first = ("question", "cut_in", "murmur", "hesitation", "opening", "clause")
    clips = plan(Settings(kinds=first))
    assert {clip.text.kind for clip in clips} == set(first)
    others = plan(Settings(kinds=tuple(kind for kind in KINDS if kind not in first)))
    assert {clip.text.kind for clip in others} == set(KINDS) - set(first)
    assert len(clips) + len(others) == len(plan(Settings()))


def test_a_kind_that_no_text_is_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No text is of the kind poem"):
        make_bank(tmp_path, Settings(kinds=("question", "poem")))
