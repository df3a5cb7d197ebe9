"""A tiny random model that predicts the user's voice too, in the files of those that are published so.

Its weights are drawn by moshi's own modules with a depth step for each codebook of both voices, and written
under the released names: attention in one matrix with the rows of all steps.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from moshi.models import LMModel, loaders
from safetensors.torch import save_file
from torch import Tensor

from app import catalog

_STEP = re.compile(r"(depformer\.layers\.\d+\.self_attn)\.(in|out)_projs\.(\d+)\.weight")
_ONE = re.compile(r"(transformer\.layers\.\d+\.self_attn)\.(in|out)_projs\.0\.weight")


def draw(config: dict[str, Any], dtype: torch.dtype = torch.float32, seed: int = 5) -> LMModel:
    """Return a random language model; its text is not all padding."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        lm: LMModel = loaders.get_moshi_lm(None, config, device="cpu", dtype=torch.float32)
        for parameter in lm.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.08)
        # So that words are said, and not the same one each time.
        lm.text_linear.weight.mul_(4)
    return lm.to(dtype)


def released(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names of the released models."""
    renamed: dict[str, Tensor] = {}
    stacks: dict[str, dict[int, Tensor]] = {}
    for name, tensor in state.items():
        found = _STEP.fullmatch(name) or _ONE.fullmatch(name)
        if found is None:
            renamed[name] = tensor
            continue
        end = "in_proj_weight" if found[2] == "in" else "out_proj.weight"
        at = int(found[3]) if found.re is _STEP else 0
        stacks.setdefault(f"{found[1]}.{end}", {})[at] = tensor
    return renamed | {name: torch.cat([parts[at] for at in sorted(parts)]) for name, parts in stacks.items()}


def for_both(tiny: Path, **settings: Any) -> dict[str, Any]:
    """Return the tiny model's configuration with a depth step for each codebook of both voices."""
    raw = json.loads((tiny / "config.json").read_text())
    names = ("moshi_name", "mimi_name", "tokenizer_name", "mimi_config_name", "model_type", "model_id")
    config = {name: value for name, value in raw.items() if name not in names}
    return {**config, "dep_q": 16, "depformer_context": 16, **settings}


def write(tiny: Path, folder: Path, config: dict[str, Any], state: dict[str, Tensor]) -> Path:
    """Write a model with the Mimi and the tokenizer of the tiny one, all under the released names."""
    folder.mkdir(parents=True)
    shutil.copyfile(tiny / "mimi.safetensors", folder / catalog.MIMI_NAME)
    shutil.copyfile(tiny / "mimi.json", folder / "mimi.json")
    shutil.copyfile(tiny / "tokenizer.model", folder / catalog.TOKENIZER_NAME)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / catalog.MOSHI_NAME)
    (folder / "config.json").write_text(json.dumps({**config, "mimi_config_name": "mimi.json"}))
    return folder
