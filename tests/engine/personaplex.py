"""A tiny model in the files of PersonaPlex, and its published procedure, written down from its description.

The procedure works on a table of tokens by the frame that they are fed in, with moshi's modules of all
sixteen depth steps: no ring, no cut, and nothing of the program's own.
"""

from __future__ import annotations

import copy
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.signal
import sentencepiece
import soundfile
import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.utils.compile import no_compile
from safetensors.torch import save_file
from torch import Tensor

from app import catalog
from app.engine.fake import tiny_mimi_config
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from tests.engine.both_voices import draw, for_both, released, write

AGENT, USER, BOOKS = 1, 9, 8
"""The rows of tokens: text, then the model's eight codebooks, then the user's."""

PAD = 3
SILENCE = [948, 243, 1178, 546, 1736, 1030, 1978, 2008]
SINE = [430, 1268, 381, 1611, 1095, 1495, 56, 472]
SPACER = 6
RING = 4
"""max delay + 3: the width of the tokens that a published voice holds."""


def make_model(tiny: Path, folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """Write a model whose codebooks have the size of the real ones."""
    config = for_both(tiny, card=2048)
    write(tiny, folder, config, released(draw(config, dtype).state_dict()))
    mimi = copy.deepcopy(tiny_mimi_config())
    mimi["quantizer"]["bins"] = 2048
    (folder / "mimi.json").write_text(json.dumps(mimi))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(2)
        model = loaders.get_mimi(None, mimi, device="cpu")
        fill_codebooks(model)
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / catalog.MIMI_NAME)
    return folder


def fill_codebooks(mimi: MimiModel) -> None:
    """Let codes differ from frame to frame: the first of each part lie where the latents of sound do."""
    loudness = torch.logspace(-3, 0, 150).repeat_interleave(FRAME_SAMPLES)
    with no_compile():
        latents = mimi.encode_to_latent(loudness * torch.randn(1, 1, len(loudness)), quantize=False)
    for part in (mimi.quantizer.rvq_first, mimi.quantizer.rvq_rest):
        places = part.input_proj(latents)[0].T
        spread = float((places - places.mean(dim=0)).std())
        for at, layer in enumerate(part.vq.layers):
            book = layer._codebook
            noise = 0.3 * spread * torch.randn(len(book.embedding_sum), places.shape[1])
            near = places[torch.randint(len(places), (len(noise),))] if at == 0 else 0
            book.embedding_sum.copy_(near + noise)
            book.cluster_usage.fill_(1)
            book._initialized.fill_(1)


class Public:
    """One talk by the published procedure."""

    def __init__(self, folder: Path) -> None:
        raw = json.loads((folder / "config.json").read_text())
        raw.pop("mimi_config_name")
        self.lm: LMModel = loaders.get_moshi_lm(
            folder / catalog.MOSHI_NAME, raw, device="cpu", dtype=torch.float32
        )
        mimi = json.loads((folder / "mimi.json").read_text())
        self.mimi: MimiModel = loaders.get_mimi(folder / catalog.MIMI_NAME, mimi, device="cpu")
        self.tokenizer = sentencepiece.SentencePieceProcessor(str(folder / catalog.TOKENIZER_NAME))
        self.greedy, self.temperatures, self.top_k = True, (0.7, 0.8), (25, 250)
        """Of text and of codes."""
        self._aside = torch.Generator()
        self._delays = self.lm.delays
        self.reset()

    def reset(self) -> None:
        """Begin a talk."""
        self.given: dict[tuple[int, int], int] = {}
        """Tokens by (row, frame that they are fed in) that are not to be drawn."""
        self.tokens: dict[tuple[int, int], int] = {}
        """The same of all, as far as they are known."""
        self.calls = 0
        self.inputs: list[Tensor] = []
        if self.lm.transformer.is_streaming:
            self.lm.transformer.reset_streaming()
        else:
            self.lm.transformer.streaming_forever(1)
        if self.mimi.is_streaming:
            self.mimi.reset_streaming()
        else:
            self.mimi.streaming_forever(1)

    def step(
        self,
        user: list[int],
        agent: list[int] | None = None,
        text: int | None = None,
        x: Tensor | None = None,
    ) -> list[int] | None:
        """Go on by a frame, and return what is said: a text token and eight codes, of the frame before.

        With `x` the temporal input is that, whatever the tokens.
        """
        now = self.calls
        self.calls += 1
        self._put(now, USER, user)
        if agent is not None:
            self._put(now, AGENT, agent)
        if text is not None:
            self.given[0, now] = text
        for row, delay in enumerate(self._delays):
            if now <= delay:
                self.given[row, now] = self.lm.text_card if row == 0 else self.lm.card
        self.tokens |= {place: token for place, token in self.given.items() if place[1] >= now}
        if now == 0:
            return None
        if x is None:
            x = self._embed(now - 1)
        self.inputs.append(x)
        state = self.lm.out_norm(self.lm.transformer(x))
        self._draw(state, now)
        if now < 2:
            return None
        return [self.tokens[row, now - 1 + self._delays[row]] for row in range(USER)]

    def _put(self, now: int, first: int, codes: list[int]) -> None:
        for row, code in enumerate(codes, first):
            self.given[row, now + self._delays[row]] = code

    def _embed(self, frame: int) -> Tensor:
        rows = [self.tokens[row, frame] for row in range(1 + 2 * BOOKS)]
        x = self.lm.text_emb(torch.tensor([[rows[0]]]))
        for book, table in enumerate(self.lm.emb):
            x = x + table(torch.tensor([[rows[1 + book]]]))
        return x

    def _draw(self, state: Tensor, now: int) -> None:
        """Draw the tokens of a frame, but for those that are given."""
        drawn = self._sample(self.lm.text_linear(state)[0, 0], 0, None)
        last = self.tokens[0, now] = self.given.get((0, now), drawn)
        with self.lm.depformer.streaming(1):
            for book in range(2 * BOOKS):
                logits = self.lm.forward_depformer(book, torch.tensor([[[last]]]), state)[0, 0, 0]
                # What it would have the user say is thrown away, and must not shift the chance of the rest.
                drawn = self._sample(logits, 1, self._aside if book >= BOOKS else None)
                last = self.given.get((1 + book, now), drawn)
                if book < BOOKS:
                    self.tokens[1 + book, now] = last

    def _sample(self, logits: Tensor, kind: int, chance: torch.Generator | None) -> int:
        if self.greedy:
            return int(logits.argmax())
        scores = torch.softmax(logits.float() / self.temperatures[kind], dim=-1)
        best, which = scores.topk(min(self.top_k[kind], len(scores)))
        noise = torch.empty(1, len(best)).exponential_(1, generator=chance)[0]
        return int(which[(best / noise).argmax()])

    # The prompt.

    def prompt(self, voice: Path | list[list[int]] | None, role: str, seed: int) -> None:
        """Go through a prompt; chance begins where the first token is free."""
        if isinstance(voice, Path):
            self._replay(voice)
        else:
            for codes in voice or []:
                self.step(SINE, codes, PAD)
        self._be_silent()
        cleaned = role.strip()
        tagged = cleaned.startswith("<system>") and cleaned.endswith("<system>")
        for token in (
            self.tokenizer.encode(cleaned if tagged else f"<system> {cleaned} <system>") if role else []
        ):
            self.step(SINE, SILENCE, token)
        self._be_silent()
        self.mimi.reset_streaming()
        torch.manual_seed(seed)

    def _be_silent(self) -> None:
        for _ in range(SPACER):
            self.step(SINE, SILENCE, PAD)

    def _replay(self, path: Path) -> None:
        held = torch.load(path, weights_only=True)
        nothing = [self.lm.card] * BOOKS
        self.step(nothing, nothing, PAD)
        for x in held["embeddings"]:
            self.step(nothing, nothing, PAD, x=x)
        for (row, frame), _ in list(self.tokens.items()):
            if frame > self.calls - RING:
                self.tokens[row, frame] = int(held["cache"][0, row, frame % RING])
                if (row, frame) in self.given:
                    self.given[row, frame] = self.tokens[row, frame]

    def save_voice(self, codes: list[list[int]], path: Path) -> None:
        """Write what a model keeps of a voice once it has heard it."""
        self.reset()
        for each in codes:
            self.step(SINE, each, PAD)
        ring = torch.full((1, 1 + 2 * BOOKS, RING), -2)
        for (row, frame), token in sorted(self.tokens.items(), key=lambda item: item[0][1]):
            ring[0, row, frame % RING] = token
        torch.save({"embeddings": torch.stack(self.inputs), "cache": ring}, path)
        self.reset()

    def encode(self, sound: npt.NDArray[Any]) -> Iterator[list[int]]:
        """Yield the codes of sound [N], a frame at a time, the last filled with zeros."""
        for at in range(0, len(sound), FRAME_SAMPLES):
            frame = np.zeros(FRAME_SAMPLES, dtype=np.float32)
            frame[: len(sound[at : at + FRAME_SAMPLES])] = sound[at : at + FRAME_SAMPLES]
            yield self.mimi.encode(torch.from_numpy(frame)[None, None])[0, :BOOKS, 0].tolist()

    def talk(self, frames: list[Samples]) -> Iterator[tuple[list[int], Samples]]:
        """Yield what is said to each frame of the user: text and codes, and their sound."""
        for frame in frames:
            (codes,) = self.encode(frame)
            said = self.step(codes)
            assert said is not None
            yield said, self.mimi.decode(torch.tensor(said[1:])[None, :, None])[0, 0].numpy()


def public(folder: Path) -> Public:
    with no_compile():
        return Public(folder)


def loud(path: Path) -> npt.NDArray[np.float64]:
    """Return mono sound of a file at -24 LUFS (ITU-R BS.1770-4), filtered sample by sample."""
    sound, rate = soundfile.read(path)
    assert rate == SAMPLE_RATE and sound.ndim == 1, "nothing to be converted here"
    weighted = scipy.signal.lfilter(*shelf(rate), sound)
    weighted = scipy.signal.lfilter(*low_cut(rate), weighted)
    power = []
    for block in range(round((len(sound) / rate - 0.4) / 0.1) + 1):
        part = weighted[int(0.4 * block * 0.25 * rate) : int(0.4 * (block * 0.25 + 1) * rate)]
        power.append(sum(part**2) / (0.4 * rate))
    levels = [(-0.691 + 10 * np.log10(each), each) for each in power]
    audible = [each for level, each in levels if level > -70]
    bar = -0.691 + 10 * np.log10(np.mean(audible)) - 10
    level = -0.691 + 10 * np.log10(np.mean([each for found, each in levels if found > max(bar, -70)]))
    return np.asarray(sound * 10 ** ((-24 - level) / 20))


def shelf(rate: int) -> tuple[list[float], list[float]]:
    """Return a high shelf of 4 dB at 1500 Hz, Q 1 / sqrt(2), after the Audio EQ Cookbook."""
    a, w = 10 ** (4 / 40), 2 * np.pi * 1500 / rate
    c, s = np.cos(w), 2 * np.sqrt(a) * np.sin(w) / np.sqrt(2)
    top = [a * (a + 1 + (a - 1) * c + s), -2 * a * (a - 1 + (a + 1) * c), a * (a + 1 + (a - 1) * c - s)]
    return top, [a + 1 - (a - 1) * c + s, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - s]


def low_cut(rate: int) -> tuple[list[float], list[float]]:
    """Return a high-pass at 38 Hz, Q 0.5, after the same."""
    w = 2 * np.pi * 38 / rate
    c, s = np.cos(w), np.sin(w)
    return [(1 + c) / 2, -1 - c, (1 + c) / 2], [1 + s, -2 * c, 1 - s]


def pack_voices(files: dict[str, bytes], path: Path) -> Path:
    """Write an archive of voices as it is published."""
    with tarfile.open(path, "w:gz") as archive:
        folder = tarfile.TarInfo("voices")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(f"voices/{name}.pt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
