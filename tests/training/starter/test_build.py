"""The recipe, from nothing to a model: stages are kept, the model is whole, its codes are those of a talk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sentencepiece
import torch

from app.cli import run_verb
from app.engine.checkpoint import find
from app.errors import UserError
from app.frames import FRAME_RATE
from app.paths import Paths, paths
from tests.engine.conftest import GREEDY, Load, speech, talk
from training.starter import build
from training.starter.build import SMALL
from training.starter.codec import CARD
from training.starter.codes import HELD_OUT, TRAIN
from training.starter.language import EXAMPLE_S, TOKENIZER
from training.starter.scripts import LANGUAGES, display, phrases

TINY = SMALL._replace(codec_steps=4, voice_steps=2, dialogues=4, steps=4)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    stages = tmp_path_factory.mktemp("made") / "stages"
    build.build(stages, TINY, 0)
    return stages


def test_a_model_is_left_that_talks(stages: Path, load: Load) -> None:
    found = find(str(stages / "model"))
    assert found.kind == "folder"
    assert found.config["dep_q"] == 8
    assert len(talk(load(stages / "model", sampling=GREEDY), speech(10))) == 10


MADE = {".safetensors", ".flac", ".npz", ".parquet"}
"""What takes long, not the settings that it was made with."""


def test_stages_that_are_done_are_not_done_again(stages: Path) -> None:
    made = [
        path
        for name in ("codec", "voice", "bank", "codes", "own-voice", "dialogues")
        for path in stages.glob(f"{name}/**/*")
    ]
    before = {path: path.stat().st_mtime_ns for path in made if path.suffix in MADE}
    assert len(before) > 5
    build.build(stages, TINY, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_shard_that_is_missing_is_made_anew_the_same(stages: Path) -> None:
    (shard,) = stages.glob(f"dialogues/{TRAIN}/*/*.parquet")
    before = pq.read_table(shard)
    shard.unlink()
    build.build(stages, TINY, 0)
    assert pq.read_table(shard).equals(before)


def test_what_is_in_the_way_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match="exists already"):
        run_verb("starter build", ["--out", str(tmp_path / "model"), "--small"], paths(tmp_path / "house"))


def test_dialogues_are_in_the_codes_and_pieces_of_the_model(stages: Path) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(str(stages / "beginning" / TOKENIZER))
    for name in (TRAIN, HELD_OUT):
        (shard,) = (stages / "dialogues" / name).glob("*/*.parquet")
        rows = pq.read_table(shard).to_pylist()
        assert len(rows) == TINY.dialogues
        own, user = (np.array([row[voice] for row in rows]) for voice in ("A", "B"))
        assert own.shape == user.shape == (TINY.dialogues, 1 + 8, EXAMPLE_S * FRAME_RATE)
        assert max(own[:, 1:].max(), user[:, 1:].max()) < CARD
        assert max(own[:, 0].max(), user[:, 0].max()) < tokenizer.get_piece_size()


def test_every_line_is_written_in_few_pieces_and_read_back(stages: Path) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(str(stages / "beginning" / TOKENIZER))
    assert [tokenizer.id_to_piece(at) for at in range(4)] == ["<unk>", "<s>", "</s>", "<pad>"]
    for language in LANGUAGES:
        for line in phrases(language).lines:
            text = display(line, language)
            pieces = tokenizer.encode(text)
            assert tokenizer.decode(pieces) == text
            assert len(pieces) <= 2 * len(line.split()) + 2
    assert tokenizer.decode(tokenizer.encode("漢字 and Ωmega")) == "漢字 and Ωmega"


def test_scoring_no_model_is_one_sentence(tmp_path: Path) -> None:
    where: Paths = paths(tmp_path / "house")
    with pytest.raises(UserError, match="no model"):
        run_verb("starter score", [str(tmp_path)], where)
