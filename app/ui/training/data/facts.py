"""What a dataset holds, in numbers: dialogues, minutes, whose words are there, what was found at its import.

Reads headers and small files; knows nothing about widgets.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import soundfile
from PySide6.QtCore import QCoreApplication

from app.errors import UserError
from app.files import read_json_lines
from app.store.datasets import AUDIO, IMPORTED, PREPARED, SPOKEN, TEXT, Dataset, read_words
from app.ui.shell.translation import told
from app.ui.training.check.data import times_ns


@dataclass(frozen=True, slots=True)
class Facts:
    """One dataset. `lacking_a` and `lacking_b` count the dialogues without words of that voice."""

    dialogues: int
    seconds: float
    lacking_a: int
    lacking_b: int
    findings: tuple[str, ...]
    """Sentences, as they were told."""


def read_facts(dataset: Dataset) -> Facts:
    """Read what a dataset holds; what is damaged counts for nothing."""
    seconds, lacking_a, lacking_b = 0.0, 0, 0
    names = dataset.dialogues()
    for name in names:
        with suppress(OSError, soundfile.SoundFileError):
            seconds += soundfile.info(dataset.audio(name)).duration
        speakers: set[str] = set()
        with suppress(UserError):
            speakers = {word.speaker for word in read_words(dataset.text(name))}
        lacking_a += "A" not in speakers and not dataset.spoken(name).exists()
        lacking_b += "B" not in speakers
    return Facts(len(names), seconds, lacking_a, lacking_b, tuple(_findings(dataset)))


def prepared_for(dataset: Dataset) -> str:
    """Return the model for which a dataset is prepared, '' for none, or where that is not known."""
    return str(dataset.prepared.get("model") or "")


def is_prepared_outdated(dataset: Dataset) -> bool:
    """Say whether words or sound of a prepared dataset have changed since."""
    try:
        prepared_ns = (dataset.folder / PREPARED).stat().st_mtime_ns
    except OSError:
        return False
    parts = (AUDIO, TEXT, SPOKEN)
    return any(time_ns > prepared_ns for part in parts for time_ns in times_ns(dataset.folder / part))


def finding_words(finding: dict[str, object]) -> str:
    """Return a finding as it is shown: where, what, what was done, and what can be."""
    where = str(finding.get("dialogue") or "")
    parts = [str(finding.get(part) or "") for part in ("sentence", "done", "advice")]
    text = " ".join(told(part) for part in parts if part)
    return text if not where or where in text else f"{where}: {text}"


def _findings(dataset: Dataset) -> list[str]:
    """Return the sentences, one that holds for several dialogues once."""
    found: dict[str, list[dict[str, object]]] = {}
    with suppress(OSError, ValueError):
        for finding in read_json_lines(dataset.folder / IMPORTED):
            alike = found.setdefault(f"{finding.get('sentence')} {finding.get('done')}", [])
            if finding.get("dialogue") not in [each.get("dialogue") for each in alike]:
                alike.append(finding)
    return [_together(findings) for findings in found.values()]


def _together(findings: list[dict[str, object]]) -> str:
    if len(findings) == 1:
        return finding_words(findings[0])
    count = QCoreApplication.translate("Facts", "{0} dialogues").format(len(findings))
    return finding_words({**findings[0], "dialogue": count})
