"""Stand-ins for a real model: an echo, and a tiny random Moshi in the official file format.

The tiny model says nothing that means anything: its weights are random, its sound is quiet noise, its
words are drawn by chance. It exists so that everything from file to speaker is the code that the 7B runs
through. Knows nothing about how a checkpoint is loaded.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.engine.events import Prompt, PromptSupport, Sampling
from app.engine.ports import Model, Progress, Said
from app.engine.prompt import refuse_prompt
from app.errors import UserError
from app.faults import refused
from app.files import make_folder, read_json, replacing_folder, write_json
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples

if TYPE_CHECKING:
    import torch
    from moshi.models import LMModel, MimiModel

TINY_FORMAT = 2
"""Raised whenever `make_tiny` writes something else, so that cached copies are rebuilt."""

TINY_LEVEL_DB = -35.0
"""RMS level of the tiny model's sound: audible, and no shock in headphones."""

_MIMI_NAME = "mimi.safetensors"
_MIMI_CONFIG_NAME = "mimi.json"
_TOKENIZER_NAME = "tokenizer.model"
_MOSHI_NAME = "model.safetensors"


class Echo:
    """Says what it hears, at once, and no words."""

    name = "echo"

    @property
    def details(self) -> dict[str, object]:
        """Return what a recording keeps about this model."""
        return {"name": self.name, "kind": "echo"}

    def step(self, heard: Samples) -> Said:
        """Say the frame that was heard, [FRAME_SAMPLES] float32."""
        return Said(heard)

    def set_sampling(self, sampling: Sampling) -> None:
        """Do nothing: an echo draws no tokens."""

    @property
    def prompt_support(self) -> PromptSupport:
        """Return that it takes none."""
        return PromptSupport()

    def set_prompt(self, prompt: Prompt) -> None:
        """Raise UserError for anything but an empty prompt."""
        refuse_prompt(prompt, self.prompt_support, self.name)

    def restart(self, seed: int, progress: Progress | None = None) -> None:
        """Do nothing: an echo remembers nothing."""

    def close(self) -> None:
        """Do nothing: an echo holds no memory."""


class Slowed:
    """A model of which every step takes longer by `compute_ms`, as on a slower computer."""

    def __init__(self, model: Model, compute_ms: float) -> None:
        self.name = model.name
        self.set_sampling = model.set_sampling
        self.set_prompt = model.set_prompt
        self.restart = model.restart
        self.close = model.close
        self._model = model
        self._compute_s = compute_ms / 1000

    @property
    def details(self) -> dict[str, object]:
        """Return what a recording keeps about the model behind, and by how much it was slowed."""
        return {**self._model.details, "slowed_ms": 1000 * self._compute_s}

    @property
    def prompt_support(self) -> PromptSupport:
        """Return which prompts the model behind takes."""
        return self._model.prompt_support

    def step(self, heard: Samples) -> Said:
        """Wait, and step the model behind."""
        time.sleep(self._compute_s)
        return self._model.step(heard)


def make_tiny(folder: Path, *, seed: int = 0) -> Path:
    """Write a tiny random Moshi in the official file format, and return the folder.

    The folder appears whole or not at all, in place of an older tiny model. The same seed gives the same
    bytes. Raises UserError if the folder holds anything else.
    """
    if folder.exists() and _tiny_format(folder) is None and (folder.is_file() or any(folder.iterdir())):
        raise UserError(f"{folder} holds other files, which are not overwritten.", "Name a new folder.")
    return _make_tiny(folder, seed)


def ensure_tiny(folder: Path) -> Path:
    """Return our own folder with a tiny model in it, made anew if it is missing or of another format."""
    return folder if _tiny_format(folder) == TINY_FORMAT else _make_tiny(folder, 0)


def _tiny_format(folder: Path) -> int | None:
    """Return the format of the tiny model in a folder, None if there is none."""
    try:
        return int(read_json(folder / "config.json")["model_id"]["tiny_format"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _make_tiny(folder: Path, seed: int) -> Path:
    import torch
    from moshi.utils.compile import no_compile

    try:
        make_folder(folder.parent)
        with (
            replacing_folder(folder) as part,
            torch.random.fork_rng(devices=[]),
            torch.no_grad(),
            no_compile(),
        ):
            torch.manual_seed(seed)
            _write_tiny(part, seed)
    except Exception as fault:
        if (refusal := refused(fault)) is None:
            raise
        # Another process may have made the same folder meanwhile, and did it as well.
        if _tiny_format(folder) != TINY_FORMAT:
            sentence = f"{folder} can not be written: {refusal.strerror or refusal}."
            raise UserError(sentence, "Choose a folder that can be written and has room.") from fault
    return folder


def _write_tiny(folder: Path, seed: int) -> None:
    """Fill an empty folder with the files of the official format, drawing from torch's generator."""
    from safetensors.torch import save_file

    tokenizer = _train_tokenizer()
    (folder / _TOKENIZER_NAME).write_bytes(tokenizer)
    config = tiny_config(text_card=_count_pieces(tokenizer))
    save_file(_tiny_lm(config, tokenizer).state_dict(), folder / _MOSHI_NAME)
    save_file(_tiny_mimi().state_dict(), folder / _MIMI_NAME)
    write_json(folder / _MIMI_CONFIG_NAME, tiny_mimi_config())
    config.update(
        moshi_name=_MOSHI_NAME,
        mimi_name=_MIMI_NAME,
        mimi_config_name=_MIMI_CONFIG_NAME,
        tokenizer_name=_TOKENIZER_NAME,
        model_type="moshi",
        model_id={"tiny_format": TINY_FORMAT, "seed": seed},
    )
    write_json(folder / "config.json", config)


def tiny_config(text_card: int) -> dict[str, Any]:
    """Return LMModel's keyword arguments: the shape of the 7B in small, with its streams and delays."""
    return {
        "dim": 64,
        "text_card": text_card,
        "existing_text_padding_id": 3,
        "n_q": 16,
        "dep_q": 8,
        "card": 256,
        "num_heads": 4,
        "num_layers": 2,
        "hidden_scale": 4.125,
        "causal": True,
        "layer_scale": None,
        "context": 250,
        "max_period": 10_000,
        "gating": "silu",
        "norm": "rms_norm_f32",
        "positional_embedding": "rope",
        "depformer_dim": 32,
        "depformer_dim_feedforward": 132,
        "depformer_num_heads": 2,
        "depformer_num_layers": 2,
        "depformer_layer_scale": None,
        "depformer_multi_linear": True,
        "depformer_context": 8,
        "depformer_max_period": 10_000,
        "depformer_gating": "silu",
        "depformer_pos_emb": "none",
        "depformer_weights_per_step": True,
        "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
    }


def tiny_mimi_config() -> dict[str, Any]:
    """Return the configuration of a Mimi of the same rates as the real one, and 1/1000 of its size."""
    width = 32
    return {
        "sample_rate": SAMPLE_RATE,
        "channels": 1,
        "frame_rate": FRAME_RATE,
        "seanet": {
            "channels": 1,
            "dimension": width,
            "causal": True,
            "n_filters": 4,
            "n_residual_layers": 1,
            "activation": "ELU",
            "compress": 2,
            "dilation_base": 2,
            "disable_norm_outer_blocks": 0,
            "kernel_size": 7,
            "residual_kernel_size": 3,
            "last_kernel_size": 3,
            "norm": "none",
            "pad_mode": "constant",
            "ratios": [8, 6, 5, 4],
            "true_skip": True,
        },
        "quantizer": {
            "dimension": 16,
            "n_q": 16,
            "bins": 256,
            "input_dimension": width,
            "output_dimension": width,
        },
        "transformer": {
            "d_model": width,
            "num_heads": 2,
            "num_layers": 1,
            "causal": True,
            "layer_scale": 0.01,
            "context": 250,
            "conv_layout": True,
            "max_period": 10_000,
            "gating": "none",
            "norm": "layer_norm",
            "positional_embedding": "rope",
            "dim_feedforward": 64,
            "input_dimension": width,
            "output_dimensions": [width],
        },
    }


# What follows makes random weights behave enough like trained ones to be looked at and listened to.

_SPEECH = (
    "mm hm, right. yeah, I see. oh really? that sounds good. so how are you today? well, I think so too. "
    "okay, and what do you do? it was nice to talk with you. thank you. hello, good morning.",
    "うん。はい、そうですね。ええ、なるほど。本当ですか？こんにちは、今日はいい天気ですね。"
    "ありがとうございます。そうなんですか。私もそう思います。また話しましょう。",
)

TINY_LOGIT_SPREAD = 2.0
"""How far the text logits stray from their means, so that chance decides, and padding mostly wins."""


def _train_tokenizer() -> bytes:
    """Return a small SentencePiece model of English and Japanese with byte fallback, ids as in Moshi's."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SPEECH * 8),
        model_writer=model,
        model_type="bpe",
        vocab_size=640,
        hard_vocab_limit=False,
        byte_fallback=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _count_pieces(tokenizer: bytes) -> int:
    import sentencepiece

    return int(sentencepiece.SentencePieceProcessor(model_proto=tokenizer).get_piece_size())


def _tiny_lm(config: dict[str, Any], tokenizer: bytes) -> LMModel:
    """Return a random language model whose text is mostly padding, with a word now and then."""
    import torch
    from moshi.models import loaders

    lm = loaders.get_moshi_lm(None, config, device="cpu", dtype=torch.float32)
    for embedding in (lm.text_emb, *lm.emb):
        embedding.weight[:, 0] = 1.0  # A constant in the residual stream: the text head's missing bias.
    codes = torch.randint(config["card"], (1, 1 + config["n_q"], 200))
    states, _ = lm.forward_text(codes)
    mean = states[0].mean(0)
    head = lm.text_linear.weight
    head.sub_(torch.outer(head @ mean, mean / mean.dot(mean)))
    head.mul_(TINY_LOGIT_SPREAD / (states[0] @ head.T).std())
    head.add_(torch.outer(_text_bias(tokenizer), mean / mean.dot(mean)))
    return lm


def _text_bias(tokenizer: bytes) -> torch.Tensor:
    """Return the mean logit of each text token, [text_card]: padding, then whole words, then the rest."""
    import sentencepiece
    import torch

    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
    bias = torch.full((pieces.get_piece_size(),), -12.0)
    words = {piece for text in _SPEECH for piece in pieces.encode(text, out_type=str) if len(piece) > 2}
    bias[[pieces.piece_to_id(word) for word in words]] = 0.0
    bias[pieces.unk_id()], bias[pieces.pad_id()] = 3.0, 5.0
    return bias


def _tiny_mimi() -> MimiModel:
    """Return a random Mimi whose codebooks cover the latents of noise and whose sound is quiet."""
    import torch
    from moshi.models import loaders

    mimi = loaders.get_mimi(None, tiny_mimi_config(), device="cpu")
    # Without biases silence has a latent of its own, and the sound is made of nothing but the codes.
    for name, weight in mimi.named_parameters():
        if name.endswith("conv.bias"):
            weight.zero_()
    loudness = torch.logspace(-3, 0, 1200).repeat_interleave(FRAME_SAMPLES)
    latents = mimi.encode_to_latent(loudness * torch.randn(1, 1, len(loudness)), quantize=False)
    # In training mode a quantizer takes its codebooks from the first latents that it sees.
    mimi.quantizer.train()
    mimi.quantizer(latents, FRAME_RATE)
    mimi.quantizer.eval()
    _soften(mimi)
    return mimi


def _soften(mimi: MimiModel) -> None:
    """Scale the last layer of the decoder, so that random codes sound at TINY_LEVEL_DB without an offset."""
    import torch

    config = tiny_mimi_config()["quantizer"]
    sound = mimi.decode(torch.randint(config["bins"], (1, 8, 100)))
    last = mimi.decoder.model[-1].conv.conv
    last.bias.sub_(sound.mean())
    scale = 10 ** (TINY_LEVEL_DB / 20) / sound.std()
    last.weight.mul_(scale)
    last.bias.mul_(scale)
