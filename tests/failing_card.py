"""`python -m tests.failing_card`: the program, on a graphics card that fails in mid-talk.

There is no card where the tests run: after so many frames of a talk as the variable FRAMES says, the step of
the model raises what torch raises, and so does from then on whatever asks the card. Where the variable SPOT
names a file, the middle of the button with one of the texts in BUTTON is written there once it is shown, in
pixels of the screen.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch

from app import session
from app.cli import main
from app.engine.loop import converse

DEVICE_ASSERT = """CUDA error: device-side assert triggered
CUDA kernel errors might be asynchronously reported at some other API call.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""
"""As torch says it, in fewer words."""

ASKING = ("device_count", "empty_cache", "mem_get_info", "synchronize")


def fail(*_: object, **__: object) -> Any:
    """Raise what every call raises on a card whose kernel failed."""
    raise torch.AcceleratorError(DEVICE_ASSERT)


def break_card(frames: int) -> None:
    """Let the card fail after so many frames of a talk."""

    def talk(port: Any, model: Any, *rest: Any) -> int:
        step, left = model.step, iter(range(frames))

        def step_or_fail(heard: Any) -> Any:
            if next(left, None) is not None:
                return step(heard)
            for name in ASKING:
                setattr(torch.cuda, name, fail)
            vars(model)["close"] = fail
            return fail()

        vars(model)["step"] = step_or_fail
        return converse(port, model, *rest)

    vars(session)["converse"] = talk


def tell_button(spot: Path, *texts: str) -> None:
    """Write down where a button is, once it is there."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QPushButton

    from app.ui.shell import app

    def look() -> None:
        for each in QApplication.allWidgets():
            if isinstance(each, QPushButton) and each.text() in texts and each.isVisible():
                middle = each.mapToGlobal(each.rect().center())
                spot.write_text(f"{middle.x()} {middle.y()}")

    class Watched(app.Pulse):
        """The one timer of the program, and another."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            timer = QTimer(self, interval=100)
            timer.timeout.connect(look)
            timer.start()

    vars(app)["Pulse"] = Watched


if __name__ == "__main__":
    break_card(int(os.environ["FRAMES"]))
    if "SPOT" in os.environ:
        tell_button(Path(os.environ["SPOT"]), *os.environ["BUTTON"].split("|"))
    sys.exit(main(sys.argv[1:]))
