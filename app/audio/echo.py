"""Acoustic echo cancellation: what the speaker says is taken out of what the microphone hears.

Stands between the callbacks of the audio process. The speaker's hands over what it gives to the device, the
reference; the microphone's takes as much of that as it has heard, never later than the echo can come. The
arithmetic is WebRTC's AEC3. Knows nothing about devices or rings that are shared.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from app.audio.late import Late
from app.audio.ring import Ring
from app.frames import SAMPLE_RATE, Samples

REFERENCE_SAMPLES = 1 << 14
"""What the reference may run ahead of the microphone: 0.7 s."""

MARGIN_SAMPLES = 48
"""2 ms: how much of the reference stays untaken at the least moment, so that it never runs dry."""

FAR_AHEAD_SAMPLES = 480
"""20 ms: a reference that lies so far beyond the margin is cut at once, a smaller excess one by one."""

WINDOW_S = 2.0
"""Over so long the least moment is sought."""

BLOCK_SAMPLES = 240
"""10 ms: WebRTC's own step. In others it removes 10 dB less."""

DELAY_SAMPLES = {False: 223, True: 367}
"""How long the canceller keeps sound back, 9.3 ms, and 15.3 with noise suppression: measured by
cross-correlation with what went in."""

LOUD = 1e-3
"""RMS of a reference that is heard in a room, -60 dB of full scale."""

MEMORY_S = 1.0
"""Over so long the effect is averaged."""


class Canceller(Protocol):
    """Takes the echo of `far` out of `near`, both [n * BLOCK_SAMPLES] float32 at 24 kHz."""

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return as much of what is left of `near`, DELAY_SAMPLES later."""


def make_canceller(suppress_noise: bool) -> Canceller:
    """Return WebRTC's; imported here, so that who needs none does not load it."""
    from pywebrtc_audio import AudioProcessor

    canceller: Canceller = AudioProcessor(
        sample_rate=SAMPLE_RATE, echo_cancellation=True, noise_suppression=suppress_noise
    )
    return canceller


class Echo:
    """One canceller and its reference. `play` is for the speaker's thread, `clean` for the microphone's."""

    def __init__(self) -> None:
        self._reference = Ring(memoryview(bytearray(Ring.size_bytes(REFERENCE_SAMPLES))))
        # Both are made before sound flows: a callback makes nothing.
        self._cancellers = {noise: make_canceller(noise) for noise in (False, True)}
        self._late = Late()
        self._waits: Samples = np.zeros(0, dtype=np.float32)
        self._least = REFERENCE_SAMPLES
        self._looked = 0
        self._excess = 0
        self._powers = np.zeros(2)
        self.delay_s = 0.0
        """How long sound is kept back at present."""
        self.removed_db: float | None = None
        """By how much what came in is louder than what is left, while the reference is loud."""

    def play(self, block: Samples) -> None:
        """Take what goes to the device, [N] float32."""
        self._reference.write(block)

    def clean(self, block: Samples, *, suppress_noise: bool) -> tuple[Samples, Samples]:
        """Return what is left of the sound so far [n * BLOCK_SAMPLES], and the sound itself as late as that.

        `block` [N]; what is less than BLOCK_SAMPLES waits for the next.
        """
        waits = np.concatenate((self._waits, block))
        whole = waits.size // BLOCK_SAMPLES * BLOCK_SAMPLES
        sound: Samples = waits[:whole]
        self._waits = waits[whole:]
        if not whole:
            return sound, sound
        self.delay_s = DELAY_SAMPLES[suppress_noise] / SAMPLE_RATE
        far = self._take(whole)
        left = self._cancellers[suppress_noise].process(sound, far)
        late = self._late.push(sound, DELAY_SAMPLES[suppress_noise])
        self._weigh(far, late, left)
        return left, late

    def idle(self) -> None:
        """Forget the reference, while nothing is cancelled."""
        self._reference.skip(self._reference.fill)
        self._waits = self._waits[:0]
        self.removed_db = None

    def _take(self, size: int) -> Samples:
        """Return as much of the reference as was heard, and bring what lies ahead back to the margin."""
        ring = self._reference
        far = np.zeros(size, dtype=np.float32)
        if self._excess > FAR_AHEAD_SAMPLES:
            ring.skip(self._excess)
            self._excess = 0
        elif self._excess:
            # As two devices do whose clocks differ; the canceller follows that.
            ring.skip(1)
            self._excess -= 1
        # What is missing is heard later: the silence in its place moves the rest back.
        ring.read(far)
        self._least = min(self._least, ring.fill)
        self._looked += size
        if self._looked >= WINDOW_S * SAMPLE_RATE:
            self._excess = max(0, self._least - MARGIN_SAMPLES)
            self._least, self._looked = REFERENCE_SAMPLES, 0
        return far

    def _weigh(self, far: Samples, late: Samples, left: Samples) -> None:
        if np.sqrt(np.mean(np.square(far))) < LOUD:
            return
        share = min(1.0, far.size / (MEMORY_S * SAMPLE_RATE))
        now = np.array([np.mean(np.square(late)), np.mean(np.square(left))])
        self._powers += share * (now - self._powers)
        if self._powers[1] > 0:
            self.removed_db = float(10 * np.log10(self._powers[0] / self._powers[1] + 1e-9))
