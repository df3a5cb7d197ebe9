"""The sound beside the words: played, drawn as it is, and fast however many words there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.audio.rig import Rig
from app.frames import SAMPLE_RATE
from app.store.datasets import Dataset, TimedWord
from app.ui.shell import theme
from app.ui.training.edit.field import WordField
from app.ui.training.edit.page import WordEditor
from app.ui.training.edit.peaks import Peaks, open_peaks, read_fine, read_piece
from app.ui.training.edit.waveform import Waveform
from app.ui.training.edit.words import WordList, exact_clock
from tests.ui.word_editing import (
    CONTROL,
    button,
    chosen,
    dataset,
    editor,
    press,
)

__all__ = ["dataset", "editor"]  # fixtures


def test_the_chosen_word_alone_is_played(
    dataset: Dataset, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Rig() as rig:
        for name, value in rig.env.items():
            monkeypatch.setenv(name, value)
        editor = WordEditor()
        qtbot.addWidget(editor)
        editor.open(dataset, "talk-01")
        editor.show()
        editor.sound.choose(editor.words.key(2))
        word = chosen(editor)
        press(editor, Qt.Key.Key_Space, CONTROL)
        assert editor._player.playing
        qtbot.waitUntil(lambda: not editor._player.playing, timeout=8_000)
        assert editor.sound.cursor_s == pytest.approx(word.end_s, abs=0.02)
        press(editor, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: editor.sound.cursor_s > word.end_s + 0.3, timeout=8_000)
        assert button(editor, "Pause").isVisible()
        press(editor, Qt.Key.Key_Space)
        assert not editor._player.playing
        editor.shut()


def whole(audio: Path) -> Peaks:
    peaks = open_peaks(audio)
    while not peaks.whole:
        peaks.add(read_piece(audio, peaks, peaks.values_read))
    return peaks


def test_the_shape_is_that_of_the_samples_at_every_zoom(dataset: Dataset) -> None:
    audio = dataset.audio("talk-01")
    samples, _ = soundfile.read(audio, dtype="float32")
    peaks = whole(audio)
    for first_s, last_s, count in ((0.0, 42.0, 300), (5.0, 9.0, 500), (1.0, 1.5, 50)):
        found = peaks.columns(first_s, last_s, count)
        edges = np.linspace(first_s, last_s, count + 1) * SAMPLE_RATE
        for column in range(0, count, 7):
            part = samples[int(edges[column]) : int(np.ceil(edges[column + 1]))]
            assert (found[:, column, 1] >= part.max(axis=0) - 1e-3).all()
            assert (found[:, column, 0] <= part.min(axis=0) + 1e-3).all()
        assert np.abs(found).max() <= np.abs(samples).max() + 1e-3
    fine = read_fine(audio, SAMPLE_RATE, SAMPLE_RATE)
    exact = fine.columns(1.2 * SAMPLE_RATE, 1.3 * SAMPLE_RATE, 2400)
    stretch = samples[int(1.2 * SAMPLE_RATE) : int(1.3 * SAMPLE_RATE)].T
    np.testing.assert_allclose(exact[:, :, 1], stretch, atol=1e-3)


def test_an_hour_is_kept_small_and_what_lies_outside_is_silence() -> None:
    hour = Peaks(3_600 * SAMPLE_RATE, SAMPLE_RATE)
    assert sum(level.nbytes for level in hour._levels) < 12_000_000
    day = Peaks(24 * 3_600 * SAMPLE_RATE, SAMPLE_RATE)
    assert sum(level.nbytes for level in day._levels) < 40_000_000
    assert not hour.columns(-5.0, 4_000.0, 100).any()


def test_near_enough_the_samples_themselves_are_drawn(editor: WordEditor, qtbot: QtBot) -> None:
    for _ in range(20):
        press(editor, Qt.Key.Key_Plus)
    editor.sound.grab()
    qtbot.waitUntil(lambda: editor.sound._fine is not None)
    assert editor.sound._fine.holds(0, 0.25 * SAMPLE_RATE)


def test_a_sound_that_breaks_off_is_a_sentence(editor: WordEditor, dataset: Dataset, qtbot: QtBot) -> None:
    audio = dataset.audio("talk-02")
    data = audio.read_bytes()
    audio.write_bytes(data[: len(data) // 2])
    with qtbot.waitSignal(editor.trouble, timeout=8_000) as told:
        editor.open(dataset, "talk-02")
    assert "any further" in told.args[0]


def test_both_voices_and_their_overlap_can_be_seen(editor: WordEditor) -> None:
    for scheme in ("light", "dark"):
        theme.set_scheme(scheme)
        picture = editor.sound.grab().toImage()
        seen = {
            picture.pixelColor(x, y).name()
            for x in range(0, picture.width(), 2)
            for y in range(0, picture.height(), 2)
        }
        assert {theme.MODEL_COLOUR.lower(), theme.USER_COLOUR.lower()} <= seen


def many(count: int) -> list[TimedWord]:
    """Return so many words of both voices, six in a second."""
    return [TimedWord("AB"[n % 2], f"word{n}", n / 6, n / 6 + 0.2) for n in range(count)]


def best(paint: Callable[[], object], times: int = 9) -> float:
    """Return the seconds of the fastest of some runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        paint()
        took.append(time.perf_counter() - began)
    return min(took)


def test_painting_is_fast_however_many_words_there_are(qtbot: QtBot) -> None:
    listed = WordList()
    listed.show(many(12_000), 2_000.0)
    sound = Waveform(listed)
    qtbot.addWidget(sound)
    sound.resize(900, 400)
    sound.show_sound(Peaks(2_000 * SAMPLE_RATE, SAMPLE_RATE))
    canvas = QPixmap(sound.size())

    def paint() -> None:
        painter = QPainter(canvas)
        sound.render(painter, QPoint(0, 0))
        painter.end()

    for zoom in (1.0, 5.0, 20.0, 1_000.0):
        sound.zoom(zoom, 500.0)
        sound.look_at(700.0)
        paint()
        assert best(paint) < 0.008, zoom


def test_editing_one_of_many_words_is_fast() -> None:
    listed = WordList()
    listed.show(many(12_000), 2_000.0)
    key = listed.key(6_000)
    assert best(lambda: listed.nudge(key, 0.01, 0.01)) < 0.005
    assert listed.row(key) == 6_000
    listed.set_times(key, 10.0, 10.5)
    assert listed.words == sorted(listed.words, key=lambda word: word.start_s)


def test_times_are_written_exactly() -> None:
    assert [exact_clock(time_s) for time_s in (0, 7.476, 59.999, 3_723.5)] == [
        "0:00.00", "0:07.48", "1:00.00", "1:02:03.50",
    ]  # fmt: skip


def test_everything_has_a_name(editor: WordEditor) -> None:
    for found in editor.findChildren(QPushButton):
        assert found.toolTip() or found.accessibleName(), found.text()
    for part in (editor.sound, editor.table, editor._bar, *editor.sound.findChildren(WordField)):
        assert part.accessibleName()
