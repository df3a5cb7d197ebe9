"""A whole model read into few bits, and the same from a file that was packed before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.cli import run_verb
from app.engine import build, reader
from app.engine.checkpoint import find
from app.engine.events import Loadout
from app.engine.fast import quantized
from app.engine.fast.quantized import QuantizedEmbedding, QuantizedLinear
from app.errors import UserError
from app.frames import SAMPLE_RATE
from app.paths import paths
from tests.engine.conftest import GREEDY, Load, speech, talk


@pytest.fixture(scope="module")
def packed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the tiny model in each mode, as `aizuchi quantize` writes it, with a report."""
    home = tmp_path_factory.mktemp("home")
    user = home / "user.wav"
    soundfile.write(user, np.concatenate(speech(30)), SAMPLE_RATE)
    for mode in ("int8", "int4"):
        assert run_verb("quantize", [str(tiny), "--mode", mode, "--report", str(user)], paths(home)) == 0
    return {mode: paths(home).models / f"tiny-{mode}" for mode in ("int8", "int4")}


def bits(lm: torch.nn.Module) -> dict[str, int]:
    return {name: module.bits for name, module in lm.named_modules() if isinstance(module, QuantizedLinear)}


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_packed_file_holds_what_packing_at_the_load_gives(
    mode: str, tiny: Path, packed: dict[str, Path], load: Load
) -> None:
    now, before = load(tiny, loadout=Loadout(mode=mode), sampling=GREEDY), load(packed[mode], sampling=GREEDY)
    assert now.mode == before.mode == mode
    state = before._stepper.lm.state_dict()
    for name, tensor in now._stepper.lm.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert talk(now, speech(20)) == talk(before, speech(20))


@pytest.mark.parametrize("mode", ["bf16", "int8", "int4"])
def test_a_model_of_an_older_format_is_packed_row_by_row_as_it_is_read(
    mode: str, tiny: Path, folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The released 7B models keep the projections of all steps of the depth transformer in one tensor."""
    state = load_file(folder / "model.safetensors")
    for name in [name for name in state if name.endswith("_projs.0.weight")]:
        steps = [state.pop(name.replace(".0.w", f".{at}.w")) for at in range(8) if "depf" in name or at == 0]
        state[name.replace("in_projs.0.", "in_proj_").replace("out_projs.0", "out_proj")] = torch.cat(steps)
    assert "depformer.layers.0.self_attn.in_proj_weight" in state
    save_file(state, folder / "model.safetensors")
    whole = load(tiny, loadout=Loadout(mode=mode))._stepper.lm.state_dict()
    largest = 0

    def watch(*arguments: Any, **named: Any) -> Iterator[reader.Part]:
        nonlocal largest
        for part in reader.read_parts(*arguments, **named):
            largest = max(largest, part.size)
            yield part

    monkeypatch.setattr(build, "read_parts", watch)
    monkeypatch.setattr(build, "_pack_all", None)
    monkeypatch.setattr(reader, "SLICE_BYTES", 2000)
    found = load(folder, loadout=Loadout(mode=mode))._stepper.lm.state_dict()
    assert found.keys() == whole.keys()
    for name, tensor in whole.items():
        assert torch.equal(found[name], tensor), name
    assert largest <= 2000 or mode == "bf16"


@pytest.mark.parametrize("bits", [8, 4])
def test_rows_are_packed_as_they_are_among_others(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn(50, 128, generator=torch.Generator().manual_seed(1)).bfloat16()
    whole, table = quantized.pack(weight, bits), quantized.pack_table(weight)
    monkeypatch.setattr(quantized, "_NUMBERS_AT_ONCE", 128 * 7)
    again = (*quantized.pack(weight, bits), *quantized.pack_table(weight))
    for one, other in zip(again, (*whole, *table), strict=True):
        assert one is other is None or torch.equal(one, other)


def test_every_product_of_a_frame_is_packed(packed: dict[str, Path], load: Load) -> None:
    lm = load(packed["int4"])._stepper.lm
    found = bits(lm)
    kinds = {name.split(".")[0] for name in found}
    assert kinds == {"transformer", "depformer", "depformer_in", "linears", "text_linear"}
    for name, count in found.items():
        # The gates of the tiny model are no whole number of groups wide.
        assert count == (4 if name.startswith("transformer.") and "linear_out" not in name else 8), name
    tables = {name for name, module in lm.named_modules() if isinstance(module, QuantizedEmbedding)}
    assert tables == {
        name for name, _ in lm.named_modules() if re.fullmatch(r"(.*emb|emb\.\d+|.*_emb\.\d+)", name)
    } - {
        "emb",
        "depformer_emb",
    }
    left = [name for name, module in lm.named_modules() if type(module) is torch.nn.Linear]
    assert not left


def test_the_file_says_what_it_is_and_where_it_comes_from(packed: dict[str, Path]) -> None:
    weights = packed["int8"] / "model.safetensors"
    with safe_open(weights, framework="pt") as file:
        said = file.metadata()
    assert (said["format"], said["version"], said["mode"]) == ("aizuchi-quantized", "1", "int8")
    assert len(said["source"]) == 64
    tensors = load_file(weights)
    assert tensors["transformer.layers.0.self_attn.in_projs.0.weight"].dtype == torch.int8


def test_the_report_compares_every_stream(packed: dict[str, Path]) -> None:
    for mode in ("int8", "int4"):
        report = json.loads((packed[mode] / "report.json").read_text())
        assert list(report["streams"]) == ["text", "semantic", *(f"acoustic {at}" for at in range(1, 8))]
        assert report["bytes"] < report["whole_bytes"]
        assert report["frames"] > 25
    whole, few = (json.loads((packed[mode] / "report.json").read_text()) for mode in ("int8", "int4"))
    assert whole["top1"] >= 0.98
    assert 0 < whole["kl"] <= 0.01
    assert whole["kl"] < few["kl"] < 1


def test_packed_weights_and_moshis_engine_do_not_go_together(
    tiny: Path, packed: dict[str, Path], load: Load
) -> None:
    for folder, mode in ((tiny, "int8"), (packed["int8"], "auto")):
        with pytest.raises(UserError, match="moshi's own engine"):
            load(folder, loadout=Loadout(mode=mode, engine="moshi"))


def test_what_the_fast_engine_does_not_cover_is_not_packed(folder: Path, load: Load) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"positional_embedding": "sin"}))
    assert load(folder)._stepper.engine == "moshi"
    with pytest.raises(UserError, match="sin embeddings of positions"):
        load(folder, loadout=Loadout(mode="int4"))


def test_packed_weights_are_not_packed_again(packed: dict[str, Path], tmp_path: Path, load: Load) -> None:
    where = paths(tmp_path)
    with pytest.raises(UserError, match="packed already"):
        run_verb("quantize", [str(packed["int8"])], where)
    with pytest.raises(UserError, match="kept in int8, not in int4"):
        load(packed["int8"], loadout=Loadout(mode="int4"))


def test_what_is_in_the_way_is_kept(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(UserError, match="exists already"):
        run_verb("quantize", [str(tiny), "--out", str(tmp_path / "here")], paths(tmp_path))


def test_a_file_of_a_later_version_is_refused(packed: dict[str, Path], tmp_path: Path) -> None:
    for file in packed["int8"].iterdir():
        (tmp_path / file.name).symlink_to(file)
    weights = tmp_path / "model.safetensors"
    tensors = load_file(weights)
    weights.unlink()
    save_file(tensors, weights, {"format": "aizuchi-quantized", "version": "2", "mode": "int2"})
    with pytest.raises(UserError, match="newer version of Aizuchi"):
        build.prove(find(str(tmp_path)))
