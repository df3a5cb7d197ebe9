"""The catalogue has each sentence of the window, the window shows it, and the chosen language is followed."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import PySide6
import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.catalog import KNOWN
from app.commands.headless import NO_DEVICES
from app.paths import paths
from app.settings import LANGUAGES, Settings
from app.ui.shell import language, wording
from app.ui.shell.about import About
from app.ui.shell.translation import SENTENCES, TEMPLATES, told
from app.ui.training.data.new import LANGUAGES as SPOKEN
from tests.ui import checked
from tests.ui.dialogue import READY
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage
from tests.ui.trained import make_dataset, make_run

ROOT = Path(__file__).parents[2]
CATALOGUE = language.TRANSLATIONS / "aizuchi_ja.ts"
COMPILED = CATALOGUE.with_suffix(".qm")
PLACEHOLDER = re.compile(r"\{\w*\}|%n|%\d")
PAGES = range(5)
STEPS = range(4)

Install = Callable[[str], None]


class Message(NamedTuple):
    """One sentence of the catalogue."""

    context: str
    source: str
    translation: str
    state: str | None
    """None for one that is finished."""


def messages(file: Path = CATALOGUE) -> list[Message]:
    found = []
    for context in ET.parse(file).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            found.append(
                Message(
                    context.findtext("name", ""),
                    message.findtext("source", ""),
                    "".join(translation.itertext()),
                    translation.get("type"),
                )
            )
    return found


def tool(name: str, *arguments: str) -> None:
    """Run a tool of Qt Linguist that comes with PySide6."""
    program = Path(PySide6.__file__).parent / name
    subprocess.run([program, *arguments], cwd=ROOT, check=True, capture_output=True, timeout=60)


@pytest.fixture
def speak(qapp: QApplication) -> Iterator[Install]:
    """Let the program speak a language until the test ends."""
    before = QLocale()
    translators = []

    def install(spoken: str) -> None:
        translators.extend(language.install(qapp, spoken))

    yield install
    for translator in translators:
        qapp.removeTranslator(translator)
        translator.deleteLater()
    QLocale.setDefault(before)


def test_the_catalogue_has_each_sentence_of_the_window_and_no_other(tmp_path: Path) -> None:
    anew = tmp_path / "anew.ts"
    places = (ROOT / "app" / "catalog.py", *(ROOT / "app" / "ui").rglob("*.py"))
    files = sorted(str(file.relative_to(ROOT)) for file in places)
    tool("lupdate", *files, "-locations", "none", "-source-language", "en", "-ts", str(anew))
    wanted = {(message.context, message.source) for message in messages(anew)}
    kept = {(message.context, message.source) for message in messages()}
    assert kept - wanted == set()
    assert wanted - kept == set()
    # A sentence without a class around it, or told by something else than self, is never found.
    assert not {context for context, _ in wanted if not context.isidentifier()}


def test_each_sentence_is_translated_with_its_placeholders() -> None:
    for message in messages():
        assert message.state is None, message
        assert message.translation.strip(), message
        wanted, kept = (sorted(PLACEHOLDER.findall(text)) for text in (message.source, message.translation))
        assert kept == wanted, message


def test_what_is_shipped_is_made_of_the_catalogue(tmp_path: Path) -> None:
    anew = tmp_path / "anew.qm"
    tool("lrelease", str(CATALOGUE), "-qm", str(anew))
    assert COMPILED.read_bytes() == anew.read_bytes()


def shown(window: QWidget) -> set[str]:
    """Return the texts of a window, whether they can be seen or not, and what is said about them."""
    texts = set()
    for widget in (window, *window.findChildren(QWidget)):
        texts |= {widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()}
        if isinstance(widget, (QLabel, QAbstractButton)):
            texts.add(widget.text())
        elif isinstance(widget, QLineEdit):
            texts.add(widget.placeholderText())
        elif isinstance(widget, QComboBox):
            texts |= {widget.itemText(index) for index in range(widget.count())}
    return {line.strip() for text in texts for line in text.splitlines()}


def english() -> set[str]:
    """Return the sentences that are another in Japanese."""
    return {message.source for message in messages() if message.source != message.translation}


def begins(sources: set[str]) -> re.Pattern[str]:
    """Return what finds the sentences into which something was put."""
    parts = (PLACEHOLDER.split(source) for source in sources if PLACEHOLDER.search(source))
    telling = (part for part in parts if len(re.findall(r"[A-Za-z]{2,}", "".join(part))) > 1)
    return re.compile("|".join(".*".join(map(re.escape, part)) for part in telling))


def in_english(texts: set[str]) -> set[str]:
    # What is said when something is amiss is not shown here; its shortest templates match anything.
    sources = english() - set(TEMPLATES)
    filled = begins(sources)
    return {text for text in texts if text in sources or filled.fullmatch(text)}


@pytest.fixture
def furnished(tmp_path: Path) -> Path:
    """Return a home with recordings, a dataset that was checked, and a run."""
    home = tmp_path / "furnished"
    where = paths(home)
    record_dialogue(where.recordings)
    checked.write_check(
        checked.make_dataset(where.datasets / "kyoto", 4, spoken=True), checked.check_values()
    )
    make_dataset(where.datasets, "my-talks", dialogues=2)
    make_run(where.runs, "my-talks-1", steps=500, done=500, both=True)
    return home


def look_through(stage: Stage, qtbot: QtBot) -> set[str]:
    """Open each page, and what lies behind it, and return all that is shown there."""
    window = stage.window
    window.show()
    texts = shown(window)
    stage.load(READY)
    texts |= shown(window)
    stage.talk(0, 20, step_ms=97.0)
    stage.page.toggle_drawer()
    texts |= shown(window)
    stage.stop()
    for page in PAGES:
        window.show_page(page)
        qtbot.wait(50)
        texts |= shown(window)
    qtbot.waitUntil(lambda: bool(window.recordings.recordings))
    window.show_page(1)
    window.recordings.open_recording(window.recordings.recordings[0].folder)
    qtbot.waitUntil(lambda: window.recordings.replay.is_read)
    texts |= shown(window)
    window.show_page(3)
    window.train.data.show_dataset(stage.where.datasets / "kyoto")
    qtbot.waitUntil(lambda: window.train.data._facts is not None)
    for step in STEPS:
        window.train.show_step(step)
        qtbot.waitUntil(lambda: window.train.check._errand is None, timeout=20_000)
        qtbot.wait(50)
        texts |= shown(window)
    return texts


def test_no_sentence_of_the_window_stays_english(speak: Install, furnished: Path, qtbot: QtBot) -> None:
    speak("ja")
    stage = Stage(Settings(model="moshika"), paths(furnished))
    texts = look_through(stage, qtbot)
    # What languages can be chosen is told by their own names.
    assert in_english(texts) == {"English"}
    assert {"会話", "録音", "モデル", "学習", "設定", "開始", "詳細設定"} <= texts
    assert sum(bool(re.search("[ぁ-んァ-ヶ一-龠]", text)) for text in texts) > 300
    stage.window.close()


def test_the_same_look_finds_english_where_it_is_spoken(
    speak: Install, furnished: Path, qtbot: QtBot
) -> None:
    speak("en")
    stage = Stage(Settings(model="moshika"), paths(furnished))
    assert len(in_english(look_through(stage, qtbot))) > 300
    stage.window.close()


def test_what_other_parts_say_is_translated_too(speak: Install) -> None:
    assert {model.summary for model in KNOWN} | {NO_DEVICES} <= set(SENTENCES)
    speak("ja")
    assert all(told(text) != text for text in SENTENCES)
    assert told("Downloading model.safetensors") == "model.safetensors をダウンロード中"
    assert told("Something new") == "Something new"
    assert told("") == ""


def test_languages_are_named_in_the_language_of_the_window(speak: Install) -> None:
    assert wording.language_words("en ja") == "English, Japanese"
    speak("ja")
    assert wording.language_words("en ja") == "英語、日本語"
    assert not re.search("[A-Za-z]", "".join(map(wording.language_words, SPOKEN)))


def test_the_buttons_of_qt_speak_the_language_too(speak: Install) -> None:
    speak("ja")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "キャンセル"


@pytest.mark.parametrize(
    ("chosen", "system", "expected"),
    [
        ("ja", "en_US", ("会話", "1.5", "ja_JP")),
        ("en", "ja_JP", ("Talk", "1.5", "en_US")),
        ("en", "en_GB", ("Talk", "1.5", "en_GB")),
        ("system", "ja_JP", ("会話", "1.5", "ja_JP")),
        ("system", "en_GB", ("Talk", "1.5", "en_GB")),
        ("system", "de_DE", ("Talk", "1,5", "de_DE")),
        ("system", "C", ("Talk", "1.5", "C")),
    ],
)
def test_the_language_is_chosen_or_that_of_the_system(
    speak: Install, monkeypatch: pytest.MonkeyPatch, chosen: str, system: str, expected: tuple[str, str, str]
) -> None:
    """A language that there are no words in becomes English, with the numbers and times of the system."""
    monkeypatch.setattr(QLocale, "system", lambda: QLocale(system))
    speak(chosen)
    word = QCoreApplication.translate("MainWindow", "Talk")
    assert (word, QLocale().toString(1.5, "f", 1), QLocale().name()) == expected


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"LC_MESSAGES": "ja_JP.UTF-8", "LANG": "en_US.UTF-8"}, "ja"),
        ({"LANGUAGE": "de:ja", "LANG": "en_US.UTF-8"}, "ja"),
        ({"LANGUAGE": "de:en:ja", "LANG": "ja_JP.UTF-8"}, "en"),
        ({"LANG": "xx_YY.UTF-8"}, "en"),
    ],
)
def test_the_environment_tells_the_language_of_the_system(environment: dict[str, str], spoken: str) -> None:
    code = "from app.ui.shell.language import system_language; print(system_language())"
    command = [sys.executable, "-c", code]
    said = subprocess.check_output(command, env=environment, cwd=ROOT, text=True, timeout=60)
    assert said.strip() == spoken


def test_the_language_is_chosen_on_the_settings_page(stage: Stage) -> None:
    chooser = stage.window.setup._language
    assert [chooser.itemData(index) for index in range(chooser.count())] == list(LANGUAGES)
    assert chooser.currentData() == "system"
    chooser.setCurrentIndex(LANGUAGES.index("ja"))
    chooser.activated.emit(chooser.currentIndex())
    assert stage.window.settings.language == "ja"
    assert chooser.currentText() == "日本語"


def test_what_to_do_about_this_computer_is_said_in_japanese(
    speak: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    speak("ja")
    about = About(paths(tmp_path))
    qtbot.addWidget(about)
    about.show()
    about.findChildren(QPushButton)[0].click()

    def advised() -> None:
        said = [label.text() for label in about.findChildren(QLabel)]
        assert any("大きいモデルには 8 GB 以上の NVIDIA の GPU が必要です。" in text for text in said), said

    qtbot.waitUntil(advised, timeout=90_000)


@pytest.fixture
def letters(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[None]:
    """Let the desktop's letters be larger."""
    usual = qapp.font()
    larger = QFont(usual)
    larger.setPointSizeF(request.param * usual.pointSizeF())
    qapp.setFont(larger)
    yield
    qapp.setFont(usual)


@pytest.mark.parametrize(
    ("size", "letters"),
    [(QSize(1280, 720), 1.0), (QSize(900, 600), 1.0), (QSize(1280, 720), 1.5)],
    indirect=["letters"],
)
@pytest.mark.usefixtures("letters")
def test_nothing_is_cut_off_in_japanese(speak: Install, size: QSize, tmp_path: Path, qtbot: QtBot) -> None:
    speak("ja")
    stage = Stage(Settings(model="moshika"), paths(tmp_path / "stage"))
    stage.window.show()
    stage.load()
    stage.talk(0, 12, step_ms=97.0)
    stage.page.toggle_drawer()
    stage.window.resize(size)

    def nothing_is_cut_off() -> None:
        assert _cut_off(stage.window) == []

    for page in PAGES:
        stage.window.show_page(page)
        qtbot.wait(50)
        # Wrapped sentences find their height over several rounds of the event loop.
        qtbot.waitUntil(nothing_is_cut_off)
    stage.window.close()


def _cut_off(window: QWidget) -> list[str]:
    """Return the words on visible buttons and labels that have less room than they need, and odd columns."""
    too_wide = [
        area.accessibleName() or type(area).__name__
        for area in window.findChildren(QScrollArea)
        if area.isVisible() and area.widget().width() > area.viewport().width()
    ]
    return too_wide + [
        widget.text()
        for widget in window.findChildren(QWidget)
        if isinstance(widget, (QAbstractButton, QLabel)) and widget.isVisible()
        if widget.size() != widget.size().expandedTo(widget.minimumSizeHint())
    ]
