"""Every form of a model that people have is found, and every way in which one is broken is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from moshi.models import LMModel, loaders
from moshi.modules.lora import LoRALinear, replace_all_linear_with_lora
from moshi.utils.compile import no_compile
from moshi.utils.quantize import replace_linear_with_qlinear
from safetensors.torch import load_file, save_file

from app import catalog
from app.engine import checkpoint
from app.engine.build import load_lm, load_mimi, prove
from app.engine.checkpoint import Checkpoint, find
from app.engine.events import Loadout
from app.errors import UserError
from tests.engine.conftest import GREEDY, Load, speech, talk
from training.streams import extend

HEARD = speech(25)


def read(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return config


def change(folder: Path, **changes: object) -> None:
    """Change settings of a config.json; None takes one out."""
    config = read(folder) | changes
    kept = {name: value for name, value in config.items() if value is not None or name == "layer_scale"}
    (folder / "config.json").write_text(json.dumps(kept))


def lm_config(folder: Path) -> dict[str, Any]:
    names = ("moshi_name", "mimi_name", "mimi_config_name", "tokenizer_name", "model_type", "model_id")
    return {name: value for name, value in read(folder).items() if name not in names}


def in_cache(monkeypatch: pytest.MonkeyPatch, cache: Path, repo: str, files: dict[str, Path | str]) -> Path:
    """Lay files out as the hub's library does after a download, with blobs and links, and return blobs."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    root = cache / f"models--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / ("a" * 40)
    for folder in (root / "refs", root / "blobs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text("a" * 40)
    for name, content in files.items():
        blob = root / "blobs" / name
        blob.write_bytes(content.read_bytes() if isinstance(content, Path) else content.encode())
        os.symlink(blob, snapshot / name)
    return root / "blobs"


# --- The forms -----------------------------------------------------------------------------------


def test_a_folder_in_the_official_format(tiny: Path) -> None:
    found = find(str(tiny))
    assert (found.name, found.kind, found.source) == ("tiny", "folder", str(tiny))
    assert found.weights == tiny / "model.safetensors"
    assert found.mimi_config == json.loads((tiny / "mimi.json").read_text())
    assert found.config == lm_config(tiny)
    prove(found)


def test_tiny_is_made_in_the_models_folder_and_kept_there(tmp_path: Path) -> None:
    found = find("tiny", models=tmp_path)
    written = found.weights.stat().st_mtime_ns
    assert found.weights.parent == tmp_path / "tiny"
    assert find("tiny", models=tmp_path).weights.stat().st_mtime_ns == written
    change(tmp_path / "tiny", model_id={"tiny_format": 0})
    assert find("tiny", models=tmp_path).weights.stat().st_mtime_ns != written


def test_a_repository_of_the_hub_with_a_configuration(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Load
) -> None:
    files: dict[str, Path | str] = {path.name: path for path in tiny.iterdir()}
    in_cache(monkeypatch, tmp_path, "someone/tiny", files)
    found = find("someone/tiny")
    assert (found.name, found.kind) == ("someone/tiny", "hub")
    assert found.mimi_config is not None
    expected = talk(load(tiny, sampling=GREEDY), HEARD)
    assert talk(load("someone/tiny", sampling=GREEDY), HEARD) == expected


def test_a_repository_that_takes_files_from_another(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {name: tiny / name for name in ("mimi.safetensors", "mimi.json", "tokenizer.model")}
    in_cache(monkeypatch, tmp_path, "kyutai/base", dict(shared))
    names = {"mimi_name": "mimi.safetensors", "mimi_config_name": "mimi.json"}
    names["tokenizer_name"] = "tokenizer.model"
    config = read(tiny) | {key: f"hf://kyutai/base/{name}" for key, name in names.items()}
    own: dict[str, Path | str] = {
        "config.json": json.dumps(config),
        "model.safetensors": tiny / "model.safetensors",
    }
    in_cache(monkeypatch, tmp_path, "someone/finetune", own)
    found = find("someone/finetune")
    assert "kyutai--base" in str(found.mimi)
    prove(found)


def test_a_known_model_has_our_configuration_even_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    q8 = catalog.find("moshiko-q8")
    assert q8 is not None
    in_cache(monkeypatch, tmp_path, q8.repo, {"model.q8.safetensors": "weights"})
    shared: dict[str, Path | str] = {catalog.MIMI_NAME: "mimi", catalog.TOKENIZER_NAME: "pieces"}
    in_cache(monkeypatch, tmp_path, q8.shared_repo, shared)
    found = find("moshiko-q8")
    assert found.kind == "catalogue"
    assert found.quantized
    assert find(q8.repo) == found


def test_a_known_model_that_is_not_here_is_told_to_be_missing() -> None:
    with pytest.raises(UserError, match=r"nu-dialogue/j-moshi is not on this computer.*HF_HUB_OFFLINE"):
        find("j-moshi")


def test_a_bare_folder_that_is_no_7b_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"has no config.json, and model.safetensors is not a Moshi 7B"):
        find(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="holds no model that could be recognised"):
        find(str(folder))


def test_a_bare_folder_of_a_7b_takes_the_configuration_of_the_7b(tmp_path: Path) -> None:
    """The weights are a hole in a sparse file: 15 GB that take no room."""
    header, offset = {}, 0
    for name, tensor in outline_7b().items():
        size = 2 * tensor.numel()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    raw = json.dumps(header).encode()
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + offset)
    (tmp_path / catalog.MIMI_NAME).touch()
    (tmp_path / catalog.TOKENIZER_NAME).touch()
    found = find(str(tmp_path))
    assert found.kind == "bare folder"
    assert found.config == loaders._lm_kwargs
    assert abs(found.weights.stat().st_size - catalog.HUB[0].weights_bytes) < 1_000_000


def outline_7b() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return dict(loaders.get_moshi_lm(None, device="meta").state_dict())


def nu_dialogue(tiny: Path, folder: Path) -> Path:
    """Write a folder as nu-dialogue/moshi-finetune does after cleaning, with keys of moshi 0.1."""
    folder.mkdir()
    state = load_file(tiny / "model.safetensors")
    for stem, count in (("transformer", 1), ("depformer", 8)):
        for layer in range(2):
            prefix = f"{stem}.layers.{layer}.self_attn."
            for new, old in (("in_projs", "in_proj_weight"), ("out_projs", "out_proj.weight")):
                parts = [state.pop(f"{prefix}{new}.{step}.weight") for step in range(count)]
                state[prefix + old] = torch.cat(parts)
    save_file(state, folder / "model.safetensors")
    config = lm_config(tiny) | {"depformer_causal": True}
    (folder / "moshi_lm_kwargs.json").write_text(json.dumps(config))
    return folder


def test_a_nu_dialogue_folder_on_its_base(tiny: Path, tmp_path: Path, load: Load) -> None:
    folder = nu_dialogue(tiny, tmp_path / "step_10000_cleaned")
    found = find(str(folder), base=str(tiny))
    assert (found.name, found.kind, found.note) == ("step_10000_cleaned", "nu-dialogue", "")
    assert found.mimi == tiny / "mimi.safetensors"
    for mode in ("bf16", "int8"):
        how = {"sampling": GREEDY, "loadout": Loadout(mode=mode)}
        expected = talk(load(tiny, **how), HEARD)
        assert talk(load(folder, base=str(tiny), **how), HEARD) == expected


def test_a_model_for_both_voices_is_found_whole_by_those_who_ask_for_it(tiny: Path, tmp_path: Path) -> None:
    """As nu-dialogue/moshi-finetune writes it until its tools.clean_moshi: with names of its own."""
    folder = tmp_path / "both"
    folder.mkdir()
    state, config = extend(load_file(tiny / "model.safetensors"), lm_config(tiny))
    renamed = {name.replace("linear_in.w", "linear_in_w"): state[name] for name in state}
    renamed = {name.replace("linear_out.w", "linear_out_w"): renamed[name] for name in renamed}
    save_file(renamed, folder / "model.safetensors")
    (folder / "moshi_lm_kwargs.json").write_text(json.dumps(config))
    assert prove(find(str(folder), base=str(tiny))).lm.dep_q == 8
    outline = prove(find(str(folder), base=str(tiny), both_voices=True))
    assert outline.lm.dep_q == 16
    lm = load_lm(outline, torch.device("cpu"), torch.float32, lambda *_: None)
    assert torch.equal(lm.depformer.layers[0].gating[9].linear_out.weight, state[GATING])
    assert load_mimi(outline.checkpoint, torch.device("cpu")).num_codebooks == 8


GATING = "depformer.layers.0.gating.1.linear_out.weight"
"""What step 9, for the user's second codebook, is a copy of."""


def test_a_nu_dialogue_folder_without_a_base_says_what_it_assumes(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("model.safetensors", catalog.MIMI_NAME, catalog.TOKENIZER_NAME)
    in_cache(monkeypatch, tmp_path / "cache", catalog.HUB[0].repo, dict.fromkeys(names, "x"))
    found = find(str(nu_dialogue(tiny, tmp_path / "finetune")))
    assert found.note == (
        "finetune does not say which tokenizer it was trained with; that of moshiko (English) is assumed."
    )
    assert found.tokenizer.name == catalog.TOKENIZER_NAME


def consolidated(tiny: Path, run: Path, *, lora: bool) -> Path:
    """Write a run as kyutai-labs/moshi-finetune does: lora.safetensors or consolidated.safetensors."""
    folder = run / "checkpoints" / "checkpoint_000100" / "consolidated"
    folder.mkdir(parents=True)
    state = load_file(tiny / "model.safetensors")
    if lora:
        torch.manual_seed(5)
        lm = loaders.get_moshi_lm(None, lm_config(tiny), dtype=torch.float32)
        replace_all_linear_with_lora(lm, 4, 2.0)
        state = {name: value for name, value in lm.state_dict().items() if "lora_" in name}
        assert state
    save_file(state, folder / ("lora.safetensors" if lora else "consolidated.safetensors"))
    config = read(tiny) | {"lora": True, "lora_rank": 4, "lora_scaling": 2.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_consolidated_folder_of_a_whole_model(tiny: Path, tmp_path: Path, load: Load) -> None:
    folder = consolidated(tiny, tmp_path, lora=False)
    found = find(str(folder), base=str(tiny))
    assert (found.name, found.kind, found.adapter) == ("checkpoint_000100", "consolidated", None)
    expected = talk(load(tiny, sampling=GREEDY), HEARD)
    assert talk(load(folder, base=str(tiny), sampling=GREEDY), HEARD) == expected


def test_an_adapter_is_fused_into_its_base(tiny: Path, tmp_path: Path, load: Load) -> None:
    folder = consolidated(tiny, tmp_path, lora=True)
    fused = load(folder, base=str(tiny))._stepper.lm
    assert not any(isinstance(module, LoRALinear) for module in fused.modules())
    weights, where = tiny / "model.safetensors", {"device": fused.device, "dtype": fused.dtype}
    with_adapter = lm_config(tiny) | {"lora": True, "lora_rank": 4, "lora_scaling": 2.0}
    unfused = loaders.get_moshi_lm(
        weights, with_adapter, lora_weights=folder / "lora.safetensors", fuse_lora=False, **where
    )
    plain = loaders.get_moshi_lm(weights, lm_config(tiny), **where)
    fused._stop_streaming()
    expected = logits(unfused)
    tolerance = 1e-4 if fused.dtype == torch.float32 else 0.1
    torch.testing.assert_close(logits(fused), expected, rtol=tolerance, atol=tolerance)
    assert not torch.allclose(logits(plain), expected, atol=1.0), "the adapter changes much"
    packed = load(folder, base=str(tiny), loadout=Loadout(mode="int8"))._stepper.lm
    off = logits(packed) - expected
    assert off.norm() < 0.05 * expected.norm(), "fused before it was packed"


@torch.no_grad()
def logits(lm: LMModel) -> torch.Tensor:
    codes = torch.randint(200, (1, 17, 1), generator=torch.Generator().manual_seed(0))
    with no_compile():
        return lm.forward_text(codes.to(lm.device))[1]  # type: ignore[no-any-return]


def test_the_base_that_a_run_wrote_down_is_taken(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: dict[str, Path | str] = {path.name: path for path in tiny.iterdir()}
    in_cache(monkeypatch, tmp_path / "cache", "someone/base-model", files)
    folder = consolidated(tiny, tmp_path / "run", lora=True)
    (tmp_path / "run" / "args.yaml").write_text("data: {}\nmoshi_paths:\n  hf_repo_id: someone/base-model\n")
    found = find(str(folder))
    assert "someone--base-model" in str(found.weights)
    assert found.note == ""
    prove(found)


def test_an_adapter_in_the_official_format(tiny: Path, tmp_path: Path) -> None:
    adapter = consolidated(tiny, tmp_path / "run", lora=True)
    os.rename(adapter / "lora.safetensors", adapter / "mine.safetensors")
    change(adapter, lora_name="mine.safetensors")
    found = find(str(adapter), base=str(tiny))
    assert found.adapter is not None
    assert (found.adapter.path.name, found.adapter.rank, found.adapter.scaling) == ("mine.safetensors", 4, 2)
    prove(found)


def quantized(folder: Path) -> Path:
    """Turn a folder into one with 8-bit weights, as moshi's export_quantized.py does."""
    lm = loaders.get_moshi_lm(folder / "model.safetensors", lm_config(folder), dtype=torch.bfloat16)
    replace_linear_with_qlinear(lm)
    (folder / "model.safetensors").unlink()
    save_file(lm.state_dict(), folder / "model.q8.safetensors")
    change(folder, moshi_name="model.q8.safetensors", quantize=True)
    return folder


def test_8_bit_weights_talk_and_keep_their_scales_in_float32(folder: Path, load: Load) -> None:
    model = load(quantized(folder), sampling=GREEDY)
    assert model.mode == "q8"
    assert any(token is not None for token, _ in talk(model, HEARD))
    lm = load_lm(prove(find(str(folder))), torch.device("cpu"), torch.bfloat16, lambda *_: None)
    assert lm.text_linear.weight_scb.dtype == torch.float32, "in less, moshi refuses to compute"
    assert lm.text_emb.weight.dtype == torch.bfloat16


def test_an_adapter_on_8_bit_weights_is_refused(tiny: Path, folder: Path, tmp_path: Path) -> None:
    adapter = consolidated(tiny, tmp_path / "run", lora=True)
    with pytest.raises(UserError, match=r"lora.safetensors is a LoRA adapter.*8-bit.*full-precision"):
        find(str(adapter), base=str(quantized(folder)))


def test_an_adapter_on_an_adapter_is_refused(tiny: Path, folder: Path, tmp_path: Path) -> None:
    first = consolidated(tiny, tmp_path / "a", lora=True)
    for path in tiny.iterdir():
        if path.name != "config.json":
            (first / path.name).write_bytes(path.read_bytes())
    second = consolidated(tiny, tmp_path / "b", lora=True)
    with pytest.raises(UserError, match="is an adapter itself"):
        find(str(second), base=str(first))


# --- The faults ----------------------------------------------------------------------------------


def whole(folder: Path) -> Checkpoint:
    found = find(str(folder))
    prove(found)
    return found


def rewrite(folder: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(folder / "model.safetensors")
    edit(state)
    save_file(state, folder / "model.safetensors")


@pytest.mark.parametrize("name", ["model.safetensors", "mimi.safetensors", "mimi.json", "tokenizer.model"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"model has no {name}.*Copy it there"):
        whole(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "mimi.safetensors"])
def test_a_truncated_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1000])
    with pytest.raises(UserError, match=f"{name} is cut short"):
        whole(folder)


@pytest.mark.parametrize("name", ["config.json", "mimi.json"])
@pytest.mark.parametrize("text", ['{"dim": 64,', "[1, 2]", "\xff"])
def test_a_broken_configuration_is_named(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=f"{name} is not (valid JSON|a JSON object)"):
        whole(folder)


def test_missing_and_unknown_tensors_are_named(folder: Path) -> None:
    rewrite(folder, lambda state: state.pop("text_linear.weight"))
    with pytest.raises(UserError, match=r"model.safetensors lacks 1 tensors, such as text_linear.weight"):
        whole(folder)
    rewrite(folder, lambda state: state.update({"text_linear.weight": torch.zeros(1), "odd": torch.zeros(1)}))
    with pytest.raises(UserError, match=r"model.safetensors does not fit.*size mismatch for text_linear"):
        whole(folder)
    card = read(folder)["text_card"]
    rewrite(folder, lambda state: state.update({"text_linear.weight": torch.zeros(card, 64)}))
    with pytest.raises(UserError, match=r"model.safetensors has unknown 1 tensors, such as odd"):
        whole(folder)


def test_attention_weights_of_another_width_are_refused(folder: Path) -> None:
    key = "transformer.layers.0.self_attn.in_proj_weight"
    rewrite(folder, lambda state: state.update({key: torch.zeros(7, 64)}))
    with pytest.raises(UserError, match=r"model.safetensors does not fit its configuration"):
        whole(folder)


def test_8_bit_weights_with_a_configuration_for_others_are_refused(folder: Path) -> None:
    quantized(folder)
    change(folder, quantize=None)
    with pytest.raises(UserError, match=r"model.q8.safetensors"):
        whole(folder)


def test_a_tokenizer_of_another_size_is_refused(folder: Path) -> None:
    config = read(folder)
    change(folder, text_card=config["text_card"] - 1)
    with pytest.raises(UserError, match=rf"tokenizer.model has {config['text_card']} pieces"):
        whole(folder)
    (folder / "tokenizer.model").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"tokenizer.model is no SentencePiece model"):
        whole(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dim": None}, "config.json says nothing about dim"),
        ({"context": "long"}, "config.json has a strange value for context: 'long'"),
        ({"delays": 1}, "config.json has a strange value for delays: 1"),
        ({"moshi_name": 7}, "config.json has a strange value for moshi_name: 7"),
        ({"dep_q": 12}, "describes no dialogue model: n_q is 16, dep_q 12"),
        ({"n_q": 12, "delays": [0] * 13}, "describes no dialogue model: n_q is 12, dep_q 8"),
        ({"n_q": 17, "delays": [0] * 18}, "describes no dialogue model: n_q is 17, dep_q 8"),
        ({"delays": [0] * 3}, "with 3 delays"),
        ({"model_type": "hibiki"}, "of the kind 'hibiki'"),
        ({"stt_config": {"audio_delay_seconds": 1}}, "not one for dialogue"),
        ({"conditioners": {"description": {}}}, "not one for dialogue"),
        ({"num_heads": 5}, "describes no model that moshi can build"),
        ({"favourite_colour": "blue"}, "describes no model that moshi can build"),
        ({"gating": "sqrt"}, "moshi can build: Unknown activation sqrt"),
        ({"num_layers": 3}, "does not fit its configuration: num_layers is 3 in .*, and 2 here"),
        ({"card": 128}, "has 256 codes"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    folder: Path, changes: dict[str, object], sentence: str
) -> None:
    change(folder, **changes)
    with pytest.raises(UserError, match=sentence):
        whole(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sample_rate": 16_000, "frame_rate": 16_000 / 1920}, "makes 16000 Hz"),
        ({"quantizer": {"n_q": 4}}, "Mimi configuration of .* describes no model that moshi can build"),
        ({"seanet": {}}, r"moshi can build|mimi.safetensors does not fit"),
        ({"seanet": {"ratios": [0, 0]}}, r"mimi.json has a strange value for seanet.ratios: \[0, 0\]"),
    ],
)
def test_a_mimi_that_does_not_fit_is_refused(folder: Path, changes: dict[str, object], sentence: str) -> None:
    config = json.loads((folder / "mimi.json").read_text())
    (folder / "mimi.json").write_text(json.dumps(config | changes))
    with pytest.raises(UserError, match=sentence):
        whole(folder)


def test_an_adapter_of_another_rank_or_without_its_settings_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = consolidated(tiny, tmp_path, lora=True)
    change(folder, lora_rank=8)
    with pytest.raises(UserError, match=r"lora.safetensors does not fit its configuration: size mismatch"):
        prove(find(str(folder), base=str(tiny)))
    change(folder, lora=False)
    with pytest.raises(UserError, match=r"lora.safetensors is a LoRA adapter, but its configuration"):
        find(str(folder), base=str(tiny))


def test_half_an_adapter_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = consolidated(tiny, tmp_path, lora=True)
    state = load_file(folder / "lora.safetensors")
    save_file({name: value for name, value in state.items() if "lora_A" in name}, folder / "lora.safetensors")
    with pytest.raises(UserError, match=r"lora.safetensors lacks \d+ tensors, such as .*lora_B"):
        prove(find(str(folder), base=str(tiny)))


# --- Names, and what is fetched for them -----------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "https://huggingface.co/someone/tiny",
        "https://huggingface.co/someone/tiny/",
        "https://huggingface.co/someone/tiny/tree/main",
        "http://hf.co/someone/tiny?library=moshi",
        "huggingface.co/someone/tiny",
        "hf://someone/tiny",
    ],
)
def test_the_page_of_a_repository_names_it(
    name: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: dict[str, Path | str] = {path.name: path for path in tiny.iterdir()}
    in_cache(monkeypatch, tmp_path, "someone/tiny", files)
    found = find(name)
    assert (found.name, found.kind) == ("someone/tiny", "hub")
    assert json.loads(json.dumps(found.details))["weights"]["commit"] == "a" * 40


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("https://huggingface.co/someone/tiny/tree/v2", "tree/v2 shows a revision of its own"),
        (
            "https://huggingface.co/someone/tiny/blob/main/model.safetensors",
            "There is no model called 'https:",
        ),
        ("https://example.org/someone/tiny", "There is no model called 'https:"),
        ("./nothing", "There is no folder nothing"),
        ("/nowhere/at/all", "There is no folder /nowhere/at/all"),
        ("a" * 5_000, "There is no model called 'aaa"),
        ("a\0b", "There is no model called"),
        ("", "There is no model called ''"),
    ],
)
def test_a_name_of_nothing_is_told(name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        find(name)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_in_the_place_of_its_folder_is_told(name: str, folder: Path) -> None:
    with pytest.raises(UserError, match=rf"{name} is one file of a model.*Name its folder: {folder}\."):
        find(str(folder / name))


def test_a_configuration_with_a_byte_order_mark_is_read(folder: Path) -> None:
    for file in "config.json", "mimi.json":
        (folder / file).write_bytes(b"\xef\xbb\xbf" + (folder / file).read_bytes())
    whole(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "mimi.safetensors", "tokenizer.model", "config.json"])
def test_a_git_lfs_pointer_is_told(file: str, folder: Path) -> None:
    (folder / file).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 15375472640\n"
    )
    with pytest.raises(UserError, match=f"{file} is a Git LFS pointer"):
        whole(folder)


def test_what_a_folder_names_on_the_hub_is_not_fetched_unasked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(reference: str, _progress: object) -> Path:
        asked.append(reference)
        raise UserError("asked", "")

    monkeypatch.setattr(checkpoint.download, "fetch", fetch)
    (folder / "mimi.safetensors").unlink()
    change(folder, mimi_name="hf://someone/base/mimi.safetensors")
    with pytest.raises(
        UserError, match=rf"model needs mimi.safetensors of someone/base.*models download {folder}"
    ):
        find(str(folder))
    with pytest.raises(UserError, match="base is not on this computer"):
        (folder / "config.json").rename(folder / "moshi_lm_kwargs.json")
        (folder / "moshi_lm_kwargs.json").write_text(json.dumps(lm_config(folder_of(folder))))
        monkeypatch.setattr(checkpoint, "DEFAULT_BASE", "someone/base")
        find(str(folder))
    assert not asked
    with pytest.raises(UserError, match="asked"):
        find(str(folder), base="someone/base")
    with pytest.raises(UserError, match="asked"):
        find(str(folder), reach="all")
    assert asked == ["hf://someone/base/config.json"] * 2


def folder_of(folder: Path) -> Path:
    """Return a folder with the configuration that was renamed."""
    (folder / "config.json").write_text((folder / "moshi_lm_kwargs.json").read_text())
    config = read(folder)
    (folder / "config.json").unlink()
    (folder / "before").mkdir()
    (folder / "before" / "config.json").write_text(json.dumps(config))
    return folder / "before"


def test_a_pinned_model_is_taken_from_its_commit_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(catalog.HUB[0], revision="b" * 40, sha256=((catalog.MOSHI_NAME, "c" * 64),))
    monkeypatch.setattr(catalog, "KNOWN", (known,))
    names = (catalog.MOSHI_NAME, catalog.MIMI_NAME, catalog.TOKENIZER_NAME)
    blobs = in_cache(monkeypatch, tmp_path, known.repo, dict.fromkeys(names, "x"))
    with pytest.raises(UserError, match="moshiko is not on this computer"):
        find("moshiko", reach="never")
    (blobs.parent / "snapshots" / ("a" * 40)).rename(blobs.parent / "snapshots" / ("b" * 40))
    assert find("moshiko", reach="never").weights.parent.name == "b" * 40
    weights = blobs.parent / "snapshots" / ("b" * 40) / catalog.MOSHI_NAME
    for digest in "c", "d":
        weights.unlink()
        (blobs / (digest * 64)).write_text("x")
        weights.symlink_to(blobs / (digest * 64))
        if digest == "c":
            assert find("moshiko").weights == weights
    with pytest.raises(UserError, match="is not the file that this version of Aizuchi knows"):
        find("moshiko")
