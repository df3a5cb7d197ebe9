"""Pictures of every page and state of the real window: `python -m tests.screenshots [--only NAME] [--small]
[--language ja] [OUT_DIR]`.

Starts an X server of its own (Xvfb) and in it, once for each scale, a process that opens the window on
real recordings and a staged session, at 1280x720, light and dark. Prints the path of each picture. They
are there to be looked at: is anything clipped, is everything readable?
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import LANGUAGES
from tests.screenshots_train import TRAIN_STATES, leave_runs

if TYPE_CHECKING:
    from app.engine.events import Ready

WIDTH, HEIGHT = 1280, 720
SMALL = 640, 360
"""The smallest screen that the window fits."""
SCALES = (1, 2)
SETTLE_MS = 60
PATIENCE_S = 20.0
"""How long at most is waited for what a picture must show."""
RECORDINGS = 6
OUT = Path("build/screenshots")


def main(argv: list[str]) -> int:
    """Take the pictures, or in a child those of one scale."""
    asked = parse(argv)
    out: Path = asked.out_dir.resolve()
    names = [name for name in STATES if asked.only in name]
    if asked.child is not None:
        take_all(out, names, Path(asked.child[1]), asked)
        return 0
    out.mkdir(parents=True, exist_ok=True)
    status = 0
    with x_server() as display, tempfile.TemporaryDirectory(prefix="aizuchi-screenshots-") as home:
        if any(name.startswith(("2", "50")) for name in names):
            record(Path(home))
        if any(name.startswith("5") for name in names):
            leave_runs(Path(home))
        for scale in SCALES:
            env = {
                **os.environ,
                "DISPLAY": display,
                "HOME": home,
                "QT_QPA_PLATFORM": "xcb",
                "QT_SCALE_FACTOR": str(scale),
            }
            command = [sys.executable, "-m", "tests.screenshots", *argv, "--child", str(scale), home]
            status |= subprocess.run(command, env=env, check=False).returncode
    return status


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__.split(":")[0])
    parser.add_argument("out_dir", nargs="?", type=Path, default=OUT, metavar="OUT_DIR")
    parser.add_argument("--only", default="", metavar="NAME", help="only the states with this in their name")
    parser.add_argument("--language", default="en", choices=LANGUAGES, help="what the window speaks")
    parser.add_argument("--small", action="store_true", help="the smallest window, in place of a usual one")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


@contextmanager
def x_server() -> Iterator[str]:
    """Run Xvfb on a free display, large enough for the window at any scale, and give its name."""
    size = f"{WIDTH * max(SCALES)}x{HEIGHT * max(SCALES)}x24"
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def record(home: Path) -> None:
    """Leave a few recordings: English, Japanese, a long one, one that was cut off, one that is damaged."""
    from app.paths import paths
    from tests.ui.recorded import cut_off, record_dialogue

    root = paths(home).recordings
    today = datetime.now().replace(hour=9, minute=41, second=0)

    def talk(model: str, language: str, days: float, span_s: tuple[float, float], times: int = 1) -> Path:
        started = today - timedelta(days=days)
        return record_dialogue(
            root, model=model, language=language, started=started, span_s=span_s, times=times
        )

    talk("moshika", "en", 0, (0, 42))
    talk("j-moshi-ext", "ja", 0.6, (26, 37.5), 2)
    cut_off(talk("moshiko-q8", "en", 2, (3, 17), 4))
    talk("moshika", "en", 4.1, (0, 42), 6)
    talk("llm-jp-moshi-v1", "ja", 5, (29, 42))
    (talk("moshika", "en", 9, (0, 5)) / "audio.flac").write_bytes(b"damaged")


def take_all(out: Path, names: list[str], home: Path, asked: argparse.Namespace) -> None:
    """Take the pictures of one scale, in both schemes."""
    from PySide6.QtWidgets import QApplication

    from app.ui.shell import language, theme
    from app.ui.shell.typeface import even_strokes

    even_strokes()
    app = QApplication(["aizuchi"])
    language.install(app, asked.language)
    theme.apply(app)
    for scheme in ("light", "dark"):
        theme.set_scheme(scheme)
        for name in names:
            take = STATES[name]
            model = "starter" if take is first_run else "moshika"
            file = out / f"{name}-{scheme}-{asked.child[0]}x.png"
            camera = Camera(file, home, model, SMALL if asked.small else (WIDTH, HEIGHT))
            try:
                take(camera)
            finally:
                camera.close()


class Camera:
    """A staged window, and the file its picture goes to."""

    def __init__(self, file: Path, home: Path, model: str, size: tuple[int, int]) -> None:
        from app.paths import paths
        from app.settings import Settings
        from tests.ui.staging import Stage

        self.file = file
        self.ending = ExitStack()
        """What is to be undone when the picture is taken."""
        self.stage = Stage(Settings(model=model), paths(home))
        self.window = self.stage.window
        if size == SMALL:
            self.window.setMinimumSize(*SMALL)
        self.window.resize(*size)
        self.window.show()
        self.window.look_around()
        self.wait(200)

    def wait(self, time_ms: int = SETTLE_MS) -> None:
        """Let the window do what it has to."""
        from PySide6.QtTest import QTest

        QTest.qWait(time_ms)

    def wait_until(self, there: Callable[[], bool]) -> None:
        """Let the window work until something is there. Raises TimeoutError when that takes too long."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not there():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.file.name}: what it shows did not come")
            self.wait()

    def shoot(self) -> None:
        """Take the picture and print where it is."""
        self.wait()
        self.window.grab().save(str(self.file))
        print(self.file, flush=True)

    def close(self) -> None:
        """Close the window."""
        self.ending.close()
        self.window.leave()
        self.window.deleteLater()
        self.wait(0)


def first_run(camera: Camera) -> None:
    camera.stage.load(replaced("starter"))
    camera.shoot()


def welcome(camera: Camera) -> None:
    from app.ui.shell import welcome as page
    from tests.ui.staging import DEVICES, Sound

    page._open = lambda _: Sound()  # type: ignore[assignment,return-value]
    camera.window.show_welcome()
    assert camera.window.welcome is not None
    camera.window.welcome.set_devices(DEVICES)
    camera.wait(200)
    camera.window.welcome.advance(30)
    camera.shoot()
    camera.window.welcome.shut()


def crash(camera: Camera) -> None:
    from app.ui.shell.crash import CrashDialog

    trace = 'Fatal Python error: Segmentation fault\n\n  File "…/app/engine/model.py", line 213 in _answer'
    dialog = CrashDialog(
        camera.window.tr("Aizuchi ended unexpectedly the last time."), trace, camera.file.parent
    )
    dialog.show()
    camera.wait()
    dialog.grab().save(str(camera.file))
    print(camera.file, flush=True)
    dialog.close()


def no_model(camera: Camera) -> None:
    camera.shoot()


def loading(camera: Camera) -> None:
    from app.engine.events import Loading

    camera.stage.beat(Loading("Reading the weights", 6_300_000_000, 15_375_000_000), elapsed_ms=4_000)
    camera.shoot()


def ready(camera: Camera) -> None:
    camera.stage.load()
    camera.shoot()


def persona() -> Ready:
    """Return a model in memory that takes a prompt."""
    from dataclasses import replace

    from app.engine.events import PromptSupport
    from tests.ui import dialogue

    voices = tuple(f"{kind}{number}" for kind in ("NATF", "NATM", "VARF", "VARM") for number in range(4))
    return replace(
        dialogue.READY, model="personaplex", prompts=PromptSupport(voices, own_voice=True, role=True)
    )


def prompted(camera: Camera) -> None:
    """Let a model be in memory that takes a prompt, and one be chosen."""
    from dataclasses import replace

    from app.prompts import OwnVoice
    from app.ui.talk.role_presets import CASUAL, SERVICE, TEACHER

    own = OwnVoice("/home/anna/voices/anna.wav", 64 * "3", "Anna Berg", "2026-11-30")
    chosen = replace(
        camera.window.settings,
        model="personaplex",
        voice="NATF2",
        role=TEACHER,
        roles=(TEACHER, CASUAL, SERVICE),
        own_voices=(own,),
    )
    camera.window.use(chosen)
    camera.stage.load(persona())


def ready_to_be_told(camera: Camera) -> None:
    prompted(camera)
    camera.shoot()


def prompt_drawer(camera: Camera) -> None:
    prompted(camera)
    camera.stage.page.show_prompt()
    camera.wait(400)
    camera.shoot()


def prompt_drawer_talking(camera: Camera) -> None:
    from app.engine.events import Prompting
    from app.ui.talk.role_presets import SERVICE

    prompted(camera)
    camera.stage.talk(0.0, 25.6)
    camera.stage.page.show_prompt()
    camera.stage.page.drawer.prompt.role._text.setPlainText(SERVICE)
    camera.stage.beat(Prompting(43, 120))
    camera.wait(400)
    camera.shoot()


def prompting(camera: Camera) -> None:
    from app.engine.events import Prompting
    from app.ui.talk.talk_status import State

    prompted(camera)
    camera.stage.page._enter(State.STARTING)
    camera.stage.beat(Prompting(43, 120))
    camera.shoot()


def consent(camera: Camera) -> None:
    import numpy as np
    import soundfile

    from app.ui.talk.consent import ConsentDialog

    file = camera.file.with_name("anna.wav")
    soundfile.write(file, np.zeros(24_000 * 6), 24_000)
    prompted(camera)
    camera.stage.page.drawer.prompt.open_voice(file)
    camera.wait(200)
    (question,) = camera.window.findChildren(ConsentDialog)
    question.grab().save(str(camera.file))
    print(camera.file, flush=True)
    question.close()
    file.unlink()


def settings_voices(camera: Camera) -> None:
    from PySide6.QtCore import QPoint

    prompted(camera)
    show_settings(camera)
    voices = camera.window.setup._voices
    top = voices.mapTo(voices.parentWidget(), QPoint()).y()
    camera.window.setup._column.verticalScrollBar().setValue(top - 16)
    camera.shoot()


def talking(camera: Camera) -> None:
    camera.stage.load()
    camera.stage.talk(0.0, 25.6)
    camera.shoot()


def drawer(camera: Camera) -> None:
    camera.stage.load()
    camera.stage.talk(0.0, 34.6)
    camera.stage.page.toggle_drawer()
    camera.wait(400)
    camera.shoot()


def late(camera: Camera) -> None:
    camera.stage.load()
    camera.stage.talk(0.0, 16.0, step_ms=97.0)
    camera.shoot()


def stopped(camera: Camera) -> None:
    camera.stage.load()
    camera.stage.talk()
    camera.stage.stop()
    camera.shoot()


def failed(camera: Camera) -> None:
    from app.engine.events import Failed

    camera.stage.beat(
        Failed(
            "moshika needs 18.3 GB of graphics memory, and 11.2 of 12.4 GB are free on Some Card.",
            "With --mode int8 it needs 10.6 GB.",
        )
    )
    camera.shoot()


def show_recordings(camera: Camera, row: int | None = None) -> None:
    page = camera.window.recordings
    camera.window.show_page(1)
    camera.wait_until(lambda: len(page.recordings) == RECORDINGS)
    if row is not None:
        page.open_recording(page.recordings[row].folder)
        camera.wait_until(lambda: not page.recordings[row].seconds or page.replay.is_read)


def search(camera: Camera, text: str, found: int) -> None:
    """Show the cards that hold a text, when there are as many as there should be."""
    from app.ui.recordings.page import CardList

    show_recordings(camera)
    camera.window.recordings.search(text)
    (cards,) = camera.window.findChildren(CardList)
    camera.wait_until(lambda: cards.model().rowCount() == found and all_drawn(camera))


def all_drawn(camera: Camera) -> bool:
    """Say whether each card that can be seen has the picture of its sound."""
    from app.ui.recordings.gallery import GLIMPSE, RECORDING
    from app.ui.recordings.page import CardList

    (cards,) = camera.window.findChildren(CardList)
    rows = [cards.model().index(row, 0) for row in range(cards.model().rowCount())]
    seen = [row for row in rows if cards.visualRect(row).intersects(cards.viewport().rect())]
    return all(row.data(GLIMPSE) for row in seen if row.data(RECORDING).seconds)


def recordings(camera: Camera) -> None:
    search(camera, "", RECORDINGS)
    camera.shoot()


def recordings_search(camera: Camera) -> None:
    search(camera, "lanterns", 3)
    camera.shoot()


def recordings_nothing(camera: Camera) -> None:
    search(camera, "penguins", 0)
    camera.shoot()


def recording(camera: Camera) -> None:
    show_recordings(camera, 0)
    camera.window.recordings.replay.go_to(178.0)
    camera.shoot()


def recording_loop(camera: Camera) -> None:
    show_recordings(camera, 3)
    camera.window.recordings.replay.mark((700.0, 1_150.0))
    camera.shoot()


def recording_damaged(camera: Camera) -> None:
    show_recordings(camera, 5)
    camera.shoot()


def recording_delete(camera: Camera) -> None:
    from PySide6.QtWidgets import QMessageBox

    show_recordings(camera, 0)
    camera.window.recordings.replay.ask_delete()
    camera.wait(200)
    (question,) = camera.window.findChildren(QMessageBox)
    question.grab().save(str(camera.file))
    print(camera.file, flush=True)
    question.close()


def show_models(camera: Camera) -> None:
    from app.ui.models.model_list import Shelf

    camera.window.show_page(2)
    camera.window.models.shut()
    camera.window.models.show_shelf(
        Shelf(frozenset({"moshika", "moshiko-q8", "j-moshi"}), 17_170_000_000, 16_300_000_000)
    )


def models(camera: Camera) -> None:
    show_models(camera)
    camera.stage.load(replaced("moshiko-q8"))
    camera.shoot()


def models_download(camera: Camera) -> None:
    show_models(camera)
    row = camera.window.models._rows["moshiko"]
    row.show_fetching(0.21, "3.2 / 15.8 GB")
    camera.shoot()


def models_below(camera: Camera) -> None:
    show_models(camera)
    scroll_down(camera)
    camera.shoot()


def show_settings(camera: Camera) -> None:
    camera.window.show_page(4)
    camera.wait(200)


def settings(camera: Camera) -> None:
    show_settings(camera)
    camera.shoot()


def settings_keys(camera: Camera) -> None:
    from PySide6.QtCore import QPoint

    from app.ui.shell.shortcuts import Shortcuts

    show_settings(camera)
    camera.wait()
    (keys,) = camera.window.setup.findChildren(Shortcuts)
    top = keys.mapTo(keys.parentWidget(), QPoint()).y()
    camera.window.setup._column.verticalScrollBar().setValue(top - 16)
    camera.shoot()


def settings_below(camera: Camera) -> None:
    show_settings(camera)
    scroll_down(camera)
    camera.shoot()


def scroll_down(camera: Camera) -> None:
    from app.ui.widgets.panel import Column

    camera.wait()
    for column in camera.window.findChildren(Column):
        column.verticalScrollBar().setValue(column.verticalScrollBar().maximum())


def replaced(model: str) -> Ready:
    from dataclasses import replace

    from tests.ui import dialogue

    return replace(dialogue.READY, model=model, mode="q8", memory_bytes=11_900_000_000)


STATES: dict[str, Callable[[Camera], None]] = {
    "00-welcome": welcome,
    "01-crash": crash,
    "10-talk-first-run": first_run,
    "10-talk-no-model": no_model,
    "11-talk-loading": loading,
    "12-talk-ready": ready,
    "13-talk-talking": talking,
    "14-talk-drawer": drawer,
    "15-talk-late": late,
    "18-talk-ready-prompt": ready_to_be_told,
    "18-talk-prompt-drawer": prompt_drawer,
    "18-talk-prompt-restart": prompt_drawer_talking,
    "18-talk-prompting": prompting,
    "18-talk-voice-consent": consent,
    "42-settings-voices": settings_voices,
    "16-talk-stopped": stopped,
    "17-talk-failed": failed,
    "20-recordings": recordings,
    "21-recordings-search": recordings_search,
    "22-recordings-nothing-found": recordings_nothing,
    "23-recording": recording,
    "24-recording-loop": recording_loop,
    "25-recording-damaged": recording_damaged,
    "26-recording-delete": recording_delete,
    "30-models": models,
    "31-models-below": models_below,
    "32-models-download": models_download,
    "40-settings": settings,
    "40-settings-keys": settings_keys,
    "41-settings-below": settings_below,
    **TRAIN_STATES,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
