"""The line at the bottom that is always true: model, sound, network, and the last trouble with its advice.

Knows nothing beyond the events that it is told.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolTip, QWidget

from app.engine.events import Event, Failed, Loading, Ready, RecordingEnded, Started, Trouble, Unloaded
from app.ui.card import CardMemory
from app.ui.theme import GRID, SMALL, colours, scaled
from app.ui.told import DOWNLOADING, told

GB = 1e9
TIP_MS = 20_000


class StatusLine(QWidget):
    """Four facts in small type; each tells more in its tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = self._fact(self.tr("Model"))
        self._memory = self._fact(self.tr("Graphics memory"))
        self._memory.hide()
        self._sound = self._fact(self.tr("Sound devices"))
        self._network = self._fact(self.tr("Network"))
        self._trouble = self._fact(self.tr("Last trouble"))
        self._trouble.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._trouble.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self._trouble.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._trouble.linkActivated.connect(self._show_advice)
        self._advice = ""
        self._devices: tuple[str, str] | None = None
        self._ready: Ready | None = None
        across = QHBoxLayout(self)
        across.setContentsMargins(2 * GRID, GRID // 2, 2 * GRID, GRID // 2)
        across.setSpacing(3 * GRID)
        for fact in (self._model, self._memory, self._sound, self._network):
            across.addWidget(fact)
        across.addWidget(self._trouble, 1)
        self._tell_model(self.tr("no model"), "")
        self.set_sound("", "")
        self.set_network(False)

    def on_event(self, event: Event) -> None:
        """Keep the line true."""
        match event:
            case Loading(stage):
                self._ready = None
                self._tell_model(self.tr("loading…"), told(stage))
                self.set_network(stage.startswith(DOWNLOADING))
            case Ready():
                self._ready = event
                self._tell_ready()
            case Unloaded():
                self._ready = None
                self._tell_ready()
            case Started():
                self.set_sound(event.microphone, event.speaker)
            case Failed() | Trouble():
                self._tell_ready()
                self.tell(event.sentence, event.advice)
            case RecordingEnded() if event.sentence:
                self.tell(event.sentence, event.advice)

    def set_sound(self, microphone: str, speaker: str) -> None:
        """Show the names of the devices, '' for the default ones."""
        if (microphone, speaker) == self._devices:
            return
        self._devices = (microphone, speaker)
        names = [name or self.tr("default sound") for name in (microphone, speaker)]
        text = names[0] if names[0] == names[1] else " → ".join(names)
        metrics = self._sound.fontMetrics()
        self._sound.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, 30 * GRID))
        tip = self.tr("Microphone: {0}\nSpeaker: {1}")
        self._sound.setToolTip(tip.format(*names))

    def set_memory(self, memory: CardMemory | None) -> None:
        """Show how much of the graphics memory is in use; nothing where there is no card."""
        self._memory.setVisible(memory is not None)
        if memory is not None:
            used, total = (f"{size / GB:.1f}" for size in memory)
            self._memory.setText(self.tr("{0} of {1} GB").format(used, total))
            self._memory.setToolTip(self.tr("Graphics memory in use by all programs"))

    def set_network(self, used: bool) -> None:
        """Show whether the program uses the network."""
        self._network.setText(self.tr("network on") if used else self.tr("network off"))
        self._network.setToolTip(
            self.tr("A model is being downloaded.") if used else self.tr("Nothing leaves this computer.")
        )

    def tell(self, sentence: str, advice: str) -> None:
        """Show trouble, with a link to its advice."""
        sentence, advice = told(sentence), told(advice)
        self._advice = f"{sentence}\n{advice}".strip()
        tone = colours(self.palette()).trouble_text.name()
        text = sentence.replace("&", "&amp;").replace("<", "&lt;")
        link = self.tr("What to do")
        self._trouble.setText(f'{text} <a href="advice" style="color:{tone}">{link}</a>' if advice else text)
        self._trouble.setToolTip(self._advice)

    @property
    def trouble(self) -> str:
        """Return the last trouble and its advice, '' if there was none."""
        return self._advice

    @property
    def text(self) -> str:
        """Return what the line says about model, sound and network."""
        return " · ".join(fact.text() for fact in (self._model, self._sound, self._network))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a thin line above."""
        QPainter(self).fillRect(0, 0, self.width(), 1, colours(self.palette()).line)

    def _fact(self, name: str) -> QLabel:
        label = QLabel()
        label.setFont(scaled(self.font(), SMALL))
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        label.setAccessibleName(name)
        return label

    def _tell_ready(self) -> None:
        """Show the model that is in memory, or that none is."""
        self.set_network(False)
        ready = self._ready
        if ready is None:
            self._tell_model(self.tr("no model"), "")
            return
        tip = self.tr("{0} takes {1} GB on {2}; loaded in {3} s")
        self._tell_model(
            " · ".join(part for part in (ready.model, ready.mode) if part),
            tip.format(ready.model, f"{ready.memory_bytes / GB:.2f}", ready.device, f"{ready.load_s:.1f}"),
        )

    def _tell_model(self, text: str, tip: str) -> None:
        self._model.setText(text)
        self._model.setToolTip(tip)

    def _show_advice(self) -> None:
        spot = self._trouble.mapToGlobal(self._trouble.rect().topLeft())
        QToolTip.showText(spot, self._advice, self._trouble, self._trouble.rect(), TIP_MS)
