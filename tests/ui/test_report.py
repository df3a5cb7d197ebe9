"""`aizuchi picture` draws a whole talk, or what a dataset would teach: voices, words, overlap, figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app import paths
from app.errors import UserError
from app.store.recordings import open_recording
from app.ui.recordings.picture import CHECK_FILE, FILE, draw, main
from app.ui.shell import theme
from tests.ui.checked import check_values, make_dataset, write_check
from tests.ui.recorded import record_dialogue


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recordings")
    return record_dialogue(root, started=datetime(2026, 11, 20, 14, 32))


def shares(picture: QImage, *names: str) -> list[float]:
    """Return which share of the picture has each of these colours."""
    step = 2
    seen = [
        picture.pixelColor(x, y).name()
        for y in range(0, picture.height(), step)
        for x in range(0, picture.width(), step)
    ]
    return [seen.count(name.lower()) / len(seen) for name in names]


def test_a_picture_is_drawn_without_a_screen_and_its_path_printed(talk: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "-m", "app", "--home", str(tmp_path), "picture", str(talk)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip() == str(talk / FILE)
    assert QImage(str(talk / FILE)).width() == 1_800


def test_both_voices_can_be_seen(talk: Path, qapp: QApplication) -> None:
    picture = draw(open_recording(talk))
    model, user = shares(picture, theme.MODEL_COLOUR, theme.USER_COLOUR)
    assert model > 0.01
    assert user > 0.01


def test_the_dark_picture_is_dark(talk: Path, tmp_path: Path, qapp: QApplication) -> None:
    out = tmp_path / "dark.png"
    assert main([str(talk), "--out", str(out), "--dark", "--width", "900"], paths.paths(tmp_path)) == 0
    picture = QImage(str(out))
    assert picture.width() == 900
    assert theme.luminance(picture.pixelColor(2, 2)) < 0.05


def test_a_recording_is_found_by_its_name(talk: Path, tmp_path: Path, qapp: QApplication) -> None:
    where = paths.paths(tmp_path)
    where.recordings.mkdir()
    (where.recordings / "mine").symlink_to(talk)
    assert main(["mine", "--out", str(tmp_path / "named.png")], where) == 0


def test_a_long_talk_is_broken_in_its_silences(tmp_path: Path, qapp: QApplication) -> None:
    folder = record_dialogue(tmp_path, span_s=(0, 21), times=5)
    recording = open_recording(folder)
    assert draw(recording).height() > 1.8 * draw(open_recording(record_dialogue(tmp_path))).height()


def test_a_long_talk_fits_into_a_picture(tmp_path: Path, qapp: QApplication) -> None:
    folder = record_dialogue(tmp_path, span_s=(0, 42), times=10)
    picture = draw(open_recording(folder))
    assert picture.height() < 8_000
    assert min(shares(picture, theme.MODEL_COLOUR, theme.USER_COLOUR)) > 0.01


def test_a_talk_without_words_is_drawn(talk: Path, tmp_path: Path, qapp: QApplication) -> None:
    folder = record_dialogue(tmp_path, span_s=(0, 5))
    (folder / "events.jsonl").unlink()
    assert not draw(open_recording(folder)).isNull()


def test_a_recording_that_can_not_be_read_is_a_sentence(tmp_path: Path, qapp: QApplication) -> None:
    folder = record_dialogue(tmp_path, span_s=(0, 2))
    (folder / "audio.flac").write_bytes(b"damaged")
    with pytest.raises(UserError, match="can not be read"):
        draw(open_recording(folder))
    with pytest.raises(UserError, match="no recording"):
        main([str(tmp_path / "nothing")], paths.paths(tmp_path))


def test_a_place_that_can_not_be_written_is_a_sentence(
    talk: Path, tmp_path: Path, qapp: QApplication
) -> None:
    with pytest.raises(UserError, match="could not be written"):
        main([str(talk), "--out", str(tmp_path / "none" / "x.png")], paths.paths(tmp_path))


def test_no_model_is_needed_to_draw(talk: Path) -> None:
    code = (
        "import sys, json, app.ui.recordings.picture as r; from app import paths; from pathlib import Path;"
        f"r.main([{str(talk)!r}, '--out', {str(talk / 'x.png')!r}], paths.paths(Path({str(talk)!r})));"
        "print(json.dumps([m for m in ('torch', 'sounddevice') if m in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(run.stdout.splitlines()[-1]) == []


def test_a_dataset_is_drawn_from_its_check(tmp_path: Path, qapp: QApplication) -> None:
    where = paths.paths(tmp_path)
    dataset = make_dataset(where.datasets / "kyoto", 1)
    write_check(dataset, check_values())
    assert main(["kyoto"], where) == 0
    picture = QImage(str(dataset.folder / CHECK_FILE))
    assert picture.width() == 1_800
    assert min(shares(picture, theme.MODEL_COLOUR, theme.USER_COLOUR)) > 0.005
    write_check(dataset, check_values(state="refused"))
    out = tmp_path / "refused.png"
    assert main([str(dataset.folder), "--dark", "--width", "900", "--out", str(out)], where) == 0
    assert theme.luminance(QImage(str(out)).pixelColor(2, 2)) < 0.05


def test_many_findings_fit_onto_the_sheet(tmp_path: Path, qapp: QApplication) -> None:
    dataset = make_dataset(tmp_path / "kyoto", 1)
    values = check_values()
    values["findings"] = values["findings"] * 100
    write_check(dataset, values)
    out = tmp_path / "many.png"
    assert main([str(dataset.folder), "--out", str(out)], paths.paths(tmp_path)) == 0
    assert QImage(str(out)).height() < 1_800


def test_a_dataset_that_was_not_checked_is_a_sentence(tmp_path: Path, qapp: QApplication) -> None:
    dataset = make_dataset(tmp_path / "kyoto", 1)
    with pytest.raises(UserError, match="not checked yet") as told:
        main([str(dataset.folder)], paths.paths(tmp_path))
    assert "aizuchi data check" in told.value.advice
