"""The one Speaker of a process."""

from collections.abc import Iterator

import pytest

from training.starter.speech import Speaker


@pytest.fixture(scope="session")
def speaker() -> Iterator[Speaker]:
    one = Speaker()
    yield one
    one.close()
