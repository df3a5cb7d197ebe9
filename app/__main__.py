"""`python -m app` is the command `aizuchi`."""

from __future__ import annotations

import sys

from app.cli import main

# The audio process is spawned and reads this module again, under another name.
if __name__ == "__main__":
    sys.exit(main())
