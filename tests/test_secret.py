"""The token is in the keyring alone, and a system without one is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from app.errors import UserError
from app.secret import keep_token, token

TOKEN = "hf_abcdefghijklmnop"


class Memory(keyring.backend.KeyringBackend):
    """A keyring in memory; the real one needs a desktop session."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[Memory]:
    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_a_token_is_kept_read_and_taken_out(ring: Memory) -> None:
    assert token() is None
    keep_token(TOKEN)
    assert token() == TOKEN
    keep_token("")
    assert token() is None
    assert not ring.kept
    keep_token("")


def test_no_file_holds_it(ring: Memory) -> None:
    keep_token(TOKEN)
    for file in Path.home().rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_without_a_keyring_there_is_none_and_the_user_is_told() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        assert token() is None
        with pytest.raises(UserError, match="no keyring"):
            keep_token(TOKEN)
    finally:
        keyring.set_keyring(before)
