"""Prints what a frame launches by mode and what each kernel is on each card, without a card; JSON last.

Knows nothing about how it is found out.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

TARGETS = (75, 80, 86, 89, 90, 120)

Row = dict[str, Any]


def main() -> None:
    """Print tables for people, or write JSON for the tests."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.cards", description=__doc__)
    parser.add_argument(
        "--targets", default=",".join(map(str, TARGETS)), help="compute capabilities; '' for none"
    )
    parser.add_argument(
        "--shapes", default="", help="what the names of the shapes begin with that are compiled"
    )
    parser.add_argument("--no-frames", action="store_true", help="leave out what a frame launches")
    parser.add_argument("--json", type=Path, help="write everything here, and print nothing")
    options = parser.parse_args()
    targets = [int(each) for each in options.targets.split(",") if each]
    # Triton reads it when it is imported.
    os.environ.pop("TRITON_INTERPRET", None)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        from tests.engine.cards import figures

        found = figures.compiled(targets, options.shapes)
        if not options.no_frames:
            found |= figures.collected(max(targets, default=90))
    if options.json:
        options.json.write_text(json.dumps(found))
        return
    show_frames(found.get("frames", []))
    show_cubins(found["cubins"])
    show_estimates(found["estimates"])
    print(json.dumps(found))


def show_frames(frames: list[Row]) -> None:
    """Print a line for each kind of frame."""
    print(f"{'shape':36} {'sampling':12} {'launches':>8} {'operators':>9} {'GB a frame':>10}")
    for row in frames:
        print(
            f"{row['shape']:36} {row['sampling']:12} {row['launches']:8} {row['operators']:9} "
            f"{row['bytes'] / 1e9:10.2f}"
        )


def show_cubins(cubins: list[Row]) -> None:
    """Print a line for each kernel on each card."""
    print(
        f"\n{'card':7} {'warps':>5} {'registers':>9} {'spilled':>7} {'shared':>6} {'occupancy':>9} "
        f"{'loop':>5} {'128-bit':>7} {'per 16 B':>8}  kernel"
    )
    for row in cubins:
        print(
            f"sm_{row['target']:<4} {row['warps']:5} {row['registers']:9} {row['spilled_bytes']:7} "
            f"{row['shared_bytes']:6} {row['occupancy']:9.0%} {row['loop_instructions']:5} "
            f"{row['wide_share']:7.0%} {row['per_16_bytes']:8.1f}  {row['variant']}"
        )


def show_estimates(estimates: list[Row]) -> None:
    """Print a line for each kind of frame with a column for each card."""
    targets = list(dict.fromkeys(row["target"] for row in estimates))
    print("\nestimated ms of a frame\n" + " " * 48 + " ".join(f"sm_{target:<4}" for target in targets))
    named: dict[tuple[str, str], list[float]] = {}
    for row in estimates:
        named.setdefault((row["shape"], row["sampling"]), []).append(row["ms"])
    for (shape, sampling), times in named.items():
        print(f"{shape:34} {sampling:12} " + " ".join(f"{ms:7.2f}" for ms in times))


if __name__ == "__main__":
    main()
