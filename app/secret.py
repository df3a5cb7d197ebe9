"""The user's token of the Hugging Face hub, in the keyring of the system and nowhere else.

Knows nothing about what it opens.
"""

from __future__ import annotations

from contextlib import suppress

from app.errors import UserError

SERVICE, USER = "aizuchi", "huggingface"


def token() -> str | None:
    """Return the token, None where there is none or no keyring to ask."""
    with suppress(ImportError):
        import keyring
        import keyring.errors

        with suppress(keyring.errors.KeyringError):
            return keyring.get_password(SERVICE, USER) or None
    return None


def keep_token(value: str) -> None:
    """Put the token into the keyring, or take it out if it is ''. Raises UserError where there is none."""
    import keyring
    import keyring.errors

    try:
        if value:
            keyring.set_password(SERVICE, USER, value)
        elif token() is not None:
            keyring.delete_password(SERVICE, USER)
    except keyring.errors.KeyringError as fault:
        advice = "Install GNOME Keyring or KWallet, or log in with `hf auth login`, which uses a file."
        raise UserError("This system has no keyring that the token could be kept in.", advice) from fault
