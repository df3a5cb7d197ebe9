"""Which of some English lines was said, and when each of its words began, by pocketsphinx.

Free recognition of espeak-ng's voices is hopeless; one line of many is not. Knows nothing about models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import soxr

from app.errors import UserError
from app.frames import SAMPLE_RATE

RATE = 16_000
_PRONUNCIATIONS = {"aizuchi": "AY Z UW CH IY", "yuki": "Y UW K IY"}
_SILENCE_S = 0.3
"""The recogniser wants so much silence around speech, and no more."""
_DITHER = 1e-4
_QUIET = 0.01


class PhraseRecogniser:
    """Hears which of `lines` was said. Raises UserError where pocketsphinx is missing."""

    def __init__(self, lines: Sequence[str]) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as fault:
            raise UserError("pocketsphinx is missing.", "Install the extra `starter`.") from fault
        self._lines = {spell(line): line for line in lines}
        self._decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None)
        for word in sorted({word for spelt in self._lines for word in spelt.split()}):
            if self._decoder.lookup_word(word) is None:
                self._decoder.add_word(word, _PRONUNCIATIONS[word], True)
        rules = " | ".join(f"( {spelt} )" for spelt in self._lines)
        self._decoder.add_jsgf_string("lines", f"#JSGF V1.0; grammar lines; public <line> = {rules};")

    def recognise(self, sound: npt.NDArray[np.float32]) -> str:
        """Return the line that was heard in [N] float32 at 24 kHz, '' for none."""
        self._decoder.activate_search("lines")
        self._hear(_prepare(sound)[0])
        hypothesis = self._decoder.hyp()
        return self._lines.get(hypothesis.hypstr, "") if hypothesis else ""

    def word_starts(self, line: str, sound: npt.NDArray[np.float32]) -> list[float]:
        """Return when each word of a line that is said begins, in seconds; nothing where it does not fit."""
        prepared, before_s = _prepare(sound)
        try:
            self._decoder.set_align_text(spell(line))
            self._hear(prepared)
            words = [each for each in self._decoder.seg() if not each.word.startswith(("<", "["))]
        except (RuntimeError, TypeError):
            return []
        frame_s = 1 / self._decoder.config["frate"]
        return [each.start_frame * frame_s - before_s for each in words]

    def _hear(self, samples: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(samples, no_search=False, full_utt=True)
        self._decoder.end_utt()


def spell(line: str) -> str:
    """Return the words of a line as a dictionary has them."""
    return re.sub(r"[^a-z' ]+", "", line.lower().replace("-", " ")).strip()


def _prepare(sound: npt.NDArray[np.float32]) -> tuple[bytes, float]:
    """Return 16 bit samples at 16 kHz with little silence around, and how much later they begin, in s."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * max(1e-6, float(np.max(np.abs(sound), initial=0.0))))
    first, last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(sound))
    around = np.zeros(round(_SILENCE_S * SAMPLE_RATE), dtype=np.float32)
    padded = np.concatenate([around, sound[first:last], around])
    padded *= 0.5 / max(1e-6, float(np.max(np.abs(padded))))
    padded += np.random.default_rng(0).normal(0, _DITHER, len(padded)).astype(np.float32)
    samples = soxr.resample(padded, SAMPLE_RATE, RATE) * 2**15
    return np.clip(samples, -(2**15), 2**15 - 1).astype(np.int16).tobytes(), _SILENCE_S - first / SAMPLE_RATE
