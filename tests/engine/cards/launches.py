"""The kernels that a frame of the engine launches on a graphics card, collected without one.

The engine runs on meta tensors: its Python is real, and only the launch is taken off, after Triton itself has
bound the arguments. What comes out is what a card would be given. Needs a process in which Triton is not
interpreted. Knows nothing about what the kernels compute.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora, replace_lora_with_linear
from moshi.utils.compile import no_cuda_graph
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from triton.backends.compiler import GPUTarget
from triton.compiler import make_backend
from triton.runtime.jit import JITFunction, create_function_from_signature

import app.engine.fast
from app.engine import modes
from app.engine.events import Sampling
from app.engine.fast.frame import FrameStep
from app.engine.stepper import make_ops

META = torch.device("meta")

SAMPLINGS = {
    "default": Sampling(),
    "greedy": Sampling(greedy=True),
    "text greedy": Sampling(text_temperature=0.0),
    "all tokens": Sampling(text_top_k=0, audio_top_k=0),
    "large top-k": Sampling(text_top_k=1000, audio_top_k=1000),
    "penalty": Sampling(repetition_penalty=1.3, repetition_frames=20),
}
"""Every form that sampling has in a captured frame."""

_VIEWS = ("empty", "detach", "alias", "lift_fresh", "view_as_complex", "view_as_real", "_unsafe_view")
"""Operators for which a card runs nothing, beside those whose schema says that they are views."""

_TABLES = ("emb.", "text_emb.", "depformer_emb.", "depformer_text_emb.")
"""How the names of tables of embeddings begin, of which a frame looks up a few rows."""


@dataclass(frozen=True)
class Shape:
    """What kind of frame is asked for."""

    config: dict[str, Any]
    """As moshi's LMModel takes it."""
    mode: str = "bf16"
    """One of app.engine.events.MODES."""
    kv: str = "bf16"
    """One of app.engine.events.KVS."""
    dtype: torch.dtype = torch.bfloat16
    capability: tuple[int, int] = (9, 0)
    multiprocessors: int = 132
    """What the card says of itself to whoever asks, with its capability."""
    adapter_rank: int = 0
    """Of a LoRA that was fused, 0 for none."""


@dataclass(frozen=True)
class Variant:
    """One kernel as Triton compiles it: what makes it another cubin is here, and nothing else."""

    function: JITFunction[Any] = field(repr=False)
    signature: tuple[tuple[str, str], ...]
    constexprs: tuple[tuple[tuple[int, ...], Any], ...]
    attributes: tuple[tuple[tuple[int, ...], str], ...]
    """Which arguments are multiples of 16, as Triton writes it."""
    options: tuple[tuple[str, Any], ...]
    """num_warps and whatever else the launch said."""

    @property
    def kernel(self) -> str:
        """Return the name of its function with that of its module."""
        return name_of(self.function)

    @property
    def label(self) -> str:
        """Return a name that tells it from its siblings: types, constants, what is not aligned."""
        pointers = [kind.removeprefix("*") for _, kind in self.signature if kind.startswith("*")]
        types = "/".join(dict.fromkeys(pointers))
        names = [name for name, _ in self.signature]
        said = [
            names[path[0]] if value is True else f"{names[path[0]]}={value}"
            for path, value in self.constexprs
            if value is not False and value is not None
        ]
        said += [f"{name}={value}" for name, value in self.options]
        known = {path[0] for path, value in self.attributes if value != "[]"}
        odd = [
            name.removesuffix("_ptr")
            for at, (name, kind) in enumerate(self.signature)
            if at not in known and kind.startswith(("*", "i"))
        ]
        said += [f"odd:{','.join(odd)}"] if odd else []
        return f"{self.kernel.rpartition('.')[2]} {types} {' '.join(said)}".rstrip()


@dataclass(frozen=True)
class Launch:
    """One launch of a frame."""

    variant: Variant
    grid: tuple[int, ...]
    integers: tuple[tuple[str, int], ...]
    """The numbers among its arguments, such as rows and columns."""
    memory: frozenset[tuple[int, int, int]]
    """What it was given but for tables of embeddings, each as storage, first byte and bytes."""
    read_bytes: int
    """All of this, each tensor once."""


@dataclass(frozen=True)
class Frame:
    """All that a card runs for one frame of the language model."""

    launches: tuple[Launch, ...]
    operators: Counter[str]
    """PyTorch's own operators that run something, by name."""
    bytes: int
    """What the kernels are given, weights and rings, each once a frame; of tables of embeddings nothing."""
    weight_bytes: int
    """What the weights of the model take, but for tables of embeddings."""
    ring_bytes: int
    """What the keys and values of the temporal transformer take."""

    @property
    def variants(self) -> list[Variant]:
        """Return the different ones, in the order of their first launch."""
        return list(dict.fromkeys(launch.variant for launch in self.launches))

    @property
    def nodes(self) -> int:
        """Return about how many nodes a CUDA graph of it has; some operators are two or three."""
        return len(self.launches) + self.operators.total()


def name_of(function: JITFunction[Any]) -> str:
    """Return a name such as 'products._multiply', within app.engine.fast."""
    module = function.fn.__module__.removeprefix(f"{app.engine.fast.__name__}.")
    return f"{module}.{function.fn.__qualname__}"


# --- The engine on meta tensors -------------------------------------------------------------------


def collect(shape: Shape, samplings: dict[str, Sampling] = SAMPLINGS) -> dict[str, Frame]:
    """Return a frame for each way of sampling."""
    lm = _model(shape)
    with _card(shape), torch.no_grad(), no_cuda_graph():
        step = FrameStep(lm, make_ops(), shape.kv, captured=True)
        return {name: _frame(step, lm, sampling) for name, sampling in samplings.items()}


def _model(shape: Shape) -> LMModel:
    """Return a model without memory, as app.engine.build leaves one in memory."""
    with META:
        lm = loaders.get_moshi_lm(None, dict(shape.config), device=META, dtype=shape.dtype)
        if shape.adapter_rank:
            replace_all_linear_with_lora(lm, shape.adapter_rank, 2.0, device=META, dtype=shape.dtype)
            with torch.no_grad():
                replace_lora_with_linear(lm)
    modes.keep_in(lm, shape.mode)
    model: LMModel = lm.requires_grad_(False).eval()
    return model


@contextmanager
def _card(shape: Shape) -> Iterator[None]:
    """Let whoever asks about the card be answered."""
    major, minor = shape.capability
    said = SimpleNamespace(major=major, minor=minor, multi_processor_count=shape.multiprocessors)
    with ExitStack() as stack:
        for name, answer in (("capability", shape.capability), ("properties", said)):
            stack.enter_context(mock.patch.object(torch.cuda, f"get_device_{name}", lambda *_, it=answer: it))
        for module in _modules():
            # The engine asks cards alone how large they are, and remembers it: a meta tensor is on none.
            if hasattr(module, "multiprocessors"):
                answered = mock.patch.object(module, "multiprocessors", lambda *_: shape.multiprocessors)
                stack.enter_context(answered)
        yield


def _frame(step: FrameStep, lm: LMModel, sampling: Sampling) -> Frame:
    step.set_sampling(sampling)
    heard = torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long, device=META)
    tables, weights = _weights(lm)
    with _recorded(tables) as launches, _Operators() as counted:
        step.step(heard)
    given = {each for launch in launches for each in launch.memory}
    return Frame(tuple(launches), counted.count, sum(size for _, _, size in given), weights, step.ring_bytes)


def _weights(lm: LMModel) -> tuple[set[int], int]:
    """Return the storages of all tables of embeddings, and the bytes of everything else."""
    tables, weights = set(), 0
    for name, tensor in lm.state_dict().items():
        if name.startswith(_TABLES):
            tables.add(tensor.untyped_storage()._cdata)
        else:
            weights += tensor.nbytes
    return tables, weights


class _Operators(TorchDispatchMode):
    """Counts what PyTorch itself would launch."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = operator._schema.name.removeprefix("aten::")
        views = any(
            each.alias_info is not None and not each.alias_info.is_write for each in operator._schema.returns
        )
        if not views and not name.startswith(_VIEWS):
            self.count[name] += 1
        return operator(*args, **(kwargs or {}))


# --- Launches -------------------------------------------------------------------------------------


@contextmanager
def _recorded(tables: set[int]) -> Iterator[list[Launch]]:
    """Let every launch be noted in the place of being made; of the storages of tables it reads little."""
    launches: list[Launch] = []
    kept: list[Tensor] = []
    """So that no storage gets the place of another one."""

    def run(self: JITFunction[Any], *args: Any, grid: Any, warmup: bool, **named: Any) -> None:
        bound, variant = _bind(self, args, named)
        tensors = [value for value in bound.values() if isinstance(value, Tensor)]
        kept.extend(tensors)
        memory = frozenset(place for place in map(_place, tensors) if place[0] not in tables)
        launches.append(
            Launch(
                variant,
                tuple(grid(bound) if callable(grid) else grid),
                tuple((name, value) for name, value in bound.items() if type(value) is int),
                memory,
                sum(size for _, _, size in memory),
            )
        )

    with mock.patch.object(JITFunction, "run", run):
        yield launches


def _place(tensor: Tensor) -> tuple[int, int, int]:
    return tensor.untyped_storage()._cdata, tensor.storage_offset() * tensor.itemsize, tensor.nbytes


def _bind(function: JITFunction[Any], args: Any, named: dict[str, Any]) -> tuple[dict[str, Any], Variant]:
    """Return the arguments by their names and the variant, both as JITFunction.run makes them."""
    backend, binder = _binder(function)
    bound, specialization, options = binder(*args, debug=False, **named)
    parsed, signature, constexprs, attributes = function._pack_args(
        backend, {**named, "debug": False}, bound, specialization, options
    )
    said = tuple(sorted((name, getattr(parsed, name)) for name in named if name not in bound))
    return bound, Variant(
        function,
        tuple(signature.items()),
        tuple(constexprs.items()),
        tuple((path, repr(value)) for path, value in attributes.items()),
        said,
    )


@cache
def _binder(function: JITFunction[Any]) -> tuple[Any, Callable[..., Any]]:
    # How arguments are specialised is the same on all cards.
    backend = make_backend(GPUTarget("cuda", 90, 32))
    return backend, create_function_from_signature(function.signature, function.params, backend)


# --- Functions that are there ---------------------------------------------------------------------


def functions() -> list[JITFunction[Any]]:
    """Return every function of app.engine.fast that Triton compiles, kernels and what they call."""
    found = {id(each): each for module in _modules() for each in vars(module).values() if _is_own(each)}
    return list(found.values())


def reached(launched: list[JITFunction[Any]]) -> set[str]:
    """Return the names of functions and of all that they call, however deep."""
    names: set[str] = set()
    waiting = list(launched)
    while waiting:
        function = waiting.pop()
        if name_of(function) not in names:
            names.add(name_of(function))
            seen = (function.fn.__globals__.get(name) for name in function.fn.__code__.co_names)
            waiting += [each for each in seen if _is_own(each)]
    return names


def _modules() -> list[ModuleType]:
    package = app.engine.fast
    return [
        importlib.import_module(f"{package.__name__}.{each.name}")
        for each in pkgutil.iter_modules(package.__path__)
    ]


def _is_own(value: Any) -> bool:
    return isinstance(value, JITFunction) and value.fn.__module__.startswith(f"{app.engine.fast.__name__}.")
