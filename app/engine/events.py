"""What a session tells (events) and what it may be told (commands), as plain values.

Knows neither the model nor the window: both sides import this, and nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Union

from app.frames import LATE


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next tokens are drawn; honoured from the next frame on.

    The defaults are those of moshi's LMGen. A temperature of 0 or `greedy` takes the likeliest
    token; a top-k of 0 draws from all. The repetition penalty divides the positive and multiplies
    the negative logits of the text tokens spoken in the last `repetition_frames` frames (the
    penalty of CTRL, arXiv 1909.05858, section 4.1); 1 switches it off.
    """

    text_temperature: float = 0.7
    text_top_k: int = 25
    audio_temperature: float = 0.8
    audio_top_k: int = 250
    repetition_penalty: float = 1.0
    repetition_frames: int = 64
    greedy: bool = False


AUTO = "auto"

PROCESSOR = "CPU"
"""What the device of a model is called that runs on no graphics card."""

MODES = ("bf16", "int8", "int4")
"""How weights are kept, from the most memory to the least."""

KVS = ("bf16", "int8")
"""How keys and values are kept: as activations are, or in 8 bits."""

ENGINES = ("fast", "moshi")
"""What steps the language model: our own step, or moshi's LMGen."""


@dataclass(frozen=True, slots=True)
class Loadout:
    """How a model is loaded."""

    context: int | None = None
    """How many frames it remembers; None is the model's own figure."""
    mode: str = AUTO
    """One of MODES; AUTO takes the first that fits the graphics card."""
    engine: str = AUTO
    """One of ENGINES; AUTO takes the faster of those that were found right, see app.engine.choice."""
    kv: str = AUTO
    """One of KVS; AUTO takes 8 bits where more does not fit the graphics card."""
    device: str = AUTO
    """'cpu', 'cuda' or 'cuda:1'; AUTO takes the graphics card with the most free memory, and the processor
    for the model that comes with the program."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Who the model is to be: what it hears and reads before the talk, where it takes a prompt."""

    voice: str = ""
    """One of the model's own voices by name, or the path of a sound file; '' is no voice prompt."""
    role: str = ""
    """What the model is told about its part, as it is written; '' is no role."""
    consented: bool = False
    """Whether the speaker of a sound file agreed to be spoken for; without that it is refused."""


# Commands: window -> engine. They take effect between two frames; a Prompt does so at the next Restart.


@dataclass(frozen=True, slots=True)
class Restart:
    """Forget the conversation and begin anew, with this seed."""

    seed: int


@dataclass(frozen=True, slots=True)
class Mute:
    """Let the model hear silence instead of the microphone, or end that."""

    muted: bool


Command = Union[Sampling, Prompt, Restart, Mute]


# Events: engine -> window and recording.


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is being loaded; `total_bytes` is 0 while it is not known."""

    stage: str
    done_bytes: int = 0
    total_bytes: int = 0


class PromptSupport(NamedTuple):
    """Which prompts a model takes before a talk; as it stands, none."""

    voices: tuple[str, ...] = ()
    """The names of its own voices."""
    own_voice: bool = False
    """Whether it takes a sound file of a voice."""
    role: bool = False
    """Whether it takes a role."""


NO_PROMPTS = PromptSupport()
"""That of most models."""


@dataclass(frozen=True, slots=True)
class Prompting:
    """The model hears and reads its prompt, before the talk or at a restart; counted in frames."""

    done_frames: int
    total_frames: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A model is in memory. `memory_bytes` is what it takes on `device`."""

    model: str
    device: str
    mode: str
    memory_bytes: int
    load_s: float
    prompts: PromptSupport = NO_PROMPTS
    """Which prompts it takes."""
    checked: str = ""
    """What is known about our engine on this card, a line for people; '' where nothing is."""
    lighter: str = ""
    """The next of MODES, in which the same model takes less time and memory here; '' where none does."""


@dataclass(frozen=True, slots=True)
class Unloaded:
    """No model is in memory any more."""


@dataclass(frozen=True, slots=True)
class Started:
    """A talk began; `microphone` and `speaker` are names for people, `folder` is where it is recorded."""

    model: str
    seed: int
    sampling: Sampling
    microphone: str
    speaker: str
    folder: Path | None


@dataclass(frozen=True, slots=True)
class Stepped:
    """One frame went through the model. Levels are RMS in dB of full scale; lag is mouth to ear."""

    frame: int
    heard_db: float
    said_db: float
    step_ms: float
    lag_ms: float | None


@dataclass(frozen=True, slots=True)
class Spoke:
    """A text token at its frame, and what became readable with it ('' inside a multi-byte character)."""

    frame: int
    token: int
    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """From `frame` on so many frames of time passed that neither side has; `frame + frames` comes next.

    `reason` is one of LATE, DEVICE, MICROPHONE, STALLED, SUSPENDED and RESTARTED of app.frames.
    """

    frame: int
    frames: int
    reason: str = LATE


@dataclass(frozen=True, slots=True)
class Starved:
    """The speaker played silence for this many frames before `frame`, since no speech was there in time."""

    frame: int
    frames: int


@dataclass(frozen=True, slots=True)
class Changed:
    """From `frame` on, tokens are drawn this way."""

    frame: int
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Restarted:
    """At `frame` the model forgot the conversation and began anew."""

    frame: int
    seed: int


@dataclass(frozen=True, slots=True)
class Prompted:
    """At `frame` the model was given a prompt, which it goes through when it begins anew."""

    frame: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Muted:
    """From `frame` on the model hears silence (or, with False, the microphone again)."""

    frame: int
    muted: bool


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """From now on the talk is recorded into `folder`."""

    folder: Path


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The recording ended before the talk did; `folder` holds what was written, whole.

    The sentence is empty when the user wished it so.
    """

    folder: Path
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong and the talk goes on. One sentence for the user, one advice."""

    sentence: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong and loading or the talk is over. One sentence for the user, one advice."""

    sentence: str
    advice: str = ""
    details: str = field(default="", compare=False)
    restart: bool = False
    """Whether the graphics card can be used again only by a program that was restarted."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The talk is over; `folder` holds its recording, if there is one."""

    frames: int
    folder: Path | None


Event = Union[
    Loading, Prompting, Ready, Unloaded, Started, Stepped, Spoke, Skipped, Starved, Changed, Prompted,
    Restarted, Muted, RecordingStarted, RecordingEnded, Trouble, Failed, Stopped,
]  # fmt: skip
