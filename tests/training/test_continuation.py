"""`aizuchi continue` as a user gives it: dialogues in, tokens and sound out, a sentence for what is wrong."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from moshi.models import LMModel
from safetensors.torch import load_file, save_file

from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.engine.fake import tiny_config
from app.errors import UserError
from app.paths import Paths, paths
from app.store.runs import RUN
from training.base import prepare_learner
from training.checkpoint import TRAINED, checkpoint_folder
from training.config import Config, Lora, write_config
from training.continuation import main
from training.generation import continue_dialogues
from training.streams import extend

PROMPT, FRAMES = 10, 15
SHORT = ["--prompt", str(PROMPT), "--frames", str(FRAMES)]


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "aizuchi")


@pytest.fixture(scope="session")
def both(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model for both voices as nu-dialogue/moshi-finetune does, with what belongs to it beside."""
    folder = tmp_path_factory.mktemp("models") / "both"
    folder.mkdir()
    found = json.loads((tiny / "config.json").read_text())
    state, config = extend(
        load_file(tiny / "model.safetensors"), {name: found[name] for name in tiny_config(0)}
    )
    save_file(state, folder / "model.safetensors")
    (folder / "moshi_lm_kwargs.json").write_text(json.dumps(config))
    return folder


def voice(frames: int, seed: int) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.integers(400, size=(1, frames)), rng.integers(256, size=(8, frames))])


def write(path: Path, lengths: dict[str, int]) -> Path:
    """Write dialogues of these lengths as nu-dialogue's tools do."""
    a, b = (
        [voice(frames, at + side).tolist() for at, frames in enumerate(lengths.values())] for side in (0, 9)
    )
    pq.write_table(pa.table({"dialogue_id": list(lengths), "A": a, "B": b}), path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "talks.parquet", {"one": 30, "two": 25, "three": 18, "four": 9})


@pytest.fixture
def command(both: Path, tiny: Path, data: Path) -> list[object]:
    return [both, "--base", tiny, "--data", data]


def go_on(where: Paths, *arguments: object) -> int:
    return main([str(argument) for argument in (*arguments, *SHORT)], where)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def tokens(folder: Path) -> dict[str, npt.NDArray[np.int64]]:
    return {path.stem: np.load(path) for path in sorted((folder / "generated_tokens").glob("*.npy"))}


def test_both_voices_go_on(
    command: list[object], tmp_path: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert go_on(where, *command, "--out", out, "--json", "--batch", 2) == 0
    told = lines(capsys.readouterr().out)
    assert told[0]["sentence"] == "1 of 4 dialogues left out, shorter than the prompt of 0.8 s: four."
    assert [each["done"] for each in told if each["kind"] == "progress"][-1] == 3.0
    assert (told[-1]["kind"], told[-1]["dialogues"]) == ("result", 3)
    found = tokens(out)
    assert list(found) == ["one", "three", "two"]
    assert all(each.shape == (17, FRAMES) and each.dtype == np.int64 for each in found.values())
    with wave.open(str(out / "generated_wavs" / "one.wav")) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getnframes()) == (2, 24_000, 1920 * FRAMES)
        sound = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
    assert np.abs(sound).max() > 100
    record = json.loads((out / "continuation.json").read_text())
    assert record["both_voices"] is True
    assert record["text_temperature"] == 0.8
    assert {entry["name"] for entry in record["dialogues"]} == {"one", "two", "three"}
    assert record["dialogues"][0]["turns"]["length_s"] == pytest.approx(FRAMES / 12.5)


def test_the_tokens_are_those_of_the_generator(
    command: list[object], both: Path, tiny: Path, tmp_path: Path, where: Paths
) -> None:
    out = tmp_path / "out"
    go_on(where, *command, "--out", out, "--greedy", "--limit", 1)
    outline = prove(find(str(both), base=str(tiny), both_voices=True))
    lm = load_lm(outline, torch.device("cpu"), torch.float32, lambda *_: None)
    codes = torch.from_numpy(np.concatenate([voice(30, 0), voice(30, 9)[1:]]))[None]
    expected = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)[0, :, PROMPT:]
    assert np.array_equal(tokens(out)["one"], expected.numpy())


def test_a_model_of_one_voice_answers_the_users(
    tiny: Path, data: Path, tmp_path: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert go_on(where, tiny, "--data", data, "--out", out) == 0
    told = capsys.readouterr().out
    assert told.count("predicts its own voice alone, so it answers the user's voice of each dialogue.") == 1
    found = tokens(out)
    assert np.array_equal(found["one"][9:], voice(30, 9)[1:, PROMPT : PROMPT + FRAMES])
    assert np.array_equal(found["three"][9:, :8], voice(18, 11)[1:, PROMPT:])
    assert (found["three"][9:, 8:] == found["three"][9:, 8:9]).all(), "the user is silent after the end"


def test_what_is_there_is_kept_and_the_rest_is_made(
    command: list[object], tiny: Path, tmp_path: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    go_on(where, *command, "--out", whole)
    go_on(where, *command, "--out", out, "--limit", 1)
    first = out / "generated_tokens" / "one.npy"
    written = first.stat().st_mtime_ns
    capsys.readouterr()
    go_on(where, *command, "--out", out, "--batch", 1)
    assert "Kept from before: 1." in capsys.readouterr().out
    assert first.stat().st_mtime_ns == written
    (out / "generated_wavs" / "two.wav").unlink()
    go_on(where, *command, "--out", out)
    # Alone, in twos or all together, and interrupted or not: the same tokens.
    assert tokens(out).keys() == tokens(whole).keys()
    assert all(np.array_equal(each, tokens(whole)[name]) for name, each in tokens(out).items())
    assert len(list((out / "generated_wavs").iterdir())) == 3
    with pytest.raises(
        UserError, match="holds 3 dialogues that were made otherwise: seed was 0, and is 5 now"
    ):
        go_on(where, *command, "--out", out, "--seed", 5)
    with pytest.raises(UserError, match="that were made otherwise: the model was another"):
        go_on(where, tiny, *command[3:], "--out", out)


def test_the_seed_decides(command: list[object], tmp_path: Path, where: Paths) -> None:
    for seed in 1, 2:
        out = tmp_path / str(seed)
        go_on(where, *command, "--out", out, "--seed", seed, "--limit", 1)
    assert not np.array_equal(tokens(tmp_path / "1")["one"], tokens(tmp_path / "2")["one"])


def test_without_a_folder_it_goes_beside_the_user(
    command: list[object], tmp_path: Path, where: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    go_on(where, *command, "--limit", 1)
    assert list(tokens(tmp_path / "continued-both")) == ["one"]


def test_names_that_are_no_names_of_files(tiny: Path, both: Path, tmp_path: Path, where: Paths) -> None:
    odd = write(tmp_path / "odd.parquet", {"../../up": 30, "a/b": 30, "会話" * 50: 30})
    go_on(where, both, "--base", tiny, "--data", odd, "--out", tmp_path / "out")
    assert list(tokens(tmp_path / "out")) == ["_.._up", "a_b", "会話" * 35]
    same = write(tmp_path / "same.parquet", {"a/b": 30, "a:b": 30})
    with pytest.raises(UserError, match="Two dialogues are called a_b"):
        go_on(where, both, "--base", tiny, "--data", same, "--out", tmp_path / "other")


def test_what_is_wrong_is_said_before_a_model_is_read(
    command: list[object], data: Path, tmp_path: Path, where: Paths
) -> None:
    with pytest.raises(UserError, match=r"No dialogue is 32.0 s long or longer"):
        main([str(each) for each in [*command, "--prompt", 400]], where)
    used = tmp_path / "used"
    used.mkdir()
    (used / "letter.txt").touch()
    with pytest.raises(UserError, match="used holds other files"):
        go_on(where, *command, "--out", used)
    with pytest.raises(UserError, match=r"deeper can not be used: Not a directory"):
        go_on(where, *command, "--out", used / "letter.txt" / "deeper")
    out = tmp_path / "out"
    go_on(where, *command, "--out", out, "--limit", 1)
    (out / "continuation.json").write_text("{")
    with pytest.raises(UserError, match=r"continuation.json is damaged"):
        go_on(where, *command, "--out", out)
    with pytest.raises(UserError, match="There is no model called 'nobody'"):
        go_on(where, "nobody", "--data", data)
    with pytest.raises(UserError, match="An echo has nothing to go on with"):
        go_on(where, "echo", "--data", data)
    with pytest.raises(UserError, match="is no training run, so it has no step 5"):
        go_on(where, *command, "--step", 5)


@pytest.mark.parametrize(
    "wrong",
    [["--prompt", "0"], ["--batch", "-1"], ["--temperature", "hot"], ["--top-k", "-1"], ["--limit", "0"]],
)
def test_options_that_are_none_end_the_program(
    data: Path, where: Paths, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tiny", "--data", str(data), *wrong], where)
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_a_model_that_gives_no_numbers(
    tiny: Path, folder: Path, data: Path, tmp_path: Path, where: Paths
) -> None:
    state = load_file(folder / "model.safetensors")
    # Finite as they are, and too large to reckon with; what is not finite is refused when it is read.
    state["out_norm.alpha"].fill_(3e38)
    save_file(state, folder / "model.safetensors")
    with pytest.raises(UserError, match="gives no numbers"):
        go_on(where, folder, "--data", data, "--out", tmp_path / "out")
    assert tokens(tmp_path / "out") == {}


def train(tiny: Path, run: Path, streams: Literal["model", "both"]) -> LMModel:
    """Write a run as the loop does, after two steps, and return the model after the first."""
    config = Config(model=str(tiny), data=("talks",), streams=streams, lora=Lora(rank=4), seed=3)
    learner = prepare_learner(config, find(str(tiny)), torch.device("cpu"), torch.float32)
    run.mkdir(parents=True)
    write_config(config, run / "config.toml")
    (run / RUN).write_text(json.dumps({"format": 1, "name": run.name, "best_step": 10}))
    generator = torch.Generator().manual_seed(0)
    for step in 20, 10:
        for name, parameter in learner.trained():
            if "lora_B" in name:
                parameter.data.normal_(0.0, 0.05, generator=generator)
        checkpoint_folder(run, step).mkdir(parents=True)
        save_file(dict(learner.trained()), checkpoint_folder(run, step) / TRAINED)
    return learner.lm


@pytest.mark.parametrize("streams", ["model", "both"])
def test_a_run_goes_on_with_its_best_checkpoint(
    tiny: Path, data: Path, tmp_path: Path, where: Paths, streams: Literal["model", "both"]
) -> None:
    lm = train(tiny, where.runs / "run-1", streams)
    go_on(where, "run-1", "--data", data, "--out", tmp_path / "out", "--greedy", "--limit", 1)
    codes = torch.from_numpy(np.concatenate([voice(30, 0), voice(30, 9)[1:]]))[None]
    expected = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)[0, :, PROMPT:]
    assert np.array_equal(tokens(tmp_path / "out")["one"], expected.numpy())
    assert json.loads((tmp_path / "out" / "continuation.json").read_text())["model"]["step"] == 10
    last = tmp_path / "last"
    go_on(where, where.runs / "run-1", "--step", 20, "--data", data, "--out", last, "--greedy", "--limit", 1)
    assert not np.array_equal(tokens(last)["one"], expected.numpy())


def test_a_run_without_that_checkpoint(tiny: Path, data: Path, where: Paths) -> None:
    run = where.runs / "run-1"
    train(tiny, run, "model")
    with pytest.raises(UserError, match=r"run-1 has no checkpoint after step 15. It has those after 10, 20"):
        go_on(where, run, "--data", data, "--step", 15)
    (checkpoint_folder(run, 10) / TRAINED).write_bytes(b"")
    with pytest.raises(UserError, match=r"trained.safetensors can not be read"):
        go_on(where, run, "--data", data, "--out", run / "out")
    write_config(Config(model=str(tiny), data=("talks",), lora=Lora(rank=8)), run / "config.toml")
    with pytest.raises(UserError, match="step-000020 does not fit its run: size mismatch"):
        go_on(where, run, "--data", data, "--step", 20, "--out", run / "other")
    for step in 10, 20:
        shutil.rmtree(checkpoint_folder(run, step))
    with pytest.raises(UserError, match="The run run-1 has no checkpoint yet"):
        go_on(where, run, "--data", data)
