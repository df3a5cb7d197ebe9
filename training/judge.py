"""How a run is judged while it goes on: by samples of its speech, which show a collapse.

A model that collapses falls silent or repeats one sound, often while its loss still looks well: then few
codes of codebook 0 are left in what it says. Knows nothing about the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from moshi.models import MimiModel
from torch import Tensor, nn

from app.engine.build import load_mimi
from app.files import make_folder
from app.frames import FRAME_RATE
from app.store.runs import SAMPLES
from training.base import Learner
from training.config import Config
from training.examples import Examples
from training.generation import collapse_figures

FEW_CODES, FEWER_CODES = 0.25, 0.5
"""A sample with less than the first share of the codes before training has collapsed; the second is told."""

LOW_ENTROPY, LOWER_ENTROPY = 0.5, 0.6
"""The same for the entropy of codebook 0. Above this samples of 10 s differ as much by chance."""

SILENT_TEXT = 0.98
"""A sample with more padding than this says nothing."""

SPOKE_TEXT = 0.9
"""A sample with less padding than this has spoken."""


class Judge:
    """Lets the model go on from the same prompt at each evaluation."""

    def __init__(
        self, config: Config, learner: Learner, examples: Examples, start: dict[str, Any] | None
    ) -> None:
        self._seed = config.seed
        self._learner = learner
        self._mimi: MimiModel | None = None
        self._start = start
        self._codes: Tensor | None = None
        prompt, length = (
            round(s * FRAME_RATE) for s in (config.evaluation.prompt_s, config.evaluation.sample_s)
        )
        if length and examples.windows:
            window = max(examples.windows, key=lambda each: min(each.frames, prompt + length))
            codes = examples.stack([window])
            self._prompt = min(prompt, codes.shape[-1] // 2)
            self._length = min(length, codes.shape[-1] - self._prompt)
            self._codes = codes[:, :, : self._prompt + self._length]

    def state(self) -> dict[str, Any] | None:
        """Return what a checkpoint keeps: the figures before training."""
        return self._start

    def sample(
        self, model: nn.Module, accelerator: Accelerator, folder: Path, step: int, halt: Callable[[], bool]
    ) -> tuple[dict[str, Any], str | None]:
        """Return the figures of a sample, {} if none is wanted, and where its sound is; on all processes.

        `halt` is asked now and then; where it says True there is none.
        """
        if self._codes is None or halt():
            return {}, None
        options = {"prompt_frames": self._prompt, "frames": self._length, "seed": self._seed, "halt": halt}
        tokens = model(self._codes.to(accelerator.device), generate=options)[0].cpu()[0]
        if halt():
            return {}, None
        voice = (len(tokens) - 1) // 2
        said = tokens[:, self._prompt :]
        figures = asdict(collapse_figures(said[1 : 1 + voice], said[0]))
        self._start = self._start or figures
        if not accelerator.is_main_process:
            return figures, None
        return figures, self._write(tokens, folder, step)

    def warnings(self, figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield a sentence and an advice for each sign of a collapse."""
        before = self._start
        if not figures or before is None:
            return
        advice = "Lower the learning rates, and use an earlier checkpoint."
        codes, bits = figures["distinct_codes"], figures["entropy_bits"]
        codes_before, bits_before = before["distinct_codes"], before["entropy_bits"]
        if codes < FEW_CODES * codes_before or bits < LOW_ENTROPY * bits_before:
            yield (
                f"The voice collapses: the sample has {codes} different sounds, before training it had "
                f"{codes_before}.",
                advice,
            )
        elif codes <= FEWER_CODES * codes_before or bits <= LOWER_ENTROPY * bits_before:
            yield (
                f"The voice loses variety: the sample has {codes} different sounds and {bits:.2f} bits of "
                f"entropy, before training it had {codes_before} and {bits_before:.2f}.",
                "Listen to the samples; if they sound monotonous, use an earlier checkpoint and lower rates.",
            )
        if figures["padding_share"] > SILENT_TEXT and before["padding_share"] < SPOKE_TEXT:
            share = f"{100 * figures['padding_share']:.0f} %"
            yield f"The model falls silent: {share} of the sample's text is padding.", advice

    def _write(self, tokens: Tensor, folder: Path, step: int) -> str | None:
        """Write the sound of a sample; return its path in the run, None where soundfile is not installed."""
        from training.codec import decode_stereo, write_flac

        if self._mimi is None:
            # On the CPU: the card's memory belongs to training, and 20 s of speech take seconds.
            self._mimi = load_mimi(self._learner.checkpoint, torch.device("cpu"))
        path = folder / SAMPLES / f"step-{step:06}.flac"
        make_folder(path.parent)
        try:
            write_flac(path, decode_stereo(self._mimi, tokens))
        except ModuleNotFoundError:
            return None
        return str(path.relative_to(folder))
