"""Every kernel that a frame can launch is known, and a frame reads every weight once."""

from __future__ import annotations

from typing import Any

from app.engine.events import KVS, MODES
from tests.engine.cards.conftest import Row


def of(launched: dict[str, Any], shape: str, sampling: str = "default") -> Row:
    return next(row for row in launched["frames"] if (row["shape"], row["sampling"]) == (shape, sampling))


def seven_b(launched: dict[str, Any]) -> dict[tuple[str, str], Row]:
    """Return the frame of each way to keep weights and KV."""
    return {(mode, kv): of(launched, f"7B {mode}, KV {kv}") for mode in MODES for kv in KVS}


def test_every_kernel_is_launched_by_some_frame(launched: dict[str, Any]) -> None:
    assert launched["functions"], "the engine has kernels"
    assert launched["never launched"] == []


def test_a_frame_reads_every_weight_and_the_ring_once(launched: dict[str, Any]) -> None:
    for name, row in seven_b(launched).items():
        expected = row["weight_bytes"] + row["ring_bytes"]
        # Beside them it is given activations and scratch memory; the norm of its last layer is PyTorch's.
        assert 0.999 * expected < row["bytes"] < 1.005 * expected, name


def test_fewer_bits_are_fewer_bytes(launched: dict[str, Any]) -> None:
    rows = seven_b(launched)
    ordered = [rows[mode, kv]["bytes"] for mode in MODES for kv in KVS]
    assert ordered == sorted(ordered, reverse=True)
    whole, eight, four = (rows[mode, "bf16"]["weight_bytes"] for mode in MODES)
    assert eight / whole < 0.51
    assert four / whole < 0.31


def test_a_fused_adapter_changes_no_launch(launched: dict[str, Any]) -> None:
    for adapted, plain in (
        ("7B with an adapter fused", "7B bf16, KV bf16"),
        ("7B with an adapter fused, int4", "7B int4, KV bf16"),
    ):
        assert of(launched, adapted)["kernels"] == of(launched, plain)["kernels"]


def test_a_frame_launches_the_same_products_however_it_samples(launched: dict[str, Any]) -> None:
    rows = [row for row in launched["frames"] if row["shape"] == "7B bf16, KV bf16"]
    assert len(rows) >= 6
    default = of(launched, "7B bf16, KV bf16")
    assert {row["bytes"] // 10**7 for row in rows} == {default["bytes"] // 10**7}
    assert max(row["nodes"] for row in rows) == default["nodes"], (
        "no way of sampling takes more than the usual"
    )


NODES = 480
"""A CUDA graph of a frame of a 7B model has fewer, in all modes."""


def test_a_frame_is_few_nodes(launched: dict[str, Any]) -> None:
    for name, row in seven_b(launched).items():
        assert row["nodes"] <= NODES, name
