"""The recipe, from nothing to a model: stages are kept, the model is whole, its codes are those of a talk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sentencepiece
import torch
from moshi.utils.compile import no_compile

from app.cli import run_verb
from app.engine.checkpoint import find
from app.errors import UserError
from app.paths import Paths, paths
from tests.engine.conftest import GREEDY, Load, speech, talk
from training.starter import build
from training.starter.build import SMALL
from training.starter.codec import load_codec
from training.starter.codes import Corpus, Maker
from training.starter.language import TOKENIZER
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


def test_stages_that_are_done_are_not_done_again(stages: Path) -> None:
    made = [
        path for name in ("codec", "voice", "dialogues", "held-out") for path in stages.glob(f"{name}/**/*")
    ]
    before = {path: path.stat().st_mtime_ns for path in made if path.is_file()}
    assert len(before) > 5
    build.build(stages, TINY, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_shard_that_is_missing_is_made_anew_the_same(stages: Path) -> None:
    (shard,) = stages.glob("dialogues/*/*.parquet")
    before = pq.read_table(shard)
    shard.unlink()
    build.build(stages, TINY, 0)
    assert pq.read_table(shard).equals(before)


def test_what_is_in_the_way_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match="exists already"):
        run_verb("starter build", ["--out", str(tmp_path / "model"), "--small"], paths(tmp_path / "house"))


def test_the_codes_of_a_dialogue_are_those_that_a_talk_would_give(stages: Path) -> None:
    mimi = load_codec(stages / "codec")
    maker = Maker(mimi, stages / "beginning" / TOKENIZER, Corpus(2, 5))
    (row, _), made = maker.rows((0, 1)), maker._make(0)
    maker._speaker.close()
    frames = made.frames
    assert row.a.shape == row.b.shape == (1 + 8, frames)
    with torch.no_grad(), no_compile(), mimi.streaming(1):
        live = torch.cat(
            [mimi.encode(frame[None, None]) for frame in torch.from_numpy(made.heard).split(1920)], dim=-1
        )[0]
    # A pair goes through the codec side by side, which rounds otherwise than one alone.
    assert np.mean(row.b[1:] == live.numpy()) > 0.99
    silence = row.a[1:, -1:] if not made.lines else row.a[1:, :1]
    spoken = {at for line in made.lines for at in range(line.first, min(frames, line.end or frames))}
    still = [at for at in range(frames) if at not in spoken]
    assert (row.a[1:, still] == silence).all()


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
