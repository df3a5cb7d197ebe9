"""A Moshi that listens and speaks: Mimi -> language model -> Mimi, one frame of 80 ms at a time.

Knows nothing about sound cards, files of recordings or the window. Everything here runs on one thread,
the engine's: moshi's streaming state belongs to whoever calls `step`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from moshi.utils.compile import CUDAGraphed, no_compile

from app.engine import build, checkpoint
from app.engine.choice import FAST, MOSHIS, choose_engine, find_lighter, situation
from app.engine.device import (
    CPU,
    Device,
    check_memory,
    choose_device,
    choose_fit,
    compile_trouble,
    share_cores,
    sizes_of,
    taken_bytes,
)
from app.engine.device_record import Record, describe
from app.engine.device_record import write as write_record
from app.engine.events import (
    AUTO,
    KVS,
    NO_PROMPTS,
    Event,
    Loading,
    Loadout,
    Prompt,
    Prompting,
    PromptSupport,
    Ready,
    Sampling,
    Trouble,
)
from app.engine.fake import Echo
from app.engine.in_place import keep_in_place
from app.engine.persona import Persona, PromptReader
from app.engine.ports import Model, Progress, Said
from app.engine.prompt_phase import SILENCE, Script, Voice, follow_script, write_script
from app.engine.stepper import Stepper, make_stepper
from app.engine.text import Detokenizer
from app.errors import UserError
from app.frames import Samples, silence
from app.memory_plan import WHOLE, Fit

WARM_UP_FRAMES = 3
"""CUDA graphs are captured in the second call of each; Mimi's decoder is first called when the delays are
filled, and one frame is to spare."""

TIMED_FRAMES = 50
"""Frames by which a model is timed that runs on a card for the first time."""

MIN_CONTEXT = 2


def load_model(
    spec: str,
    emit: Callable[[Event], None],
    *,
    base: str | None = None,
    models: Path | None = None,
    loadout: Loadout | None = None,
    sampling: Sampling | None = None,
    prompt: Prompt | None = None,
    seed: int | None = 0,
    cache: Path | None = None,
) -> Model:
    """Load a model, warm it up, and tell its way: Loading…, Trouble where something is amiss, Ready.

    `spec` is 'echo', 'tiny', a name of the catalogue, a folder or a hub repository 'owner/name'; `base` is
    what an adapter was trained on; `models` is where the tiny model is kept. Without `sampling`, that of the
    model's makers is used. The first frame begins a talk drawn with this `seed`, after the `prompt` if there
    is one; a seed of None leaves that to a restart, so that no prompt is gone through for nothing. Below
    `cache` is kept what a test of the card found: without it none is done, and our engine is used where
    nothing else will do. Raises UserError.
    """
    loadout, prompt = loadout or Loadout(), prompt or Prompt()
    began = time.perf_counter()
    if spec == "echo":
        emit(Ready("echo", "CPU", "identity", 0, 0.0))
        echo = Echo()
        echo.set_prompt(prompt)
        return echo
    emit(Loading("Looking for the files"))
    found = checkpoint.find(
        spec, base=base, models=models, progress=lambda stage, done, total: emit(Loading(stage, done, total))
    )
    found = _shorten(found, loadout.context)
    if found.note:
        emit(Trouble(found.note, "Name the right model with --base."))
    try:
        tests = _Tests(cache, spec, base, models, emit)
        chosen = sampling or recommended(found.generation)
        model = _load(found, emit, loadout, chosen, tests=tests, prompt=prompt)
        model.set_prompt(prompt)
        if seed is not None:
            model.restart(seed, lambda done, total: emit(Prompting(done, total)))
    except torch.OutOfMemoryError as fault:
        advice = "Close other programs that use the graphics card, or choose a smaller model."
        raise UserError(f"The graphics memory ran out while {found.name} was loaded.", advice) from fault
    load_s = time.perf_counter() - began
    told = (model.device.label, model.mode, model.memory_bytes, load_s, model.prompt_support)
    emit(Ready(model.name, *told, checked=model.checked, lighter=model.lighter))
    return model


def recommended(generation: dict[str, Any]) -> Sampling:
    """Return the sampling that a checkpoint's lm_gen_config recommends, moshi's own where it is silent."""
    names = {
        "temp": "audio_temperature",
        "temp_text": "text_temperature",
        "top_k": "audio_top_k",
        "top_k_text": "text_top_k",
    }
    known = {names[name]: value for name, value in generation.items() if name in names}
    return replace(Sampling(), **known)


def _shorten(found: checkpoint.Checkpoint, context: int | None) -> checkpoint.Checkpoint:
    if context is None or context >= found.context:
        return found
    if context < MIN_CONTEXT:
        raise UserError(f"A context of {context} frames is too short to talk.", "Choose 375 (30 s) or more.")
    return replace(found, config={**found.config, "context": context})


class _Tests(NamedTuple):
    """Where what is known about a card comes from; for one load."""

    cache: Path | None
    spec: str
    base: str | None
    models: Path | None
    emit: Callable[[Event], None]

    def find(
        self, outline: build.Outline, device: Device, fit: Fit, loadout: Loadout, *, compiled: bool
    ) -> Record | None:
        """Return what a test of the card found, done now if it never was; None where none is called for."""
        if self.cache is None or not device.on_card or loadout.engine == MOSHIS:
            return None
        from app.engine.device_test import Request, check_once

        models = None if self.models is None else str(self.models)
        return check_once(
            outline,
            device,
            fit,
            compiled=compiled,
            request=Request(self.spec, self.base, models, loadout.context),
            cache=self.cache,
            emit=self.emit,
        )

    def complete(self, record: Record | None, model: Moshi) -> str:
        """Time the model itself, if that was never done, and return what is known as a line."""
        if record is not None and record.lasting and record.wrong is None and record.frame_ms is None:
            record = replace(record, frame_ms=model.time_frames())
            assert self.cache is not None, "there is a record"
            write_record(self.cache, record)
        return describe(record)


def _load(
    found: checkpoint.Checkpoint,
    emit: Callable[[Event], None],
    loadout: Loadout,
    sampling: Sampling,
    *,
    tests: _Tests,
    prompt: Prompt,
) -> Moshi:
    """Prove, read and warm up; what is told on the way is in the order of what is done."""
    emit(Loading("Checking the files"))
    outline = build.prove(found)
    # What can not be read of it is told before the weights are read.
    PromptReader(outline, outline.lm).read(prompt)
    # The small model keeps up on any processor; on a card it would wait for torch.compile first.
    device = choose_device(CPU if found.bundled and loadout.device == AUTO else loadout.device)
    if device.on_card:
        torch.cuda.set_device(device.device)
    fit = choose_fit(outline, device, loadout)
    needed_bytes = check_memory(outline, device, fit)
    share_cores(outline, device)
    packed = outline.packed if fit.mode == WHOLE else fit.mode
    trouble = compile_trouble(device)
    if trouble is not None:
        _refuse_uncompiled(found.name, packed, fit.kv, trouble)
        emit(Trouble(*trouble))
    compiled = device.on_card and trouble is None
    record = tests.find(outline, device, fit, loadout, compiled=compiled)
    here = situation(outline, device, fit, record)
    choice = choose_engine(loadout.engine, here)
    lighter = find_lighter(loadout.engine, here, fit, sizes_of(outline, device), compiled=compiled)
    if choice.trouble is not None:
        emit(Trouble(*choice.trouble))
    emit(Loading("Reading Mimi"))
    mimi = build.load_mimi(found, torch.device("cpu") if fit.mimi_apart else device.device)
    told = _throttled("Reading the language model", emit)
    lm = build.load_lm(outline, device.device, device.dtype, told, fit.mode)
    emit(Loading("Warming up"))
    stepper = make_stepper(
        lm, choice.engine, packed=packed != WHOLE, kv=fit.kv, compiled=compiled, graph=choice.graph
    )
    kept = _mode(found, packed, device, compiled)
    whole_mimi = stepper.engine == FAST and choice.whole_mimi
    model = Moshi(outline, mimi, stepper, device, mode=kept, compiled=compiled, whole_mimi=whole_mimi)
    model.set_sampling(sampling)
    model.warm_up()
    model.checked = tests.complete(record, model)
    model.lighter = lighter
    model.memory_bytes = taken_bytes(device, needed_bytes)
    gc.collect()
    # What lives now lives long: later collections need not look at it, which would take milliseconds.
    gc.freeze()
    return model


def _refuse_uncompiled(name: str, packed: str, kv: str, trouble: tuple[str, str]) -> None:
    """Refuse what only compiled kernels read packed: plain torch would unpack all of it for each frame."""
    if packed != WHOLE or kv != KVS[0]:
        sentence = f"{name} needs code compiled for the graphics card to run in {packed} with keys in {kv}."
        raise UserError(sentence, trouble[1])


def _throttled(stage: str, emit: Callable[[Event], None]) -> build.Told:
    """Return a callback that tells progress at each whole percent."""
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        if (percent := 100 * done // max(1, total)) != told:
            told = percent
            emit(Loading(stage, done, total))

    return tell


class Moshi:
    """A Model over moshi's MimiModel, which stays in streaming mode until `close`, and a Stepper."""

    def __init__(
        self,
        outline: build.Outline,
        mimi: MimiModel,
        stepper: Stepper,
        device: Device,
        *,
        mode: str,
        compiled: bool,
        whole_mimi: bool = True,
    ) -> None:
        """`whole_mimi` tells that each half of Mimi may be one CUDA graph."""
        self.name = outline.checkpoint.name
        self.device = device
        self.memory_bytes = 0
        self.mode = mode
        self.checked = ""
        """What is known about our engine on this card, a line for people."""
        self.lighter = ""
        """The mode in which it would be lighter, '' for none."""
        self._identity = outline.checkpoint.details
        self._mimi = mimi
        self._stepper = stepper
        self._persona: Persona | None = None
        self._prompts = PromptReader(outline, stepper.lm)
        self._padding = (stepper.lm.text_padding_token_id, stepper.lm.end_of_text_padding_id)
        self._text = Detokenizer(outline.tokenizer)
        self._is_first = True
        self._compilation: Callable[[], AbstractContextManager[None]] = (
            nullcontext if compiled else no_compile
        )
        self._ears = next(mimi.parameters()).device
        # moshi captures parts of Mimi; with our own step the whole of each half becomes one graph.
        loose = not (self._ears.type == "cuda" and whole_mimi)
        self._encode, self._decode = (CUDAGraphed(half, disable=loose) for half in (mimi.encode, mimi.decode))
        self._life = ExitStack()
        self._life.callback(stepper.close)
        with torch.no_grad():
            self._life.enter_context(mimi.streaming(1))
        keep_in_place(mimi)

    @property
    def details(self) -> dict[str, object]:
        """Return what a recording keeps about this model, as JSON values."""
        kept = {"device": self.device.label, "mode": self.mode, "engine": self._stepper.engine}
        persona = {} if self._persona is None else {"persona": self._persona.details}
        return {**self._identity, **kept, **({"checked": self.checked} if self.checked else {}), **persona}

    def step(self, heard: Samples) -> Said:
        """Hear one frame, [1920] float32, and say one; silence while the acoustic delay fills."""
        with torch.no_grad(), self._compilation():
            answer = self._answer(torch.tensor(heard, device=self._ears)[None, None])
        if answer is None:
            return Said(silence())
        samples = np.clip(answer[:-1], -1.0, 1.0)
        token = int(answer[-1])
        if token in self._padding:
            return Said(samples)
        return Said(samples, token, self._text.push(token))

    def _answer(self, heard: torch.Tensor) -> npt.NDArray[np.float32] | None:
        """Return 1920 samples and the text token, [1921], for a frame [1, 1, 1920] on the device."""
        with self._by_mimi():
            codes = self._encode(heard)
        if self._is_first:
            # As moshi.server does: the first frame only says that there was a past, and its encoding is
            # made of padding, which the reset lets the next frame have again.
            self._mimi.reset_streaming()
            self._is_first = False
        tokens = self._stepper.step(codes.to(self.device.device))
        if tokens is None:
            return None
        tokens = tokens.to(self._ears)
        with self._by_mimi():
            said = self._decode(tokens[:, 1:])[0, 0]
        # Sound and token travel together, so that the device is waited for once; float32 is exact for ids.
        answer: npt.NDArray[np.float32] = torch.cat((said, tokens[0, 0].to(said.dtype))).cpu().numpy()
        return answer

    def _by_mimi(self) -> AbstractContextManager[None]:
        """Keep moshi from compiling Mimi for a processor, which takes minutes."""
        return no_compile() if self._ears.type == "cpu" else nullcontext()

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""
        self._stepper.set_sampling(sampling)

    @property
    def prompt_support(self) -> PromptSupport:
        """Return which prompts it takes."""
        return self._prompts.support

    def set_prompt(self, prompt: Prompt) -> None:
        """Hear and read this at each restart. Raises UserError for what the model does not take."""
        self._persona = self._prompts.read(prompt)

    def restart(self, seed: int, progress: Progress | None = None) -> None:
        """Forget the conversation and go through the prompt, if there is one.

        The next frame is the first of a new conversation, drawn with this seed.
        """
        self._mimi.reset_streaming()
        self._stepper.reset()
        self._text.reset()
        torch.manual_seed(seed)
        self._is_first = self._persona is None
        if self._persona is not None:
            with torch.no_grad(), self._compilation():
                self._become(self._persona, seed, progress or (lambda *_: None))

    def _become(self, persona: Persona, seed: int, progress: Progress) -> None:
        """Go through a prompt; Mimi alone forgets it."""
        if persona.voice is None:
            persona.voice = Voice(self._listen(persona.sound))
        script = write_script(persona.voice, persona.role, self._padding[0])
        follow_script(self._stepper, script, seed, progress)
        self._mimi.reset_streaming()
        with self._by_mimi():
            # What goes before the first sound is the silence that the prompt ended with.
            self._decode(torch.tensor(SILENCE, device=self._ears)[None, :, None])

    def _listen(self, sound: list[Samples]) -> torch.Tensor:
        """Return the codes [N, 8] of frames, of Mimi that has heard nothing before them."""
        with self._by_mimi():
            frames = (torch.tensor(each, device=self._ears)[None, None] for each in sound)
            # A graph gives its result in the same place each time.
            codes = [self._encode(frame)[0, :, 0].clone() for frame in frames]
        return torch.stack(codes)

    def warm_up(self) -> None:
        """Step through silence, so that kernels are compiled and graphs captured; restart afterwards."""
        for _ in range(WARM_UP_FRAMES + max(self._stepper.lm.delays)):
            self.step(silence())
        if self._prompts.support != NO_PROMPTS:
            with torch.no_grad(), self._compilation():
                self._rehearse()

    def _rehearse(self) -> None:
        """Go through a few frames as a prompt has them, so that the first one waits for no compilation."""
        frames, dim = 2 * WARM_UP_FRAMES, self._stepper.lm.dim
        codes = torch.tensor([SILENCE]).expand(frames, -1)
        # The first half is given as inputs, as in a published voice, the rest as codes.
        script = Script([self._padding[0]] * frames, codes, torch.zeros(WARM_UP_FRAMES, dim))
        follow_script(self._stepper, script, 0, lambda *_: None)

    def time_frames(self, frames: int = TIMED_FRAMES) -> float:
        """Return what a frame takes in ms, the median of some of silence; restart afterwards."""
        taken_ms = []
        for _ in range(frames):
            began = time.perf_counter()
            self.step(silence())
            taken_ms.append(1000 * (time.perf_counter() - began))
        return round(median(taken_ms), 2)

    def close(self) -> None:
        """Give back the memory. The model can not be used afterwards."""
        self._life.close()
        del self._mimi, self._stepper, self._encode, self._decode
        # What was frozen after loading would never be collected.
        gc.unfreeze()
        gc.collect()
        if self.device.on_card:
            torch.cuda.empty_cache()


def _mode(found: checkpoint.Checkpoint, packed: str, device: Device, compiled: bool) -> str:
    """Return how a model is kept and run, in a word or two."""
    names = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "float32"}
    whole = "q8" if found.quantized else names[device.dtype]
    precision = whole if packed == WHOLE else packed
    return precision if compiled or not device.on_card else f"{precision}, not compiled"
