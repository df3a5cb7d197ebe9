"""What tells the sounds and words of a dataset from what they were when something was made of them.

Knows nothing about what is made of them.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from app.datasets import Dataset


def audio_identity(path: Path) -> str:
    """Return what tells a sound file from its successors, without reading it. Raises OSError."""
    state = path.stat()
    return f"{state.st_size}:{state.st_mtime_ns}"


def inputs(dataset: Dataset) -> str:
    """Return what tells all sounds and words of a dataset from what they were or will be. Raises OSError."""
    digest = hashlib.sha256()
    for dialogue in dataset.dialogues():
        digest.update(json.dumps([dialogue, audio_identity(dataset.audio(dialogue))]).encode())
        for path in (dataset.text(dialogue), dataset.spoken(dialogue)):
            with suppress(OSError):
                digest.update(hashlib.sha256(path.read_bytes()).digest())
            digest.update(b"/")
    return digest.hexdigest()
