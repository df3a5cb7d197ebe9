"""Virtual sound devices for the tests marked `sound`; import `rig` from here in other folders' conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.audio.rig import Rig


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """Lend a private sound server to tests that leave its devices as they are."""
    with Rig() as server:
        yield server
