"""The model that learns: a checkpoint read for training, its adapter, its new depth steps, what is frozen.

Knows nothing about data, optimisers or files of runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import LoRALinear, replace_all_linear_with_lora, replace_lora_with_linear
from torch import Tensor, nn

from app.engine import build
from app.engine.checkpoint import Checkpoint, Progress, find
from app.errors import UserError
from training import streams
from training.config import Config

DEPTH = ("depformer", "linears")
"""The beginnings of the names of what belongs to the depth transformer; the rest is the temporal one."""

WORD_HEAD = "word_head"
"""The attribute of LMModel that predicts the user's words in training alone."""

CODE_EMBEDDINGS = "emb."
"""The beginning of the names of the temporal transformer's embeddings of codes."""

TEXT_EMBEDDINGS = ("text_emb.", "depformer_text_emb.")


@dataclass(frozen=True)
class Learner:
    """A model in memory of which some parameters learn."""

    checkpoint: Checkpoint
    """What it was read from."""
    lm: LMModel
    config: dict[str, Any]
    """Keyword arguments of moshi's LMModel, with the depth steps that were added."""

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield name and value of what learns."""
        return ((name, each) for name, each in self.lm.named_parameters() if each.requires_grad)


def find_base(config: Config, models: Path, progress: Progress | None = None) -> Checkpoint:
    """Return the files of the model to train. Raises UserError where it can not be trained."""
    if config.model == "echo":
        raise UserError("An echo has nothing to learn with.", "Name a model, such as moshika.")
    both = config.streams == "both"
    found = find(config.model, base=config.base or None, models=models, progress=progress, both_voices=both)
    if found.quantized:
        raise UserError(
            f"{found.name} has 8-bit weights, which can not be trained.",
            f"Train {found.name.removesuffix('-q8')} with base_bits = 8, which needs as little memory.",
        )
    return found


def compute_dtype(config: Config) -> torch.dtype:
    """Return the precision of matrix products, and of weights that are frozen: bfloat16 or float32."""
    if config.precision == "auto":
        able = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if able else torch.float32
    return torch.bfloat16 if config.precision == "bf16" else torch.float32


def prepare_learner(
    config: Config,
    found: Checkpoint,
    device: torch.device,
    dtype: torch.dtype,
    told: build.Told = lambda *_: None,
    *,
    empty: bool = False,
) -> Learner:
    """Read a model for training, and freeze what does not learn.

    What is frozen is kept as `dtype`, what learns as float32. With `empty` it has no values (torch's meta
    device), for processes that get theirs from another. The same seed gives the same adapter.
    """
    lm_config = dict(found.config)
    outline = build.prove(found)
    if empty:
        lm = _without_values(outline, dtype)
    else:
        lm = build.load_lm(outline, _reading_device(config, device), dtype, told)
    if config.streams == "both" and lm_config["dep_q"] != lm_config["n_q"]:
        lm, lm_config = _extend(lm, lm_config, dtype)
    lm.requires_grad_(False)
    if config.method == "lora":
        add_adapter(lm, config.lora.rank, config.lora.scaling, config.seed)
        if config.base_bits < 16 and not empty:
            from training.quantized import quantize_base

            quantize_base(lm, config.base_bits, device)
    else:
        _thaw(lm, config.method)
    if config.loss.user_words:
        add_word_head(lm)
    if empty:
        _make_room(lm)
    else:
        lm.to(device)
    return Learner(found, lm.train(), lm_config)


def add_adapter(lm: LMModel, rank: int, scaling: float, seed: int) -> None:
    """Give each linear layer an adapter that learns, in float32: A as moshi-finetune draws it, B zero."""
    replace_all_linear_with_lora(lm, rank, scaling, device=torch.device("meta"), dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    for layer in adapters(lm):
        device = layer.frozen_W.weight.device
        for part, fill in ((layer.lora_A, _draw), (layer.lora_B, _zero)):
            part.to_empty(device=device)
            if device.type != "meta":
                fill(part.weight, generator)
            part.requires_grad_(True)


def add_word_head(lm: LMModel) -> None:
    """Give a model what predicts the user's words while it is trained, zero to begin with, in float32."""
    card, width = lm.text_linear.out_features, lm.text_linear.in_features
    head = nn.Linear(width, card, bias=False, device=lm.device, dtype=torch.float32)
    if head.weight.device.type != "meta":
        nn.init.zeros_(head.weight)
    setattr(lm, WORD_HEAD, head)


def without_word_head(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without what served training alone."""
    return {name: each for name, each in state.items() if not name.startswith(f"{WORD_HEAD}.")}


def adapters(lm: nn.Module) -> list[LoRALinear]:
    """Return the adapted layers of a model."""
    return [module for module in lm.modules() if isinstance(module, LoRALinear)]


def learning_rate_groups(learner: Learner, config: Config) -> list[dict[str, Any]]:
    """Return the optimiser's groups: 'temporal' and 'depth', each with its own learning rate.

    Embeddings that are frozen for a while are a third one, 'codes', with that of the temporal transformer.
    """
    optimizer = config.optimizer
    groups: dict[str, list[nn.Parameter]] = {"temporal": [], "depth": [], "codes": []}
    for name, parameter in learner.trained():
        if optimizer.frozen_embeddings and name.startswith(CODE_EMBEDDINGS):
            groups["codes"].append(parameter)
        else:
            groups["depth" if name.startswith(DEPTH) else "temporal"].append(parameter)
    rates = {
        "temporal": optimizer.lr_temporal,
        "depth": optimizer.lr_depth,
        "codes": optimizer.lr_temporal,
    }
    return [
        {"params": parameters, "lr": rates[name], "name": name}
        for name, parameters in groups.items()
        if parameters
    ]


def _reading_device(config: Config, device: torch.device) -> torch.device:
    """Return where weights are read to: what is made smaller or shared out might not fit the card before."""
    crowded = config.base_bits < 16 or config.memory.sharded
    return torch.device("cpu") if crowded else device


def _without_values(outline: build.Outline, dtype: torch.dtype) -> LMModel:
    """Return what `build.load_lm` does, on the meta device."""
    if outline.checkpoint.adapter is not None:
        with torch.no_grad():
            replace_lora_with_linear(outline.lm)
    return outline.lm.to(dtype)


def _extend(lm: LMModel, config: dict[str, Any], dtype: torch.dtype) -> tuple[LMModel, dict[str, Any]]:
    """Return a model with depth steps for the user's voice; the old one's weights live on in it."""
    state, extended = streams.extend(lm.state_dict(), config)
    with torch.device("meta"):
        larger: LMModel = loaders.get_moshi_lm(None, extended, device="meta", dtype=dtype)
    larger.load_state_dict(state, strict=True, assign=True)
    return larger, extended


def _thaw(lm: LMModel, method: str) -> None:
    """Let the parameters learn that a method names, as float32."""
    chooses: dict[str, Callable[[str], bool]] = {
        "full": lambda _: True,
        "depth": lambda name: name.startswith(DEPTH),
        "temporal": lambda name: not name.startswith(DEPTH),
        "text_embedding": lambda name: name.startswith(TEXT_EMBEDDINGS),
    }
    for name, parameter in lm.named_parameters():
        if chooses[method](name):
            parameter.data = parameter.data.float()
            parameter.requires_grad_(True)


def _make_room(lm: LMModel) -> None:
    """Give what learns memory, not written to: Accelerate tells parameters apart by their place in it."""
    for module in lm.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                room = torch.empty(parameter.shape, dtype=parameter.dtype)
                module.register_parameter(name, nn.Parameter(room))


def _draw(weight: Tensor, generator: torch.Generator) -> None:
    # On the CPU, so that all devices draw the same.
    drawn = torch.empty(weight.shape)
    nn.init.kaiming_uniform_(drawn, a=math.sqrt(5), generator=generator)
    weight.data.copy_(drawn)


def _zero(weight: Tensor, _generator: torch.Generator) -> None:
    nn.init.zeros_(weight)
