"""What moshi's own parts say when driven as moshi.server drives them: the oracle for our model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from moshi.models import LMGen, loaders
from moshi.utils import compile as moshi_compile

from app.engine.device import choose_device
from app.frames import FRAME_SAMPLES, Samples, silence


@torch.no_grad()
def by_hand(
    folder: Path, frames: list[Samples], seed: int, **sampling: object
) -> Iterator[tuple[int, Samples]]:
    """Drive moshi's Mimi and LMGen as moshi.server does with one client, from the loader on."""
    checkpoint = loaders.CheckpointInfo.from_hf_repo(
        "",
        moshi_weights=folder / "model.safetensors",
        mimi_weights=folder / "mimi.safetensors",
        tokenizer=folder / "tokenizer.model",
        config_path=folder / "config.json",
        mimi_config_path=folder / "mimi.json",
    )
    here = choose_device()
    with nullcontext() if here.on_card else moshi_compile.no_compile():
        mimi = checkpoint.get_mimi(here.device)
        lm_gen = LMGen(checkpoint.get_moshi(here.device, here.dtype), **sampling)
        mimi.streaming_forever(1)
        lm_gen.streaming_forever(1)
        if here.on_card:
            # As in the server. On the CPU it is left out: there it is to be shown to leave no trace.
            for _ in range(4):
                tokens = lm_gen.step(mimi.encode(torch.zeros(1, 1, FRAME_SAMPLES, device=here.device)))
                if tokens is not None:
                    mimi.decode(tokens[:, 1:])
            mimi.reset_streaming()
            lm_gen.reset_streaming()
        torch.manual_seed(seed)
        skip_frames = 1
        for frame in frames:
            codes = mimi.encode(torch.from_numpy(frame).to(here.device)[None, None])
            if skip_frames:
                mimi.reset_streaming()
                skip_frames -= 1
            tokens = lm_gen.step(codes)
            if tokens is None:
                yield 3, silence()
                continue
            yield int(tokens[0, 0, 0]), mimi.decode(tokens[:, 1:])[0, 0].cpu().numpy()
