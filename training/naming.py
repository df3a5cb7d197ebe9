"""The names of a model's weights elsewhere: as released, and as nu-dialogue's finetuner wants them.

moshi reads its released names and turns them into its own, one tensor for each depth step. Knows nothing
about files or configurations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_STEP = re.compile(r"(?P<attention>.+\.self_attn)\.(?P<side>in|out)_projs\.(?P<step>\d+)\.weight")
_EXPOSED = re.compile(
    r"(?P<linear>.*\.gating(?:\.\d+)?\.linear_(?:in|out))\.weight|(?P<out>depformer\..+\.out_proj)\.weight"
)


def released(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names of the released models: attention in one tensor, step after step."""
    steps: dict[str, dict[int, Tensor]] = {}
    renamed = {}
    for name, tensor in state.items():
        if (found := _STEP.fullmatch(name)) is None:
            renamed[name] = tensor
            continue
        end = "in_proj_weight" if found["side"] == "in" else "out_proj.weight"
        steps.setdefault(f"{found['attention']}.{end}", {})[int(found["step"])] = tensor
    for name, parts in steps.items():
        renamed[name] = torch.cat([parts[step] for step in sorted(parts)])
    return renamed


def nu_dialogue(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names that finetune.py and generate.py of nu-dialogue/moshi-finetune read."""
    return {_expose(name): tensor for name, tensor in released(state).items()}


def _expose(name: str) -> str:
    """Return the name of a weight that stands at its module's parent there, for ZeRO-3's sake."""
    found = _EXPOSED.fullmatch(name)
    return f"{found['linear'] or found['out']}_weight" if found else name
