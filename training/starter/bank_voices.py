"""Who speaks in the bank: styles and mixtures of Kokoro, and the other engines that are no judges.

Knows nothing about what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from app.errors import UserError
from training.starter.engines import Who, missing
from training.starter.judges import KOKORO_JUDGES
from training.starter.kokoro import mixture
from training.starter.voices import draw_voice

OWN_VOICES: Mapping[str, str] = {"en": "af_heart", "ja": "jf_alpha"}
"""Kokoro's voices that are the model's own: no user has them."""

_ENGLISH = (
    "af_alloy", "af_aoede", "af_bella", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river",
    "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_onyx", "am_puck",
    "am_santa", "bf_alice", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_lewis",
)  # fmt: skip
_JAPANESE = "jf_gongitsune", "jf_tebukuro", "jm_kumo"
STYLES: Mapping[str, Sequence[str]] = {"en": _ENGLISH, "ja": _JAPANESE}

_MIXTURES = {"en": 96, "ja": 60}
_MIXTURE_SEED = 7
_FOREIGN_SHARE = 0.3
"""So much of an English style may be in a Japanese mixture: there are too few Japanese ones."""

SHARES: Mapping[str, Mapping[str, float]] = {
    "en": {"kokoro": 0.60, "espeak-ng": 0.25, "festival": 0.15},
    "ja": {"kokoro": 0.50, "espeak-ng": 0.25, "open-jtalk": 0.25},
}
"""How often which engine speaks."""

REVOICED: Mapping[str, float] = {"kokoro": 0.35, "espeak-ng": 0.0, "festival": 0.75, "open-jtalk": 0.8}
"""How often the vocoder changes the voice: nearly always where an engine has but one or two, never that of
espeak-ng, which has hundreds and was hardly understood afterwards (word error 0.38, by Whisper tiny.en)."""

_FESTIVAL = "kal_diphone", "ked_diphone"
_MEI = "mei"

ENGINES = tuple(dict.fromkeys(name for each in SHARES.values() for name in each))


def draw_who(language: str, engines: Sequence[str], chance: np.random.Generator) -> Who:
    """Return somebody who speaks a language, by one of some engines."""
    shares = {name: share for name, share in SHARES[language].items() if name in engines}
    weights = np.array(list(shares.values())) / sum(shares.values())
    engine = str(chance.choice(list(shares), p=weights))
    if engine == "kokoro":
        return _kokoro(language, chance)
    if engine == "espeak-ng":
        voice = draw_voice(language, chance)
        return Who(engine, voice.name, voice.speed / 160, (voice.pitch - 50) / 25)
    if engine == "festival":
        return Who(engine, str(chance.choice(_FESTIVAL)), round(float(chance.uniform(0.85, 1.15)), 2))
    return Who(
        engine, _MEI, round(float(chance.uniform(0.85, 1.2)), 2), round(float(chance.uniform(-1, 1)), 2)
    )


def check_engines(engines: Sequence[str]) -> None:
    """Raise UserError where one is unknown or not installed, or a language has none."""
    for name in engines:
        if name not in ENGINES:
            raise UserError(f"No engine of the bank is called {name}.", f"There are: {', '.join(ENGINES)}.")
        fault = missing(name)
        if fault is not None:
            raise UserError(
                f"{name} can not speak here: {fault}", "Leave it out with --engines, or install it."
            )
    if mute := [language for language, shares in SHARES.items() if not set(shares) & set(engines)]:
        raise UserError(f"No engine speaks {mute[0]}.", f"Name one more: {', '.join(SHARES[mute[0]])}.")


@cache
def kokoro_voices(language: str) -> tuple[tuple[str, float], ...]:
    """Return the voices and mixtures of Kokoro in a language, each with its own speed: always the same."""
    chance = np.random.default_rng([_MIXTURE_SEED, len(language), ord(language[0])])
    names = [*STYLES[language], *(_mixture(language, chance) for _ in range(_MIXTURES[language]))]
    return tuple((name, float(chance.uniform(0.85, 1.18))) for name in names)


def _kokoro(language: str, chance: np.random.Generator) -> Who:
    voices = kokoro_voices(language)
    name, speed = voices[int(chance.integers(len(voices)))]
    return Who("kokoro", name, round(speed * float(chance.uniform(0.92, 1.08)), 2))


def _mixture(language: str, chance: np.random.Generator) -> str:
    """Return two or three styles of a language in any shares; a Japanese one may have an English part."""
    styles = STYLES[language]
    count = int(chance.integers(2, 4))
    picked = [styles[at] for at in chance.permutation(len(styles))[:count]]
    shares = {
        name: float(part) for name, part in zip(picked, chance.dirichlet([1.2] * len(picked)), strict=True)
    }
    if language == "ja":
        foreign = float(chance.uniform(0.0, _FOREIGN_SHARE))
        shares = {name: part * (1 - foreign) for name, part in shares.items()}
        shares[_ENGLISH[int(chance.integers(len(_ENGLISH)))]] = foreign
    assert not KOKORO_JUDGES & set(shares), "judges are never learnt from"
    return mixture(shares)
