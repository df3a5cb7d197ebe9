"""The Settings page: what a talk starts with, and what to send with a bug report.

Knows nothing about where the settings file lies: it hands out a new Settings with each change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QComboBox,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.audio.memory import ECHO_WISHES
from app.errors import UserError
from app.files import make_folder
from app.frames import FRAME_RATE, seconds
from app.paths import Paths
from app.prompts import OwnVoice
from app.secret import keep_token
from app.settings import LANGUAGES, LIMITS, SCHEMES, Settings
from app.ui.settings.own_voices import OwnVoices
from app.ui.settings.storage import Kept
from app.ui.shell import theme
from app.ui.shell.about import About
from app.ui.shell.shortcuts import Shortcuts
from app.ui.widgets.controls import CONTROL_HEIGHT, Chooser
from app.ui.widgets.device_chooser import DeviceChooser
from app.ui.widgets.number import NoWheel, Number
from app.ui.widgets.number_box import number_words
from app.ui.widgets.panel import Column, Panel, Switch, heading
from app.ui.widgets.sampling import LARGEST_SEED, SAMPLING, sampling_words, seed_at_will

if TYPE_CHECKING:
    from app.audio.devices import Device

CONTROL_WIDTH = 264
CONTEXTS_S = (30, 60, 120)
TOKEN_LOOKS = "hf_…"


class SettingsPage(QWidget):
    """Devices, recording, appearance, the defaults of sampling, and About."""

    changed = Signal(object)
    """The new Settings, after each change that the user makes."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""
    devices_wanted = Signal()
    """The page was opened: which devices are there now?"""

    def __init__(self, settings: Settings, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._paths = paths
        self._numbers: dict[str, Number] = {}
        self._no_wheel = NoWheel(self)
        self._column = Column()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._column)
        self._add_sound()
        self._add_recording()
        self._add_appearance()
        self._add_sampling()
        self._voices = OwnVoices()
        self._voices.revoked.connect(self._revoke)
        self._column.items.addWidget(self._voices)
        self._add_token()
        self._column.items.addSpacing(2 * theme.GRID)
        self._column.items.addWidget(heading(self.tr("Keys")))
        self._column.items.addWidget(Shortcuts())
        self._column.items.addSpacing(2 * theme.GRID)
        self._column.items.addWidget(heading(self.tr("What is kept on this computer")))
        self.kept = Kept(paths)
        self.kept.trouble.connect(self.trouble)
        self._column.items.addWidget(self.kept)
        self._about = About(paths)
        self._about.trouble.connect(self.trouble)
        self._column.items.addSpacing(2 * theme.GRID)
        self._column.items.addWidget(self._about)
        for box in self.findChildren(QWidget):
            if isinstance(box, (QAbstractSpinBox, QComboBox)):
                box.setMinimumHeight(CONTROL_HEIGHT)
                box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                box.installEventFilter(self._no_wheel)
        self.set_settings(settings)

    def set_settings(self, settings: Settings) -> None:
        """Show settings that were changed elsewhere, without telling them again."""
        self._settings = settings
        for box, name in ((self._microphone, settings.microphone), (self._speaker, settings.speaker)):
            box.choose(name)
        self._echo.choose(settings.echo)
        for widget in (self._record, self._noise, *self._schemes.buttons()):
            widget.blockSignals(True)
        self._record.setChecked(settings.record)
        self._noise.setChecked(settings.suppress_noise)
        self._schemes.buttons()[SCHEMES.index(settings.scheme)].setChecked(True)
        for widget in (self._record, self._noise, *self._schemes.buttons()):
            widget.blockSignals(False)
        for name, number in self._numbers.items():
            number.set_value(getattr(settings, name))
        self._seed.set_value(settings.seed)
        self._show_context(settings.context)
        self._language.choose(settings.language)
        self._voices.set_voices(settings.own_voices)

    def shut(self) -> None:
        """End what is under way beside the window."""
        self._about.shut()
        self.kept.shut()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask which devices there are whenever the page is opened."""
        super().showEvent(event)
        self.devices_wanted.emit()
        self.kept.count()

    def hideEvent(self, event: QHideEvent) -> None:
        """Say no more that a token was kept."""
        super().hideEvent(event)
        self._token.setPlaceholderText(TOKEN_LOOKS)

    def _change(self, **values: Any) -> None:
        self._settings = replace(self._settings, **values)
        self.changed.emit(self._settings)

    def _revoke(self, voice: OwnVoice) -> None:
        """Let no model speak with the voice of a person any more."""
        rest = tuple(other for other in self._settings.own_voices if other != voice)
        spoken = "" if self._settings.voice == voice.file else self._settings.voice
        self._change(own_voices=rest, voice=spoken)
        self._voices.set_voices(rest)

    def _add_sound(self) -> None:
        panel = self._column.section(self.tr("Sound"))
        tip = self.tr("The microphone that a talk starts with")
        self._microphone = DeviceChooser("in", self.tr("Microphone"), tip)
        tip = self.tr("The speaker that a talk starts with")
        self._speaker = DeviceChooser("out", self.tr("Speaker"), tip)
        for box in (self._microphone, self._speaker):
            box.fix_width(CONTROL_WIDTH)
        self._microphone.activated.connect(lambda _: self._change(microphone=self._microphone.currentData()))
        self._speaker.activated.connect(lambda _: self._change(speaker=self._speaker.currentData()))
        panel.add_row(self.tr("Microphone"), self.tr("What the model hears you through."), self._microphone)
        advice = self.tr("Headphones are best: the model hears you alone, also while it speaks.")
        panel.add_row(self.tr("Speaker"), advice, self._speaker)
        tip = self.tr("Automatic: wherever microphone and speaker are not one headset")
        self._echo = Chooser("speaker", self.tr("Cancel echo"), tip)
        names = (self.tr("Automatic"), self.tr("Always"), self.tr("Never"))
        for wish, name in zip(ECHO_WISHES, names, strict=True):
            self._echo.addItem(name, wish)
        self._echo.fix_width(CONTROL_WIDTH)
        self._echo.activated.connect(lambda _: self._change(echo=self._echo.currentData()))
        explanation = self.tr(
            "Takes the speaker's sound out of the microphone's, and makes you quieter while both speak."
        )
        panel.add_row(self.tr("Cancel echo"), explanation, self._echo)
        self._noise = Switch(self.tr("Suppress noise"))
        self._noise.setToolTip(self.tr("Take out hum and hiss as well, wherever echo is cancelled"))
        self._noise.toggled.connect(lambda on: self._change(suppress_noise=on))
        explanation = self.tr("Hum and hiss go too, wherever echo is cancelled; adds 6 ms.")
        panel.add_row(self.tr("Suppress noise"), explanation, self._noise)

    def _add_recording(self) -> None:
        panel = self._column.section(self.tr("Recordings"))
        self._record = Switch(self.tr("Record every talk"))
        self._record.setToolTip(
            self.tr("Keep the sound and the words of each talk on this computer (R while talking)")
        )
        self._record.toggled.connect(lambda on: self._change(record=on))
        explanation = self.tr(
            "Both voices and the words, on this computer alone. A red dot shows while it is on."
        )
        panel.add_row(self.tr("Record every talk"), explanation, self._record)
        button = QPushButton(self.tr("Open folder"))
        button.setToolTip(self.tr("Show the recordings in the file manager"))
        button.clicked.connect(partial(self._open_folder, self._paths.recordings))
        panel.add_row(self.tr("Where they are kept"), _breakable(self._paths.recordings), button)

    def _add_appearance(self) -> None:
        panel = self._column.section(self.tr("Appearance"))
        names = (self.tr("As the system"), self.tr("Light"), self.tr("Dark"))
        tips = (
            self.tr("Follow the system between light and dark"),
            self.tr("Dark letters on a light ground"),
            self.tr("Light letters on a dark ground"),
        )
        self._schemes = QButtonGroup(self)
        buttons = []
        for scheme, name, tip in zip(SCHEMES, names, tips, strict=True):
            button = QPushButton(name)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.clicked.connect(partial(self._choose_scheme, scheme))
            self._schemes.addButton(button)
            buttons.append(button)
        panel.add_row(self.tr("Colours"), "", *buttons)
        self._add_language(panel)

    def _add_language(self, panel: Panel) -> None:
        # Whoever can not read the window finds their language by its own name.
        names = {"system": self.tr("As the system"), "en": "English", "ja": "日本語"}
        explanation = self.tr("It takes effect when Aizuchi is opened the next time.")
        self._language = Chooser("talk", self.tr("Language"), explanation)
        self._language.fix_width(CONTROL_WIDTH)
        for language in LANGUAGES:
            self._language.addItem(names[language], language)
        self._language.activated.connect(lambda _: self._change(language=self._language.currentData()))
        panel.add_row(self.tr("Language"), explanation, self._language)

    def _add_sampling(self) -> None:
        panel = self._column.section(self.tr("How the model chooses what to say"))
        for name in SAMPLING:
            title, explanation = sampling_words(name)
            self._add_number(panel, name, title, explanation)
        self._add_seed(panel)
        self._add_context(panel)

    def _add_number(self, panel: Panel, name: str, title: str, explanation: str) -> None:
        number = Number(title, explanation, *LIMITS[name], default=getattr(Settings(), name))
        number.changed.connect(lambda value: self._change(**{name: value}))
        self._numbers[name] = number
        panel.add_row(title, explanation, number)

    def _add_seed(self, panel: Panel) -> None:
        title, explanation = sampling_words("seed")
        self._seed = Number(title, explanation, -1, LARGEST_SEED, default=None, whenever=seed_at_will())
        self._seed.changed.connect(lambda value: self._change(seed=value))
        panel.add_row(title, explanation, self._seed)

    def _add_context(self, panel: Panel) -> None:
        title, explanation = sampling_words("context")
        self._context = Chooser("restart", title, explanation)
        self._context.fix_width(CONTROL_WIDTH)
        self._context.addItem(self.tr("As the model was made"), None)
        for length_s in CONTEXTS_S:
            self._show_context(round(length_s * FRAME_RATE))
        self._context.activated.connect(lambda _: self._change(context=self._context.currentData()))
        panel.add_row(title, explanation, self._context)

    def _show_context(self, frames: int | None) -> None:
        """Choose a length, which the drawer may have set to one that is not offered here."""
        if self._context.findData(frames) < 0:
            length = number_words(round(seconds(frames or 0), 2), self.locale())
            self._context.addItem(self.tr("{0} seconds").format(length), frames)
        self._context.choose(frames)

    def _add_token(self) -> None:
        panel = self._column.section(self.tr("Hugging Face"))
        self._token = QLineEdit()
        self._token.setEchoMode(QLineEdit.EchoMode.Password)
        self._token.setPlaceholderText(TOKEN_LOOKS)
        self._token.setFixedWidth(CONTROL_WIDTH)
        self._token.setAccessibleName(self.tr("Token"))
        self._token.returnPressed.connect(self._keep_token)
        keep = QPushButton(self.tr("Keep"))
        keep.setToolTip(self.tr("Put the token into the keyring of this system; an empty one is taken out"))
        keep.clicked.connect(self._keep_token)
        explanation = self.tr("For models that ask you to log in; kept in the system's keyring, in no file.")
        panel.add_row(self.tr("Token"), explanation, self._token, keep)

    def _keep_token(self) -> None:
        value = self._token.text().strip()
        try:
            keep_token(value)
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return
        self._token.clear()
        kept = self.tr("It is kept.") if value else self.tr("There is none any more.")
        self._token.setPlaceholderText(kept)

    def _choose_scheme(self, scheme: str) -> None:
        theme.set_scheme(scheme)
        self._change(scheme=scheme)

    def _open_folder(self, folder: Path) -> None:
        try:
            make_folder(folder)
        except OSError as fault:
            self.trouble.emit(self.tr("The folder could not be made: {0}.").format(fault), "")
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.trouble.emit(
                self.tr("No file manager could be opened."), self.tr("The folder is {0}.").format(folder)
            )

    def set_devices(self, found: list[Device]) -> None:
        """Offer these devices."""
        for box in (self._microphone, self._speaker):
            box.offer(found)


def _breakable(path: Path) -> str:
    """Return a path that may be wrapped after its slashes."""
    return str(path).replace("/", "/\u200b")
