"""Reads sounds beside the window: their shape from beginning to end, and single stretches exactly.

Knows nothing about how they are drawn. A few sounds are kept, so that going back to one shows it at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import soundfile
from PySide6.QtCore import QObject, Signal

from app.errors import UserError
from app.ui.shell.background_worker import Aside
from app.ui.training.edit.peaks import Fine, Peaks, Piece, open_peaks, read_fine, read_piece

MOST_SOUNDS = 4

Read = TypeVar("Read")


class SoundReader(QObject):
    """One sound is read at a time."""

    grown = Signal()
    """More of the sound is there."""
    fine = Signal(object)
    """The Fine that was asked for."""
    trouble = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._audio: Path | None = None
        self._peaks: Peaks | None = None
        self._kept: OrderedDict[tuple[Path, int], Peaks] = OrderedDict()
        self._aside = Aside(self)

    @property
    def whole(self) -> bool:
        """Say whether all of the sound was read."""
        return self._peaks is not None and self._peaks.whole

    def open(self, audio: Path) -> Peaks:
        """Return the shape of a sound, which grows from now on. Raises UserError."""
        self._aside.forget()
        try:
            key = audio, audio.stat().st_mtime_ns
            peaks = self._kept.pop(key, None) or open_peaks(audio)
        except (OSError, soundfile.SoundFileError) as fault:
            raise UserError(
                self.tr("The sound of {0} can not be read.").format(audio.stem),
                self.tr("Import the dialogue again, or leave it out of the dataset."),
            ) from fault
        self._kept[key] = peaks
        while len(self._kept) > MOST_SOUNDS:
            self._kept.popitem(last=False)
        self._audio, self._peaks = audio, peaks
        self._read_on()
        return peaks

    def ask_fine(self, first: int, samples: int) -> None:
        """Read a stretch of the samples themselves."""
        if self._audio is not None:
            read = partial(_tried, partial(read_fine, self._audio, first, samples))
            self._aside.ask(read, partial(self._take_fine, self._audio))

    def rest(self) -> None:
        """Read no more of the sound for now."""
        self._aside.forget()
        self._audio = None

    def close(self) -> None:
        """End the thread."""
        self._audio = None
        self._aside.close()

    def _read_on(self) -> None:
        if self._audio is not None and self._peaks is not None and not self._peaks.whole:
            read = partial(read_piece, self._audio, self._peaks, self._peaks.values_read)
            self._aside.ask(partial(_tried, read), partial(self._take_piece, self._audio))

    def _take_piece(self, audio: Path, piece: Piece | None) -> None:
        if audio != self._audio or self._peaks is None:
            return
        if piece is None:
            self.trouble.emit(
                self.tr("The sound of {0} can not be read any further.").format(audio.stem),
                self.tr("The file may be damaged or may have been moved; import the dialogue again."),
            )
            return
        self._peaks.add(piece)
        self.grown.emit()
        self._read_on()

    def _take_fine(self, audio: Path, fine: Fine | None) -> None:
        if audio == self._audio and fine is not None:
            self.fine.emit(fine)


def _tried(read: Callable[[], Read]) -> Read | None:
    """Return what was read, None where it can not be."""
    try:
        return read()
    except (OSError, RuntimeError):
        # SoundFileError is a RuntimeError.
        return None
