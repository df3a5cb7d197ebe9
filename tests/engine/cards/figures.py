"""What `python -m tests.engine.cards` finds out: frames by mode, and cubins by target, as plain values.

Runs in a process of its own, in which Triton compiles for cards. Knows nothing about how it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch

from app import catalog
from app.engine.checkpoint import find
from app.engine.events import KVS, MODES, Sampling
from tests.engine.cards import cubins
from tests.engine.cards.cubins import Cubin
from tests.engine.cards.launches import SAMPLINGS, Frame, Shape, Variant, collect, functions, name_of, reached

DEFAULT = {"default": Sampling()}

STREAM_BYTES = 1_000_000
"""A launch that is given more than this, and goes through it, is as fast as memory."""

REACHED = 0.85
"""Of a card's bandwidth, and of its instructions, so much is reached at best."""

NODE_S, GAP_S = 2.5e-6, 1.0e-6
"""What a small node of a CUDA graph takes, and what lies between two large ones. Assumed, not measured."""

Plain = dict[str, Any]
"""As JSON takes it."""


def shapes(target: int) -> dict[str, Shape]:
    """Return every kind of frame that cards of a compute capability may be asked for, by a name."""
    # As app.engine.device decides: cards before Ampere have no bfloat16.
    dtype = torch.bfloat16 if target >= 80 else torch.float16
    large, small = cubins.TARGETS[target].multiprocessors
    whole, bundled = catalog.moshi_7b(), dict(find(catalog.STARTER.name).config)

    def shape(config: Plain, mode: str = "bf16", kv: str = "bf16", rank: int = 0, size: int = large) -> Shape:
        return Shape(config, mode, kv, dtype, divmod(target, 10), size, rank)

    return {
        **{f"7B {mode}, KV {kv}": shape(whole, mode, kv) for mode in MODES for kv in KVS},
        **{f"7B {mode}, small card": shape(whole, mode, "int8", size=small) for mode in MODES},
        "7B with an adapter fused": shape(whole, rank=128),
        "7B with an adapter fused, int4": shape(whole, "int4", rank=128),
        "7B with 16 codebooks in depth": shape({**whole, "dep_q": 16}, "int8"),
        **{
            f"7B of a context of {frames}, KV {kv}": shape({**whole, "context": frames}, "int8", kv)
            for frames in (1024, 200)
            for kv in KVS
        },
        **{f"starter {mode}": shape(bundled, mode) for mode in MODES},
    }


def frames(target: int, named: dict[str, Shape] | None = None) -> dict[str, dict[str, Frame]]:
    """Return the frames of each shape for each way of sampling; all ways are of the first shape alone."""
    chosen = shapes(target) if named is None else named
    return {
        name: collect(shape, SAMPLINGS if at == 0 else DEFAULT)
        for at, (name, shape) in enumerate(chosen.items())
    }


def variants(found: dict[str, dict[str, Frame]]) -> list[Variant]:
    """Return the different kernels of frames, in the order of their first launch."""
    every = (variant for ways in found.values() for frame in ways.values() for variant in frame.variants)
    return list(dict.fromkeys(every))


def collected(target: int) -> Plain:
    """Return the frames that a card of this compute capability is given, and what none of them launches."""
    found = frames(target)
    launched = reached([variant.function for variant in variants(found)])
    return {
        "frames": [
            {"shape": shape, "sampling": sampling, **_of_frame(frame)}
            for shape, ways in found.items()
            for sampling, frame in ways.items()
        ],
        "functions": [name_of(each) for each in functions()],
        "never launched": sorted({name_of(each) for each in functions()} - launched),
    }


def _of_frame(frame: Frame) -> Plain:
    return {
        "launches": len(frame.launches),
        "operators": frame.operators.total(),
        "nodes": frame.nodes,
        "bytes": frame.bytes,
        "weight_bytes": frame.weight_bytes,
        "ring_bytes": frame.ring_bytes,
        "kernels": dict(Counter(launch.variant.label for launch in frame.launches)),
    }


def compiled(targets: Iterable[int], prefix: str = "") -> Plain:
    """Return every different kernel as it is on each card, of shapes whose name begins so, and estimates."""
    rows: list[Plain] = []
    times: list[Plain] = []
    for target in targets:
        named = {name: shape for name, shape in shapes(target).items() if name.startswith(prefix)}
        found = frames(target, named)
        built = {variant: cubins.build(variant, target) for variant in variants(found)}
        for variant, cubin in built.items():
            used = {name: read for name, ways in found.items() if (read := _read_bytes(variant, ways))}
            name = {"kernel": variant.kernel, "variant": variant.label, "shapes": used}
            rows.append({**name, **_of_cubin(cubin)})
        times += [
            {"target": target, "shape": name, "sampling": sampling, "ms": _estimate_ms(frame, built, target)}
            for name, ways in found.items()
            for sampling, frame in ways.items()
            if "small card" not in name
        ]
    return {"cubins": rows, "estimates": times}


def _estimate_ms(frame: Frame, built: dict[Variant, Cubin], target: int) -> float:
    """Return about how long a large card takes for a captured frame.

    What streams takes its bytes at the speed that copies reach, or longer if its instructions do; everything
    else is a node.
    """
    card = cubins.TARGETS[target]
    total_s = frame.operators.total() * NODE_S
    for launch in frame.launches:
        cubin = built[launch.variant]
        if cubin.loops and launch.read_bytes > STREAM_BYTES:
            slowed = max(1.0, cubin.loop.per_16_bytes / card.most_per_16_bytes / REACHED)
            total_s += launch.read_bytes / (card.bytes_per_s * REACHED) * slowed + GAP_S
        else:
            total_s += NODE_S
    return 1000 * total_s


def _read_bytes(variant: Variant, ways: dict[str, Frame]) -> int:
    """Return the most that a launch of a kernel is given, 0 if it is not launched."""
    launches = (launch for frame in ways.values() for launch in frame.launches if launch.variant == variant)
    return max((launch.read_bytes for launch in launches), default=0)


def _of_cubin(cubin: Cubin) -> Plain:
    loop = cubin.loop
    return {
        "target": cubin.target,
        "warps": cubin.warps,
        "registers": cubin.registers,
        "spilled_bytes": cubin.spilled_bytes,
        "shared_bytes": cubin.shared_bytes,
        "occupancy": cubin.occupancy,
        "instructions": len(cubin.code.texts),
        "loops": cubin.loops,
        "loop_instructions": len(loop.texts),
        "loads": {str(bits): count for bits, count in sorted(loop.loads.items())},
        "wide_share": loop.wide_share,
        "per_16_bytes": loop.per_16_bytes,
        "shuffles": loop.count("SHFL"),
        "barriers": loop.count("BAR"),
    }
