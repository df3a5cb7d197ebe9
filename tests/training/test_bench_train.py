"""The benchmark of training measures real steps of both sides, which learn the same from the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.utils.compile import no_compile
from torch import Tensor

from app.errors import UserError
from app.paths import paths
from tests.training.test_speed import draw_codes
from training import yardstick
from training.bench import main, make_config
from training.yardstick import Place

ROOT = Path(__file__).parent.parent.parent

FIELDS = {
    "config", "device", "torch", "audio_s_per_s", "against_audio_s_per_s", "ratio", "peak_gb",
    "against_peak_gb", "data_share", "bits", "loss_difference",
}  # fmt: skip

QUICK = "--config tiny --seconds 4 --steps 2 --rank 4"

ABSENT = "PySide6", "sounddevice", "soundfile", "soxr", "bitsandbytes", "platformdirs", "tomli_w"


def run(arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """Return the table and the JSON line."""
    torch.set_num_threads(1)
    assert main(arguments.split(), paths(tmp_path)) == 0
    *table, last = capsys.readouterr().out.splitlines()
    return "\n".join(table), json.loads(last)


def test_both_sides_are_measured_and_lose_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, found = run(f"{QUICK} --bits 16,8 --against kyutai", tmp_path, capsys)
    assert found.keys() >= FIELDS
    assert "kyutai" in table and "tiny on CPU" in table
    assert [each["bits"] for each in found["runs"]] == [16, 8]
    assert {name: found[name] for name in FIELDS} == {name: found["runs"][0][name] for name in FIELDS}
    assert found["loss_difference"] < 1e-5 < found["runs"][1]["loss_difference"] < 0.01
    for each in found["runs"]:
        speeds = each["audio_s_per_s"], each["against_audio_s_per_s"]
        assert each["ratio"] == pytest.approx(speeds[0] / speeds[1])
        assert 0 < each["data_share"] < 0.5
        assert 0.003 < each["peak_gb"] < 0.1 and 0.003 < each["against_peak_gb"] < 0.1


def test_alone_it_measures_both_voices_and_prints_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, found = run(f"{QUICK} --both --json", tmp_path, capsys)
    assert table == "" and found["both"] is True and found["ratio"] is None


@pytest.mark.parametrize("arguments", ["--bits 3", "--steps 0", "--config 70b", "--against nobody"])
def test_what_can_not_be_measured_is_refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    capsys.readouterr()


def place() -> Place:
    torch.set_num_threads(1)
    return Place(make_config("tiny"), torch.device("cpu"), torch.float32)


def trained(side: yardstick.Side) -> list[Tensor]:
    return [weight.detach().clone() for weight in side.resident() if weight.requires_grad]


def test_both_sides_go_the_same_way() -> None:
    where = place()
    base = yardstick.draw_base(where)
    sides: list[yardstick.Side] = [
        yardstick.Ours(yardstick.build(where, base, 4, 16), chunk_frames=7),
        yardstick.Kyutai(yardstick.build(where, base, 4, 16)),
    ]
    before = [trained(side) for side in sides]
    codes = draw_codes(where.outline(), 20)
    with no_compile():
        losses = [[side.step(codes) for _ in range(4)] for side in sides]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4) and losses[0][3] < losses[0][0]
    after = [trained(side) for side in sides]
    for start, ours, theirs in zip(before[0], *after, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)
        assert not torch.equal(start, ours)
    assert all(torch.equal(one, other) for one, other in zip(*before, strict=True))


def test_bitsandbytes_optimiser_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    where = place()
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(UserError, match="bitsandbytes is not installed"):
        yardstick.Ours(yardstick.build(where, None, 4, 16), optimizer="adamw8bit")


def test_a_base_in_fewer_bits_is_the_same_base() -> None:
    where = place()
    base = yardstick.draw_base(where)
    whole, packed = yardstick.build(where, base, 4, 16), yardstick.build(where, None, 4, 8)
    linear = "transformer.layers.0.self_attn.in_projs.0"
    weight = whole.get_submodule(f"{linear}.frozen_W").weight
    torch.testing.assert_close(
        packed.get_submodule(f"{linear}.frozen_W").dequantize(), weight, rtol=0, atol=0.005
    )
    assert torch.equal(packed.text_emb.weight, whole.text_emb.weight)


def test_it_runs_where_only_torch_and_moshi_are_installed() -> None:
    code = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import torch
torch.set_num_threads(1)
import training.bench
sys.exit(training.bench.main({f"{QUICK} --bits 4,8 --json".split()}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bits"] == 4
