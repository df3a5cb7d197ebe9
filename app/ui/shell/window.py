"""The window: the bar of pages, the pages, the status line, and what they tell each other.

Knows nothing about how a page does its work; the one timer of the program calls `tick`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QScreen, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app import settings as store
from app.audio.devices import Device, all_devices, describe
from app.engine.events import Event, Failed, Ready, Unloaded
from app.errors import UserError
from app.options import PAGES
from app.paths import Paths
from app.session import Session
from app.settings import Settings
from app.ui.models.gpu_memory import CardMemory, card_memory
from app.ui.models.page import ModelsPage
from app.ui.recordings.page import RecordingsPage
from app.ui.settings.page import SettingsPage
from app.ui.shell import geometry
from app.ui.shell.action_watch import ActionWatch
from app.ui.shell.background_worker import Aside
from app.ui.shell.focus import focus_page
from app.ui.shell.hotplug import Hotplug
from app.ui.shell.shortcuts import KeysDialog
from app.ui.shell.sidebar import SideBar, Sign
from app.ui.shell.status import StatusLine
from app.ui.shell.theme import colours
from app.ui.shell.welcome import WelcomePage
from app.ui.talk.conversation import Conversation
from app.ui.talk.page import TalkPage
from app.ui.talk.talk_guard import TalkGuard
from app.ui.talk.talk_status import State
from app.ui.training.closing import Farewell
from app.ui.training.page import TrainPage
from app.ui.widgets.controls import drawn_icon
from app.ui.widgets.fitting import Fitting

log = logging.getLogger(__name__)

DEFAULT_SIZE = QSize(1180, 760)
MINIMUM_SIZE = QSize(900, 600)
WORTH_A_QUESTION_S = 20.0
"""A recording that is shorter is no reason to ask when the window is closed."""

SAVE_MS = 1_000
"""How long a change waits for the next before the settings are written."""


class MainWindow(QWidget):
    """Five places: Talk, Recordings, Models, Train, Settings."""

    closed = Signal()

    def __init__(
        self,
        session: Session,
        settings: Settings,
        paths: Paths,
        conversation: Conversation | None = None,
        *,
        find_devices: Callable[[], list[Device]] = all_devices,
        look_at_card: Callable[[], CardMemory | None] = card_memory,
    ) -> None:
        """Build the window. `settings` are saved as they are changed, into `paths.settings`."""
        super().__init__()
        self._session = session
        self._settings = settings
        self._saved = settings
        self._unsaved_ms: float | None = None
        self._paths = paths
        self._find_devices = find_devices
        self._look_at_card = look_at_card
        self._looking = False
        self._leaving = False
        """Whether the window closes whatever goes on."""
        self._bases: dict[str, str] = {}
        """What adapters were trained on, as far as that was told."""
        self._lighter: dict[str, str] = {}
        """The mode of each model that was too slow in the one of the settings."""
        self.restarts = False
        """Whether the program shall begin anew once the window has closed."""
        self._devices: list[Device] = []
        self._aside = Aside(self)
        self._hotplug: Hotplug | None = None
        self._screen: QScreen | None = None
        self.talk = TalkPage(conversation or Conversation(session, paths.recordings), settings)
        self.recordings = RecordingsPage(paths)
        self.recordings.set_speaker(settings.speaker)
        self.models = ModelsPage(paths, settings)
        self.train = TrainPage(paths, look_at_card)
        self.train.set_speaker(settings.speaker)
        self.setup = SettingsPage(settings, paths)
        self.welcome: WelcomePage | None = None
        self.status = StatusLine()
        self._farewell = Farewell(self, self.train, self.status.tell)
        self._guard = TalkGuard(self, self.talk)
        self._answered = ActionWatch(self)
        self._answered.acted.connect(self.status.withdraw)
        self._pages = QStackedWidget()
        self._side = SideBar()
        self._lay_out()
        self._connect()
        self._connect_signs()
        self._guard_talk()
        self.setWindowTitle("Aizuchi")
        self.setWindowIcon(drawn_icon("talk", colours(self.palette()).model, 64))
        geometry.arrange(self, geometry.read_place(paths.window), DEFAULT_SIZE, MINIMUM_SIZE)
        self._arranged = self.size()
        self.show_page(0)

    @property
    def settings(self) -> Settings:
        """Return the settings as they are now."""
        return self._settings

    @property
    def saved(self) -> Settings:
        """Return the settings as they are saved, without what the command line asked for."""
        return self._saved

    @property
    def page(self) -> str:
        """Return which page is shown, one of PAGES."""
        # Beyond them there is what is asked before the first talk.
        return dict(enumerate(PAGES)).get(self._pages.currentIndex(), PAGES[0])

    def use(self, settings: Settings) -> None:
        """Go by other settings for now, without saving them: what the command line asks for."""
        self._settings = settings
        self._spread()

    def _go_to(self, index: int) -> None:
        if self.welcome is None:
            self.show_page(index)

    def show_page(self, index: int) -> None:
        """Turn to a page, and let the keys go there: 0 Talk, 1 Recordings, 2 Models, 3 Train, 4 Settings."""
        self._pages.setCurrentIndex(index)
        self._side.show_current(index)
        focus_page(self._page(index), self.talk.desk.start)

    def _page(self, index: int) -> QWidget:
        return (self.talk, self.recordings, self.models, self.train, self.setup)[index]

    def show_keys(self) -> None:
        """Show every key and what it does."""
        if self.findChild(KeysDialog) is None:
            KeysDialog(self).open()

    def show_welcome(self) -> None:
        """Ask what has to be known before the first talk; nothing else can be reached until it is."""
        page = self.welcome = WelcomePage(self._settings)
        page.answered.connect(self._end_welcome)
        page.models_wanted.connect(lambda: self.show_page(2))
        page.trouble.connect(partial(self._tell_of, page))
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        self._side.hide()
        page.setFocus()

    def _end_welcome(self, settings: Settings) -> None:
        page, self.welcome = self.welcome, None
        if page is None:
            return
        self._side.show()
        self._pages.removeWidget(page)
        page.deleteLater()
        self._change(settings)
        if self._pages.currentIndex() != 2:
            self.show_page(0)

    def load(self, spec: str, base: str | None = None, *, may_download: bool = False) -> None:
        """Load a model for the next talk; fetch what is not on this computer only where that was asked."""
        if spec:
            self.train.expect_model()
            if base is not None:
                self._bases[spec] = base
            loadout = self._settings.loadout()
            loadout = replace(loadout, mode=self._lighter.get(spec, loadout.mode))
            self._session.load(
                spec,
                base=self._bases.get(spec),
                models=self._paths.models,
                loadout=loadout,
                may_download=may_download,
                cache=self._paths.cache,
            )
            if self.welcome is None:
                self.show_page(0)

    def _load_lighter(self, spec: str, mode: str) -> None:
        """Load a model in a lighter mode, now and whenever it is loaded until the window closes.

        The settings stay: their mode is for all models, also for those that it does not go with.
        """
        self._lighter[spec] = mode
        self.load(spec)

    def gives_way(self) -> bool:
        """Say, also in the status line, whether a run needs the graphics card; no model is loaded over it."""
        if self.train.going:
            self.status.tell(
                self.tr("A run is training, so no model was loaded."),
                self.tr("Ctrl+4 shows how far it is; load a model when the graphics card has room."),
            )
        return self.train.going

    def look_around(self) -> None:
        """Ask beside the window which sound devices there are, and what the graphics card has free."""
        if not self._looking:
            self._looking = True
            self._aside.ask(self._look_at_card, self.status.set_memory)
            self._aside.ask(self._ask_devices, self._show_devices)

    def follow_devices(self) -> None:
        """Look around whenever a sound device comes or goes, also during a talk."""
        self._hotplug = Hotplug(self)
        self._hotplug.changed.connect(self.look_around)

    def tick(self, events: list[Event], elapsed_ms: float) -> None:
        """Show what happened since the last tick."""
        for event in events:
            self.status.on_event(event)
            for page in (self.talk, self.recordings, self.models, self.train):
                page.on_event(event)
            if isinstance(event, Failed) and self.talk.state is State.FAILED:
                # What could not be loaded lighter is loaded as before.
                self._lighter.clear()
            if isinstance(event, (Ready, Unloaded)):
                self._aside.ask(self._look_at_card, self.status.set_memory)
        self.talk.advance(elapsed_ms)
        if self.isActiveWindow():
            self.status.advance(elapsed_ms)
        if self.welcome is not None:
            self.welcome.advance(elapsed_ms)
        if self._unsaved_ms is not None:
            self._unsaved_ms -= elapsed_ms
            if self._unsaved_ms <= 0:
                self._save()

    def changeEvent(self, event: QEvent) -> None:
        """Look around when the user comes back: a device may have been plugged in meanwhile."""
        super().changeEvent(event)
        back = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and self.isVisible()
        if back and not self.talk.talking:
            self.look_around()

    def leave(self) -> None:
        """Close without a question; training goes on."""
        self._farewell.decided = True
        self._leaving = True
        self.close()

    def restart(self) -> None:
        """Close, and let the program begin anew as it is now; ask first where that ends a recorded talk.

        Training goes on meanwhile. Settings that can not be saved are no reason to lose them.
        """
        if self._unsaved_ms is not None and not self._save():
            return
        if self._is_worth_a_question():
            self._guard.ask(self.tr("Then Aizuchi restarts."), self._restart_now)
        else:
            self._restart_now()

    def _restart_now(self) -> None:
        self.restarts = True
        self.leave()

    def showEvent(self, event: QShowEvent) -> None:
        """Let all of the window be on the screen, now that the size of its frame is known."""
        super().showEvent(event)
        if self._screen is None:
            self._screen = self.screen()
            self._screen.availableGeometryChanged.connect(self._keep_within)
            QTimer.singleShot(0, self, self._keep_arranged)

    def _keep_arranged(self) -> None:
        if self.size() == self._arranged:
            geometry.keep_within(self)

    def _keep_within(self) -> None:
        """Make room for a panel that came, or for a screen that became smaller."""
        geometry.keep_within(self)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the talk, its recording whole when the session has closed; ask first about what goes on."""
        if not self._may_end_talk() or not self._farewell.may_close():
            event.ignore()
            return
        self._session.stop()
        if self._unsaved_ms is not None:
            self._save()
        self._save_place()
        self._aside.close()
        if self._hotplug is not None:
            self._hotplug.close()
        if self.welcome is not None:
            self.welcome.shut()
        for page in (self.recordings, self.models, self.train, self.setup):
            page.shut()
        self.closed.emit()
        super().closeEvent(event)

    def _may_end_talk(self) -> bool:
        """Say whether the window may close now; ask about a recorded talk, and close later as chosen."""
        if self._leaving or not self._is_worth_a_question():
            return True
        self._guard.ask(self.tr("Then the window closes."), self.close)
        return False

    def _is_worth_a_question(self) -> bool:
        recorded_s = self.talk.recorded_s
        return recorded_s is not None and recorded_s >= WORTH_A_QUESTION_S

    def _ask_devices(self) -> list[Device] | UserError:
        try:
            return self._find_devices()
        except UserError as fault:
            return fault

    def _show_devices(self, found: list[Device] | UserError) -> None:
        self._looking = False
        if isinstance(found, UserError):
            self.status.tell(found.sentence, found.advice, all_devices)
        else:
            self.status.withdraw(all_devices)
            self._devices = found
            for page in (self.talk, self.setup):
                page.set_devices(found)
            if self.welcome is not None:
                self.welcome.set_devices(found)

    def _show_sound(self, microphone: str, speaker: str) -> None:
        self.status.set_sound(*(describe(name, self._devices) for name in (microphone, speaker)))

    def _change(self, settings: Settings) -> None:
        """Take over what a page changed, save just that, and tell the other pages."""
        names = [field.name for field in fields(Settings)]
        news = {name: getattr(settings, name) for name in names}
        changed = {name: value for name, value in news.items() if value != getattr(self._settings, name)}
        if not changed:
            return
        self._settings = settings
        self._saved = replace(self._saved, **changed)
        self._unsaved_ms = SAVE_MS
        self._spread(self.sender())

    def _spread(self, source: QObject | None = None) -> None:
        """Let all pages go by the settings; `source` does already."""
        for page in (self.talk, self.setup, self.models):
            if page is not source:
                page.set_settings(self._settings)
        for listening in (self.recordings, self.train):
            listening.set_speaker(self._settings.speaker)

    def _save(self) -> bool:
        """Save the settings, and say whether that was possible."""
        self._unsaved_ms = None
        try:
            store.save(self._paths.settings, self._saved)
        except UserError as fault:
            self.status.tell(fault.sentence, fault.advice, store)
            return False
        self.status.withdraw(store)
        return True

    def _save_place(self) -> None:
        try:
            geometry.write_place(self._paths.window, geometry.place_of(self))
        except UserError as fault:
            log.warning("%s", fault)

    def _load_chosen(self, spec: str) -> None:
        """Load what the Models page asks for, and keep it as the choice."""
        settings = replace(self._settings, model=spec)
        self.talk.set_settings(settings)
        self._change(settings)
        self.load(spec)

    def _free_memory(self) -> None:
        self._session.stop()
        self._session.unload()

    def _delete(self, folder: Path, do: Callable[[], None]) -> None:
        """Move something to the trash, after a question if a talk that goes on needs what is there."""
        talked = self.talk.recording_folder
        recorded = talked is not None and (talked == folder or folder in talked.parents)
        loaded = folder == self._paths.models and (folder / self._settings.model).exists()
        if recorded:
            self._guard.ask(self.tr("Then its recording is moved to the trash."), do)
        elif loaded:
            self._guard.ask(self.tr("Then the model that it is held with is moved to the trash."), do)
        else:
            do()

    def _guard_talk(self) -> None:
        """Let nothing end a recorded talk without a question."""
        ask = self._guard.ask
        self.recordings.replay.guard = self._delete
        self.setup.kept.guard = self._delete
        self.models.load_model.connect(
            lambda spec: ask(
                self.tr("Then {0} is loaded.").format(spec),
                lambda: self._load_chosen(spec),
                self.models.keep_loaded,
            )
        )
        self.models.unload_model.connect(
            lambda: ask(self.tr("Then the model is unloaded."), self._session.unload)
        )
        self.train.memory_wanted.connect(
            lambda: ask(
                self.tr("Then the model is unloaded, and training starts."),
                self._free_memory,
                self.train.cancel_start,
            )
        )
        self.train.talk_wanted.connect(
            lambda spec: ask(self.tr("Then {0} is loaded.").format(spec), lambda: self._load_chosen(spec))
        )

    def _tell_of(self, page: QWidget, sentence: str, advice: str) -> None:
        """Show trouble until something else is done on its page."""
        self.status.tell(sentence, advice, page)
        self._answered.watch(page)

    def _connect_signs(self) -> None:
        """Let the side bar show what goes on, and the status line whether the network is used."""
        self.talk.live_changed.connect(self._show_live)
        self.train.progress_changed.connect(self._show_training)
        self.models.downloading.connect(self._show_downloading)

    def _show_live(self, live: bool, recorded: bool) -> None:
        words = self.tr("Live, and recorded") if recorded else self.tr("Live, not recorded")
        self._side.show_sign(0, Sign(words, recorded=recorded) if live else None)

    def _show_training(self, share: float | None) -> None:
        sign = None
        if share is not None:
            sign = Sign(self.tr("Training, {0} %").format(round(100 * share)), share)
        self._side.show_sign(3, sign)

    def _show_downloading(self, share: float | None) -> None:
        sign = None
        if share is not None:
            sign = Sign(self.tr("Downloading, {0} %").format(round(100 * share)), share)
        self._side.show_sign(2, sign)
        self.status.set_network(share is not None)

    def play(self, folder: Path) -> None:
        """Open a recording."""
        self.show_page(1)
        self.recordings.open_recording(folder)

    def _train_on(self, folder: Path) -> None:
        self.show_page(3)
        self.train.use_talk(folder)

    def _connect(self) -> None:
        self._side.chosen.connect(self.show_page)
        self.talk.load_wanted.connect(self.load)
        self.talk.lighter_wanted.connect(self._load_lighter)
        self.talk.models_wanted.connect(lambda: self.show_page(2))
        self.talk.play_wanted.connect(self.play)
        self.talk.train_wanted.connect(self._train_on)
        self.talk.sound_used.connect(self._show_sound)
        self.talk.deleted.connect(self.recordings.refresh)
        self.recordings.deleted.connect(self.talk.forget_missing)
        self.setup.kept.deleted.connect(self.talk.forget_missing)
        self.talk.changed.connect(self._change)
        self.setup.changed.connect(self._change)
        self.setup.devices_wanted.connect(self.look_around)
        self.setup.kept.deleted.connect(self.recordings.refresh)
        self.setup.kept.deleted.connect(self.models.refresh)
        self.train.models_changed.connect(self.models.refresh)
        for page in (self.talk, self.recordings, self.models, self.train, self.setup):
            page.trouble.connect(partial(self._tell_of, page))
        self.talk.starting.connect(lambda: self.status.withdraw(StatusLine))
        self.talk.restart_wanted.connect(self.restart)
        for index in range(self._pages.count()):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{index + 1}"), self)
            shortcut.activated.connect(lambda index=index: self._go_to(index))
        for key in ("F1", "?"):
            # A field in which something is written keeps the question mark for itself.
            QShortcut(QKeySequence(key), self).activated.connect(self.show_keys)

    def _lay_out(self) -> None:
        for page, icon, name in (
            (self.talk, "talk", self.tr("Talk")),
            (self.recordings, "recordings", self.tr("Recordings")),
            (self.models, "models", self.tr("Models")),
            (self.train, "train", self.tr("Train")),
            (self.setup, "settings", self.tr("Settings")),
        ):
            self._pages.addWidget(Fitting(page))
            self._side.add(icon, name, f"Ctrl+{self._pages.count()}")
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(self._side)
        across.addWidget(self._pages, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(across, 1)
        whole.addWidget(self.status)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
