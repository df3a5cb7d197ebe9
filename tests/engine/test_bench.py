"""The benchmark of the engine measures what it says, on both sides and in every mode."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from moshi.utils.compile import no_compile

from app import catalog
from app.cli import run_verb
from app.commands.bench import engine as bench
from app.commands.bench import plan as bench_plan
from app.commands.bench.plan import BESIDE, BLOCKS, SHARED, check_plan, make_plan, outline_random
from app.engine.device import Device
from app.engine.events import Sampling
from app.engine.fake import tiny_config
from app.engine.fast.frame import FrameStep
from app.engine.stepper import MoshiStepper
from app.errors import UserError
from app.paths import paths
from tests.engine.live import Live

KEYS = {
    *("mode", "device", "step_ms", "against_step_ms", "step_ratio", "mimi_ratio", "kernels_per_frame"),
    *("against_kernels_per_frame", "bandwidth_share", "peak_gb", "order", "needed_gb", "whole_peak_gb"),
}

GB = 1_000_000_000
CPU = torch.device("cpu")


def card(free_gb: float) -> Device:
    return Device(torch.device("cuda"), "Some Card", torch.bfloat16, int(free_gb * GB), int(free_gb * GB))


def with_room(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    """Let the processor have so much memory free, and copy little to find its bandwidth."""
    device = Device(CPU, "CPU", torch.float32, free_bytes, 64 * GB)
    monkeypatch.setattr(bench, "choose_device", lambda _: device)
    monkeypatch.setattr(bench_plan, "COPY_BYTES", 2**20)


def weigh(mode: str, *, wide: bool = False) -> int:
    lm = bench.random_lm(WIDE if wide else tiny_config(640), mode, CPU, torch.float32)
    return sum(tensor.nbytes for tensor in lm.state_dict().values())


WIDE = {**tiny_config(640), "dim": 512, "num_heads": 8, "num_layers": 6, "context": 20}
"""So wide that its weights are most of what is in memory."""


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
    assert measured["order"] == (SHARED if mode == "bf16" else BESIDE)
    assert measured["needed_gb"] > 0.2
    if mode == "bf16":
        assert measured["top1"] is None
    else:
        # Random weights expect nearly the same of every token: the likeliest is soon another.
        assert measured["top1"] > (0.95 if mode == "int8" else 0.5)
        assert 0 < measured["kl"] < 0.1


@pytest.mark.parametrize(
    ("mode", "free_gb", "weights"),
    [("bf16", 60.0, ["bf16"]), ("int8", 60.0, ["int8", "bf16"]), ("int8", 0.35, ["int8", "bf16"])],
    ids=["shared", "beside", "blocks"],
)
def test_no_more_weights_are_in_memory_than_were_counted(
    mode: str, free_gb: float, weights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "tiny_config", lambda _: WIDE)
    with_room(monkeypatch, int(free_gb * GB))
    sizes = [weigh(each, wide=True) for each in weights]
    at_once = max(sizes) if free_gb < 1 else sum(sizes)
    with Live() as live:
        measured = bench.measure("tiny", mode, 4, against="moshi")
    assert measured.order == {"bf16": SHARED, "int8": BESIDE if free_gb > 1 else BLOCKS}[mode]
    # Beside weights there are rings, and a layer's weight in float32 while it is packed or compared.
    assert at_once < live.most_bytes < at_once + min(sizes) / 2
    assert measured.needed_gb * GB > at_once
    assert measured.step_ratio is not None
    assert measured.step_ratio > 0


def test_in_blocks_the_same_is_measured_as_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    with_room(monkeypatch, 60 * GB)
    beside = bench.measure("tiny", "int4", 5, against="moshi")
    with_room(monkeypatch, int(0.25 * GB))
    blocks = bench.measure("tiny", "int4", 5, against="moshi")
    assert (beside.order, blocks.order) == (BESIDE, BLOCKS)
    assert blocks.needed_gb < beside.needed_gb
    assert (blocks.top1, blocks.kl) == (beside.top1, beside.kl)
    assert blocks.top1 is not None
    for name in ("kernels_per_frame", "against_kernels_per_frame", "bytes_per_frame", "context"):
        assert getattr(blocks, name) == getattr(beside, name) > 0


def test_engines_on_the_same_weights_do_not_disturb_each_other() -> None:
    def said(*engines: type) -> list[list[torch.Tensor]]:
        lm = bench.random_lm(tiny_config(640), "bf16", CPU, torch.float32)
        steppers = [engine(lm) for engine in engines]
        heard = torch.randint(lm.card, (30, 1, 8, 1), generator=torch.Generator().manual_seed(3))
        tokens: list[list[torch.Tensor]] = [[] for _ in steppers]
        for stepper in steppers:
            stepper.set_sampling(Sampling(greedy=True))
        for codes in heard:
            for stepper, each in zip(steppers, tokens, strict=True):
                if (frame := stepper.step(codes)) is not None:
                    each.append(frame.clone())
        for stepper in steppers:
            stepper.close()
        return tokens

    with torch.no_grad(), no_compile():
        ours, moshis = said(FrameStep, MoshiStepper)
        assert torch.equal(torch.cat(ours), torch.cat(said(FrameStep)[0]))
        assert torch.equal(torch.cat(moshis), torch.cat(said(MoshiStepper)[0]))


@pytest.mark.parametrize(
    ("mode", "free_gb", "order", "most_gb"),
    [("bf16", 23.5, SHARED, 21.0), ("int8", 23.5, BLOCKS, 18.4), ("int4", 23.5, BLOCKS, 18.4)],
)
def test_a_7b_model_is_measured_against_moshi_on_a_card_of_24_gb(
    mode: str, free_gb: float, order: str, most_gb: float
) -> None:
    outline = outline_random("7b", catalog.moshi_7b(), None)
    plan = make_plan(outline, card(free_gb), mode, "bf16", beside=True)
    check_plan(plan, outline, card(free_gb), mode, "bf16")
    assert plan.order == order
    assert 17.9 * GB < plan.needed_bytes < most_gb * GB
    assert make_plan(outline, card(140), mode, "bf16", beside=True).order == (
        SHARED if mode == "bf16" else BESIDE
    )


@pytest.mark.parametrize(
    ("mode", "free_gb", "beside", "advice"),
    [
        ("bf16", 19, True, "Without --against it takes 1"),
        ("bf16", 12, True, "With --mode int8, and without --against, it takes 1"),
        ("int8", 12, True, "Without --against it takes 1"),
        ("int4", 3, False, "Close other programs"),
    ],
)
def test_a_card_too_small_is_told_before_anything_is_made(
    mode: str, free_gb: float, beside: bool, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outline = outline_random("7b", catalog.moshi_7b(), None)
    monkeypatch.setattr(bench, "choose_device", lambda _: card(free_gb))
    monkeypatch.setattr(bench, "compile_trouble", lambda _: None)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    with pytest.raises(UserError) as refused:
        bench.measure("7b", mode, 5, against="moshi" if beside else None)
    plan = make_plan(outline, card(free_gb), mode, "bf16", beside=beside)
    assert refused.value.sentence == (
        f"To measure 7b takes {plan.needed_bytes / GB:.1f} GB of graphics memory, and {free_gb:.1f} of "
        f"{free_gb:.1f} GB are free on Some Card."
    )
    assert refused.value.advice.startswith(advice)


def test_what_the_engines_can_not_step_is_refused(tiny: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    assert run_verb("quantize", [str(tiny), "--out", str(packed), "--mode", "int8"], paths(tmp_path)) == 0
    assert bench.main(["--config", str(packed), "--frames", "2", "--json"]) == 0
    with pytest.raises(UserError, match="whose weights are packed"):
        bench.main(["--config", str(packed), "--against", "moshi", "--frames", "2"])
    with pytest.raises(UserError, match="are kept in int8, not in int4"):
        bench.main(["--config", str(packed), "--mode", "int4", "--frames", "2"])
    with pytest.raises(UserError, match="no device 'cuda:7'"):
        bench.main(["--config", "tiny", "--device", "cuda:7"])


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
