"""What a card would run of a kernel: its cubin, made without a card, and what the machine code tells.

Triton brings the assembler and the disassembler. Knows nothing about what the kernels compute.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass

import triton
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from tests.engine.cards.launches import Variant

THREADS = 32
"""Of a warp."""

WIDEST_BITS = 128
"""The widest load of all targets."""


@dataclass(frozen=True)
class Target:
    """What a multiprocessor of a card has.

    CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
    """

    warps: int
    blocks: int
    shared_bytes: int
    """Of all its blocks."""
    block_shared_bytes: int
    """The most that a block may take."""
    multiprocessors: tuple[int, int]
    """Of a large and of a small card of the kind."""
    name: str
    """Of the large one."""
    bytes_per_s: float
    """What its memory gives at most."""
    clock_hz: float
    registers: int = 65_536
    thread_registers: int = 255

    @property
    def most_per_16_bytes(self) -> float:
        """Return how many instructions of a thread the large card has time for while 16 bytes come in.

        A multiprocessor begins one instruction for 32 threads in each of its four quarters in each cycle.
        """
        return self.multiprocessors[0] * 4 * THREADS * self.clock_hz / (self.bytes_per_s / 16)


TARGETS = {
    75: Target(32, 16, 64 << 10, 64 << 10, (68, 30), "RTX 2080 Ti", 616e9, 1.55e9),
    80: Target(64, 32, 164 << 10, 163 << 10, (108, 56), "A100 80 GB", 2.04e12, 1.41e9),
    86: Target(48, 16, 100 << 10, 99 << 10, (82, 20), "RTX 3090", 936e9, 1.70e9),
    89: Target(48, 24, 100 << 10, 99 << 10, (128, 24), "RTX 4090", 1.008e12, 2.52e9),
    90: Target(64, 32, 228 << 10, 227 << 10, (132, 114), "H200", 4.8e12, 1.75e9),
    120: Target(48, 24, 100 << 10, 99 << 10, (170, 36), "RTX 5090", 1.79e12, 2.41e9),
}
"""From the GeForce RTX 20 to the RTX 50 and the H100, by compute capability."""


@dataclass(frozen=True)
class Instructions:
    """What instructions do, such as those of a loop."""

    texts: tuple[str, ...]

    def count(self, *names: str) -> int:
        """Return how many instructions have a name that begins like one of these, such as 'FFMA'."""
        return sum(_operation(text).startswith(names) for text in self.texts)

    @property
    def loads(self) -> Counter[int]:
        """Return how many loads from global memory there are of each width in bits, cp.async among them."""
        return Counter(_bits(text) for text in self.texts if _operation(text).startswith(("LDG", "LDGSTS")))

    @property
    def loaded_bytes(self) -> int:
        """Return what a thread loads from global memory."""
        return sum(bits // 8 * count for bits, count in self.loads.items())

    @property
    def wide_share(self) -> float:
        """Return which part of the bytes comes in loads of 128 bits or more."""
        wide = sum(bits // 8 * count for bits, count in self.loads.items() if bits >= WIDEST_BITS)
        return wide / self.loaded_bytes if self.loaded_bytes else 0.0

    @property
    def per_16_bytes(self) -> float:
        """Return how many instructions a thread takes for 16 bytes that it streams.

        That is what it loads past the first cache (`.cg` in Triton), as weights are; all, if it has no such.
        """
        streamed = Instructions(tuple(text for text in self.texts if ".STRONG.GPU" in text))
        size = streamed.loaded_bytes or self.loaded_bytes
        return 16 * len(self.texts) / size if size else float("inf")


@dataclass(frozen=True)
class Cubin:
    """A kernel as a card runs it."""

    target: int
    warps: int
    registers: int
    spilled_bytes: int
    """Local memory of a thread with its stack: a kernel that calls nothing has it for spills alone."""
    shared_bytes: int
    code: Instructions
    loop: Instructions
    """Its main loop; all of its code, if it has none that loads."""

    @property
    def loops(self) -> bool:
        """Return whether it has a loop that loads."""
        return self.loop != self.code

    @property
    def occupancy(self) -> float:
        """Return which part of the warps of a multiprocessor can be there at once."""
        card = TARGETS[self.target]
        # Registers are given to a warp in units of 256; a block takes 1 KB of shared memory beside its own.
        warp_registers = -(-self.registers * THREADS // 256) * 256
        shared = self.shared_bytes + 1024
        blocks = min(
            card.blocks,
            card.warps // self.warps,
            card.registers // (warp_registers * self.warps),
            card.shared_bytes // shared,
        )
        return blocks * self.warps / card.warps


def build(variant: Variant, target: int) -> Cubin:
    """Compile a kernel for a compute capability such as 89."""
    attributes = {path: ast.literal_eval(value) for path, value in variant.attributes}
    source = ASTSource(variant.function, dict(variant.signature), dict(variant.constexprs), attributes)
    compiled = triton.compile(source, GPUTarget("cuda", target, THREADS), dict(variant.options))
    registers, stack, local, code = _disassemble(compiled.asm["cubin"])
    warps, shared = compiled.metadata.num_warps, compiled.metadata.shared
    return Cubin(target, warps, registers, stack + local, shared, Instructions(code), main_loop(code))


def _disassemble(cubin: bytes) -> tuple[int, int, int, tuple[str, ...]]:
    """Return registers, stack and local memory of a thread, and lines of machine code."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        said, code = (
            subprocess.run(
                [knobs.nvidia.cuobjdump.path, option, file.name], capture_output=True, text=True, check=True
            ).stdout
            for option in ("-res-usage", "-sass")
        )
    usage = re.search(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", said)
    assert usage is not None, said
    registers, stack, local = map(int, usage.groups())
    lines = tuple(line.strip() for line in code.splitlines() if _LINE.match(line.strip()))
    assert lines, "a kernel has instructions"
    return registers, stack, local, lines


_LINE = re.compile(r"/\*([0-9a-f]{4,})\*/\s+(.*?);")
_BRANCH = re.compile(r"\bBRA\b.*?0x([0-9a-f]+)")


def main_loop(code: tuple[str, ...]) -> Instructions:
    """Return the innermost loop that loads the most from global memory; all code if no loop loads."""
    at = {int(found.group(1), 16): index for index, line in enumerate(code) if (found := _LINE.match(line))}
    spans = [
        (at[goal], index)
        for index, line in enumerate(code)
        if (found := _BRANCH.search(line)) and (goal := int(found.group(1), 16)) in at and at[goal] < index
    ]
    loops = [(span, Instructions(code[span[0] : span[1] + 1])) for span in spans]
    loading = [(span, loop) for span, loop in loops if loop.loaded_bytes]
    inner = [
        loop
        for span, loop in loading
        if not any(span != other and span[0] <= other[0] and other[1] <= span[1] for other, _ in loading)
    ]
    return max(inner, key=lambda loop: loop.loaded_bytes, default=Instructions(code))


def _operation(line: str) -> str:
    """Return an instruction's name with its modifiers, without a predicate."""
    found = _LINE.match(line)
    words = (found.group(2) if found else line).split()
    return next((word for word in words if not word.startswith("@")), "")


def _bits(line: str) -> int:
    """Return the width of a load; 32 where nothing is said."""
    parts = _operation(line).split(".")
    sizes = {"U8": 8, "S8": 8, "U16": 16, "S16": 16, "64": 64, "128": 128, "256": 256}
    return next((sizes[part] for part in parts if part in sizes), 32)
