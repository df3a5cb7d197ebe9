"""The catalogue agrees with moshi and with the figures that others report."""

from __future__ import annotations

import json
import re

import pytest
import torch
from moshi.models import loaders

from app import catalog
from app.catalog import HUB, KNOWN, STARTER, KnownModel, find
from app.engine.checkpoint import BUNDLED


@pytest.mark.parametrize("known", HUB, ids=lambda known: known.name)
def test_our_configuration_is_that_of_moshi(known: KnownModel) -> None:
    expected = {**loaders._lm_kwargs, **({"quantize": True} if known.quantized else {})}
    assert known.config == expected
    known.config["delays"].append(1)
    assert known.config == expected, "each caller gets a configuration of its own"


def test_file_names_are_those_of_moshi() -> None:
    assert catalog.MOSHI_NAME == loaders.MOSHI_NAME
    assert catalog.MIMI_NAME == loaders.MIMI_NAME
    assert catalog.TOKENIZER_NAME == loaders.TEXT_TOKENIZER_NAME
    for known in HUB:
        expected = loaders.MOSHI_Q8_NAME if known.quantized else loaders.MOSHI_NAME
        assert known.files[0] == f"hf://{known.repo}/{expected}"


@pytest.mark.parametrize("name", ["moshiko", "moshiko-q8", "personaplex", "human-1"])
def test_sizes_on_disk_are_those_of_the_tensors(name: str) -> None:
    known = find(name)
    assert known is not None
    dtype = torch.float32 if name == "human-1" else torch.bfloat16
    with torch.device("meta"):
        lm = loaders.get_moshi_lm(None, known.file_config, device="meta", dtype=dtype)
        mimi = loaders.get_mimi(None, device="meta")
    for module, told in ((lm, known.weights_bytes), (mimi, catalog.MIMI_BYTES)):
        held = sum(tensor.nbytes for tensor in module.state_dict().values())
        assert held < told < 1.001 * held, "the header comes on top"


def test_memory_is_what_the_maintainers_of_moshi_report() -> None:
    """Kyutai's pull request 202: bf16 18 GB, 17 with a context of 30 s; q8 12 and 10 GB."""
    bf16, q8 = find("moshiko"), find("moshiko-q8")
    assert bf16 is not None
    assert q8 is not None
    assert [bf16.memory_gb(), bf16.memory_gb(375)] == pytest.approx([18, 17], abs=0.5)
    assert [q8.memory_gb(), q8.memory_gb(375)] == pytest.approx([12, 10], abs=0.6)


def test_licences_that_forbid_commercial_use_are_marked() -> None:
    for known in KNOWN:
        assert known.research_only == ("NC" in known.licence)
        assert re.fullmatch("en|ja|hi|en ja", known.language)


def test_models_for_both_voices_take_the_memory_of_moshi() -> None:
    moshiko = find("moshiko")
    assert moshiko is not None
    for name in ("personaplex", "human-1"):
        known = find(name)
        assert known is not None
        assert known.config == moshiko.config
        assert known.file_config == {**moshiko.config, "dep_q": 16, "depformer_context": 16}
        assert [known.sizes.needed_bytes(way) for way in known.sizes.fits()] == [
            moshiko.sizes.needed_bytes(way) for way in moshiko.sizes.fits()
        ]
        assert known.size_gb > moshiko.size_gb + 1


def test_what_a_model_is_told_with_is_fetched_with_it() -> None:
    persona = find("nvidia/personaplex-7b-v1")
    assert persona is not None
    assert persona.gated and persona.takes_role
    assert len(persona.voices) == len(set(persona.voices)) == 18
    assert {"NATF0", "NATM3", "VARF4", "VARM4"} <= set(persona.voices)
    assert persona.files[3:] == ("hf://nvidia/personaplex-7b-v1/voices.tgz",)
    assert all(len(known.files) == 3 and not known.takes_role for known in HUB if not known.voices)


def test_models_are_found_by_name_and_by_repository() -> None:
    assert len({known.name for known in KNOWN}) == len(KNOWN)
    for known in KNOWN:
        assert find(known.name) is known
        assert known.bundled or find(known.repo) is known
    assert find("nobody/nothing") is None
    assert find("") is None


def test_the_starter_is_what_the_catalogue_says() -> None:
    folder = BUNDLED / STARTER.name
    config = json.loads((folder / "config.json").read_text())
    assert STARTER.config == {name: config[name] for name in STARTER.config}
    assert (folder / config["moshi_name"]).stat().st_size == STARTER.weights_bytes
    assert (folder / config["mimi_name"]).stat().st_size == STARTER.mimi_bytes
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40_000_000
    assert STARTER.files == ()
