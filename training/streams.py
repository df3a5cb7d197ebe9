"""Let a model predict the user's voice as well as its own, and take that away again without a trace.

A depth transformer with one step for each of the model's codebooks gets as many steps again for the user's.
Works on weights by name and on configurations; knows nothing about files, training or running a model. The
layout is the one of nu-dialogue/moshi-finetune, so that weights can go from either program to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from app.engine.user_half import EMBEDDING, STACKED, STEP
from app.errors import UserError

State = Mapping[str, Tensor]
"""Weights by name: of a whole model or of an adapter, in 8 bits too, under all names that moshi has used."""

Config = Mapping[str, Any]
"""Keyword arguments of moshi's LMModel."""


def extend(state: State, config: Config) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights and configuration with depth steps for the user's voice after those of the model's.

    Each new step starts as a copy of the step for the same codebook of the model's voice; what the model
    predicts for its own voice is unchanged. The one embedding without a counterpart, of the model's last
    codebook, starts as that of its first. New tensors are copies, the others are those of `state`.
    Raises UserError if the model has another layout, or predicts the user's voice already.
    """
    steps = int(config["dep_q"])
    _check_layout(config)
    if steps == config["n_q"]:
        raise UserError("The model predicts the user's voice already.", "Train both voices as it is.")
    if 2 * steps != config["n_q"]:
        raise _not_two_voices(config)
    _check_steps(state, steps)
    extended = {}
    for name, tensor in state.items():
        if STACKED.fullmatch(name):
            extended[name] = tensor.repeat(2, *(1 for _ in tensor.shape[1:]))
            continue
        extended[name] = tensor
        for copy in _copies(name, steps):
            extended[copy] = tensor.clone()
    return extended, _with_steps(config, 2 * steps)


def restore(state: State, config: Config) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights and configuration without the depth steps for the user's voice.

    `restore(*extend(state, config))` equals `state` and `config`. Tensors that are kept whole are those of
    `state`, the others copies. Raises UserError if the model does not predict the user's voice.
    """
    _check_layout(config)
    if config["dep_q"] != config["n_q"]:
        raise UserError("The model does not predict the user's voice.", "Use it as it is.")
    if config["n_q"] % 2:
        raise _not_two_voices(config)
    _check_steps(state, int(config["dep_q"]))
    steps = int(config["dep_q"]) // 2
    restored = {}
    for name, tensor in state.items():
        if STACKED.fullmatch(name):
            restored[name] = tensor[: len(tensor) // 2].clone()
        elif (found := STEP.fullmatch(name)) is None or int(found["step"]) < _count(found["module"], steps):
            restored[name] = tensor
    return restored, _with_steps(config, steps)


def _copies(name: str, steps: int) -> Iterator[str]:
    """Yield the names under which the tensor `name` of a model with `steps` steps is repeated."""
    if (found := STEP.fullmatch(name)) is None:
        return
    module, step, rest = found["module"], int(found["step"]), found["rest"]
    if module == EMBEDDING and step == 0:
        yield f"{module}.{steps - 1}.{rest}"
    yield f"{module}.{step + steps}.{rest}"


def _count(module: str, steps: int) -> int:
    """Return how many parts a module with a part for each step has."""
    return steps - 1 if module == EMBEDDING else steps


def _with_steps(config: Config, steps: int) -> dict[str, Any]:
    """Return a configuration with another number of depth steps, twice as many or half."""
    changed = {**config, "dep_q": steps}
    if "depformer_context" in config:
        # moshi looks back on all steps, whatever stands here; nu-dialogue's tools check it.
        changed["depformer_context"] = config["depformer_context"] * steps // config["dep_q"]
    if isinstance(widths := config.get("depformer_dim_feedforward"), list):
        changed["depformer_dim_feedforward"] = (2 * widths)[:steps]
    return changed


def _check_layout(config: Config) -> None:
    """Raise UserError unless each depth step has weights of its own."""
    shared = config.get("depformer_weights_per_step_schedule")
    own = config.get("depformer_weights_per_step") and config.get("depformer_multi_linear")
    if shared or not own:
        raise UserError(
            "The depth steps of this model share weights, so none can be added for the user's voice.",
            "Train the model's voice alone.",
        )


def _check_steps(state: State, steps: int) -> None:
    """Raise UserError unless the weights have the depth steps that their configuration speaks of."""
    for name in state:
        found = STEP.fullmatch(name)
        if found is not None and int(found["step"]) >= _count(found["module"], steps):
            raise _other_steps(f"have {name}", steps)
    if "linears.0.weight" in state and f"linears.{steps - 1}.weight" not in state:
        raise _other_steps(f"lack linears.{steps - 1}.weight", steps)


def _other_steps(found: str, steps: int) -> UserError:
    return UserError(
        f"The weights {found}, and their configuration speaks of {steps} depth steps.",
        "Use the configuration that belongs to the weights.",
    )


def _not_two_voices(config: Config) -> UserError:
    return UserError(
        f"The model hears {config['n_q']} codebooks and predicts {config['dep_q']} of them, "
        "which are not two voices of the same size.",
        "Train the model's voice alone.",
    )
