"""Copies the packages that `gpu_check.py` needs beside torch and NumPy, for a machine that has only these.

What is imported decides, in a process that imports all that the steps do. Knows nothing about the steps.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

LOOK = """
import sys
from tests import gpu_steps
gpu_steps.import_all()
for name, module in sorted(sys.modules.items()):
    if "." not in name and "site-packages" in (getattr(module, "__file__", None) or ""):
        print(name)
"""

_NAME = re.compile(r"[\w.-]+")

ALWAYS = ("moshi",)
"""Who asks for its version finds it by its metadata."""


def collect(pure: Path, compiled: Path) -> None:
    """Copy packages into two folders, made anew, and print what was copied."""
    for folder in (pure, compiled):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    owners = metadata.packages_distributions()
    with_torch = needs("torch") | needs("numpy")
    names = {owner for module in _imported() for owner in owners.get(module, ())}
    for name in sorted((names | set(ALWAYS)) - with_torch):
        found = metadata.distribution(name)
        files = [each for each in found.files or () if _is_wanted(str(each))]
        into = compiled if any(str(each).endswith(".so") for each in files) else pure
        for each in files:
            source, target = Path(str(found.locate_file(each))), into / str(each)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        size = sum(Path(str(found.locate_file(each))).stat().st_size for each in files)
        print(f"{into.name:9} {size / 1e6:6.1f} MB  {name} {found.version}")


def needs(name: str) -> set[str]:
    """Return a distribution and all that it needs, as they are called here; extras are not asked for."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        try:
            there = metadata.distribution(each)
        except metadata.PackageNotFoundError:
            continue
        own = there.metadata["Name"]
        if own not in found:
            found.add(own)
            waiting += list(_required(there))
    return found


def _required(there: metadata.Distribution) -> Iterator[str]:
    for line in there.requires or ():
        named = _NAME.match(line)
        if named and "extra ==" not in line:
            yield named.group()


def _imported() -> list[str]:
    """Return the packages of others that the steps import, by the names of their modules."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", LOOK]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split()


def _is_wanted(path: str) -> bool:
    """Return whether a file is of use elsewhere: no command of this environment, no compiled Python."""
    return not path.startswith("..") and "__pycache__" not in path
