"""espeak-ng's library says words, and when."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import UserError
from app.frames import SAMPLE_RATE
from training.starter.recogniser import PhraseRecogniser
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Speaker, Voice
from training.starter.voices import draw_voice, model_voice


def test_every_word_has_its_time_also_those_that_espeak_says_as_one(speaker: Speaker) -> None:
    line = "Once there was a small bird. It flew over the sea, and over the mountains."
    speech = speaker.say(line, Voice("en-us+f3"))
    assert [word.text for word in speech.words] == line.split()
    starts = [word.start_s for word in speech.words]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert speech.words[-1].end_s == pytest.approx(speech.seconds)


def test_words_are_where_a_recogniser_hears_them(speaker: Speaker) -> None:
    line = "Spring, summer, autumn and winter."
    speech = speaker.say(line, Voice("en-us+f3"))
    heard = PhraseRecogniser([line]).word_starts(line, speech.sound)
    assert heard == pytest.approx([word.start_s for word in speech.words], abs=0.15)


def test_speech_is_the_same_each_time_and_has_no_silence_around_it(speaker: Speaker) -> None:
    first, second = (speaker.say("good morning", Voice("en-us+m3", 150, 40)) for _ in range(2))
    np.testing.assert_array_equal(first.sound, second.sound)
    assert np.abs(first.sound[[0, -1]]).min() > 0
    assert len(first.sound) == round(first.seconds * SAMPLE_RATE)


def test_speech_is_the_same_in_a_new_home(home: Path) -> None:
    said = []
    for _ in range(2):  # only the first finds the home empty
        other = Speaker()
        said.append(other.say("Where did you go this morning?", model_voice("en")).sound)
        other.close()
    np.testing.assert_array_equal(*said)


def test_a_word_can_sound_unlike_it_is_written(speaker: Speaker) -> None:
    voice = Voice("ja+f3")
    particle = speaker.say("あお は", voice, {"は": "わ"})
    assert [word.text for word in particle.words] == ["あお", "は"]
    np.testing.assert_array_equal(particle.sound, speaker.say("あお わ", voice).sound)


def test_an_unknown_voice_is_one_sentence(speaker: Speaker) -> None:
    with pytest.raises(UserError, match="has no voice nowhere"):
        speaker.say("hello", Voice("nowhere"))


def test_all_that_can_be_said_has_words_with_times(speaker: Speaker) -> None:
    for language in LANGUAGES:
        said = phrases(language)
        for line in (*said.lines, *said.hesitations, *said.cut_ins, *said.user_backchannels):
            words = speaker.say(line, model_voice(language), said.aloud).words
            assert [word.text for word in words] == line.split(), line


def test_no_user_has_the_voice_of_the_model() -> None:
    chance = np.random.default_rng(0)
    for language in LANGUAGES:
        own = model_voice(language).name.partition("+")[2]
        assert own not in {draw_voice(language, chance).name.partition("+")[2] for _ in range(500)}
