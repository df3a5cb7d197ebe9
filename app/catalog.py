"""The known models: where they are, what they speak, what they may be used for, what memory they take.

Each of the hub has a configuration of our own: moshi's loader silently takes that of the 7B model where the
hub has none or can not be reached. Knows nothing about files on this computer; imports neither torch nor
moshi.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.engine.events import KVS, MODES, Loadout
from app.memory_plan import (
    FITS,
    Q8,
    QUANTIZED_WORKSPACE_BYTES,
    WHOLE,
    WORKSPACE_BYTES,
    Fit,
    MemoryPlan,
    Sizes,
    lm_bytes,
    on_processor,
    plan,
)

MOSHI_NAME = "model.safetensors"
MIMI_NAME = "tokenizer-e351c8d8-checkpoint125.safetensors"
TOKENIZER_NAME = "tokenizer_spm_32k_3.model"
VOICES_NAME, VOICES_FOLDER = "voices.tgz", "voices"
"""The archive of a model's voices, and the folder that it holds."""

MOSHI_7B_CONTEXT = 3_000
"""Frames (240 s) that the 7B models look back on; older ones are forgotten, and talk goes on."""

MIMI_BYTES = 384_644_900
"""The released Mimi: 96.15 M float32 weights and codebooks."""

_BF16_BYTES = 15_375_472_640
_Q8_BYTES = 8_008_733_000

_BOTH_VOICES_BYTES = 16_742_900_000
"""A 7B model in bfloat16 that predicts the user's voice too: 8.37 G numbers, and the header."""

_STARTER_SHAPE = {"dim": 256, "num_layers": 6, "context": 375}


def moshi_7b(*, quantize: bool = False) -> dict[str, Any]:
    """Return the keyword arguments of moshi's LMModel for the 7B models, a new dict each time."""
    return {
        "dim": 4096,
        "text_card": 32_000,
        "existing_text_padding_id": 3,
        "n_q": 16,
        "dep_q": 8,
        "card": 2048,
        "num_heads": 32,
        "num_layers": 32,
        "hidden_scale": 4.125,
        "causal": True,
        "layer_scale": None,
        "context": MOSHI_7B_CONTEXT,
        "max_period": 10_000,
        "gating": "silu",
        "norm": "rms_norm_f32",
        "positional_embedding": "rope",
        "depformer_dim": 1024,
        "depformer_dim_feedforward": 4224,
        "depformer_num_heads": 16,
        "depformer_num_layers": 6,
        "depformer_layer_scale": None,
        "depformer_multi_linear": True,
        "depformer_context": 8,
        "depformer_max_period": 10_000,
        "depformer_gating": "silu",
        "depformer_pos_emb": "none",
        "depformer_weights_per_step": True,
        "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
        **({"quantize": True} if quantize else {}),
    }


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # the name that Qt's lupdate looks for
    """Return a text as it is, and let translators find it."""
    return text


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model of the Moshi family, on the Hugging Face hub or in the program itself."""

    name: str
    repo: str
    """'' for one that comes with the program."""
    language: str
    """ISO 639-1 codes, spaces between."""
    voice: str
    licence: str
    research_only: bool
    """The licence forbids commercial use."""
    summary: str
    weights_bytes: int = _BF16_BYTES
    """What its weights take on disk; those that are not needed, or have more bits, take less in memory."""
    quantized: bool = False
    both_voices: bool = False
    """Its file predicts the user's voice too."""
    gated: bool = False
    """Its files are for those alone who accepted its licence on the hub, and give a token of theirs."""
    moshi_name: str = MOSHI_NAME
    tokenizer_name: str = TOKENIZER_NAME
    shared_repo: str = ""
    """Where Mimi and the tokenizer are, if not in `repo`."""
    mimi_bytes: int = MIMI_BYTES
    voices: tuple[str, ...] = ()
    """The voices that it can be told to speak with; where there are any, it takes a sound file too."""
    takes_role: bool = False
    """It can be told before a talk who it is to be."""
    bundled: bool = False
    """It comes with the program, and needs no card."""
    revision: str = ""
    """The commit of `repo` that is fetched; '' where it is not known, and the newest is."""
    shared_revision: str = ""
    """The same of `shared_repo`."""
    sha256: tuple[tuple[str, str], ...] = ()
    """The SHA-256 of files by their names, where it is known."""

    @property
    def files(self) -> tuple[str, ...]:
        """Return references hf://owner/name/file of weights, Mimi, tokenizer and voices, as far as there are.

        Where a commit is pinned they are hf://owner/name@commit/file.
        """
        if self.bundled:
            return ()
        own = f"{self.repo}@{self.revision}" if self.revision else self.repo
        shared = own
        if self.shared_repo:
            pinned = f"@{self.shared_revision}" if self.shared_revision else ""
            shared = f"{self.shared_repo}{pinned}"
        voices = (f"hf://{own}/{VOICES_NAME}",) if self.voices else ()
        return (
            f"hf://{own}/{self.moshi_name}",
            f"hf://{shared}/{MIMI_NAME}",
            f"hf://{shared}/{self.tokenizer_name}",
            *voices,
        )

    @property
    def config(self) -> dict[str, Any]:
        """Return our own configuration, the keyword arguments of moshi's LMModel.

        Of a bundled model that is in its folder; here is what tells its memory. Of one for both voices it is
        that of the model's half.
        """
        return dict(_STARTER_SHAPE) if self.bundled else moshi_7b(quantize=self.quantized)

    @property
    def file_config(self) -> dict[str, Any]:
        """Return the configuration of all that is in its file."""
        both = {"dep_q": 16, "depformer_context": 16} if self.both_voices else {}
        return {**self.config, **both}

    @property
    def size_gb(self) -> float:
        """Return what the files take on disk, in GB (1e9 bytes)."""
        return (self.weights_bytes + self.mimi_bytes) / 1e9

    @property
    def mode(self) -> str:
        """Return the word for how the weights are kept in memory: 'bf16' or 'q8'."""
        return "q8" if self.quantized else "bf16"

    @property
    def sizes(self) -> Sizes:
        """Return what its parts take of a graphics card."""
        modes = (WHOLE,) if self.quantized or self.bundled else MODES
        if self.bundled:
            weights = {WHOLE: self.weights_bytes}
        else:
            weights = {mode: lm_bytes(self.config, Q8 if self.quantized else mode) for mode in modes}
        workspace = QUANTIZED_WORKSPACE_BYTES if self.quantized else WORKSPACE_BYTES
        context = int(self.config["context"])
        packable = len(modes) > 1
        sizes = Sizes(
            weights, self.mimi_bytes, self.config, context, packable_kv=packable, workspace=workspace
        )
        return on_processor(sizes) if self.bundled else sizes

    def plan(self, free_bytes: float, loadout: Loadout | None = None) -> MemoryPlan:
        """Return how a talk with this model goes into what other programs leave of a graphics card.

        A wish of `loadout` that the model can not fulfil is left out here; the loader refuses it.
        """
        wishes, sizes = loadout or Loadout(), self.sizes
        sizes = replace(sizes, context=min(sizes.context, wishes.context or sizes.context))
        if not sizes.packable_kv:
            return plan(sizes, free_bytes)
        if wishes.engine == "moshi":
            return plan(sizes, free_bytes, WHOLE, KVS[0])
        return plan(sizes, free_bytes, wishes.mode, wishes.kv)

    def memory_gb(self, context: int = MOSHI_7B_CONTEXT, fit: Fit = FITS[0]) -> float:
        """Return the graphics memory that a talk with this model takes, in GB (1e9 bytes)."""
        sizes = self.sizes
        return sizes.needed_bytes(fit, min(context, sizes.context)) / 1e9


STARTER = KnownModel(
    name="starter",
    repo="",
    language="en ja",
    voice="female",
    licence="MIT",
    research_only=False,
    summary=QT_TRANSLATE_NOOP(
        "Told", "Comes with Aizuchi: a small demonstration that knows turn taking and a few dozen phrases."
    ),
    weights_bytes=23_373_224,
    mimi_bytes=11_476_916,
    bundled=True,
)
"""What is there at once: whoever has chosen nothing talks with it."""

HUB: tuple[KnownModel, ...] = (
    KnownModel(
        name="moshiko",
        repo="kyutai/moshiko-pytorch-bf16",
        language="en",
        voice="male",
        licence="CC-BY-4.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP("Told", "Kyutai's English model with a male voice, in full precision."),
    ),
    KnownModel(
        name="moshika",
        repo="kyutai/moshika-pytorch-bf16",
        language="en",
        voice="female",
        licence="CC-BY-4.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP("Told", "Kyutai's English model with a female voice, in full precision."),
    ),
    KnownModel(
        name="moshiko-q8",
        repo="kyutai/moshiko-pytorch-q8",
        language="en",
        voice="male",
        licence="CC-BY-4.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP(
            "Told",
            "Moshiko in 8 bits, for graphics cards with 16 GB; with 12 GB Mimi runs on the processor.",
        ),
        weights_bytes=_Q8_BYTES,
        quantized=True,
        moshi_name="model.q8.safetensors",
        shared_repo="kyutai/moshiko-pytorch-bf16",
    ),
    KnownModel(
        name="moshika-q8",
        repo="kyutai/moshika-pytorch-q8",
        language="en",
        voice="female",
        licence="CC-BY-4.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP(
            "Told",
            "Moshika in 8 bits, for graphics cards with 16 GB; with 12 GB Mimi runs on the processor.",
        ),
        weights_bytes=_Q8_BYTES,
        quantized=True,
        moshi_name="model.q8.safetensors",
        shared_repo="kyutai/moshika-pytorch-bf16",
    ),
    KnownModel(
        name="j-moshi",
        repo="nu-dialogue/j-moshi",
        language="ja",
        voice="various",
        licence="CC-BY-NC-4.0",
        research_only=True,
        summary=QT_TRANSLATE_NOOP(
            "Told", "Nagoya University's Japanese model, finetuned on recorded dialogue."
        ),
    ),
    KnownModel(
        name="j-moshi-ext",
        repo="nu-dialogue/j-moshi-ext",
        language="ja",
        voice="various",
        licence="CC-BY-NC-4.0",
        research_only=True,
        summary=QT_TRANSLATE_NOOP("Told", "J-Moshi finetuned on 602 hours of synthetic dialogue more."),
    ),
    KnownModel(
        name="llm-jp-moshi-v1",
        repo="llm-jp/llm-jp-moshi-v1",
        language="ja",
        voice="various",
        licence="Apache-2.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP(
            "Told", "LLM-jp's Japanese model, rated more natural than J-Moshi by listeners."
        ),
    ),
    KnownModel(
        name="personaplex",
        repo="nvidia/personaplex-7b-v1",
        language="en",
        voice="various",
        licence="NVIDIA Open Model",
        research_only=False,
        summary=QT_TRANSLATE_NOOP(
            "Told", "NVIDIA's English model, told its voice and its role before a talk."
        ),
        weights_bytes=_BOTH_VOICES_BYTES,
        both_voices=True,
        gated=True,
        voices=tuple(
            f"{kind}{number}"
            for kind, count in (("NATF", 4), ("NATM", 4), ("VARF", 5), ("VARM", 5))
            for number in range(count)
        ),
        takes_role=True,
    ),
    KnownModel(
        name="human-1",
        repo="VoiceArena/Human-1",
        language="hi",
        voice="various",
        licence="CC-BY-4.0",
        research_only=False,
        summary=QT_TRANSLATE_NOOP(
            "Told", "Josh Talks' Hindi model, trained on 26,000 hours of recorded dialogue."
        ),
        # In float32.
        weights_bytes=2 * _BOTH_VOICES_BYTES,
        both_voices=True,
    ),
)


KNOWN: tuple[KnownModel, ...] = (STARTER, *HUB)


def find(name: str) -> KnownModel | None:
    """Return the model of this name or hub repository, None if it is not known."""
    return next((known for known in KNOWN if name and name in (known.name, known.repo)), None)
