"""The one kind of fault that a user can do something about."""

from __future__ import annotations


class UserError(Exception):
    """One sentence that names the thing, and one advice that says what to do."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        # A file name may hold bytes that are no text, and a sentence can be printed wherever it goes.
        self.sentence, self.advice = (text.encode("utf-8", "replace").decode() for text in (sentence, advice))
        super().__init__(f"{self.sentence} {self.advice}".strip())
