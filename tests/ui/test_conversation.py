"""A talk from the window where the computer has no sound."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.engine.events import Event, Prompt, Ready, Stopped, Trouble
from app.frames import FRAME_SAMPLES
from app.session import Session
from app.settings import Settings
from app.store.recordings import open_recording
from app.ui.talk.conversation import Conversation, Wishes


def test_without_sound_devices_a_recorded_user_speaks_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    session = Session()
    try:
        session.load("echo")
        conversation = Conversation(session, tmp_path, Wishes(seconds=1.2))
        conversation.start(Settings(), Prompt(), "", "")
        events: list[Event] = []
        deadline = time.monotonic() + 60
        while not any(isinstance(event, Stopped) for event in events):
            assert time.monotonic() < deadline, events
            events += session.drain()
            time.sleep(0.02)
    finally:
        session.close()
    assert any(isinstance(event, Ready) for event in events)
    assert ["recorded user" in event.sentence for event in events if isinstance(event, Trouble)] == [True]
    (stopped,) = (event for event in events if isinstance(event, Stopped))
    assert stopped.folder is not None
    audio, _ = soundfile.read(open_recording(stopped.folder).audio, dtype="float32")
    assert len(audio) == 15 * FRAME_SAMPLES
    assert np.abs(audio[:, 1]).max() > 0.05, "the recorded user is heard"
