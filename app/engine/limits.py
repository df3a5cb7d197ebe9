"""What each setting of a model's configuration may be: of which kind, and within which bounds.

The bounds are far around every published model, and near enough that nothing within them takes minutes or
all memory to look at. Knows nothing about files, nor about what moshi makes of a setting.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_SHOWN_LETTERS = 60

_short = reprlib.Repr()
_short.maxstring = _short.maxlong = _short.maxother = _SHOWN_LETTERS

HUB_FILE = re.compile(r"hf://[\w.-]+/[\w.-]+/[^\\]+", re.ASCII)
"""A file of a repository of the hub, by its name."""


class Rule(Protocol):
    """What one setting may be."""

    @property
    def advice(self) -> str:
        """Return a sentence that says it."""

    def allows(self, value: Any) -> bool:
        """Return whether a value, as JSON has it, may be."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; with `optional` also null."""

    least: int
    most: int
    optional: bool = False

    @property
    def advice(self) -> str:
        """Return what it has to be."""
        return f"It has to be a whole number from {self.least} to {self.most}."

    def allows(self, value: Any) -> bool:
        """Return whether a value may be; true and false are no numbers."""
        return (value is None and self.optional) or (type(value) is int and self.least <= value <= self.most)


@dataclass(frozen=True, slots=True)
class Real:
    """A number; with `optional` also null."""

    least: float
    most: float
    optional: bool = False

    @property
    def advice(self) -> str:
        """Return what it has to be."""
        return f"It has to be a number from {self.least:g} to {self.most:g}."

    def allows(self, value: Any) -> bool:
        """Return whether a value may be; true and false are no numbers, nor is NaN."""
        if value is None:
            return self.optional
        return type(value) in (int, float) and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false; or one of them alone, where moshi could not talk with the other."""

    only: bool | None = None

    @property
    def advice(self) -> str:
        """Return what it has to be."""
        return (
            "It has to be true or false." if self.only is None else f"It has to be {str(self.only).lower()}."
        )

    def allows(self, value: Any) -> bool:
        """Return whether a value may be."""
        return isinstance(value, bool) and self.only in (None, value)


@dataclass(frozen=True, slots=True)
class Word:
    """A short text, such as the name of a kind; with `optional` also null."""

    optional: bool = False
    advice: str = "It has to be a word."

    def allows(self, value: Any) -> bool:
        """Return whether a value may be."""
        return (value is None and self.optional) or (
            isinstance(value, str) and re.fullmatch(r"\w{1,64}", value, re.ASCII) is not None
        )


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a file, in the folder or on the hub."""

    advice: str = "It has to name a file of the folder, or of the hub as hf://owner/name/file."

    def allows(self, value: Any) -> bool:
        """Return whether a value may be."""
        if not isinstance(value, str) or not 0 < len(value) <= 1024 or not value.isprintable():
            return False
        return not value.startswith("hf:") or HUB_FILE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Wholes:
    """A list of whole numbers; with `optional` also null."""

    least: int
    most: int
    longest: int
    optional: bool = False

    @property
    def advice(self) -> str:
        """Return what it has to be."""
        return f"It has to be a list of whole numbers from {self.least} to {self.most}."

    def allows(self, value: Any) -> bool:
        """Return whether a value may be."""
        if value is None:
            return self.optional
        one = Whole(self.least, self.most)
        return isinstance(value, list) and 0 < len(value) <= self.longest and all(map(one.allows, value))


@dataclass(frozen=True, slots=True)
class Either:
    """What one of two rules allows."""

    first: Rule
    second: Rule

    @property
    def advice(self) -> str:
        """Return what it has to be in the first place."""
        return self.first.advice

    def allows(self, value: Any) -> bool:
        """Return whether a value may be."""
        return self.first.allows(value) or self.second.allows(value)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of settings, each with a rule of its own; `others` tells whether it may have more."""

    rules: Mapping[str, Rule]
    others: bool = False
    advice: str = "It has to be a table of settings."

    def allows(self, value: Any) -> bool:
        """Return whether a value is a table; what is in it is for `find_odd` to say."""
        return isinstance(value, dict)


def find_odd(settings: Mapping[str, Any], table: Table, prefix: str = "") -> tuple[str, Any, str] | None:
    """Return name, value and advice of the first setting that may not be so, None for none.

    The advice is '' for a setting that the table does not know.
    """
    for name, value in settings.items():
        rule = table.rules.get(name)
        if rule is None:
            if not table.others:
                return f"{prefix}{shorten(name)}", value, ""
        elif not rule.allows(value):
            return f"{prefix}{name}", value, rule.advice
        elif isinstance(rule, Table) and (odd := find_odd(value, rule, f"{name}.")) is not None:
            return odd
    return None


def shorten(text: str, letters: int = _SHOWN_LETTERS) -> str:
    """Return a text as a sentence can show it, whoever wrote it."""
    if len(text) <= letters and text.isprintable():
        return text
    return f"{ascii(text[:letters])[1:-1]}…"


def show(value: Any) -> str:
    """Return a value as a sentence can show it, whatever its size."""
    return _short.repr(value)


_BOTH: dict[str, Rule] = {
    "num_heads": Whole(1, 1_024),
    "num_layers": Whole(1, 256),
    "kv_repeat": Whole(1, 64),
    "gating": Word(),
    "layer_scale": Real(-1e6, 1e6, optional=True),
    "max_period": Real(1, 1e9),
    "positional_scale": Real(-1e3, 1e3),
    "context": Whole(2, 100_000),
}
"""What the temporal and the depth transformer share; a context of 100 000 frames is more than two hours."""

_WIDTH = Whole(1, 65_536)
_CARD = Whole(1, 1_000_000)

LM = Table(
    {
        **_BOTH,
        **{f"depformer_{name}": rule for name, rule in _BOTH.items()},
        "depformer_context": Whole(1, 100_000, optional=True),
        "depformer_num_layers": Whole(1, 64),
        "depformer_causal": Flag(),
        "depformer_dim": _WIDTH,
        "depformer_dim_feedforward": Either(Whole(1, 2**20, optional=True), Wholes(1, 2**20, 128)),
        "depformer_multi_linear": Flag(),
        "depformer_weights_per_step": Flag(),
        "depformer_weights_per_step_schedule": Wholes(0, 127, 128, optional=True),
        "depformer_low_rank_embeddings": Whole(1, 65_536, optional=True),
        "depformer_pos_emb": Word(),
        "depformer_norm": Word(optional=True),
        "dim": _WIDTH,
        "hidden_scale": Real(0.01, 64),
        "card": _CARD,
        "text_card": _CARD,
        "text_card_out": Whole(1, 1_000_000, optional=True),
        "n_q": Whole(2, 128),
        "dep_q": Whole(0, 128),
        # Nothing is said before the longest delay is over.
        "delays": Wholes(0, 100, 129),
        "norm": Word(),
        "norm_emb": Flag(),
        "bias_proj": Flag(),
        "positional_embedding": Word(),
        "causal": Flag(only=True),
        "cross_attention": Flag(only=False),
        "existing_text_padding_id": Whole(0, 1_000_000),
        "existing_text_end_padding_id": Whole(0, 1_000_000),
        "demux_second_text_stream": Flag(only=False),
        "extra_heads_num_heads": Whole(0, 64),
        "extra_heads_dim": _WIDTH,
        "quantize": Flag(),
        "gradient_checkpointing": Flag(),
    }
)
"""The keyword arguments of moshi's LMModel that a file may give."""

GENERATION = Table(
    {
        "temp": Real(0, 100),
        "temp_text": Real(0, 100),
        "top_k": Whole(0, 1_000_000),
        "top_k_text": Whole(0, 1_000_000),
    },
    others=True,
)
"""What a model's makers recommend for LMGen; the rest of it is not used here."""

CONFIG = Table(
    {
        **LM.rules,
        "moshi_name": Name(),
        "mimi_name": Name(),
        "mimi_config_name": Name(),
        "tokenizer_name": Name(),
        "lora_name": Name(),
        "lora": Flag(),
        "lora_rank": Whole(1, 8_192),
        "lora_scaling": Real(-1e4, 1e4),
        "lm_gen_config": GENERATION,
    }
)
"""A config.json, after what it says about the kind of the model was looked at."""

_SEANET = Table(
    {
        "channels": Whole(1, 1),
        "dimension": Whole(1, 16_384),
        "n_filters": Whole(1, 4_096),
        "n_residual_layers": Whole(0, 4),
        "ratios": Wholes(1, 64, 8),
        "activation": Word(),
        "activation_params": Table({}, others=True),
        "final_activation": Word(optional=True),
        "norm": Word(),
        "norm_params": Table({}, others=True),
        "kernel_size": Whole(1, 1_024),
        "last_kernel_size": Whole(1, 1_024),
        "residual_kernel_size": Whole(1, 1_024),
        "dilation_base": Whole(1, 8),
        "causal": Flag(only=True),
        "pad_mode": Word(),
        "true_skip": Flag(),
        "compress": Whole(1, 64),
        "disable_norm_outer_blocks": Whole(0, 16),
        "trim_right_ratio": Real(1, 1),
    }
)

_QUANTIZER = Table(
    {
        "dimension": Whole(1, 16_384),
        "input_dimension": Whole(1, 16_384),
        "output_dimension": Whole(1, 16_384),
        "n_q": Whole(1, 128),
        "n_q_semantic": Whole(1, 127),
        "bins": Whole(1, 1_000_000),
        "q_dropout": Flag(),
        "no_quantization_rate": Real(0, 1),
        "decay": Real(0, 1),
        "threshold_usage_ratio": Real(0, 1),
        "replaced_usage_ratio": Real(0, 1),
    }
)

_MIMI_TRANSFORMER = Table(
    {
        **_BOTH,
        "context": Whole(1, 10_000),
        "d_model": Whole(1, 16_384),
        "dim_feedforward": Whole(1, 2**20),
        "input_dimension": Whole(1, 16_384),
        "output_dimensions": Wholes(1, 16_384, 1),
        "causal": Flag(only=True),
        "conv_layout": Flag(only=True),
        "norm": Word(),
        "positional_embedding": Word(),
    }
)

MIMI = Table(
    {
        "sample_rate": Whole(1, 1_000_000),
        "channels": Whole(1, 1),
        "frame_rate": Real(0.01, 10_000),
        "seanet": _SEANET,
        "quantizer": _QUANTIZER,
        "transformer": _MIMI_TRANSFORMER,
    }
)
"""A mimi.json."""


def unfit(config: Mapping[str, Any]) -> str:
    """Return what in the settings of a language model can not be together, '' for nothing.

    As the end of a sentence. All of them are within the bounds of LM.
    """
    widths = {"": config["dim"], "depformer_": config.get("depformer_dim", 256)}
    for prefix, width in widths.items():
        heads = config[f"{prefix}num_heads"]
        if width % heads or heads % config.get(f"{prefix}kv_repeat", config.get("kv_repeat", 1)):
            return f"a width of {width} can not be shared out to {heads} heads"
        places = config.get("depformer_pos_emb" if prefix else "positional_embedding", "sin")
        if "rope" in places and (width // heads) % 2:
            return f"rotary embeddings need an even width of each head, and {width // heads} is odd"
    largest = config["text_card"]
    for name in ("existing_text_padding_id", "existing_text_end_padding_id"):
        if config.get(name, 0) > largest:
            return f"{name} is {config[name]}, and there are {largest} text tokens"
    if config["dep_q"] and config.get("depformer_weights_per_step_schedule") is not None:
        schedule = config["depformer_weights_per_step_schedule"]
        if len(schedule) != config["dep_q"] or max(schedule) >= config["dep_q"]:
            return "depformer_weights_per_step_schedule does not fit dep_q"
    return ""


def unfit_mimi(config: Mapping[str, Any], codebooks: int) -> str:
    """Return what in the settings of a Mimi can not be together, '' for nothing; as `unfit` does."""
    seanet, quantizer, transformer = (config[name] for name in ("seanet", "quantizer", "transformer"))
    if quantizer.get("n_q", 8) < codebooks:
        return f"it has {quantizer.get('n_q', 8)} codebooks, and {codebooks} are needed"
    if quantizer.get("n_q_semantic", 1) >= quantizer.get("n_q", 8):
        return "all of its codebooks are semantic"
    width, heads = transformer["d_model"], transformer["num_heads"]
    if width % heads or ("rope" in transformer.get("positional_embedding", "sin") and (width // heads) % 2):
        return f"a width of {width} can not be shared out to {heads} heads"
    wanted = seanet.get("dimension", 128)
    given = {
        "quantizer.input_dimension": quantizer.get("input_dimension", quantizer.get("dimension", 128)),
        "quantizer.output_dimension": quantizer.get("output_dimension", quantizer.get("dimension", 128)),
        "transformer.input_dimension": transformer["input_dimension"],
        "transformer.output_dimensions": transformer["output_dimensions"][0],
    }
    for name, width in given.items():
        if width != wanted:
            return f"{name} is {width}, and seanet.dimension {wanted}"
    stride = config["sample_rate"] / math.prod(seanet.get("ratios", (8, 5, 4, 2))) / config["frame_rate"]
    if stride < 1 or stride != int(stride):
        return "its ratios do not go with its sample_rate and frame_rate"
    return ""
