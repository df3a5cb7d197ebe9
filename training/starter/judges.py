"""Who asks the starter for its scores: voices and recordings of a person that nothing is ever trained on.

Three of the engines speak to it for scores alone; of Kokoro four voices do. Knows nothing about scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.errors import UserError
from training.starter.engines import EXTRA, Engines, Spoken, Who, as_sound, missing, package, shared
from training.starter.speech import Sound
from training.starter.user_texts import UserText, spell_words

KOKORO_JUDGES = frozenset({"am_michael", "bm_george", "bf_emma", "jf_nezumi"})
"""No mixture has any of them in it either."""
ENGINE_JUDGES = frozenset({"flite", "piper", "person"})

JUDGES: Mapping[str, tuple[Who, ...]] = {
    "en": (
        Who("kokoro", "am_michael"),
        Who("kokoro", "bm_george"),
        Who("kokoro", "bf_emma", 1.05),
        Who("piper", "joe"),
        Who("flite", "slt"),
        Who("flite", "rms"),
        Who("flite", "awb", 1.1),
    ),
    "ja": (Who("kokoro", "jf_nezumi"),),
}
PERSON = Who("person", "Allison")

_RATE = 16_000
_PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_RECORDED: Mapping[str, str] = {
    "hello": "hello",
    "goodbye": "vm-goodbye",
    "thank you": "auth-thankyou",
    "one moment please": "one-moment-please",
    "i'm sorry": "im-sorry",
    "please try again": "please-try-again",
    "something is terribly wrong": "something-terribly-wrong",
    "nobody is available to take your call at the moment": "vm-nobodyavail",
    "weasels have eaten our phone system": "tt-weasels",
    "they have been carried away by monkeys": "tt-monkeysintro",
    "you are currently the only person in this conference": "conf-onlyperson",
    "please check the number and dial again": "check-number-dial-again",
    "please hold while i try that extension": "transfer",
}
"""What Allison Smith says in which of her recordings for Asterisk (CC-BY-SA-3.0)."""

_SAYS: Mapping[str, tuple[str, ...]] = {
    "cut_in": ("One moment, please.", "I'm sorry.", "Please try again.", "Something is terribly wrong."),
    "opening": (
        "Weasels have eaten our phone system.",
        "Nobody is available to take your call at the moment.",
    ),
    "clause": (
        "They have been carried away by monkeys.",
        "Something is terribly wrong.",
        "You are currently the only person in this conference.",
        "Please check the number and dial again.",
        "Please hold while I try that extension.",
    ),
}


class Person:
    """An engine of one person's recordings. Raises UserError where they are not installed."""

    def __init__(self) -> None:
        if not _PROMPTS.is_dir():
            raise UserError(
                "No recordings of a person are installed.", "Install asterisk-core-sounds-en-g722."
            )
        try:
            # G.722 is nothing that libsndfile reads.
            self._decode = package("faster_whisper").decode_audio
        except UserError as fault:
            raise UserError("Nothing reads the recordings of a person.", EXTRA) from fault

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return a recording."""
        path = _PROMPTS / f"{_RECORDED[text.spoken]}.g722"
        return shared(text, as_sound(self._decode(str(path), sampling_rate=_RATE), _RATE))


class Judges:
    """The voices that are installed here, and what they say. What they say is kept: scores ask often."""

    def __init__(self) -> None:
        self._engines = Engines()
        self._person: Person | None = None
        self._said: dict[tuple[Who, str], Sound] = {}
        self.left_out: list[UserError] = []
        """Why some of them do not speak."""
        faults = {who.engine: missing(who.engine) for each in JUDGES for who in JUDGES[each]}
        self.left_out += [fault for fault in faults.values() if fault is not None]
        self.voices = [(each, who) for each in JUDGES for who in JUDGES[each] if faults[who.engine] is None]
        """(language, who)"""
        self._ask_person()

    def say(self, text: UserText, who: Who) -> Sound:
        """Return what a judge says."""
        key = who, text.spoken
        if key not in self._said:
            speaker = self._person if who == PERSON else self._engines
            assert speaker is not None, "only who is installed is asked"
            self._said[key] = speaker.say(text, who).sound
        return self._said[key]

    def close(self) -> None:
        """End the processes that some of them speak in."""
        self._engines.close()

    def _ask_person(self) -> None:
        try:
            self._person = Person()
        except UserError as fault:
            self.left_out.append(fault)
        else:
            self.voices.append(("en", PERSON))


def knows(who: Who, text: UserText) -> bool:
    """Tell whether a judge can say a text: a person only what was recorded."""
    return who != PERSON or text.spoken in _RECORDED


def recorded(kind: str) -> list[UserText]:
    """Return what the person says in place of a kind of text: "cut_in", "opening" or "clause"."""
    return [UserText("clause", "en", each, spell_words(each)) for each in _SAYS[kind]]
