"""The Talk page: a person presses one button and talks; words and timeline follow, the rest stays aside.

Knows nothing about models or sound cards: events of the session come in, a Conversation takes the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.audio.devices import Device
from app.commands.prompt_arguments import Asked, asked_prompt
from app.engine.events import (
    NO_PROMPTS,
    Event,
    Failed,
    Loading,
    Muted,
    Prompt,
    Prompting,
    PromptSupport,
    Ready,
    RecordingEnded,
    RecordingStarted,
    Restarted,
    Skipped,
    Spoke,
    Started,
    Starved,
    Stepped,
    Stopped,
    Trouble,
    Unloaded,
)
from app.errors import UserError
from app.frames import LATE, seconds
from app.prompts import fitting_prompt, fitting_voice, keep_role, known_prompts
from app.settings import Settings
from app.ui.shell.keys import add_key
from app.ui.shell.theme import GRID
from app.ui.shell.wording import clock, model_words
from app.ui.talk.conversation import Conversation
from app.ui.talk.drawer import Drawer
from app.ui.talk.lateness import Lateness
from app.ui.talk.scene import Scene
from app.ui.talk.soundbar import SoundBar
from app.ui.talk.talk_controls import Desk
from app.ui.talk.talk_status import Signpost, State
from app.ui.talk.words import Words
from app.ui.timeview.timeline import Timeline, TimelineData
from app.ui.timeview.timeline_data import USER
from app.ui.widgets.fitting import Fitting

VOLUME_STEP = 0.05


class TalkPage(QWidget):
    """One talk at a time, from choosing a model to hearing it again."""

    load_wanted = Signal(str)
    lighter_wanted = Signal(str, str)
    """Load this model in this mode until the program ends."""
    changed = Signal(object)
    """The new Settings, after each change that the user makes."""
    models_wanted = Signal()
    play_wanted = Signal(Path)
    train_wanted = Signal(Path)
    deleted = Signal(Path)
    restart_wanted = Signal()
    """The program shall begin anew."""
    trouble = Signal(str, str)
    starting = Signal()
    """A talk is about to begin."""
    live_changed = Signal(bool, bool)
    """Whether somebody talks, and whether that is recorded."""
    sound_used = Signal(str, str)
    """Stable names of the microphone and the speaker that a talk has at this moment."""

    def __init__(self, conversation: Conversation, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._settings = settings
        self._state = State.NO_MODEL
        self.start_when_ready = False
        """Begin a talk by itself once a model is ready."""
        self.asked: Asked | None = None
        """The voice and the role that the command line asked for, until a model is there."""
        self._ready: Ready | None = None
        self._failure: Failed | None = None
        self._recorded_from: int | None = None
        self._folder: Path | None = None
        """Where the last recording was begun."""
        self._frames = 0
        self._lateness = Lateness()
        self.bar = SoundBar()
        self.signpost = Signpost(self)
        self.words = Words()
        self.scene = Scene(self.signpost.pane, self.words)
        self.timeline = Timeline()
        self.desk = Desk()
        self.drawer = Drawer(settings)
        self._lay_out()
        self._connect()
        self.set_settings(settings)
        self._enter(State.NO_MODEL)

    @property
    def state(self) -> State:
        """Return what the page is about."""
        return self._state

    @property
    def talking(self) -> bool:
        """Say whether a talk runs or is about to."""
        return self._state in (State.STARTING, State.TALKING)

    @property
    def recorded_s(self) -> float | None:
        """Return how long the recording is that is being made, None where none is."""
        if not self.talking or self._recorded_from is None:
            return None
        return seconds(self._frames - self._recorded_from)

    @property
    def recording_folder(self) -> Path | None:
        """Return where the recording is that is being made, None where none is."""
        return self._folder if self.recorded_s is not None else None

    def forget_missing(self) -> None:
        """Offer nothing any more for a recording that was deleted elsewhere."""
        self.signpost.forget_missing()

    def end(self) -> None:
        """End the talk, if somebody talks."""
        self._conversation.stop()

    def set_settings(self, settings: Settings) -> None:
        """Show settings that were changed elsewhere; what a running talk can honour, it honours."""
        before, self._settings = self._settings, settings
        self.bar.set_model(settings.model)
        self.bar.set_sound(settings.microphone, settings.speaker)
        self.desk.set_volume(settings.volume)
        self.drawer.set_settings(settings)
        self._follow(before)
        if (settings.voice, settings.role) != (before.voice, before.role):
            self._describe()
        if not self.talking:
            self.desk.record.setChecked(settings.record)
        elif settings.sampling() != before.sampling():
            self._conversation.sample(settings)

    def _follow(self, before: Settings) -> None:
        """Let the sound of a running talk follow the settings."""
        now = self._settings
        if (now.microphone, now.speaker) != (before.microphone, before.speaker):
            self._conversation.switch(now)
        if (now.echo, now.suppress_noise) != (before.echo, before.suppress_noise):
            self._conversation.cancel_echo(now)

    def set_devices(self, devices: Sequence[Device]) -> None:
        """Offer the devices that there are now."""
        self.bar.set_devices(devices)
        self.bar.set_sound(self._settings.microphone, self._settings.speaker)

    def advance(self, elapsed_ms: float) -> None:
        """Move what moves; called with each tick of the window."""
        counters = self._conversation.counters() if self.talking else None
        if counters is not None:
            self.bar.heard.push(counters.heard_peak_db)
            self.bar.said.push(counters.said_peak_db)
            self.sound_used.emit(counters.microphone, counters.speaker)
        self.bar.heard.advance(elapsed_ms)
        self.bar.said.advance(elapsed_ms)
        self.timeline.advance(elapsed_ms)

    def on_event(self, event: Event) -> None:
        """Show what an event of the session changes."""
        if (react := self._REACTIONS.get(type(event))) is not None:
            react(self, event)

    def toggle_drawer(self) -> None:
        """Open the drawer, or close it."""
        self._show_drawer(not self.drawer.isVisibleTo(self))

    # What the user does.

    def start(self) -> None:
        """Begin a talk, as soon as there is a model for it."""
        if self.talking:
            return
        if self._ready is None:
            self._start_later()
            return
        self.start_when_ready = False
        self._recorded_from = None
        self.signpost.notice.clear()
        if (prompt := self._prompt()) is None:
            return
        self.starting.emit()
        self._enter(State.STARTING)
        self._conversation.start(self._settings, prompt, *self.bar.device_names())

    def _prompt(self) -> Prompt | None:
        """Return the prompt that is chosen and keep its role; None, and why, where it can not be had."""
        settings, model = self._settings, self._ready.model if self._ready else ""
        try:
            prompt = fitting_prompt(
                model, self._support(), settings.voice, settings.role, settings.own_voices
            )
        except UserError as fault:
            self.signpost.tell_no_prompt(fault)
            return None
        if (roles := keep_role(prompt.role, settings.roles)) != settings.roles:
            self._change(roles=roles)
        return prompt

    def _support(self) -> PromptSupport:
        """Return which prompts the model takes that is in memory, or else the chosen one."""
        if self._ready is not None:
            return self._ready.prompts
        return known_prompts(self._settings.model) or NO_PROMPTS

    def _restart(self) -> None:
        if (prompt := self._prompt()) is not None:
            self._conversation.restart(self._settings, prompt)

    def show_prompt(self) -> None:
        """Open the drawer where voice and role are chosen."""
        self._show_drawer(True)
        self.drawer.show_prompt()

    def _start_later(self) -> None:
        """Begin the talk once the model is in memory."""
        self.start_when_ready = True
        self.signpost.tell_waiting()
        if self._state is not State.LOADING:
            self.load_wanted.emit(self._settings.model)

    def _change(self, **values: Any) -> None:
        settings = replace(self._settings, **values)
        self.set_settings(settings)
        self.changed.emit(settings)

    def _choose_model(self, spec: str) -> None:
        if not spec:
            self.models_wanted.emit()
            self.bar.set_model(self._settings.model)
            return
        self._change(model=spec)
        self.load_wanted.emit(spec)

    def _record(self, on: bool) -> None:
        self.desk.record.setChecked(on)
        if self.talking:
            self._conversation.record(on)
        self._change(record=on)

    def _set_volume(self, volume: float) -> None:
        volume = min(1.0, max(0.0, volume))
        self._conversation.set_volume(volume)
        self._change(volume=volume)

    def _show_drawer(self, shown: bool) -> None:
        self.drawer.setVisible(shown)
        self.bar.drawer_button.setChecked(shown)

    # What the session tells.

    def _on_loading(self, event: Loading) -> None:
        self._ready = None
        first = self._state is not State.LOADING
        if first:
            self._enter(State.LOADING)
        self.signpost.show_loading(self._settings.model, event, first=first)

    def _on_ready(self, event: Ready) -> None:
        self._ready = event
        self.signpost.notice.clear()
        self._enter(State.READY)
        if self._takes_asked(event) and self.start_when_ready:
            self.start()

    def _takes_asked(self, ready: Ready) -> bool:
        """Return whether the model takes what the command line asked for, and say what it does not."""
        asked, self.asked = self.asked, None
        try:
            if asked is not None:
                asked_prompt(ready.model, ready.prompts, self._settings, asked)
        except UserError as fault:
            self.signpost.notice.tell("prompt", fault.sentence, fault.advice)
            return False
        return True

    def _on_unloaded(self, event: Unloaded) -> None:
        self._ready = None
        if not self.talking:
            self._enter(State.NO_MODEL)

    def _on_prompting(self, event: Prompting) -> None:
        if self.talking:
            self.signpost.show_prompting(event, talking=self._state is State.TALKING)
        if self._state is State.STARTING:
            self.desk.set_stoppable()

    def _on_started(self, event: Started) -> None:
        self._recorded_from = 0 if event.folder is not None else None
        self._folder = event.folder
        self._frames = 0
        self._lateness = Lateness()
        if self._state is not State.STARTING:
            # What was told while the devices were opened is about this talk.
            self.signpost.notice.clear()
        self.words.begin()
        self.timeline.set_data(TimelineData(), live=True, model=model_words(event.model))
        self.drawer.clear()
        self._enter(State.TALKING)

    def _on_stepped(self, event: Stepped) -> None:
        data = self.timeline.data
        data.append(event.heard_db, event.said_db)
        self._frames = data.frames
        self.words.heard(event.frame, bool(data.activity(data.frames - 1, data.frames)[USER, 0]))
        counters = self._conversation.counters()
        if counters is None:
            self.bar.heard.push(event.heard_db)
            self.bar.said.push(event.said_db)
        else:
            self.drawer.readout.show_echo(counters.echo_removed_db if counters.cancels_echo else None)
        self.drawer.push(event.lag_ms, event.step_ms, counters.speaker_fill_ms if counters else None)
        self._show_time()
        was_late = self._lateness.late
        late = self._lateness.push(event.frame, event.step_ms)
        if late != was_late:
            self._show_pace(late)
        elif late and self._lateness.is_due:
            self.signpost.update_late(self._lateness.step_ms)

    def _show_pace(self, late: bool) -> None:
        """Say that the model is late, or no more."""
        self.desk.set_pace(late)
        if not late:
            self.signpost.tell_on_time()
        elif self._ready is not None:
            self.signpost.tell_late(self._ready, self._lateness.step_ms)

    def _on_spoke(self, event: Spoke) -> None:
        self.words.word(event.frame, event.text)
        self.timeline.data.word(event.frame, event.text)

    def _on_skipped(self, event: Skipped) -> None:
        if event.reason == LATE:
            self._lateness.skip(event.frame)
            self.drawer.readout.lose("skipped", event.frames)
        self.timeline.data.lose(event.frames, event.reason)
        self._frames = self.timeline.data.frames
        self.words.heard(event.frame + event.frames, active=False)
        self.drawer.lose(event.frames)
        self._show_time()

    def _on_starved(self, event: Starved) -> None:
        self.timeline.data.starve(event.frame, event.frames)
        self.drawer.readout.lose("starved", event.frames)

    def _on_restarted(self, event: Restarted) -> None:
        self.signpost.tell_prompted()
        self.words.restart()
        self.timeline.data.note(self.tr("begun anew"))

    def _on_muted(self, event: Muted) -> None:
        self.desk.set_muted(event.muted)
        self.timeline.data.note(self.tr("muted") if event.muted else self.tr("heard again"))

    def _on_recording_started(self, event: RecordingStarted) -> None:
        self._recorded_from = self._frames
        self._folder = event.folder
        self.desk.record.setChecked(True)
        self._show_time()
        self._tell_live()

    def _on_recording_ended(self, event: RecordingEnded) -> None:
        self._recorded_from = None
        self.desk.record.setChecked(False)
        self.desk.record.set_time("")
        self._tell_live()
        if event.sentence:
            self.signpost.notice.tell("recording", event.sentence, event.advice)

    def _on_trouble(self, event: Trouble) -> None:
        self.signpost.notice.tell("trouble", event.sentence, event.advice)
        self.timeline.data.note(event.sentence)

    def _on_failed(self, event: Failed) -> None:
        if self.talking:
            self._failure = event
            return
        self.start_when_ready = False
        self.signpost.notice.clear()
        self.signpost.show_failed(self._settings.model, event)
        self._enter(State.FAILED)

    def _on_stopped(self, event: Stopped) -> None:
        self.timeline.set_live(False)
        self.bar.heard.clear()
        self.bar.said.clear()
        self.desk.record.set_time("")
        self._enter(State.STOPPED)
        failure, self._failure = self._failure, None
        self.signpost.tell_stopped(event, failure)

    _REACTIONS: ClassVar[dict[type, Callable[[TalkPage, Any], None]]] = {
        Loading: _on_loading,
        Ready: _on_ready,
        Unloaded: _on_unloaded,
        Prompting: _on_prompting,
        Started: _on_started,
        Stepped: _on_stepped,
        Spoke: _on_spoke,
        Skipped: _on_skipped,
        Starved: _on_starved,
        Restarted: _on_restarted,
        Muted: _on_muted,
        RecordingStarted: _on_recording_started,
        RecordingEnded: _on_recording_ended,
        Trouble: _on_trouble,
        Failed: _on_failed,
        Stopped: _on_stopped,
    }

    # What it looks like.

    def _enter(self, state: State) -> None:
        """Show a state; the words stay from the start of one talk to the next model."""
        self._state = state
        self.desk.set_talking(state is State.TALKING)
        self.desk.set_startable(state is not State.STARTING)
        self.bar.set_locked(self.talking)
        self._mute_key.setEnabled(state is State.TALKING)
        self.scene.show_words(state in (State.TALKING, State.STOPPED))
        self.drawer.prompt.set_support(self._support())
        self.drawer.prompt.set_talking(state is State.TALKING)
        self._describe()
        self._show_time()
        self._tell_live()

    def _describe(self) -> None:
        """Say in words what the state is, and who the model is to be."""
        support, settings = self._support(), self._settings
        part = {"role": settings.role} if support.role else {}
        if support.voices or support.own_voice:
            part["voice"] = fitting_voice(support, settings.voice)
        self.signpost.describe(self._state, settings.model, self._ready, part)

    def _tell_live(self) -> None:
        self.live_changed.emit(self._state is State.TALKING, self.recorded_s is not None)

    def _lighten(self, mode: str) -> None:
        """End the talk, and load the model again in a lighter mode."""
        self._conversation.stop()
        self.lighter_wanted.emit(self._settings.model, mode)

    def _show_time(self) -> None:
        self.scene.set_frames(self._frames)
        if self.talking and self._recorded_from is not None:
            self.desk.record.set_time(clock(seconds(self._frames - self._recorded_from)))

    def _lay_out(self) -> None:
        middle = QSplitter(Qt.Orientation.Vertical)
        middle.setChildrenCollapsible(False)
        middle.addWidget(self.scene)
        middle.addWidget(self.timeline)
        middle.setStretchFactor(0, 3)
        middle.setStretchFactor(1, 1)
        middle.setSizes([360, 240])
        left = QVBoxLayout()
        left.setSpacing(GRID)
        left.addWidget(self.signpost.notice)
        left.addWidget(middle, 1)
        between = QWidget()
        centre = QHBoxLayout(between)
        centre.setContentsMargins(0, 0, 0, 0)
        centre.setSpacing(0)
        centre.addLayout(left, 1)
        centre.addWidget(self.drawer)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        whole.setSpacing(GRID + GRID // 2)
        whole.addWidget(self.bar)
        # In a low window the middle scrolls: what starts and stops a talk stays in sight.
        whole.addWidget(Fitting(between), 1)
        whole.addWidget(self.desk)
        self._show_drawer(False)

    def _connect(self) -> None:
        self.signpost.load_wanted.connect(self.load_wanted)
        self.signpost.mode_wanted.connect(self._lighten)
        self.signpost.models_wanted.connect(self.models_wanted)
        self.signpost.play_wanted.connect(self.play_wanted)
        self.signpost.train_wanted.connect(self.train_wanted)
        self.signpost.deleted.connect(self.deleted)
        self.signpost.restart_wanted.connect(self.restart_wanted)
        self.bar.model_chosen.connect(self._choose_model)
        self.bar.microphone_chosen.connect(lambda name: self._change(microphone=name))
        self.bar.speaker_chosen.connect(lambda name: self._change(speaker=name))
        self.bar.drawer_wanted.connect(self._show_drawer)
        self.drawer.closed.connect(lambda: self._show_drawer(False))
        self.drawer.changed.connect(lambda settings: self._change(**vars(settings)))
        self.words.frame_clicked.connect(self.timeline.show_frame)
        self.desk.start_wanted.connect(self.start)
        self.desk.stop_wanted.connect(self._conversation.stop)
        self.desk.mute_wanted.connect(self._conversation.mute)
        self.desk.restart_wanted.connect(self._restart)
        self.drawer.prompt.restart_wanted.connect(self.desk.restart.click)
        self.drawer.prompt.trouble.connect(self.trouble)
        self.signpost.prompt_wanted.connect(self.show_prompt)
        self.desk.volume_changed.connect(self._set_volume)
        self.desk.record_wanted.connect(self._record)
        # The keys, as the tooltips of the controls say.
        self._mute_key = add_key(self, "Space", self.desk.mute.click)
        add_key(self, "Ctrl+Return", self.desk.toggle)
        add_key(self, "Ctrl+Enter", self.desk.toggle)
        add_key(self, "R", lambda: self._record(not self.desk.record.isChecked()))
        add_key(self, "Ctrl+Shift+R", self.desk.restart.click)
        add_key(self, "Ctrl+,", self.toggle_drawer)
        add_key(self, "End", self.timeline.follow)
        add_key(self, "Esc", lambda: self._show_drawer(False))
        add_key(self, "Ctrl+Up", lambda: self._set_volume(self._settings.volume + VOLUME_STEP))
        add_key(self, "Ctrl+Down", lambda: self._set_volume(self._settings.volume - VOLUME_STEP))
