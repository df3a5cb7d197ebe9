"""The line at the bottom that is always true: model, sound, network, and the last trouble with its advice.

Knows nothing beyond the events that it is told.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.engine.events import Event, Failed, Loading, Ready, RecordingEnded, Started, Trouble, Unloaded
from app.ui.models.gpu_memory import CardMemory
from app.ui.shell.theme import GRID, SMALL, colours, scaled
from app.ui.shell.translation import DOWNLOADING, told
from app.ui.widgets.notice import Notice

GB = 1e9
ADVICE, CLOSE = "advice", "close"
"""The links behind a sentence."""

TROUBLE_MS = 120_000
"""How long trouble is shown to somebody who looks at the window and does nothing about it."""


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
        self._trouble.linkActivated.connect(self._follow_link)
        self._sentence = self._advice = ""
        self._source: object = None
        self._left_ms = 0.0
        self._loading = False
        self._notice = Notice()
        self._devices: tuple[str, str] | None = None
        self._ready: Ready | None = None
        self._downloading = False
        """Whether a process of the window downloads something."""
        self._fetching = False
        """Whether a load does."""
        rows = QVBoxLayout(self)
        rows.setContentsMargins(2 * GRID, GRID // 2, 2 * GRID, GRID // 2)
        rows.setSpacing(GRID // 2)
        rows.addWidget(self._notice)
        across = QHBoxLayout()
        rows.addLayout(across)
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
                if not self._loading:
                    self.withdraw(StatusLine)
                self._loading, self._ready = True, None
                self._tell_model(self.tr("loading…"), told(stage))
                self._follow_load(stage.startswith(DOWNLOADING))
            case Ready():
                self._loading, self._ready = False, event
                self._tell_ready()
            case Unloaded():
                self._ready = None
                self._tell_ready()
            case Started():
                self.set_sound(event.microphone, event.speaker)
            case Failed():
                self._loading = False
                self._tell_ready()
                self.tell(event.sentence, event.advice, StatusLine)
            case Trouble():
                self.tell(event.sentence, event.advice, StatusLine)
            case RecordingEnded() if event.sentence:
                self.tell(event.sentence, event.advice, StatusLine)

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
            used, total = (f"{size / GB:.1f}" for size in memory[:2])
            self._memory.setText(self.tr("{0} of {1} GB").format(used, total))
            self._memory.setToolTip(self.tr("Graphics memory in use by all programs"))

    def set_network(self, used: bool) -> None:
        """Show whether a process of the window uses the network, beside what a load does."""
        self._downloading = used
        self._show_network()

    def _follow_load(self, fetching: bool) -> None:
        self._fetching = fetching
        self._show_network()

    def _show_network(self) -> None:
        used = self._downloading or self._fetching
        self._network.setText(self.tr("network on") if used else self.tr("network off"))
        self._network.setToolTip(
            self.tr("A model is being downloaded.") if used else self.tr("Nothing leaves this computer.")
        )

    def tell(self, sentence: str, advice: str, source: object = None) -> None:
        """Show trouble, with a link to its advice, until `source` withdraws it, it is closed, or it is old.

        What the session tells has this class as its source.
        """
        sentence, advice = told(sentence), told(advice)
        self._source, self._left_ms = source, TROUBLE_MS
        self._sentence, self._advice = sentence, advice
        tone = colours(self.palette()).trouble_text.name()
        text = sentence.replace("&", "&amp;").replace("<", "&lt;")
        links = [(ADVICE, self.tr("What to do"))] if advice else []
        links.append((CLOSE, "×"))
        shown = " ".join(f'<a href="{name}" style="color:{tone}">{words}</a>' for name, words in links)
        self._trouble.setText(f"{text} {shown}")
        self._trouble.setToolTip(self.trouble)
        self._notice.clear()

    def withdraw(self, source: object) -> None:
        """Show no more what this source told: it is over, or was answered."""
        if self._source is source and self._sentence:
            self._clear()

    def advance(self, elapsed_ms: float) -> None:
        """Let trouble grow old while somebody can see it."""
        if self._sentence and not self._notice.topic:
            self._left_ms -= elapsed_ms
            if self._left_ms <= 0:
                self._clear()

    def _clear(self) -> None:
        self._sentence = self._advice = ""
        self._source = None
        self._trouble.clear()
        self._trouble.setToolTip("")
        self._notice.clear()

    @property
    def trouble(self) -> str:
        """Return the last trouble and its advice, '' if there is none any more."""
        return f"{self._sentence}\n{self._advice}".strip()

    @property
    def advice(self) -> str:
        """Return the advice that is shown above the line, '' while none is."""
        return self._notice.text

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
        self._follow_load(False)
        ready = self._ready
        if ready is None:
            self._tell_model(self.tr("no model"), "")
            return
        tip = self.tr("{0} takes {1} GB on {2}; loaded in {3} s")
        tip = tip.format(ready.model, f"{ready.memory_bytes / GB:.2f}", ready.device, f"{ready.load_s:.1f}")
        text = " · ".join(part for part in (ready.model, ready.mode) if part)
        self._tell_model(text, "\n".join(part for part in (tip, told(ready.checked)) if part))

    def _tell_model(self, text: str, tip: str) -> None:
        self._model.setText(text)
        self._model.setToolTip(tip)

    def _follow_link(self, name: str) -> None:
        if name == CLOSE:
            self._clear()
        elif self._notice.topic:
            self._notice.clear()
        else:
            self._notice.tell(ADVICE, self._sentence, self._advice)
