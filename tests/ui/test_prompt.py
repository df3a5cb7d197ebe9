"""Voice and role: chosen in the drawer, asked about once, read before the talk, kept with the recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.events import Loading, Prompt, Prompting, PromptSupport, Restart, Restarted, Unloaded
from app.options import Options
from app.prompts import MOST_ROLES, ROLE_LETTERS, find_voice, own_voice
from app.session import Talk
from app.settings import Settings, load
from app.store.recordings import open_recording
from app.ui.talk.consent import ConsentDialog
from app.ui.talk.prompt_form import PromptForm
from app.ui.talk.role_presets import SERVICE, TEACHER, blanks
from app.ui.talk.talk_status import State
from tests.ui import dialogue
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage
from tests.ui.test_talk import asked, press

VOICES = ("NATF0", "NATF1", "NATM0", "VARF0", "VARM4")
TAKES = PromptSupport(VOICES, own_voice=True, role=True)


@pytest.fixture
def persona(stage: Stage) -> Stage:
    """The window with a model in memory that takes a prompt."""
    stage.load(replace(dialogue.READY, model="personaplex", prompts=TAKES))
    return stage


@pytest.fixture
def form(persona: Stage) -> PromptForm:
    persona.page.show_prompt()
    return persona.page.drawer.prompt


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "anna.wav"
    soundfile.write(path, np.zeros(24_000 * 4), 24_000)
    return path


def choose(form: PromptForm, data: object) -> None:
    """Choose a voice as a person does."""
    form.voice.setCurrentIndex(form.voice.findData(data))
    form.voice.activated.emit(form.voice.currentIndex())


def talks(stage: Stage) -> list[Prompt]:
    return [talk.prompt for talk in asked(stage, Talk) if isinstance(talk, Talk)]


def question(stage: Stage, qtbot: QtBot) -> ConsentDialog:
    qtbot.waitUntil(lambda: bool(stage.window.findChildren(ConsentDialog)))
    (dialog,) = stage.window.findChildren(ConsentDialog)
    return dialog


def button(within: ConsentDialog, word: str) -> QAbstractButton:
    return next(each for each in within.findChildren(QPushButton) if word in each.text())


def test_for_other_models_nothing_is_there(stage: Stage) -> None:
    stage.page.toggle_drawer()
    assert not stage.page.drawer.prompt.isVisibleTo(stage.window)
    assert not [
        each for each in stage.page.signpost.pane.findChildren(QPushButton) if each.isVisibleTo(stage.window)
    ]
    stage.window.use(replace(stage.window.settings, voice="NATF0", role="You are a teacher."))
    stage.page.start()
    assert talks(stage) == [Prompt()]


def test_voices_stand_in_groups_by_names_that_say_what_they_are(form: PromptForm) -> None:
    shown = [form.voice.itemText(row) for row in range(form.voice.count())]
    assert shown == [
        "Natural, female · NATF0", "Natural, female · NATF1", "",
        "Natural, male · NATM0", "", "Varied, female · VARF0", "", "Varied, male · VARM4", "", "Own voice…",
    ]  # fmt: skip
    assert form.voice.currentData() == "NATF0", "the first one, where none was chosen"
    assert form.voice.accessibleName() == "Voice"
    assert form.role._text.accessibleName() == "Role"


def test_a_talk_begins_with_the_voice_and_the_role_that_are_chosen(persona: Stage, form: PromptForm) -> None:
    choose(form, "NATM0")
    form.role._text.setPlainText(" You are a\nteacher. ")
    assert (persona.window.settings.voice, persona.window.settings.role) == ("NATM0", "You are a\nteacher.")
    persona.page.start()
    assert talks(persona) == [Prompt("NATM0", "You are a\nteacher.")]
    assert persona.window.settings.roles == ("You are a\nteacher.",)


def test_the_page_says_who_the_model_will_be_and_leads_there(persona: Stage, qtbot: QtBot) -> None:
    persona.window.use(replace(persona.window.settings, voice="VARF0", role="You are <b>Ann</b>."))
    detail = persona.page.signpost.pane._detail
    assert "Varied, female · VARF0" in detail.text()
    assert "You are <b>Ann</b>." in detail.text() and detail.textFormat() == Qt.TextFormat.PlainText
    press(persona, "Voice and role")
    assert persona.page.drawer.isVisible()
    assert persona.page.drawer.prompt.voice.hasFocus()


def test_reading_is_shown_and_the_talk_begins_only_afterwards(persona: Stage) -> None:
    persona.page._enter(State.STARTING)
    persona.beat(Prompting(30, 120))
    pane = persona.page.signpost.pane
    assert "reading its voice and role" in pane.title and "can not hear you" in pane._sentence.text()
    assert pane._progress.accessibleDescription() == "25%"
    assert persona.page.state is State.STARTING
    desk = persona.page.desk
    assert (desk.start.text(), desk.start.isEnabled()) == ("Stop", True), "it can be broken off"
    assert not desk.mute.isEnabled() and not desk.restart.isEnabled()
    desk.start.click()
    assert persona.session.asked[-1] == "stop"
    persona.beat(Prompting(120, 120))
    assert pane.title == "One moment"


def test_what_the_command_line_asks_for_and_the_model_does_not_take_is_told_once(stage: Stage) -> None:
    stage.page.asked = Options(voice="NATF0")
    stage.load()
    assert "has one voice" in stage.page.signpost.notice.text
    stage.load()
    assert stage.page.signpost.notice.text == ""
    stage.page.asked = Options(voice="NATF0", role="You are Ann.")
    stage.load(replace(dialogue.READY, prompts=TAKES))
    assert stage.page.signpost.notice.text == ""


def test_a_prompt_is_told_in_a_talk_alone(stage: Stage) -> None:
    stage.beat(Loading("Warming up"))
    stage.beat(Prompting(3, 9))
    assert stage.page.signpost.pane.title == "Loading moshika"


def test_in_a_talk_it_counts_from_beginning_anew_which_one_button_does(
    persona: Stage, form: PromptForm
) -> None:
    assert not form._restart.isVisible()
    persona.talk(0, 1)
    choose(form, "VARM4")
    assert not asked(persona, Prompt), "not before"
    form._restart.click()
    sent = [wish for wish in persona.session.asked if isinstance(wish, (Prompt, Restart))]
    assert sent[0] == Prompt("VARM4") and isinstance(sent[1], Restart)
    persona.page.desk.restart.click()
    assert len(asked(persona, Prompt)) == 1, "only what is new is sent"


def test_while_it_reads_in_a_talk_a_notice_says_how_far_it_is(persona: Stage) -> None:
    persona.talk(0, 1)
    persona.beat(Prompting(30, 120))
    assert "can not hear you: 25 %" in persona.page.signpost.notice.text
    persona.beat(Prompting(60, 120))
    assert "50 %" in persona.page.signpost.notice.text
    persona.beat(Restarted(12, 3))
    assert persona.page.signpost.notice.text == ""


def test_a_role_is_begun_from_a_preset_with_what_is_open_marked(form: PromptForm) -> None:
    begin = form.role._begin
    begin.setCurrentIndex(begin.findData(SERVICE))
    begin.activated.emit(begin.currentIndex())
    assert form.role._text.textCursor().selectedText() == "[company]"
    assert form.role._text.hasFocus()
    assert "[company], [kind of business], [name]" in form.role.note
    form.role._text.insertPlainText("Kanda Books")
    assert "[company]" not in form.role.note and "Kanda Books" in form.role.role
    assert blanks(TEACHER) == []


def test_a_role_that_is_too_long_says_so_and_is_cut(persona: Stage, form: PromptForm) -> None:
    form.role._text.setPlainText("a" * (ROLE_LETTERS + 5))
    assert form.role.note.startswith("5 characters too long")
    assert len(persona.window.settings.role) == ROLE_LETTERS
    form.role._text.setPlainText("a" * ROLE_LETTERS)
    assert form.role.note.replace(",", "").startswith("2000 of 2000 characters about 500 tokens")


def test_what_is_being_written_stays_as_it_is_written(form: PromptForm, qtbot: QtBot) -> None:
    form.role._text.setFocus()
    qtbot.keyClicks(form.role._text, "You are R. ")
    assert form.role._text.toPlainText() == "You are R. ", "no key of the page, and no space lost"
    qtbot.keyClick(form.role._text, Qt.Key.Key_Tab)
    assert not form.role._text.hasFocus(), "Tab goes on"


def test_the_last_roles_are_offered(persona: Stage, form: PromptForm) -> None:
    for number in range(MOST_ROLES + 2):
        form.role._text.setPlainText(f"You are number {number}.")
        persona.page.start()
        persona.beat()
        persona.stop()
    offered = [form.role._begin.itemData(row) for row in range(form.role._begin.count())]
    assert offered[-1] == "You are number 2." and "You are number 9." in offered
    assert len(persona.window.settings.roles) == MOST_ROLES


def test_a_voice_of_a_person_needs_a_name_and_a_yes_once(
    persona: Stage, form: PromptForm, sound: Path, qtbot: QtBot
) -> None:
    form.open_voice(sound)
    dialog = question(persona, qtbot)
    use = button(dialog, "Use this voice")
    assert not use.isEnabled()
    dialog._whose.setText("Anna  Berg")
    assert not use.isEnabled()
    dialog._yes.setChecked(True)
    use.click()
    settings = persona.window.settings
    assert settings.voice == str(sound) == form.voice.currentData()
    assert [voice.whose for voice in settings.own_voices] == ["Anna Berg"]
    assert form.voice.currentText() == "Anna Berg · anna.wav"
    persona.page.start()
    assert talks(persona) == [Prompt(str(sound), "", consented=True)]
    choose(form, "NATF0")
    qtbot.waitUntil(lambda: not persona.window.findChildren(ConsentDialog))
    form.open_voice(sound)
    assert not persona.window.findChildren(ConsentDialog), "it was answered"
    assert persona.window.settings.voice == str(sound)


def test_a_no_changes_nothing(persona: Stage, form: PromptForm, sound: Path, qtbot: QtBot) -> None:
    form.open_voice(sound)
    button(question(persona, qtbot), "Cancel").click()
    assert persona.window.settings.own_voices == ()
    assert persona.window.settings.voice == ""
    assert form.voice.currentData() == "NATF0"


@pytest.mark.parametrize(("length_s", "what"), [(0.2, "1 to 30 s"), (31, "1 to 30 s"), (None, "no WAV")])
def test_a_file_that_is_no_voice_is_told(
    persona: Stage, form: PromptForm, sound: Path, length_s: float | None, what: str
) -> None:
    if length_s is None:
        sound.write_bytes(b"no sound")
    else:
        soundfile.write(sound, np.zeros(round(24_000 * length_s)), 24_000)
    told: list[str] = []
    persona.page.trouble.connect(lambda sentence, _: told.append(sentence))
    form.open_voice(sound)
    assert what in told[0]
    assert not persona.window.findChildren(ConsentDialog)


@pytest.mark.parametrize("how", ["gone", "another"])
def test_a_talk_does_not_begin_with_a_voice_that_nobody_agreed_to(
    persona: Stage, sound: Path, how: str
) -> None:
    known = own_voice(sound, "Anna")
    persona.window.use(replace(persona.window.settings, voice=str(sound), own_voices=(known,)))
    if how == "gone":
        sound.unlink()
    else:
        soundfile.write(sound, np.ones(24_000) / 2, 24_000)
    persona.page.start()
    assert talks(persona) == []
    assert persona.page.state is State.READY
    assert str(sound) in persona.page.signpost.notice.text
    press(persona, "Voice and role")
    assert persona.page.drawer.isVisible()


def test_consent_is_kept_and_can_be_taken_back(persona: Stage, sound: Path) -> None:
    known = own_voice(sound, "Anna")
    window = persona.window
    persona.page._change(voice=str(sound), own_voices=(known,))
    persona.beat(elapsed_ms=2_000)
    assert load(persona.where.settings).own_voices == (known,)
    assert persona.where.settings.stat().st_mode & 0o777 == 0o600
    window.show_page(4)
    voices = window.setup._voices
    assert voices.isVisible()
    assert any("Anna · anna.wav" in label.text() for label in voices.findChildren(QLabel))
    (revoke,) = (each for each in voices.findChildren(QPushButton) if each.isVisible())
    assert "Anna" in revoke.accessibleName()
    revoke.click()
    assert (window.settings.own_voices, window.settings.voice) == ((), "")
    assert not voices.isVisible()
    assert find_voice(sound, window.settings.own_voices) is None
    assert persona.page.drawer.prompt.voice.currentData() == "NATF0"


def test_settings_say_nothing_of_voices_where_there_are_none(stage: Stage) -> None:
    stage.window.show_page(4)
    assert not stage.window.setup._voices.isVisible()


def test_a_known_model_offers_its_voices_before_it_is_loaded(stage: Stage) -> None:
    stage.window.use(replace(stage.window.settings, model="personaplex"))
    stage.beat(Unloaded())
    stage.page.toggle_drawer()
    form = stage.page.drawer.prompt
    assert form.isVisible()
    assert {form.voice.itemData(row) for row in range(form.voice.count())} > {"NATF0", "VARM4"}


def test_a_recording_shows_who_the_model_was(stage: Stage, tmp_path: Path) -> None:
    folder = record_dialogue(stage.where.recordings, span_s=(0, 5))
    session = folder / "session.json"
    prompt = '"persona": {"voice": "NATF0", "role": "You are <img src=x>\\n Ann."},'
    session.write_text(session.read_text().replace('"model": {', f'"model": {{{prompt}', 1))
    assert open_recording(folder).prompt["voice"] == "NATF0"
    stage.window.show_page(1)
    replay = stage.window.recordings.replay
    stage.window.recordings.open_recording(folder)
    assert replay._prompt.isVisibleTo(stage.window)
    assert replay._prompt.text() == "Voice: Natural, female · NATF0 · Role: You are <img src=x> Ann."
    assert replay._prompt.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;img" in replay._prompt.toolTip()
    other = record_dialogue(stage.where.recordings, span_s=(0, 4))
    stage.window.recordings.open_recording(other)
    assert not replay._prompt.isVisibleTo(stage.window)


def test_settings_without_the_new_keys_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('version = 1\nmodel = "moshika"\n')
    assert load(path) == Settings(model="moshika")
