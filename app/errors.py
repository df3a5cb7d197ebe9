"""The one kind of fault that a user can do something about."""

from __future__ import annotations


class UserError(Exception):
    """One sentence that names the thing, and one advice that says what to do."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(f"{sentence} {advice}".strip())
        self.sentence = sentence
        self.advice = advice
