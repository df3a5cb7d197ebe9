"""The arrows between the parts: who may import whom, and what imports without whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FORBIDDEN = {
    "app.audio": ("torch", "moshi", "PySide6", "app.engine", "app.session", "app.ui", "training"),
    "app.engine": (
        "PySide6",
        "sounddevice",
        "soundfile",
        "soxr",
        "app.audio",
        "app.session",
        "app.ui",
        "training",
    ),
    "app.ui": ("torch", "moshi", "sounddevice", "training"),
    "app.store": (
        "torch",
        "moshi",
        "PySide6",
        "sounddevice",
        "app.engine",
        "app.session",
        "app.ui",
        "app.commands",
        "training",
    ),
    "app.session": ("PySide6", "app.ui", "app.commands", "training"),
    "app": ("PySide6", "app.ui", "training"),
    "training": ("PySide6", "sounddevice", "app.audio", "app.ui"),
}
"""What a package and those below it never import, not even inside a function."""

OWN = {"app": ("app.ui",)}
"""Packages that a rule does not hold for."""

LIGHT = {
    "app.cli": ("torch", "moshi", "PySide6", "numpy", "sounddevice"),
    "app.settings": ("torch", "PySide6"),
    "app.catalog": ("torch", "moshi"),
    "app.memory_plan": ("torch", "moshi"),
    "app.session": ("torch", "moshi", "PySide6", "sounddevice"),
    "app.ui": ("torch",),
}
"""What is not loaded by importing a module."""


def modules(package: str) -> list[str]:
    """Return the names of the modules of a package and of those below it."""
    files = sorted((ROOT / package.replace(".", "/")).rglob("*.py"))
    names = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files)
    return [name.removesuffix(".__init__") for name in names]


def tree(module: str) -> ast.Module:
    path = ROOT / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of each import of a module, wherever it stands."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True, cwd=ROOT
    ).stdout.strip()


@pytest.mark.parametrize("package", FORBIDDEN)
def test_arrows(package: str) -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules(package)
        if not within(module, OWN.get(package, ()))
        for line, name in imports(module)
        if within(name, FORBIDDEN[package])
    ]
    assert not wrong


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_is_light(module: str) -> None:
    names = modules("app.ui") if module == "app.ui" else [module]
    loaded = run(f"import sys, {', '.join(names)}; print([n for n in {LIGHT[module]} if n in sys.modules])")
    assert loaded == "[]"


def test_the_engine_works_where_neither_qt_nor_sound_is_installed() -> None:
    code = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "sounddevice", "soundfile", "soxr"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import {", ".join(modules("app.engine"))}
print("works")
"""
    assert run(code) == "works"


def test_a_module_does_nothing_when_it_is_imported() -> None:
    """Imports, definitions, constants and what is guarded by an `if` are all that stands at the top."""
    calm = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.If
    for module in modules("app"):
        for node in tree(module).body:
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            assert text or isinstance(node, calm), f"{module}:{node.lineno}"
