"""What people and networks write becomes a prompt that the model takes, or one clear sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.engine.events import Prompt, PromptSupport
from app.errors import UserError
from app.prompts import (
    MOST_ROLES,
    ROLE_LETTERS,
    OwnVoice,
    fitting_prompt,
    is_file,
    keep_role,
    make_prompt,
    own_voice,
    recorded_prompt,
    tidy_role,
)
from tests import damaged

SUPPORT = PromptSupport(("NATF0", "NATM1"), own_voice=True, role=True)
ROLE = "You are a teacher."


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "anna.wav"
    soundfile.write(path, np.zeros(24_000), 24_000)
    return path


@pytest.mark.parametrize("voice", ["NATF0", "NATF0.pt"])
def test_a_name_of_the_models_is_a_voice_as_public_clients_write_it_too(voice: str) -> None:
    assert make_prompt("m", SUPPORT, voice, ROLE) == Prompt("NATF0", ROLE)


def test_nothing_asked_for_is_an_empty_prompt_for_any_model() -> None:
    assert make_prompt("m", PromptSupport(), "", " \n") == Prompt()


@pytest.mark.parametrize(
    "voice",
    [
        "/etc/passwd",
        "../NATF0",
        "voices/NATF0.pt",
        "~/anna.wav",
        "anna.wav",
        "NATF0.pt.pt",
        "natf0",
        "NATF0\n",
        "\x1b[2J",
        "\ud800",
        "x" * 100_000,
        "file:///anna.wav",
        "NATF0\x00",
    ],
)
def test_over_a_network_nothing_is_a_path(
    voice: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sound: Path
) -> None:
    monkeypatch.chdir(sound.parent)

    def looked(*_: object, **__: object) -> None:
        raise AssertionError("the disk was looked at")

    for name in ("stat", "open", "listdir", "lstat"):
        monkeypatch.setattr(os, name, looked)
    with pytest.raises(UserError, match="no voice called") as refused:
        make_prompt("m", SUPPORT, voice, ROLE)
    monkeypatch.undo()
    assert "NATF0, NATM1" in refused.value.advice
    assert refused.value.sentence.isprintable() and len(refused.value.sentence) < 300


def test_a_model_that_takes_none_says_so() -> None:
    with pytest.raises(UserError, match="takes no role"):
        make_prompt("m", PromptSupport(), "", ROLE)
    with pytest.raises(UserError, match="has one voice"):
        make_prompt("m", PromptSupport(), "NATF0", "")


def test_a_file_is_a_voice_only_with_the_consent_for_what_it_holds(sound: Path) -> None:
    with pytest.raises(UserError, match="only with the consent"):
        make_prompt("m", SUPPORT, str(sound), "", ())
    known = own_voice(sound, "Anna\n  Berg ")
    assert (known.whose, known.agreed, known.file) == ("Anna Berg", date.today().isoformat(), str(sound))
    assert make_prompt("m", SUPPORT, str(sound), "", [known]) == Prompt(str(sound), "", consented=True)
    moved = sound.rename(sound.with_name("voice.wav"))
    assert make_prompt("m", SUPPORT, str(moved), "", [known]).consented, "the same voice in another place"
    soundfile.write(sound, np.ones(24_000) / 2, 24_000)
    with pytest.raises(UserError, match="only with the consent"):
        make_prompt("m", SUPPORT, str(sound), "", [known])


@pytest.mark.parametrize("how", ["missing", *damaged.IN_PLACE])
def test_a_file_that_can_not_be_read_is_one_sentence(sound: Path, how: str) -> None:
    known = own_voice(sound, "Anna")
    if how == "missing":
        sound.unlink()
    else:
        damaged.damage(sound, how)
    with pytest.raises(UserError):
        make_prompt("m", SUPPORT, str(sound), "", [known])
    if how != "nothing":
        with pytest.raises(UserError):
            own_voice(sound, "Anna")


def test_what_is_no_sound_file_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(b"pickle")
    with pytest.raises(UserError, match="no WAV or FLAC"):
        own_voice(tmp_path / "voice.pt", "Anna")


def test_what_was_chosen_for_another_model_is_left_out(sound: Path) -> None:
    known = own_voice(sound, "Anna")
    for support, usual in ((PromptSupport(), ""), (PromptSupport(("other",)), "other")):
        for voice in ("NATF0", str(sound), "/gone.wav", ""):
            assert fitting_prompt("m", support, voice, ROLE, [known]) == Prompt(usual)
    assert fitting_prompt("m", SUPPORT, "other", ROLE, []) == Prompt("NATF0", ROLE)
    assert fitting_prompt("m", SUPPORT, str(sound), ROLE, [known]).voice == str(sound)


def test_a_role_is_readable_text_of_a_bounded_length() -> None:
    assert tidy_role(" \r\nYou are\ta \x1bteacher.  \r\n\r\nBe kind.\x00\ud800 ") == (
        "You are a  teacher.\n\nBe kind."
    )
    assert len(tidy_role("あ" * ROLE_LETTERS)) == ROLE_LETTERS
    with pytest.raises(UserError, match=f"{ROLE_LETTERS + 1} characters"):
        tidy_role("あ" * (ROLE_LETTERS + 1))


def test_the_last_roles_are_kept_newest_first() -> None:
    roles: tuple[str, ...] = ()
    for number in (*range(10), 5, 5):
        roles = keep_role(f"role {number}", roles)
    assert roles[:2] == ("role 5", "role 9")
    assert len(roles) == len(set(roles)) == MOST_ROLES
    assert keep_role("", roles) == roles


def test_a_recording_keeps_the_name_of_a_file_and_not_where_it_lies() -> None:
    assert recorded_prompt(Prompt("/home/anna/voices/anna.wav", ROLE, consented=True)) == {
        "voice": "anna.wav",
        "role": ROLE,
    }
    assert recorded_prompt(Prompt("NATF0")) == {"voice": "NATF0"}
    assert recorded_prompt(Prompt()) == {}


@pytest.mark.parametrize(
    ("voice", "expected"), [("NATF0", False), ("a.WAV", True), ("./x", True), ("", False)]
)
def test_a_file_is_told_from_a_name_by_how_it_is_written(voice: str, expected: bool) -> None:
    assert is_file(voice) is expected


def test_a_consent_is_for_one_file(sound: Path) -> None:
    known = own_voice(sound, "Anna")
    other = replace(known, sha256="0" * 64)
    with pytest.raises(UserError, match="only with the consent"):
        make_prompt("m", SUPPORT, str(sound), "", [other])
    assert isinstance(other, OwnVoice)
