"""Where everything of a user lives: settings, models, recordings, training; `--home DIR` moves it all.

Knows nothing about what is in the files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAME = "aizuchi"

NAMES = ("config", "models", "recordings", "logs", "cache", "datasets", "runs")
"""The folders below `--home`."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user. None of them need exist yet."""

    config: Path
    models: Path
    recordings: Path
    logs: Path
    cache: Path
    datasets: Path
    runs: Path

    def all(self) -> tuple[Path, ...]:
        """Return all of them."""
        return tuple(getattr(self, name) for name in NAMES)

    @property
    def settings(self) -> Path:
        """Return the settings file."""
        return self.config / "settings.toml"

    @property
    def window(self) -> Path:
        """Return the file that says where the window was left."""
        return self.config / "window.json"


def paths(home: Path | None = None) -> Paths:
    """Return the folders of this user, or the same layout below `home`."""
    if home is not None:
        home = Path(os.path.realpath(os.path.expanduser(home)))
        return Paths(*(home / name for name in NAMES))
    # Where the folders are given, training does without it.
    import platformdirs

    dirs = platformdirs.PlatformDirs(NAME, appauthor=False)
    return Paths(
        config=dirs.user_config_path,
        models=dirs.user_data_path / "models",
        recordings=dirs.user_data_path / "recordings",
        logs=dirs.user_log_path,
        cache=dirs.user_cache_path,
        datasets=dirs.user_data_path / "datasets",
        runs=dirs.user_data_path / "runs",
    )
