"""Where the time of a frame goes: its operators by what they are for, as a table and as a picture.

Knows nothing about models: it is given something to call.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from torch.profiler import ProfilerActivity, profile

from app.files import replace_file

FRAMES = 20

KINDS = {
    "products": r"mm$|mv$|linear|matmul|pack_mm|gemm|gemv|cutlass|_multiply",
    "convolutions": r"conv|fft|im2col|slow_conv",
    "attention": r"attention|_attend|_combine|flash|fmha|_write",
    "sampling": r"topk|sort|multinomial|softmax|argmax|exponential|random|sample|gumbel|searchsorted",
    "norms": r"norm|rsqrt",
    "moving": r"copy|cat|index|gather|scatter|embedding|where|fill|roll|memcpy|memset|clone|contiguous|_to\b",
}
"""What operators and kernels are for, by their names; the first that matches counts."""

OTHER, OUTSIDE = "arithmetic and views", "outside operators"
"""The last is Python and the dispatch of operators, or, on a graphics card, a card that waits."""

COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb", "#555555")
"""Tol's bright scheme, told apart by the colour-blind too."""

_BAR_WIDTH, _BAR_HEIGHT, _LEFT = 700, 34, 110


def dissect(step: Callable[[], None], *, on_card: bool) -> dict[str, float]:
    """Return ms a frame for each kind, OTHER and OUTSIDE; a profiled frame takes longer than another."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_card else [])]
    with profile(activities=activities) as seen:
        began = time.perf_counter()
        for _ in range(FRAMES):
            step()
        whole_ms = 1000 * (time.perf_counter() - began) / FRAMES
    parts = dict.fromkeys((*KINDS, OTHER), 0.0)
    for event in seen.key_averages():
        own_us = event.self_device_time_total if on_card else event.self_cpu_time_total
        if event.device_type.name == ("CUDA" if on_card else "CPU"):
            parts[_kind(event.key)] += own_us / 1000 / FRAMES
    parts[OUTSIDE] = max(0.0, whole_ms - sum(parts.values()))
    return {kind: round(ms, 3) for kind, ms in parts.items()}


def _kind(name: str) -> str:
    return next((kind for kind, names in KINDS.items() if re.search(names, name)), OTHER)


def draw(path: Path, frames: Mapping[str, Mapping[str, float]]) -> None:
    """Write an SVG with a bar for each frame, by the name of its engine, in one scale of ms."""
    longest = max(sum(parts.values()) for parts in frames.values())
    colours = dict(zip((*KINDS, OTHER, OUTSIDE), COLOURS, strict=True))
    shapes = []
    for row, (name, parts) in enumerate(frames.items()):
        top, left = 16 + row * (_BAR_HEIGHT + 14), float(_LEFT)
        shapes.append(_text(_LEFT - 10, top + 22, name, anchor="end"))
        for kind, ms in parts.items():
            width = _BAR_WIDTH * ms / longest
            shapes.append(
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR_HEIGHT}" '
                f'fill="{colours[kind]}"><title>{escape(kind)}: {ms:.2f} ms</title></rect>'
            )
            left += width
        shapes.append(_text(left + 6, top + 22, f"{sum(parts.values()):.1f} ms"))
    legend = 16 + len(frames) * (_BAR_HEIGHT + 14) + 12
    for at, (kind, colour) in enumerate(colours.items()):
        x, y = _LEFT + at % 4 * 190, legend + at // 4 * 24
        shapes.append(f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{colour}"/>')
        shapes.append(_text(x + 18, y, kind))
    width, height = _LEFT + _BAR_WIDTH + 80, legend + 40
    replace_file(
        path,
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n' + "\n".join(shapes) + "\n</svg>\n",
    )


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(words)}</text>'
