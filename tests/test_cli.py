"""The command line: one line a verb, sentences in place of tracebacks, exit statuses."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from app import __version__, cli
from app.engine import card_fault
from app.errors import UserError
from app.paths import Paths, paths


@pytest.fixture(autouse=True)
def log_closed() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def use(monkeypatch: pytest.MonkeyPatch, verb: object, name: str = "talk") -> None:
    """Let a verb of the table call a function of this module."""
    monkeypatch.setitem(cli.VERBS, name, cli.Verb("help", f"{__name__}:chosen"))
    monkeypatch.setattr(sys.modules[__name__], "chosen", verb, raising=False)


def command(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )


def test_help_lists_every_verb_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, verb in cli.VERBS.items():
        assert any(line.split() == [*name.split(), *verb.help.split()] for line in lines), name


@pytest.mark.parametrize("name", cli.VERBS)
def test_every_verb_is_there(name: str) -> None:
    module, function = cli.VERBS[name].target.split(":")
    assert callable(getattr(import_module(module), function))


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"aizuchi {__version__}\n"


def test_an_unknown_verb_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dance"]) == cli.USAGE
    captured = capsys.readouterr()
    assert captured.err.startswith("There is no verb “dance”.")
    assert not captured.out


def test_half_a_verb_tells_how_it_may_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["data"], ["data", "--help"], ["data", "-h"]):
        assert cli.main(asked) == 0
        told = capsys.readouterr().out
        assert "data import" in told
        assert "  train " not in told


@pytest.mark.parametrize(
    "line", ["--home H doctor --json", "doctor --json --home H", "doctor --home=H --json"]
)
def test_home_moves_everything_wherever_it_stands(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], Paths]] = []

    def verb(argv: list[str], where: Paths) -> int:
        seen.append((argv, where))
        return 0

    use(monkeypatch, verb, "doctor")
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 0
    assert seen == [(["--json"], paths(tmp_path / "H"))]


@pytest.mark.parametrize("argv", [[], ["--home", "H"]])
def test_a_child_has_the_same_folders(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Paths] = []

    def verb(_argv: list[str], where: Paths) -> int:
        seen.append(where)
        return 0

    use(monkeypatch, verb, "doctor")
    monkeypatch.chdir(tmp_path)
    cli.main([*argv, "doctor"])
    monkeypatch.chdir("/")
    cli.main([*cli.child_command(seen[0])[3:], "doctor"])
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("argv", "passed"), [([], []), (["--headless"], ["--headless"])])
def test_without_a_verb_it_is_talk(
    argv: list[str], passed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def verb(argv: list[str], _where: Paths) -> int:
        seen.append(argv)
        return 7

    use(monkeypatch, verb)
    assert cli.main(argv) == 7
    assert seen == [passed]


def test_a_fault_of_the_user_is_a_sentence_and_an_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(_argv: list[str], _where: Paths) -> int:
        raise UserError("The cup is empty.", "Fill it.")

    use(monkeypatch, verb)
    assert cli.main(["talk"]) == cli.FAULT
    assert capsys.readouterr().err == "The cup is empty.\nFill it.\n"


def test_a_fault_of_our_own_names_the_log_which_holds_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(_argv: list[str], _where: Paths) -> int:
        raise ZeroDivisionError("sums")

    use(monkeypatch, verb)
    assert cli.main(["--home", str(tmp_path), "talk"]) == cli.FAULT
    log = tmp_path / "logs" / "aizuchi.log"
    told = capsys.readouterr().err
    assert "ZeroDivisionError: sums" in told
    assert str(log) in told
    assert "Traceback" not in told
    assert "Traceback" in log.read_text()


def test_a_card_that_fails_is_told_by_any_verb(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(_argv: list[str], _where: Paths) -> int:
        raise RuntimeError("CUDA error: device-side assert triggered")

    use(monkeypatch, verb)
    assert cli.main(["talk"]) == cli.FAULT
    assert capsys.readouterr().err.splitlines() == [card_fault.SENTENCE, card_fault.ADVICE]


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def verb(_argv: list[str], _where: Paths) -> int:
        raise UserError("The cup is empty.")

    use(monkeypatch, verb)
    monkeypatch.setenv(cli.DEBUG, "1")
    with pytest.raises(UserError):
        cli.main(["talk"])


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def verb(_argv: list[str], _where: Paths) -> int:
        raise KeyboardInterrupt

    use(monkeypatch, verb)
    assert cli.main(["talk"]) == cli.INTERRUPTED


def test_a_folder_for_logs_that_can_not_be_written_does_not_stop_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    use(monkeypatch, lambda _argv, _where: 0)
    assert cli.main(["--home", str(tmp_path / "file"), "talk"]) == 0
    assert "no log" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_not_told_of() -> None:
    script = f"{sys.executable} -m app --help; echo status $? >&2"
    ended = subprocess.run(
        ["bash", "-c", f"({script}) | true"], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr in ("status 0\n", f"status {cli.BROKEN_PIPE}\n")


def test_the_command_runs_as_a_module() -> None:
    ended = command("dance")
    assert ended.returncode == cli.USAGE
    assert "Traceback" not in ended.stderr


def test_importing_the_command_line_is_light() -> None:
    heavy = "torch", "numpy", "PySide6", "moshi", "sounddevice"
    code = f"import sys, app.cli; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "[]\n"
