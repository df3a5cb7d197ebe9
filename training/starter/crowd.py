"""Many callers who talk to one model at once, each as if alone: what a batch of moshi's own LMGen is.

It takes minutes where `converse` would take an hour, for measures that are not of time. Knows nothing about
what the callers say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import LMGen, MimiModel
from moshi.utils.compile import no_compile

from app.engine import build, checkpoint
from app.engine.events import Sampling
from app.engine.model import recommended
from app.engine.text import Detokenizer
from app.frames import FRAME_SAMPLES, Samples
from training.progress import Progress
from training.starter.caller import Act, Caller


@dataclass
class Talk:
    """All that happened while somebody talked to the model."""

    acts: list[Act]
    samples: npt.NDArray[np.float32]
    """[frames x 1920] float32, what the model said."""
    texts: list[str]
    """What became readable with each frame."""
    step_ms: list[float] = field(default_factory=list)
    """What each frame cost, where one talk was held alone."""


def hold_talks(folder: Path, callers: Sequence[Caller], seed: int, *, greedy: bool = False) -> list[Talk]:
    """Let callers talk to the model in a folder side by side, until each is done. Raises UserError."""
    crowd = _Crowd(folder, callers, greedy=greedy)
    turns = sum(len(caller.plan) for caller in callers)
    torch.manual_seed(seed)
    with Progress("Talks", turns, "turns", as_json=False) as progress, crowd.streaming():
        done = 0
        while crowd.step():
            finished = sum(caller.turns_done for caller in callers)
            if finished > done:
                progress.advance(finished - done)
                done = finished
    return crowd.talks()


class _Crowd:
    """A model with a row for each caller; rows of who is done hear silence."""

    def __init__(self, folder: Path, callers: Sequence[Caller], *, greedy: bool) -> None:
        found = checkpoint.find(str(folder))
        outline, cpu = build.prove(found), torch.device("cpu")
        self._callers = list(callers)
        self._mimi: MimiModel = build.load_mimi(found, cpu)
        lm = build.load_lm(outline, cpu, torch.float32, lambda done, total: None)
        self._padding = lm.text_padding_token_id, lm.end_of_text_padding_id
        self._lm_gen = _lm_gen(lm, recommended(found.generation), greedy)
        self._detokenizers = [Detokenizer(outline.tokenizer) for _ in callers]
        self._texts: list[list[str]] = [[] for _ in callers]
        self._live = [True] * len(self._callers)
        self._is_first = True

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Keep it in streaming mode, without gradients and without compiling for the processor."""
        rows = len(self._callers)
        with torch.no_grad(), no_compile(), self._mimi.streaming(rows), self._lm_gen.streaming(rows):
            yield

    def step(self) -> bool:
        """Let everybody hear and say one frame; tell whether anybody was there."""
        heard = self._take()
        if not any(self._live):
            return False
        codes = self._mimi.encode(torch.from_numpy(heard))
        if self._is_first:
            # As the engine does: the first frame only says that there was a past.
            self._mimi.reset_streaming()
            self._is_first = False
        tokens = self._lm_gen.step(codes)
        if tokens is None:
            self._give(np.zeros((len(self._callers), FRAME_SAMPLES), dtype=np.float32), None)
        else:
            said = self._mimi.decode(tokens[:, 1:])[:, 0].numpy()
            self._give(np.clip(said, -1.0, 1.0), tokens[:, 0, 0].tolist())
        return True

    def talks(self) -> list[Talk]:
        """Return what happened to each."""
        return [
            Talk(caller.acts, np.concatenate(caller.said), texts)
            for caller, texts in zip(self._callers, self._texts, strict=True)
        ]

    def _take(self) -> npt.NDArray[np.float32]:
        frames = np.zeros((len(self._callers), 1, FRAME_SAMPLES), dtype=np.float32)
        for row, caller in enumerate(self._callers):
            if self._live[row]:
                heard = caller.take()
                self._live[row] = heard is not None
                if heard is not None:
                    frames[row, 0] = heard.samples
        return frames

    def _give(self, said: Samples, tokens: list[int] | None) -> None:
        for row, caller in enumerate(self._callers):
            if self._live[row]:
                caller.give(said[row])
                silent = tokens is None or tokens[row] in self._padding
                self._texts[row].append(
                    "" if silent or tokens is None else self._detokenizers[row].push(tokens[row])
                )


def _lm_gen(lm: Any, sampling: Sampling, greedy: bool) -> LMGen:
    return LMGen(
        lm,
        use_sampling=not greedy,
        temp=sampling.audio_temperature,
        temp_text=sampling.text_temperature,
        top_k=sampling.audio_top_k,
        top_k_text=sampling.text_top_k,
        condition_tensors={},
    )
