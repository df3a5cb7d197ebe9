"""The language model of the starter: its tokenizer, its random beginning, and how it is trained.

It has the streams and delays of Moshi's own and learns by `aizuchi train`, as any other model does. Knows
nothing about how dialogues are made up.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from moshi.models import loaders
from safetensors.torch import save_file
from torch import nn

from app.engine.fake import tiny_config
from app.errors import UserError
from app.files import make_folder, replace_file, write_json
from app.paths import paths
from training.starter.codec import CARD, load_codec
from training.starter.codec import CONFIG as MIMI_CONFIG
from training.starter.codec import WEIGHTS as MIMI
from training.starter.embeddings import begin_from_codebook, heard_codes
from training.starter.scripts import LANGUAGES, phrases
from training.starter.user_texts import taught

WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.model", "config.json"

PIECES = 1600
"""Most words of its lines are one piece; what is in none of them is spelt in bytes."""

WIDTH, LAYERS = 256, 8
"""A step of 384 x 8 costs 1.6 times as much on a processor, so that it sees fewer dialogues in the same time,
and its weights alone take 54 MB."""

CONTEXT_FRAMES = 375
"""Half a minute, less than an example: after that, nothing is farther away than it was in training."""

EXAMPLE_S = 40.0

RUN = "starter"

STOP = "—"
"""The piece that the model writes where it is cut short."""

_SEAM = "|"
"""Stands between Japanese words while the tokenizer is trained, so that no piece is a whole sentence."""


def lm_config(text_card: int, width: int = WIDTH, layers: int = LAYERS) -> dict[str, Any]:
    """Return LMModel's keyword arguments: Moshi's streams and delays, 13 million parameters."""
    config = tiny_config(text_card)
    config.update(
        dim=width,
        card=CARD,
        num_heads=4,
        num_layers=layers,
        context=CONTEXT_FRAMES,
        depformer_dim=width // 2,
        depformer_dim_feedforward=11 * width // 8,
        depformer_num_heads=4,
    )
    return config


def make_beginning(
    folder: Path,
    codec: Path,
    seed: int,
    width: int = WIDTH,
    layers: int = LAYERS,
    *,
    codes: Path | None = None,
) -> None:
    """Write a model in the official format that has learnt nothing yet, with a codec that has.

    Its embeddings of codes are made of the codec's, by what is heard in `codes`, a folder of `starter codes`.
    """
    if (folder / CONFIG).exists():
        return
    make_folder(folder)
    tokenizer = train_tokenizer()
    replace_file(folder / TOKENIZER, tokenizer)
    for name in (MIMI, MIMI_CONFIG):
        shutil.copyfile(codec / name, folder / name)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer).get_piece_size()
    config = lm_config(pieces, width, layers)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        lm = loaders.get_moshi_lm(None, dict(config), device="cpu", dtype=torch.float32)
        for module in lm.modules():
            # torch draws embeddings as large as activations, from where small steps lead nowhere for long.
            if isinstance(module, nn.Embedding):
                module.weight.mul_(module.weight.shape[1] ** -0.5)
        heard = heard_codes(codes) if codes is not None else torch.zeros(0, 1, dtype=torch.int64)
        begin_from_codebook(lm, load_codec(codec), heard, torch.Generator().manual_seed(seed))
        save_file(lm.state_dict(), folder / WEIGHTS)
    config.update(
        moshi_name=WEIGHTS,
        mimi_name=MIMI,
        mimi_config_name=MIMI_CONFIG,
        tokenizer_name=TOKENIZER,
        model_type="moshi",
    )
    write_json(folder / CONFIG, config)


def train_tokenizer() -> bytes:
    """Return a SentencePiece model of all that can be said, with byte fallback, ids as in Moshi's."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_texts()),
        model_writer=model,
        model_type="bpe",
        vocab_size=PIECES,
        hard_vocab_limit=False,
        byte_fallback=True,
        # Each kana has a piece of its own, however rare.
        character_coverage=1.0,
        pretokenization_delimiter=_SEAM,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        user_defined_symbols=[STOP],
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _texts() -> list[str]:
    """Return the lines of the model, often, and what users say."""
    texts = []
    for language in LANGUAGES:
        users = [text.spoken for text in taught() if text.language == language]
        seam = _SEAM if language == "ja" else " "
        texts += [text.replace(" ", seam) for text in (*[*phrases(language).lines] * 12, *users * 3)]
    return texts


def train_language(home: Path, model: Path, data: Path, held_out: Path, *, steps: int, seed: int) -> Path:
    """Train the model by the project's own loop, or go on; return the run. Raises UserError."""
    from training.checkpoint import list_checkpoints
    from training.main import main

    where = paths(home)
    run = where.runs / RUN
    done = max(list_checkpoints(run), default=0)
    if not done:
        config = home / "starter.toml"
        replace_file(
            config,
            _CONFIG.format(name=RUN, model=model, data=data, held_out=held_out, steps=steps, seed=seed),
        )
        main([str(config)], where)
    elif done < steps:
        main(["--resume", RUN], where)
    if max(list_checkpoints(run), default=0) < steps:
        raise UserError("The language model was stopped while it learnt.", "The same command goes on.")
    return run


_CONFIG = """
name = "{name}"
model = "{model}"
data = ["{data}/*/*.parquet"]
held_out = ["{held_out}/*/*.parquet"]
method = "full"
precision = "bf16"
steps = {steps}
seed = {seed}

[optimizer]
lr_temporal = 1e-3
lr_depth = 1e-3
warmup_steps = 100
weight_decay = 0.05
ema = 0.998
frozen_embeddings = 0.5

[loss]
semantic = 4.0
onset = 3.0
user_words = 0.5

[batch]
seconds = 40.0
min_seconds = 20.0
size = 4
accumulation = 1
depth_share = 0.125

[memory]
checkpointing = false
chunk_frames = 10000

[evaluation]
every_steps = 500
patience = 0
sample_s = 0.0
"""
