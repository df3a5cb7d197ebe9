"""Whether a window can be opened here, asked in a child.

Knows nothing about what would be in the window.
"""

from __future__ import annotations

import os
import subprocess
import sys

SCREEN_S = 20.0
"""How long a display may take to answer."""


def screen_trouble() -> str:
    """Return why no window can be opened, '' if one can.

    Asked in a child, since Qt ends the process when a display or a library of the system is missing.
    """
    if not any(os.environ.get(name) for name in ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM")):
        return "There is no display."
    code = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=SCREEN_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "The display does not answer."
    if ended.returncode == 0:
        return ""
    reason = ended.stderr.strip().splitlines()
    return f"The display can not be used ({reason[0] if reason else 'no reason given'})."
