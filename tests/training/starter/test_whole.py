"""In a dialogue that is encoded whole the microphone hears the user, and now and then the model."""

from __future__ import annotations

import numpy as np
import pytest
import sentencepiece
import torch
from moshi.models import MimiModel

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.frames import FRAME_RATE, FRAME_SAMPLES
from tests.training.starter import needs
from tests.training.starter.conftest import BOOKS
from training.data.align import PADDING
from training.starter import bank, whole
from training.starter.acoustics import CLEAN
from training.starter.bank_codes import Coded, write_codes
from training.starter.clips import Clips, Source
from training.starter.dialogues import Dialogue
from training.starter.microphones import PLAIN
from training.starter.own_lines import OwnLines
from training.starter.pasting import Paster
from training.starter.speech import Sound
from training.starter.whole import WholeMaker

pytestmark = needs.engine("espeak-ng")
SECONDS = 12.0
BANK = bank.Settings(engines=("espeak-ng",), revoiced=False, share=0.004)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Clips of which nobody looks at the codes."""
    speech, codes = tmp_path_factory.mktemp("bank"), tmp_path_factory.mktemp("codes")
    bank.make_bank(speech, BANK)
    still = np.zeros((BOOKS, 30), dtype=np.uint16)
    for shard in bank.shards(speech):
        every = [Coded(entry.number, 0, still, 4.0, 20.0, 1.0) for entry, _ in bank.read_shard(shard)]
        write_codes(codes / f"{shard.name}.npz", every)
    return Source(speech, codes)


@pytest.fixture(scope="module")
def maker(source: Source, lines: OwnLines, tokenizer: sentencepiece.SentencePieceProcessor) -> WholeMaker:
    torch.set_num_threads(1)
    mimi: MimiModel = build.load_mimi(checkpoint.find(str(BUNDLED / STARTER.name)), torch.device("cpu"))
    return WholeMaker(Paster(Clips([source]), lines, tokenizer), mimi)


def quiet(monkeypatch: pytest.MonkeyPatch, leaks: float) -> None:
    """Let every place be silent but for who speaks, and some leak."""
    monkeypatch.setattr(whole, "draw_calm_place", lambda chance: CLEAN)
    monkeypatch.setattr(whole, "draw_place", lambda chance: CLEAN)
    monkeypatch.setattr(whole, "draw_microphone", lambda chance: PLAIN)
    monkeypatch.setattr(whole, "_LEAK_SHARE", leaks)


def loud_frames(sound: Sound) -> np.ndarray:
    return np.abs(sound.reshape(-1, FRAME_SAMPLES)).max(1) > 1e-4


def speaking(made: Dialogue) -> np.ndarray:
    marks = np.zeros(made.frames, dtype=bool)
    for turn in made.turns:
        marks[max(0, int(turn.begin_s * FRAME_RATE)) : int(np.ceil(turn.end_s * FRAME_RATE)) + 1] = True
    return marks


def test_the_user_is_heard_when_they_speak_and_else_nobody(
    maker: WholeMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet(monkeypatch, leaks=0.0)
    for number in range(10):
        made, heard = maker.make(number, 0, SECONDS)
        assert heard.shape == (SECONDS * FRAME_RATE * FRAME_SAMPLES,)
        loud, speaks = loud_frames(heard), speaking(made)
        assert not loud[~speaks].any()
        assert loud[speaks].mean() > 0.7


def test_the_model_is_heard_where_it_leaks(maker: WholeMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(monkeypatch, leaks=1.0)
    for number in range(10):
        made, heard = maker.make(number, 0, SECONDS)
        loud, speaks = loud_frames(heard), speaking(made)
        own = np.zeros(made.frames, dtype=bool)
        for line in made.lines:
            # The leak comes later by up to two frames.
            own[line.first + 2 : line.end or line.first + 12] = True
        assert loud[own & ~speaks].mean() > 0.7


def test_rows_follow_from_the_seed_and_hold_what_is_said(maker: WholeMaker) -> None:
    first, second = maker.rows(range(2), 3, SECONDS)
    again = next(maker.rows(range(2), 3, SECONDS))
    np.testing.assert_array_equal(first.b, again.b)
    assert not np.array_equal(first.b, second.b)
    frames = int(SECONDS * FRAME_RATE)
    assert first.a.shape == first.b.shape == (1 + BOOKS, frames)
    assert first.b.dtype == np.int32
    made, _ = maker.make(0, 3, SECONDS)
    for turn in made.turns:
        begins = int(turn.words[0].start_s * FRAME_RATE + 1e-6)
        assert begins >= frames or first.b[0, begins] > PADDING


def test_one_dialogue_alone_is_encoded_too(maker: WholeMaker) -> None:
    (row,) = maker.rows(range(1), 3, SECONDS)
    pair = next(maker.rows(range(2), 3, SECONDS))
    # What goes through the codec beside it may round a code otherwise here and there.
    assert np.mean(row.b == pair.b) > 0.98
