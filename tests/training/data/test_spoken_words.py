"""Words that espeak-ng has spoken, where pocketsphinx hears them: two programs that know nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from pocketsphinx import Decoder

from app.frames import SAMPLE_RATE
from app.store.datasets import TimedWord, create_dataset, read_words
from tests.training.data.ears import Mono, run
from tests.training.dialogues import say
from training.data.recogniser import RECOGNISER_RATE, HeardWord


class Aligner:
    """Finds where words are that it knows will come, as pocketsphinx hears them: a stretch is a sentence."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self._coming = list(sentences)

    def hear(self, samples: Mono, language: str) -> list[HeardWord]:
        assert language == "en"
        decoder = Decoder(samprate=RECOGNISER_RATE, loglevel="FATAL")
        decoder.set_align_text(self._coming.pop(0))
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        assert decoder.hyp() is not None
        return [
            HeardWord(f" {word.word.partition('(')[0]}", word.start_frame / 100, word.end_frame / 100, 0.9)
            for word in decoder.seg()
            if word.word[0] not in "<["
        ]


SENTENCES: dict[str, list[tuple[float, str]]] = {
    "A": [
        (0.4, "we could go there tomorrow morning"),
        (7.3, "what time should we leave"),
        (13.1, "the weather looks rather nice"),
    ],
    "B": [
        (2.6, "please open the small window in the kitchen"),
        (8.4, "maybe after breakfast on sunday"),
        (14.9, "i will bring some bread and water"),
    ],
}


def test_spoken_words_are_found_where_an_aligner_hears_them(tmp_path: Path) -> None:
    """The one test with real acoustics: two voices that overlap, each heard by itself, and put in place."""
    sound = np.zeros((20 * SAMPLE_RATE, 2), dtype=np.float32)
    said: list[TimedWord] = []
    for channel, speaker in enumerate(("A", "B")):
        for begin_s, sentence in SENTENCES[speaker]:
            at_s = begin_s
            for text in sentence.split():
                spoken = say(text, "en-us+f3")
                end_s = at_s + len(spoken) / SAMPLE_RATE
                said.append(TimedWord(speaker, text, at_s, end_s))  # type: ignore[arg-type]
                first = round(at_s * SAMPLE_RATE)
                sound[first : first + len(spoken), channel] = spoken
                at_s = end_s + 0.03
    dataset = create_dataset(tmp_path / "talks", language="en")
    soundfile.write(dataset.audio("one"), sound, SAMPLE_RATE, "PCM_16")
    outcome = run(dataset, Aligner([sentence for voice in "AB" for _, sentence in SENTENCES[voice]]))
    assert (outcome.words, outcome.invented) == (len(said), 0)
    found = read_words(dataset.text("one"))
    errors_s = []
    for speaker in "AB":
        heard, expected = ([word for word in words if word.speaker == speaker] for words in (found, said))
        assert [word.text for word in heard] == [word.text for word in expected]
        errors_s += [abs(a.start_s - b.start_s) for a, b in zip(heard, expected, strict=True)]
    assert np.median(errors_s) < 0.04
    assert max(errors_s) < 0.2
