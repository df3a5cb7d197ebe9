"""What tells the sounds and words of a dataset from what they were when something was made of them.

Knows nothing about what is made of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.store.datasets import Dataset, TimedWord

_FLAC_SAMPLES_MD5 = slice(26, 42)
"""Where a FLAC file has the MD5 of its samples as they were before they were coded (RFC 9639, 8.2)."""


def audio_identity(path: Path) -> str:
    """Return what tells a sound file from its successors, without reading it. Raises OSError."""
    state = path.stat()
    return f"{state.st_size}:{state.st_mtime_ns}"


def sound_identity(flac: Path) -> str:
    """Return what tells the sound in a FLAC file from others, however it is coded; '' where it says nothing.

    Raises OSError.
    """
    with flac.open("rb") as file:
        head = file.read(_FLAC_SAMPLES_MD5.stop)
    digest = head[_FLAC_SAMPLES_MD5]
    return digest.hex() if head.startswith(b"fLaC") and any(digest) else ""


def words_identity(words: Iterable[TimedWord]) -> str:
    """Return what tells words, said by whom and when, from others; '' for none."""
    said = sorted((word.speaker, round(word.start_s, 3), round(word.end_s, 3), word.text) for word in words)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32] if said else ""


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
