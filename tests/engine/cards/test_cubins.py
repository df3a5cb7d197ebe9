"""What cards would run of every kernel: nothing spilled, room for many warps, weights in the widest loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.cards.conftest import CONTINUOUS, Row, found_out
from tests.engine.cards.cubins import TARGETS, Instructions, main_loop

STREAM_BYTES = 1_000_000
"""A launch that is given more than this, and goes through it, has to do so at the speed of memory."""

WIDE_SHARE = 0.75
"""What it loads in its main loop comes in loads of 16 bytes, but for scales and the like."""

OCCUPANCY = 0.25
"""Of a multiprocessor's warps so many are there at once at least; a few more wait with 4 loads each."""


ISSUED = {"products": 0.85, "int4": 1.6}
"""Which part of the instructions that a card has time for, while a weight comes in, may be needed at most.

In 4 bits a weight is half as large as in 8, so that its product may even take as long, and be no slower.
"""


def faults(row: Row) -> Iterator[str]:
    """Yield what is wrong with a kernel on a card."""
    card = TARGETS[row["target"]]
    if row["spilled_bytes"]:
        yield f"spills {row['spilled_bytes']} bytes"
    if row["registers"] > card.thread_registers:
        yield f"takes {row['registers']} registers"
    if row["shared_bytes"] > card.block_shared_bytes:
        yield f"takes {row['shared_bytes']} bytes of shared memory"
    if row["occupancy"] < OCCUPANCY:
        yield f"leaves room for {row['occupancy']:.0%} of the warps"
    if streams(row) and row["wide_share"] < WIDE_SHARE:
        yield f"loads {row['wide_share']:.0%} in 16 bytes: {row['loads']}"
    if streams(row) and "BITS" in row["variant"]:
        share = row["per_16_bytes"] / card.most_per_16_bytes
        if share > ISSUED["int4" if "BITS=4" in row["variant"] else "products"]:
            yield f"takes {share:.0%} of the instructions that a {card.name} has time for"


def streams(row: Row) -> bool:
    """Return whether a kernel goes through what is large in a 7B model; shapes of others may be odd."""
    large = any(name.startswith("7B") and read > STREAM_BYTES for name, read in row["shapes"].items())
    # What only puts a key and a value into a ring is given all of it, and has no loop.
    return large and bool(row["loops"])


def check(rows: list[Row]) -> None:
    told = [f"sm_{row['target']} {row['variant']} {fault}" for row in rows for fault in faults(row)]
    assert not told, "\n".join(told)


def test_every_kernel_of_a_7b_model_is_fit_for_two_kinds_of_cards(cubins: list[Row]) -> None:
    assert {row["target"] for row in cubins} == set(CONTINUOUS)
    for target in CONTINUOUS:
        kernels = {row["kernel"] for row in cubins if row["target"] == target and streams(row)}
        assert len(kernels) >= 2, "products and attention read what is large"
    check(cubins)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_kernel_of_every_model_is_fit_for_all_cards(tmp_path: Path) -> None:
    rows = found_out(tmp_path, ",".join(map(str, TARGETS)), "--no-frames")["cubins"]
    assert {row["target"] for row in rows} == set(TARGETS)
    assert all(len([row for row in rows if row["target"] == target]) > 30 for target in TARGETS)
    check(rows)


# --- What is read of machine code -----------------------------------------------------------------

CODE = tuple(
    f"/*{16 * at:04x}*/                   {text} ;"
    for at, text in enumerate(
        [
            "MOV R1, c[0x0][0x28]",
            "@!P0 LDG.E.U16 R2, [R4.64]",
            "BAR.SYNC 0x0",
            "IADD3 R3, R3, 0x1, RZ",
            "LDG.E.128.CONSTANT R8, [R4.64]",
            "@P1 LDG.E R12, [R6.64]",
            "LDGSTS.E.BYPASS.128 [R7], [R8.64]",
            "SHFL.BFLY PT, R5, R4, 0x1, 0x1f",
            "@P0 BRA 0x30",
            "STG.E.128 [R2.64], R4",
            "@P2 BRA 0x20",
            "EXIT",
            "BRA 0xc0",
        ]
    )
)


def test_the_main_loop_is_the_innermost_that_loads() -> None:
    loop = main_loop(CODE)
    assert loop.texts == CODE[3:9]
    assert loop.loads == {128: 2, 32: 1}
    assert loop.loaded_bytes == 36
    assert loop.wide_share == pytest.approx(32 / 36)
    assert loop.per_16_bytes == pytest.approx(6 * 16 / 36)
    assert loop.count("SHFL") == 1


def test_instructions_are_counted_for_what_is_streamed() -> None:
    loop = Instructions(
        ("LDG.E.128.STRONG.GPU R4, [R2.64]", "LDG.E.128 R8, [R6.64]", *["FFMA R1, R2, R3, R1"] * 10)
    )
    assert loop.per_16_bytes == 12


def test_without_a_loop_all_of_the_code_counts() -> None:
    code = Instructions(CODE[:3])
    assert main_loop(CODE[:3]) == code
    assert (code.loads, code.wide_share) == ({16: 1}, 0.0)


def test_each_fault_is_told() -> None:
    sound = {
        "target": 89,
        "variant": "_multiply BITS=8",
        "spilled_bytes": 0,
        "registers": 64,
        "shared_bytes": 0,
        "occupancy": 0.5,
        "wide_share": 0.9,
        "per_16_bytes": 100.0,
        "loads": {"128": 4},
        "loops": True,
        "shapes": {"7B bf16, KV bf16": 10**7},
    }
    assert list(faults(sound)) == []
    for wrong in (
        {"spilled_bytes": 8},
        {"registers": 256},
        {"shared_bytes": 100 * 1024},
        {"occupancy": 0.2},
        {"wide_share": 0.5},
        {"per_16_bytes": 600.0},
    ):
        assert len(list(faults({**sound, **wrong}))) == 1
    assert list(faults({**sound, "wide_share": 0.0, "loops": False})) == []
    assert list(faults({**sound, "wide_share": 0.0, "shapes": {"starter bf16": 10**7}})) == []
