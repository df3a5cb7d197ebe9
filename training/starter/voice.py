"""The voice of the model: the decoder of a finished codec learns it better; codes stay what they were.

What hears the user, and what all codes mean, is left as it is: dialogues that are encoded already stay true.
Knows nothing about dialogues.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.files import make_folder
from app.frames import FRAME_SAMPLES
from training.progress import Progress
from training.starter.acoustics import CLEAN, scale
from training.starter.balance import Balance
from training.starter.bank import read_shard, shards
from training.starter.bank_codes import Mixed, encode
from training.starter.clearness import Clearness
from training.starter.codec import (
    CLIP_FRAMES,
    CONFIG,
    WEIGHTS,
    MelSpectra,
    Settings,
    load_codec,
    save_codec,
)
from training.starter.discriminator import Discriminator, feature_loss, fooling_loss, telling_loss
from training.starter.own_voice import OwnVoice
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Sound
from training.starter.trainer import Average, Trainer
from training.starter.user_texts import taught

STEPS = 20_000
BATCH = 4
LEARNING_RATE = 1e-3
_BETAS_TELLING = 0.5, 0.9

_SHARES = {"spectral": 1.0, "clearness": 1.0, "waveform": 0.1, "features": 2.0, "fooling": 1.0}
"""How much of what the decoder learns is taught by which loss."""
_UNTAUGHT, _UNTOLD = 0.7, 0.68
"""Before this share of the steps the discriminator teaches nothing, and before that it does not learn: what
is not yet understood is told from recordings too easily."""
_TOLD_FRAMES = 6
"""It judges so much of each clip."""

_SHARES_OF_SPEECH = {"line": 0.72, "slow": 0.1, "text": 0.06, "other": 0.12}
"""How often it is the model with a line, with one said slowly, or with another text, and how often somebody
else. Nobody listens to the decoded voice of the user but to compare; who finetunes the model on recordings
needs other voices."""
_SLOW = 0.8
"""How fast the model speaks where it is asked to speak slowly."""
_OTHER_TEXTS, _OTHER_CLIPS = 60, 300
"""So many texts that are none of its lines the model says, and so many things others say."""
_SPEEDS = 0.9, 1.12
_AVERAGED = 0.99
"""What is written are the weights averaged over about a hundred steps."""

_SETTLED_FRAMES = 40
"""What lies before so much silence changes no code."""
_LEAD_FRAMES, _TAIL_FRAMES = 6, 3
_UNHEARD_FRAMES = 2
"""So much at the beginning of a clip the decoder lacks what was before, and is not judged."""


class Coded(NamedTuple):
    """Something said, after _LEAD_FRAMES of silence, and its codes after much more of it."""

    sound: Sound
    codes: npt.NDArray[np.int64]
    """[K, frames]"""


def refine_voice(
    folder: Path, codec: Path, voice: OwnVoice, settings: Settings, bank: Path | None = None
) -> None:
    """Write a codec whose decoder has learnt more than that of `codec`, or go on where it was stopped.

    `bank` gives other people's voices; without it there are none. Raises UserError where the voice can not
    speak here.
    """
    make_folder(folder)
    if (folder / WEIGHTS).exists():
        return
    training = _Training(folder, codec, voice, settings, bank)
    with no_compile():
        training.run("Voice")
    training.finish(codec)


class _Training(Trainer):
    def __init__(
        self, folder: Path, codec: Path, voice: OwnVoice, settings: Settings, bank: Path | None
    ) -> None:
        torch.manual_seed(settings.seed)
        self._settings = settings
        self._mimi = load_codec(codec)
        self._speech = _material(self._mimi, voice, settings, bank)
        learning = list(_decoding(self._mimi))
        for weight in learning:
            weight.requires_grad_(True)
        super().__init__(folder, self._mimi, learning, steps=settings.steps, peak=LEARNING_RATE)
        self._spectra, self._clearness = MelSpectra(), Clearness()
        self._telling, self._balance = Discriminator(), Balance(_SHARES)
        self._teacher = torch.optim.AdamW(self._telling.parameters(), lr=0.0, betas=_BETAS_TELLING)
        self._average = Average(learning, _AVERAGED)
        self._beside = {
            "telling": self._telling,
            "teacher": self._teacher,
            "balance": self._balance,
            "average": self._average,
        }

    def losses(self) -> dict[str, Tensor]:
        said, codes, first = self._draw()
        unheard = _UNHEARD_FRAMES * FRAME_SAMPLES
        self._decoded = self._mimi.decode(codes)[:, 0, unheard:]
        self._output = self._decoded.detach().requires_grad_()
        said = said[:, unheard:]
        told = slice(first * FRAME_SAMPLES, (first + _TOLD_FRAMES) * FRAME_SAMPLES)
        losses = {
            "spectral": self._spectra.distance(self._output[:, None], said[:, None]),
            "waveform": (self._output - said).abs().mean(),
            "clearness": self._clearness.loss(self._output, said),
        }
        if self.step >= _UNTOLD * self._steps:
            self._learn_to_tell(said[:, told], self._output[:, told].detach())
        if self.step >= _UNTAUGHT * self._steps:
            losses |= self._taught(said[:, told], self._output[:, told])
        return losses

    def descend(self, losses: dict[str, Tensor]) -> None:
        """Give the decoder the gradient of all losses, balanced."""
        torch.autograd.backward(self._decoded, self._balance.gradient(losses, self._output))

    def stepped(self) -> None:
        """Take the weights into their average."""
        self._average.update(self._learning)

    def finish(self, codec: Path) -> None:
        """Write the weights alone."""
        self._average.write(self._learning)
        shutil.copyfile(codec / CONFIG, self._folder / CONFIG)
        save_codec(self._mimi, self._folder)
        self.forget()

    def _learn_to_tell(self, said: Tensor, decoded: Tensor) -> None:
        self.set_rate(self._teacher)
        self._telling.requires_grad_(True)
        self._teacher.zero_grad()
        torch.autograd.backward(telling_loss(self._telling(said), self._telling(decoded)))
        self._teacher.step()

    def _taught(self, said: Tensor, decoded: Tensor) -> dict[str, Tensor]:
        self._telling.requires_grad_(False)
        with torch.no_grad():
            recorded = self._telling(said)
        judged = self._telling(decoded)
        return {"features": feature_loss(recorded, judged), "fooling": fooling_loss(judged)}

    def _draw(self) -> tuple[Tensor, Tensor, int]:
        """Return a batch that follows from the step: said [B, N], codes [B, K, T], first frame to tell."""
        chance = np.random.default_rng([self._settings.seed, self.step])
        clips = [self._speech.draw(chance) for _ in range(BATCH)]
        said, codes = (np.stack([clip[at] for clip in clips]) for at in (0, 1))
        first = int(chance.integers(CLIP_FRAMES - _UNHEARD_FRAMES - _TOLD_FRAMES + 1))
        return torch.from_numpy(said), torch.from_numpy(codes), first


class _Material:
    """All that is learnt from: what the model says, its lines and other texts, and what others say."""

    def __init__(self, clips: Mapping[str, Sequence[Coded]]) -> None:
        used = [(clips[kind], share) for kind, share in _SHARES_OF_SPEECH.items() if clips[kind]]
        self._clips = [clip for clips, _ in used for clip in clips]
        weights = np.concatenate(
            [share * _lengths(clips) / _lengths(clips).sum() for clips, share in used], dtype=np.float64
        )
        self._weights = weights / weights.sum()

    def draw(self, chance: np.random.Generator) -> Coded:
        """Return CLIP_FRAMES of something: its beginning after silence, or any other part."""
        sound, codes = self._clips[int(chance.choice(len(self._clips), p=self._weights))]
        first = 0
        if chance.random() < 0.5:
            first = int(chance.integers(max(1, codes.shape[1] - CLIP_FRAMES // 2)))
        first = max(first, int(chance.integers(_LEAD_FRAMES - _UNHEARD_FRAMES)))
        codes = codes[:, first : first + CLIP_FRAMES]
        sound = sound[first * FRAME_SAMPLES :][: codes.shape[1] * FRAME_SAMPLES]
        # Silence has codes of its own; where something is too short, its end is repeated as silence is.
        lacking = CLIP_FRAMES - codes.shape[1]
        return Coded(
            np.pad(sound, (0, lacking * FRAME_SAMPLES)), np.pad(codes, ((0, 0), (0, lacking)), "edge")
        )


def _lengths(clips: Sequence[Coded]) -> npt.NDArray[np.float64]:
    return np.array([clip.codes.shape[1] for clip in clips], dtype=np.float64)


def _material(mimi: MimiModel, voice: OwnVoice, settings: Settings, bank: Path | None) -> _Material:
    sounds: dict[str, list[Sound]] = {kind: [] for kind in _SHARES_OF_SPEECH}
    said = list(_own_texts(settings))
    with Progress("Own voice", len(said), "texts", False) as progress:
        for kind, language, line, speed in said:
            sounds[kind].append(voice.say(language, line, speed).sound)
            progress.advance(1)
    others = islice(_people(bank), min(_OTHER_CLIPS, settings.steps))
    sounds["other"] = [scale(sound, CLEAN) for sound in others]
    return _Material({kind: _encode(mimi, each) for kind, each in sounds.items()})


def _own_texts(settings: Settings) -> Iterator[tuple[str, str, str, float]]:
    """Yield what the model says to learn from: of what kind it is, its language, the text and its speed.

    Of each kind there are no more than steps.
    """
    chance = np.random.default_rng(settings.seed)
    lines = [(language, line) for language in LANGUAGES for line in dict.fromkeys(phrases(language).lines)]
    for language, line in lines[: settings.steps]:
        yield "line", language, line, 1.0
        yield "slow", language, line, _SLOW
    texts = taught()
    for at in chance.permutation(len(texts))[: min(_OTHER_TEXTS, settings.steps)]:
        yield "text", texts[at].language, texts[at].spoken, float(chance.uniform(*_SPEEDS))


def _people(bank: Path | None) -> Iterator[Sound]:
    """Yield what users say."""
    for shard in shards(bank) if bank else ():
        for _, sound in read_shard(shard):
            yield sound


def _encode(mimi: MimiModel, sounds: Sequence[Sound]) -> list[Coded]:
    """Return sounds as lines of the model are encoded: at the beginning of a frame, after long silence."""
    around = _SETTLED_FRAMES * FRAME_SAMPLES, _TAIL_FRAMES * FRAME_SAMPLES
    padded = [
        np.pad(np.clip(sound, -1, 1), (around[0], -len(sound) % FRAME_SAMPLES + around[1])).astype(np.float32)
        for sound in sounds
    ]
    with no_compile():
        coded = encode(mimi, [Mixed(at, 0, sound, 0.0, 0.0, 1.0) for at, sound in enumerate(padded)])
    first = _SETTLED_FRAMES - _LEAD_FRAMES
    return [
        Coded(sound[first * FRAME_SAMPLES :], each.codes[:, first:].astype(np.int64))
        for sound, each in zip(padded, coded, strict=True)
    ]


def _decoding(mimi: MimiModel) -> list[torch.nn.Parameter]:
    """Return what decoding alone depends on."""
    quantizer = mimi.quantizer
    parts = (
        quantizer.rvq_first.output_proj,
        quantizer.rvq_rest.output_proj,
        mimi.upsample,
        mimi.decoder_transformer,
        mimi.decoder,
    )
    return [weight for part in parts for weight in part.parameters()]
