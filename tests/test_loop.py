"""The conversation loop: what is heard is stepped, given, tapped and told, in that order."""

from __future__ import annotations

import queue

import numpy as np
import pytest

from app.engine.events import (
    Changed,
    Command,
    Event,
    Mute,
    Muted,
    Prompt,
    Prompted,
    Prompting,
    PromptSupport,
    Restart,
    Restarted,
    Sampling,
    Skipped,
    Spoke,
    Starved,
    Stepped,
    Trouble,
)
from app.engine.loop import converse
from app.engine.ports import Said
from app.frames import LATE, MICROPHONE, RESTARTED, SUSPENDED, Heard, Lost
from tests.fakes import HalfLoud, ListPort, tone


def talk(
    port: ListPort, model: HalfLoud, commands: queue.SimpleQueue[Command] | None = None
) -> tuple[list[tuple[int, Heard, Said]], list[Event], int]:
    tapped: list[tuple[int, Heard, Said]] = []
    events: list[Event] = []
    frames = converse(port, model, [lambda *frame: tapped.append(frame)], events.append, commands)
    return tapped, events, frames


def test_every_frame_is_stepped_given_and_tapped_in_order() -> None:
    heard = [tone(level) for level in (0.2, 0.4, 0.6)]
    port = ListPort([Heard(samples) for samples in heard])
    tapped, events, frames = talk(port, HalfLoud())
    assert frames == 3
    assert [frame for frame, _, _ in tapped] == [0, 1, 2]
    for samples, given, (_, tapped_heard, said) in zip(heard, port.given, tapped, strict=True):
        np.testing.assert_array_equal(tapped_heard.samples, samples)
        np.testing.assert_array_equal(said.samples, given)
        np.testing.assert_allclose(given, samples / 2)
    assert [event.frame for event in events if isinstance(event, Stepped)] == [0, 1, 2]


def test_levels_are_rms_in_db_of_full_scale() -> None:
    _, events, _ = talk(ListPort([Heard(tone(0.5), lag_ms=111.0)]), HalfLoud())
    (stepped,) = (event for event in events if isinstance(event, Stepped))
    assert stepped.heard_db == pytest.approx(-6.02, abs=0.01)
    assert stepped.said_db == pytest.approx(-12.04, abs=0.01)
    assert stepped.lag_ms == 111.0


def test_losses_and_words_are_told_at_their_frames() -> None:
    port = ListPort([Heard(tone(0.1)), Heard(tone(0.1), skipped=2, starved=3), Heard(tone(0.1))])
    tapped, events, frames = talk(port, HalfLoud(words={2: (17, " hi")}))
    assert Skipped(1, 2, LATE) in events
    assert Starved(3, 3) in events
    assert Spoke(4, 17, " hi") in events
    assert sum(isinstance(event, (Skipped, Starved, Spoke)) for event in events) == 3
    # What was lost is time as well.
    assert [frame for frame, _, _ in tapped] == [0, 3, 4]
    assert frames == 5


def test_time_without_sound_goes_by_in_the_count_and_not_through_the_model() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    commands.put(Mute(True))
    port = ListPort([Lost(6, MICROPHONE), Heard(tone(0.1)), Lost(100, SUSPENDED), Heard(tone(0.1))])
    model = HalfLoud()
    tapped, events, frames = talk(port, model, commands)
    # Also a wish of the user takes effect while nothing is heard.
    assert events[:2] == [Muted(0, True), Skipped(0, 6, MICROPHONE)]
    assert Skipped(7, 100, SUSPENDED) in events
    assert [frame for frame, _, _ in tapped] == [6, 107]
    assert [event.frame for event in events if isinstance(event, Stepped)] == [6, 107]
    assert (len(port.given), frames) == (2, 108)


def test_a_muted_user_is_silent_to_the_model_and_to_the_taps() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def unmute(frame: int) -> None:
        if frame == 1:
            commands.put(Mute(False))

    commands.put(Mute(True))
    port = ListPort([Heard(tone(0.5))] * 3)
    tapped, events, _ = talk(port, HalfLoud(at_step=unmute), commands)
    assert [float(heard.samples[0]) for _, heard, _ in tapped] == [0.0, 0.0, 0.5]
    assert [float(given[0]) for given in port.given] == [0.0, 0.0, 0.25]
    assert [event for event in events if isinstance(event, Muted)] == [Muted(0, True), Muted(2, False)]


def test_the_raw_microphone_goes_with_the_frame_and_is_muted_with_it() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    port = ListPort([Heard(tone(0.5), raw=tone(0.7))] * 2)
    tapped, _, _ = talk(port, HalfLoud(at_step=lambda _: commands.put(Mute(True))), commands)
    assert tapped[0][1].raw is not None
    assert float(tapped[0][1].raw[0]) == pytest.approx(0.7)
    assert tapped[1][1].raw is None


def test_sampling_and_restart_reach_the_model_before_the_frame_they_are_told_for() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    sampling = Sampling(text_temperature=0.1)
    commands.put(sampling)
    commands.put(Restart(7))
    model = HalfLoud()
    _, events, _ = talk(ListPort([Heard(tone(0.1))]), model, commands)
    assert model.told == [sampling, 7]
    assert events[:2] == [Changed(0, sampling), Restarted(0, 7)]


def test_a_prompt_holds_from_the_next_restart_on_and_a_wrong_one_does_not_end_the_talk() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    right, wrong = Prompt(role="You are a teacher."), Prompt(voice="nobody")
    for command in (right, Restart(7), wrong):
        commands.put(command)
    model = HalfLoud(support=PromptSupport(role=True))
    _, events, frames = talk(ListPort([Heard(tone(0.1))] * 2), model, commands)
    assert model.told == [right, 7]
    assert events[:3] == [Prompted(0, right), Prompting(1, 1), Restarted(0, 7)]
    assert isinstance(events[3], Trouble)
    assert frames == 2


def test_what_passes_while_a_model_begins_anew_is_not_late() -> None:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    commands.put(Restart(7))
    late = Heard(tone(0.1), skipped=30, starved=28)
    _, events, frames = talk(ListPort([Heard(tone(0.1)), late, late]), HalfLoud(), commands)
    lost = [event for event in events if isinstance(event, (Skipped, Starved))]
    assert lost == [Skipped(1, 30, RESTARTED), Skipped(32, 30, LATE), Starved(62, 28)]
    assert frames == 63


def test_a_fault_of_the_model_passes_through_after_the_frames_before_it_were_tapped() -> None:
    tapped: list[int] = []
    with pytest.raises(RuntimeError, match="tripped"):
        converse(
            ListPort([Heard(tone(0.1))] * 5),
            HalfLoud(fail_at=3),
            [lambda frame, heard, said: tapped.append(frame)],
            lambda event: None,
        )
    assert tapped == [0, 1, 2]
