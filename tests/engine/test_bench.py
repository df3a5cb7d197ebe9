"""The benchmark of the engine measures what it says, on both sides and in every mode."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from app import catalog
from app.cli import run_verb
from app.engine import bench
from app.engine.fake import tiny_config
from app.engine.fast.frame import FrameStep
from app.errors import UserError
from app.paths import paths

KEYS = {
    *("mode", "device", "step_ms", "against_step_ms", "step_ratio", "mimi_ratio", "kernels_per_frame"),
    *("against_kernels_per_frame", "bandwidth_share", "peak_gb"),
}


@pytest.mark.parametrize("mode", ["bf16", "int8", "int4"])
def test_a_tiny_model_is_measured_against_moshi(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--config", "tiny", "--mode", mode, "--against", "moshi", "--frames", "30"]
    assert run_verb("bench engine", arguments, paths(tmp_path)) == 0
    table, line = capsys.readouterr().out.rsplit("\n", 2)[:2]
    measured = json.loads(line)
    assert set(measured) >= KEYS
    assert "step ms  p50" in table
    for side in ("step_ms", "against_step_ms"):
        assert 0 < measured[side]["p50"] <= measured[side]["p99"] <= measured[side]["p999"]
    assert measured["kernels_per_frame"] < measured["against_kernels_per_frame"]
    assert measured["mode"] == mode
    if mode == "bf16":
        assert measured["top1"] is None
    else:
        # Random weights expect nearly the same of every token: the likeliest is soon another.
        assert measured["top1"] > (0.95 if mode == "int8" else 0.5)
        assert 0 < measured["kl"] < 0.1


def test_a_folder_of_a_model_is_measured(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--config", str(tiny), "--frames", "5", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["against_step_ms"] is None
    assert measured["context"] == 250


def test_the_time_of_a_frame_is_drawn_by_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "frame.svg"
    arguments = ["--config", "tiny", "--against", "moshi", "--frames", "3", "--kv", "int8", "--json"]
    assert bench.main([*arguments, "--profile", str(picture)]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["kv"] == "int8"
    for parts in measured["parts_ms"].values():
        assert min(parts[kind] for kind in ("products", "convolutions", "attention", "sampling")) > 0
    shapes = ElementTree.parse(picture).getroot()
    words = {"".join(each.itertext()) for each in shapes.iter()}
    assert {"fast", "moshi", "products", "outside operators"} <= words


@pytest.mark.parametrize("model", [True, False], ids=["model", "random"])
def test_loading_is_measured_against_moshis(
    model: bool,
    tiny: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalog, "moshi_7b", lambda: tiny_config(640))
    which = ["--model", str(tiny)] if model else ["--folder", str(tmp_path)]
    assert run_verb("bench loading", [*which, "--times", "1"], paths(tmp_path)) == 0
    measured = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert min(measured[name] for name in ("load_s", "against_load_s", "disk_gb_s", "load_ratio")) > 0
    assert not list(tmp_path.glob("tmp*")), "what was made for it is gone"


def test_what_is_no_folder_is_refused() -> None:
    with pytest.raises(UserError, match="no model folder nowhere"):
        bench.main(["--config", "nowhere"])


def test_the_bytes_of_a_frame_are_those_counted_by_hand() -> None:
    shape = tiny_config(640)
    lm = bench.random_lm(shape, "bf16", torch.device("cpu"), torch.float32)
    temporal = 2 * (64 * 192 + 64 * 64 + 64 * 352 + 176 * 64)
    depth = 8 * 2 * (32 * 96 + 32 * 32 + 32 * 176 + 88 * 32)
    heads = 640 * 64 + 8 * 64 * 32 + 8 * 32 * 256
    ring, rows = 2 * 2 * 64 * 250, 17 * 64 + 8 * 32
    assert bench.count_bytes(FrameStep(lm)) == 4 * (temporal + depth + heads + ring + rows)


def test_random_weights_are_the_same_in_every_mode() -> None:
    where = (torch.device("cpu"), torch.float32)
    whole, packed = (bench.random_lm(tiny_config(640), mode, *where) for mode in ("bf16", "int8"))
    exact = whole.text_linear.weight
    assert (packed.text_linear.dequantize() - exact).abs().max() < exact.abs().max() / 200
    assert torch.equal(packed.out_norm.alpha, whole.out_norm.alpha)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("bench loading", ["--folder", "/nowhere"]),
        ("bench engine", ["--config", "tiny", "--profile", "/nowhere/frame.svg"]),
    ],
)
def test_a_folder_that_is_not_there_is_told_before_anything_is_measured(
    verb: str, arguments: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no folder /nowhere"):
        run_verb(verb, arguments, paths(tmp_path))


def test_nothing_is_read_no_times(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run_verb("bench loading", ["--times", "0"], paths(tmp_path))
