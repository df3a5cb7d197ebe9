"""What a model is told before a talk is refused with a sentence where it does not take it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.events import Prompt
from app.engine.ports import PromptSupport
from app.engine.prompt import own_voice, refuse_prompt
from app.errors import UserError

FULL = PromptSupport(voices=("anna", "bert"), own_voice=True, role=True)


@pytest.mark.parametrize(
    "prompt", [Prompt(), Prompt("anna"), Prompt("bert", "a teacher"), Prompt(role="a <system> teacher")]
)
def test_a_model_takes_what_it_says_it_takes(prompt: Prompt) -> None:
    refuse_prompt(prompt, FULL, "x")


@pytest.mark.parametrize(
    ("prompt", "support", "sentence"),
    [
        (Prompt(role="a teacher"), PromptSupport(), "x takes no role"),
        (Prompt("anna"), PromptSupport(role=True), "x has one voice"),
        (Prompt("carl"), FULL, "x has no voice called 'carl'"),
        (Prompt("./carl.wav"), PromptSupport(voices=("anna",)), "x has no voice called"),
        (Prompt("nowhere/carl.wav", consented=True), FULL, "no sound file nowhere/carl.wav"),
        (Prompt("nowhere/carl.wav"), FULL, "only with the consent of the person"),
    ],
)
def test_what_a_model_does_not_take_is_refused(prompt: Prompt, support: PromptSupport, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        refuse_prompt(prompt, support, "x")


def test_an_own_voice_is_taken_with_consent_alone(tmp_path: Path) -> None:
    voice = tmp_path / "carl.wav"
    voice.write_bytes(b"")
    refuse_prompt(Prompt(str(voice), consented=True), FULL, "x")
    with pytest.raises(UserError, match="consent"):
        refuse_prompt(Prompt(str(voice)), FULL, "x")
    assert own_voice(Prompt(str(voice)), FULL) == voice
    assert own_voice(Prompt("anna"), FULL) is None
