"""Window, session and engine with a tiny model that takes a voice and a role; only the sound is made up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtWidgets import QApplication

from app.audio.duplex import Counters
from app.engine.events import Event, Prompt, Prompted, Prompting, Restarted, Skipped, Started, Stopped
from app.frames import FRAME_MS, FRAME_SAMPLES, RESTARTED, Heard, Samples
from app.paths import Paths, paths
from app.prompts import VOICE_S, own_voice
from app.session import Session
from app.settings import Settings
from app.store.recordings import list_recordings
from app.ui.shell.window import MainWindow
from app.ui.talk.conversation import Conversation
from app.ui.talk.talk_status import State
from tests.engine.conftest import tiny
from tests.engine.published import make_published
from tests.ui.staging import DEVICES

__all__ = ["tiny"]  # the fixture

PATIENCE_S = 60.0


class Microphone:
    """A sound card that brings silence at its pace, and counts what nobody took in time as real ones do."""

    def __init__(self) -> None:
        self.volume = 1.0
        self.taken = 0
        self._began_s: float | None = None
        self._closed = False

    def take(self) -> Heard | None:
        if self._began_s is None:
            self._began_s = time.monotonic()
        while not self._closed and self._passed() <= self.taken:
            time.sleep(0.005)
        if self._closed:
            return None
        late = max(0, self._passed() - self.taken - 1)
        self.taken += 1 + late
        return Heard(np.zeros(FRAME_SAMPLES, dtype=np.float32), skipped=late, starved=late)

    def _passed(self) -> int:
        assert self._began_s is not None
        return int(1000 * (time.monotonic() - self._began_s) / FRAME_MS)

    def give(self, said: Samples) -> None: ...

    def close(self) -> None:
        self._closed = True

    def switch(self, microphone: str, speaker: str) -> None: ...

    def cancel_echo(self, wish: str, *, suppress_noise: bool) -> None: ...

    def counters(self) -> Counters:
        return Counters(180, -14, -19, 0, 0, 20, 110, 60, 0, 0, 0, 0, "", "")


class Program:
    """A window on a real session, and everything that it was told."""

    def __init__(self, where: Paths, settings: Settings) -> None:
        self.session = Session()
        self.told: list[Event] = []
        self.opened: list[Microphone] = []
        self.window = MainWindow(
            self.session,
            settings,
            where,
            Conversation(self.session, where.recordings, open_sound=self._open),
            find_devices=lambda: DEVICES,
            look_at_card=lambda: None,
        )
        self.page = self.window.talk
        self.window.show()

    def _open(self, _: Settings) -> Microphone:
        self.opened.append(Microphone())
        return self.opened[-1]

    def until(self, there: Callable[[], object]) -> None:
        """Let the window work until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < deadline, f"in vain: {self.told[-5:]}"
            events = self.session.drain()
            self.told += events
            self.window.tick(events, 33.0)
            QApplication.processEvents()
            time.sleep(0.01)

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]

    def talk(self, frames: int = 8) -> None:
        """Press Start, and let some frames pass."""
        before = len(self.of(Started))
        self.page.desk.start.click()
        self.until(lambda: len(self.of(Started)) > before and self.opened[-1].taken >= frames)

    def stop(self) -> None:
        before = len(self.of(Stopped))
        self.page.desk.start.click()
        self.until(lambda: len(self.of(Stopped)) > before)


@pytest.fixture(scope="module")
def model(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_published(tiny, tmp_path_factory.mktemp("published") / "personaplex")


@pytest.fixture
def program(model: Path, tmp_path: Path, qapp: QApplication) -> Iterator[Program]:
    settings = Settings(model=str(model), role="You are Ann. " * 6, seed=5, welcomed=True)
    program = Program(paths(tmp_path / "home"), settings)
    program.window.load(str(model))
    program.until(lambda: program.page.state is State.READY)
    assert not program.of(Prompting), "its usual prompt is gone through with the talk"
    program.told.clear()
    yield program
    program.window.leave()
    program.session.close()


def test_a_talk_is_held_in_a_voice_and_a_role_and_begun_anew_in_others(program: Program) -> None:
    page, form = program.page, program.page.drawer.prompt
    page.show_prompt()
    assert [form.voice.itemData(row) for row in range(form.voice.count())][:2] == ["NATF0", "NATF1"]
    program.talk()
    kinds = [type(event) for event in program.told]
    assert kinds.index(Prompting) < kinds.index(Started), "it is read before the microphone is open"
    (first, *_, last) = program.of(Prompting)
    assert isinstance(first, Prompting) and isinstance(last, Prompting)
    assert first.done_frames == 1 and last.done_frames == last.total_frames > 30
    form.voice.setCurrentIndex(form.voice.findData("NATM1"))
    form.voice.activated.emit(form.voice.currentIndex())
    form.role._text.setPlainText("You are Bo. " * 6)
    form._restart.click()
    program.until(lambda: program.of(Restarted))
    taken = program.opened[-1].taken
    program.until(lambda: program.opened[-1].taken > taken + 20)
    assert [event.prompt for event in program.of(Prompted) if isinstance(event, Prompted)] == [
        Prompt("NATM1", ("You are Bo. " * 6).strip())
    ]
    (anew,) = (event for event in program.of(Restarted) if isinstance(event, Restarted))
    after = next(
        event for event in program.of(Skipped) if isinstance(event, Skipped) and event.frame > anew.frame
    )
    assert after.reason == RESTARTED, "what passes meanwhile is not the computer's fault"
    program.stop()
    (recording,) = list_recordings(program.window._paths.recordings)
    assert recording.whole
    assert recording.prompt == {"voice": "NATF0", "role": ("You are Ann. " * 6).strip()}
    (prompted,) = (event for event in recording.events() if event["kind"] == "prompted")
    assert prompted["prompt"]["voice"] == "NATM1"


def test_a_voice_of_a_person_is_heard_and_a_wrong_one_is_told_and_ends_nothing(
    program: Program, tmp_path: Path
) -> None:
    sound = tmp_path / "anna.wav"
    time_s = np.arange(24_000 * 3) / 24_000
    soundfile.write(sound, 0.1 * np.sin(2 * np.pi * 180 * time_s), 24_000)
    known = own_voice(sound, "Anna")
    program.page._change(voice=str(sound), own_voices=(known,))
    program.talk()
    program.stop()
    (recording,) = list_recordings(program.window._paths.recordings)
    assert recording.prompt["voice"] == "anna.wav"
    assert str(tmp_path / "anna") not in (recording.folder / "session.json").read_text()
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(24_000 * 3), 24_000)
    program.page._change(voice=str(silent), own_voices=(own_voice(silent, "Bo"),))
    program.page.desk.start.click()
    program.until(lambda: program.page.state is State.STOPPED)
    assert "silent" in program.page.signpost.notice.text
    program.page._change(voice="NATF1")
    program.talk()
    program.stop()
    assert len(list_recordings(program.window._paths.recordings)) == 2


def test_reading_is_broken_off_by_stop_and_the_next_talk_begins(program: Program) -> None:
    program.page._change(role="You are Ann. " * 8)
    program.page.desk.start.click()
    program.until(lambda: program.of(Prompting))
    program.page.desk.start.click()
    program.until(lambda: program.of(Stopped))
    assert not program.of(Started) and program.page.state is State.STOPPED
    program.page._change(role="")
    program.talk()
    program.stop()


def test_a_role_that_the_model_can_not_read_is_told(program: Program) -> None:
    program.page._change(role="You are <system> Ann.")
    program.page.desk.start.click()
    program.until(lambda: program.page.state is State.STOPPED)
    assert "<system>" in program.page.signpost.notice.text
    assert replace(program.window.settings, role="").role == ""


def test_a_voice_is_as_long_as_the_engine_takes_it() -> None:
    from app.engine.voices import LONGEST_S, SHORTEST_S

    assert (SHORTEST_S, LONGEST_S) == VOICE_S
