"""Who speaks: the model's voice in each language, and the many voices of users.

Knows nothing about what they say.
"""

from __future__ import annotations

import numpy as np

from training.starter.scripts import phrases
from training.starter.speech import Voice

_ACCENTS = {
    "en": (
        "en-us", "en-us", "en-us", "en", "en", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-029",
        "gmw/en-GB-x-gbclan", "gmw/en-GB-x-gbcwmd",
    ),
    "ja": ("ja",),
}  # fmt: skip
_VARIANTS = (
    "m1", "m2", "m3", "m4", "m6", "m7", "m8", "f1", "f2", "f5", "Alex", "Alicia", "Andrea", "Denis",
    "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike",
    "Nguyen", "Storm", "adam", "anika", "antonio", "aunty", "benjamin", "boris", "caleb", "david", "ed",
    "edward", "edward2", "grandma", "grandpa", "gustave", "iven", "iven2", "iven3", "john",
    "kaukovalta", "linda", "marcelo", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob",
    "robert", "sandro", "shelby", "steph", "steph2", "travis", "victor", "zac",
)  # fmt: skip
"""f3 is the model's own."""


def model_voice(language: str) -> Voice:
    """Return the one voice of the model in a language."""
    return Voice(phrases(language).voice)


def draw_voice(language: str, chance: np.random.Generator) -> Voice:
    """Return a user's voice."""
    accents, variants = _ACCENTS[language], _VARIANTS
    return Voice(
        name=f"{accents[chance.integers(len(accents))]}+{variants[chance.integers(len(variants))]}",
        speed=int(chance.integers(125, 195)),
        pitch=int(chance.integers(25, 76)),
        pitch_range=int(chance.integers(30, 71)),
    )
