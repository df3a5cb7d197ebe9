"""Of a model that predicts the user's voice too, a talk reads the model's half, and says the same with it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel, loaders
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file
from torch import Tensor

from app import catalog
from app.commands import models
from app.commands.quantize import write_packed
from app.engine import reader, user_half
from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.engine.configuration import take_apart
from app.engine.events import Loadout
from app.engine.weights import read_header
from app.errors import UserError
from app.paths import paths
from tests.engine.both_voices import draw, for_both, released, write
from tests.engine.conftest import GREEDY, Load, speech, talk

CPU = torch.device("cpu")
HEARD = speech(12)


@pytest.fixture(scope="module")
def both(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that is only read."""
    config = for_both(tiny)
    state = released(draw(config).state_dict())
    return write(tiny, tmp_path_factory.mktemp("both") / "both", config, state)


def copied(both: Path, tmp_path: Path) -> tuple[Path, dict[str, Tensor]]:
    folder = Path(shutil.copytree(both, tmp_path / "model"))
    return folder, load_file(folder / catalog.MOSHI_NAME)


def read(folder: Path, dtype: torch.dtype = torch.float32, mode: str = "bf16") -> LMModel:
    return load_lm(prove(find(str(folder))), CPU, dtype, lambda *_: None, mode)


def agents_codes(lm: LMModel, state: Tensor, text: int) -> list[int]:
    """Return the likeliest code of each of the first eight codebooks, one after the other, by moshi."""
    codes: list[int] = []
    token = text
    with torch.no_grad(), no_compile(), lm.depformer.streaming(1):
        for at in range(8):
            logits = lm.forward_depformer(at, torch.tensor([[[token]]]), state)
            codes.append(token := int(logits.argmax()))
    return codes


def same_codes(whole: LMModel, half: LMModel) -> None:
    chance = torch.Generator().manual_seed(1)
    said = set()
    for text in range(20):
        state = torch.randn(1, 1, whole.dim, generator=chance)
        codes = agents_codes(whole, state, text)
        assert agents_codes(half, state, text) == codes
        said.update(codes)
    assert len(said) > 20, "the same codes all the time prove nothing"


def test_the_models_codes_are_those_of_the_whole(tiny: Path, both: Path) -> None:
    half = read(both)
    assert (half.dep_q, len(half.linears), len(half.depformer_emb)) == (8, 8, 7)
    same_codes(draw(for_both(tiny)), half)


def test_it_is_a_moshi_of_the_usual_shape_in_every_mode(tiny: Path, both: Path) -> None:
    usual, half = prove(find(str(tiny))), prove(find(str(both)))
    assert half.checkpoint.config == usual.checkpoint.config
    shapes = {name: tensor.shape for name, tensor in usual.lm.state_dict().items()}
    assert {name: tensor.shape for name, tensor in half.lm.state_dict().items()} == shapes
    for mode in ("bf16", "int8", "int4"):
        assert half.lm_bytes(torch.bfloat16, mode) == usual.lm_bytes(torch.bfloat16, mode)


@pytest.mark.parametrize("mode", ["bf16", "int8", "int4"])
def test_it_talks_in_every_mode_with_either_engine(both: Path, load: Load, mode: str) -> None:
    said = talk(load(both, sampling=GREEDY, loadout=Loadout(mode=mode)), HEARD)
    assert len({token for token, _ in said}) > 2
    if mode == "bf16":
        assert talk(load(both, sampling=GREEDY, loadout=Loadout(engine="moshi")), HEARD) == said
    else:
        kept = load(both, sampling=GREEDY, loadout=Loadout(mode=mode, kv="int8"))
        assert len(talk(kept, HEARD)) == len(HEARD)


def test_the_users_half_is_not_even_read(both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, state = copied(both, tmp_path)
    expected = read(folder).state_dict()
    for name, tensor in state.items():
        if user_half.STACKED.fullmatch(name):
            tensor[len(tensor) // 2 :] = torch.nan
        elif (found := user_half.STEP.fullmatch(name)) and int(found["step"]) >= 8 - (
            found["module"] == "depformer_emb"
        ):
            tensor.fill_(torch.nan)
    save_file(state, folder / catalog.MOSHI_NAME)
    count = 0
    pread = os.preadv

    def counted(*arguments: Any) -> int:
        nonlocal count
        got = pread(*arguments)
        count += got
        return got

    monkeypatch.setattr(reader.os, "preadv", counted)
    found = read(folder).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert count == sum(tensor.nbytes for tensor in expected.values())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("shards", [1, 3])
def test_files_of_any_precision_in_one_or_in_shards(
    both: Path, tmp_path: Path, dtype: torch.dtype, shards: int
) -> None:
    folder, state = copied(both, tmp_path)
    state = {name: tensor.to(dtype) for name, tensor in state.items()}
    if shards == 1:
        save_file(state, folder / catalog.MOSHI_NAME)
    else:
        (folder / catalog.MOSHI_NAME).unlink()
        share(state, folder, shards)
    expected = read(both).state_dict()
    for kept in (torch.float32, torch.bfloat16):
        half = read(folder, kept).state_dict()
        assert half.keys() == expected.keys()
        assert all(torch.equal(half[name], expected[name].to(dtype).to(kept)) for name in expected)
    assert read(folder, torch.bfloat16, "int8").linears[0].bits == 8


def share(state: dict[str, Tensor], folder: Path, shards: int) -> None:
    """Write weights in shards, no layer's whole in one, and their index."""
    names = sorted(state)
    named: dict[str, str] = {}
    for at in range(shards):
        file = f"model-{at + 1:05}-of-{shards:05}.safetensors"
        part = {name: state[name] for name in names[at::shards]}
        save_file(part, folder / file)
        named |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": named}
    (folder / f"{catalog.MOSHI_NAME}.index.json").write_text(json.dumps(index))


SCHEDULES = [
    [0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7, 7, 7, 7, 7],
    [0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
    [7, 6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7],
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=["apart", "shared by both voices", "turned round"])
@pytest.mark.parametrize("stacked", [True, False])
def test_steps_that_share_weights(tiny: Path, tmp_path: Path, schedule: list[int], stacked: bool) -> None:
    config = for_both(tiny, depformer_weights_per_step_schedule=schedule)
    whole = draw(config)
    state = whole.state_dict()
    folder = write(tiny, tmp_path / "model", config, released(state) if stacked else state)
    half = read(folder)
    assert half.depformer_weights_per_step_schedule == schedule[:8]
    assert len(half.depformer_in) == max(schedule[:8]) + 1
    same_codes(whole, half)


def test_steps_of_different_widths_and_norms_of_their_own(tiny: Path, tmp_path: Path) -> None:
    widths = [132 + 12 * at for at in range(16)]
    config = for_both(tiny, depformer_dim_feedforward=widths, depformer_norm="rms_norm_f32")
    whole = draw(config)
    half = read(write(tiny, tmp_path / "model", config, released(whole.state_dict())))
    assert len(half.depformer_norms) == 8
    same_codes(whole, half)


def test_attention_that_was_not_repeated_is_taken_as_it_is(both: Path, tmp_path: Path) -> None:
    folder, state = copied(both, tmp_path)
    expected = read(folder).state_dict()
    for name in filter(user_half.STACKED.fullmatch, list(state)):
        state[name] = state[name][: len(state[name]) // 2].contiguous()
    save_file(state, folder / catalog.MOSHI_NAME)
    half = read(folder).state_dict()
    assert all(torch.equal(half[name], tensor) for name, tensor in expected.items())


ODD = "depformer.layers.1.self_attn.out_proj.weight"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda state: state.pop("linears.15.weight"), "dep_q is 8 in .*, and 15 here"),
        (lambda state: state.pop("linears.3.weight"), "dep_q is 8 in .*, and 15 here"),
        (lambda state: state.pop("depformer_in.5.weight"), r"lacks 1 tensors, such as depformer_in\.5"),
        (
            lambda state: state.update(
                {"depformer.layers.1.self_attn.out_proj.weight": torch.zeros(500, 32)}
            ),
            "does not fit its configuration",
        ),
    ],
)
def test_a_file_that_is_no_half_and_no_whole_is_refused(
    both: Path, tmp_path: Path, damage: Any, sentence: str
) -> None:
    folder, state = copied(both, tmp_path)
    damage(state)
    save_file(state, folder / catalog.MOSHI_NAME)
    with pytest.raises(UserError, match=sentence):
        prove(find(str(folder)))


def test_who_asks_for_both_voices_gets_both(tiny: Path, both: Path) -> None:
    outline = prove(find(str(both), both_voices=True))
    lm = load_lm(outline, CPU, torch.float32, lambda *_: None)
    expected = draw(for_both(tiny)).state_dict()
    assert outline.checkpoint.config["dep_q"] == 16
    assert all(torch.equal(tensor, expected[name]) for name, tensor in lm.state_dict().items())


def test_quantize_writes_the_models_half_and_verify_takes_both_files(
    both: Path, tmp_path: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    where = paths(tmp_path)
    out = tmp_path / "packed"
    write_packed(prove(find(str(both))), CPU, "int8", out)
    assert not user_half.has_user_half(read_header(out / catalog.MOSHI_NAME), find(str(out)).config)
    expected = talk(load(both, sampling=GREEDY, loadout=Loadout(mode="int8")), HEARD)
    assert talk(load(out, sampling=GREEDY), HEARD) == expected
    for folder in (both, out):
        models._verify(str(folder), None, where)
    assert capsys.readouterr().out.count("is whole, and its files fit together") == 2


def test_a_7b_is_cut_by_its_header(tmp_path: Path) -> None:
    """The header of PersonaPlex, as its layout is described: 475 tensors, 12 of them doubled."""
    config = catalog.moshi_7b()
    whole = {**config, "dep_q": 16}
    with torch.device("meta"):
        state = loaders.get_moshi_lm(None, whole, device="meta", dtype=torch.bfloat16).state_dict()
        half = loaders.get_moshi_lm(None, config, device="meta", dtype=torch.bfloat16).state_dict()
    path = sparse(tmp_path / "model.safetensors", released(state))
    header = read_header(path)
    assert len(header) == 475
    assert header["depformer.layers.0.self_attn.in_proj_weight"].shape == (49_152, 1024)
    assert header["depformer.layers.0.self_attn.out_proj.weight"].shape == (16_384, 1024)
    left = user_half.leave_out(header, take_apart(whole, path, False).lm)
    expected = {name: tuple(tensor.shape) for name, tensor in released(half).items()}
    assert {name: tensor.shape for name, tensor in left.items()} == expected
    assert len(left) == 355
    saved = sum(each.end - each.start for each in header.values()) - sum(
        t.end - t.start for t in left.values()
    )
    assert saved == pytest.approx(1.37e9, rel=0.01)


@pytest.mark.parametrize("content", ["", "{}"])
def test_an_empty_configuration_is_that_of_the_header(tiny: Path, tmp_path: Path, content: str) -> None:
    """That of PersonaPlex is empty."""
    whole = {**catalog.moshi_7b(), "dep_q": 16}
    with torch.device("meta"):
        state = loaders.get_moshi_lm(None, whole, device="meta", dtype=torch.bfloat16).state_dict()
    sparse(tmp_path / catalog.MOSHI_NAME, released(state))
    shutil.copyfile(tiny / "mimi.safetensors", tmp_path / catalog.MIMI_NAME)
    shutil.copyfile(tiny / "tokenizer.model", tmp_path / catalog.TOKENIZER_NAME)
    (tmp_path / "config.json").write_text(content)
    assert find(str(tmp_path)).config == catalog.moshi_7b()
    assert find(str(tmp_path), both_voices=True).config == {**whole, "depformer_context": 16}
    shutil.copyfile(tiny / "model.safetensors", tmp_path / catalog.MOSHI_NAME)
    with pytest.raises(
        UserError, match=r"config\.json says nothing, and model\.safetensors is not a Moshi 7B"
    ):
        find(str(tmp_path))


def sparse(path: Path, state: dict[str, Tensor]) -> Path:
    """Write a file with a header of these shapes and a hole in the place of the numbers."""
    header: dict[str, Any] = {}
    at = 0
    for name, tensor in state.items():
        size = tensor.numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + at)
    return path
