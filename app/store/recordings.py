"""Past talks: what stands in a session folder, read as words, levels, turns and text.

Reads what `app.audio.recorder` writes, and reads it damaged too: each folder on its own, with what is left of
it, so that no file in one can hide another. Nothing that stands in a file is believed beyond its type and its
limits. Knows nothing about windows, and changes nothing but its own cache of levels.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import wave
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from app import catalog
from app.audio.recorder import EVENTS, FLAC, MAX_LENGTH_S, SESSION, WAV
from app.errors import UserError
from app.files import (
    make_folder,
    may_hold,
    open_regular,
    read_bytes,
    read_json,
    read_json_lines,
    replace_file,
    replacing,
)
from app.frames import (
    DEVICE,
    FRAME_RATE,
    FRAME_SAMPLES,
    LATE,
    MICROPHONE,
    RESTARTED,
    SAMPLE_RATE,
    SILENCE_DB,
    STALLED,
    SUSPENDED,
    level_db,
    seconds,
)
from app.store import locks
from app.store.turn_taking import Span, Turns, find_turns, user_turns

log = logging.getLogger(__name__)

LEVELS, TRANSCRIPT = "levels.npy", "transcript.txt"

LONGEST_S = 2 * MAX_LENGTH_S
"""No recording of ours is half as long: what says that it is longer is damaged."""

LONGEST_FRAMES = int(LONGEST_S * FRAME_RATE)

EVENTS_BYTES = 96 * 2**20
"""More than an event in each frame of the longest talk."""

MODEL_LETTERS = 200
"""No name of a model is longer."""

PROMPT_LETTERS = 2_000
"""No role is longer, and no name of a voice."""

LOUDEST_DB = 24.0
"""Beyond full scale, as it may be in a file of floats; what is louder is damaged."""

FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Dates outside of these are damaged; far outside Python can not even compute with them."""

UNREADABLE = (OSError, ValueError, EOFError, OverflowError, MemoryError, soundfile.SoundFileError)
"""What sound that is damaged raises, or a file that is none."""

LINE_PAUSE_S = 1.0
"""A pause of the words longer than this begins a new line of the transcript."""

LINE_CHARACTERS = 80
"""A line as long as this ends with its sentence."""

GAP_REASONS = {
    LATE: "the model was late",
    DEVICE: "the sound device was opened again",
    MICROPHONE: "none from the microphone",
    RESTARTED: "the model began anew",
    STALLED: "the sound server stalled",
    SUSPENDED: "the computer was asleep",
}
"""Why time is missing in a transcript, by the reason of a gap."""

SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")

_BLOCK_FRAMES = 512

ChannelLevels = npt.NDArray[np.float32]
"""[2, T] RMS levels in dB of full scale: row 0 the model (left), row 1 the user (right)."""


class Word(NamedTuple):
    """A piece of the model's text at the frame in which it was said."""

    frame: int
    text: str


class Skip(NamedTuple):
    """This many frames were lost just before `frame`, which is next to what was before.

    Of the user in older recordings, where newer ones have a Gap; of the model where the speaker was starved.
    """

    frame: int
    frames: int


class Gap(NamedTuple):
    """From `frame` on so many frames are no part of the talk but silence for time that was lost, and why."""

    frame: int
    frames: int
    reason: str

    @property
    def span(self) -> Span:
        """Return its frames."""
        return Span(self.frame, self.frame + self.frames - 1)


class Line(NamedTuple):
    """One line of a transcript: what the model said, or (where text is empty) a turn of the user.

    With a reason it is a gap, in which neither was recorded.
    """

    frame: int
    frames: int
    text: str
    gap: str = ""


@dataclass(frozen=True)
class Recording:
    """One session folder. `language` is '' where it is not known; `whole` is False after a crash.

    `damaged` says that something in it can not be read, or can not be true; its `seconds` are 0 where that is
    the sound.
    """

    folder: Path
    started: datetime
    model: str
    language: str
    seconds: float
    whole: bool
    damaged: bool = False

    @property
    def audio(self) -> Path:
        """Return the stereo file: the flac, or the wav of a talk that was not closed."""
        return _audio(self.folder)

    @property
    def live(self) -> bool:
        """Return whether it is being written at this moment, by whatever process."""
        return locks.holder(self.folder) is not None

    def session(self) -> dict[str, Any]:
        """Return the values of session.json, as far as they can be read."""
        return _read_session(self.folder)

    @property
    def prompt(self) -> dict[str, str]:
        """Return what the model was told before the talk, `voice` and `role`, as far as it was anything."""
        persona = _inner(_inner(self.session(), "details"), "model").get("persona")
        if not isinstance(persona, dict):
            return {}
        # Of a sound file its name is kept, and its hash.
        voice = _inner(persona, "voice").get("file", persona.get("voice"))
        return {
            name: "\n".join(map(_printable, text.split("\n")))[:PROMPT_LETTERS]
            for name, text in (("voice", voice), ("role", persona.get("role")))
            if isinstance(text, str) and text
        }

    def events(self) -> list[dict[str, Any]]:
        """Return the events that have a kind and a frame, in order."""
        return list(_read_events(self.folder))

    def words(self) -> list[Word]:
        """Return the readable pieces of what the model said."""
        spoke = (event for event in self.events() if event["kind"] == "spoke")
        return [Word(event["frame"], event["text"]) for event in spoke if _is_text(event.get("text"))]

    def skips(self) -> list[Skip]:
        """Return where audio of the user was lost to keep the lag small."""
        skipped = (event for event in self.events() if event["kind"] == "skipped")
        counts = ((event["frame"], event.get("frames", 1)) for event in skipped)
        return [Skip(frame, frames) for frame, frames in counts if _is_frame(frames)]

    def starved(self) -> list[Skip]:
        """Return where the speaker played so many frames of silence just before a frame."""
        starved = (event for event in self.events() if event["kind"] == "starved")
        counts = ((event["frame"], event.get("frames", 1)) for event in starved)
        return [Skip(frame, frames) for frame, frames in counts if _is_frame(frames)]

    def gaps(self) -> list[Gap]:
        """Return where neither side has sound, in order, within the sound; what meets is one."""
        length = round(self.seconds * FRAME_RATE)
        gaps: list[Gap] = []
        for event in (event for event in self.events() if event["kind"] == "gap"):
            gap = _gap(event, length)
            if gap is not None and gaps and gaps[-1].reason == gap.reason and _meet(gaps[-1], gap):
                gaps[-1] = gap._replace(frame=gaps[-1].frame, frames=gaps[-1].frames + gap.frames)
            elif gap is not None:
                gaps.append(gap)
        return gaps

    def levels(self) -> ChannelLevels:
        """Return the level of each frame on both channels; no frames where the audio can not be read.

        They are kept in the folder for the next time, where that can be written.
        """
        with suppress(*UNREADABLE):
            return _cached_levels(self.audio)
        return np.zeros((2, 0), dtype=np.float32)

    def turns(self) -> Turns:
        """Return who spoke when."""
        said_db, heard_db = self.levels()
        return find_turns(heard_db, said_db, [gap.span for gap in self.gaps()])

    def lines(self) -> list[Line]:
        """Return the lines of the transcript by time: the model's words, the user's turns, and long gaps."""
        user = [Line(turn.first, turn.frames, "") for turn in user_turns(self.turns())]
        long = (gap for gap in self.gaps() if gap.frames >= LINE_PAUSE_S * FRAME_RATE)
        gaps = [Line(gap.frame, gap.frames, "", gap.reason) for gap in long]
        return sorted(_model_lines(self.words()) + user + gaps)

    def transcript(self) -> str:
        """Return the talk as text, a line each for what the model said and for each turn of the user."""
        return "".join(f"[{_clock(line.frame)}] {_wording(line)}\n" for line in self.lines())

    def write_transcript(self) -> Path:
        """Write the transcript into the folder and return its path. Raises UserError if the disk refuses."""
        path = self.folder / TRANSCRIPT
        try:
            replace_file(path, self.transcript())
        except OSError as fault:
            reason = fault.strerror or str(fault)
            kept = "Free some space. The recording itself is kept."
            raise UserError(f"{path} can not be written: {reason}.", kept) from fault
        return path

    def export(self, to: Path) -> tuple[Path, Path]:
        """Write `<name>.wav` (stereo, 16 bit) and `<name>.txt` into the folder `to` and return both.

        Raises UserError when the recording can not be read or the folder not be written.
        """
        wav, text = to / f"{self.folder.name}.wav", to / f"{self.folder.name}.txt"
        try:
            make_folder(to)
            _copy_as_wav(self.audio, wav)
            replace_file(text, self.transcript())
        except UNREADABLE as fault:
            reason = getattr(fault, "strerror", None) or str(fault)
            raise UserError(
                f"The recording {self.folder.name} could not be exported to {to}: {reason}",
                "Choose a folder that can be written and has room.",
            ) from fault
        return wav, text


def list_recordings(root: Path) -> list[Recording]:
    """Return the recordings below `root`, newest first; folders that hold nothing of one are left out.

    One that is damaged in whatever way is there with what is left of it, so that it can be seen and deleted.
    """
    found = [_read_anyhow(folder) for folder in _folders(root) if _may_hold_one(folder)]
    return sorted(found, key=lambda recording: (recording.started, recording.folder.name), reverse=True)


def open_recording(folder: Path) -> Recording:
    """Return the recording in a folder. Raises UserError when there is none."""
    if not _may_hold_one(folder):
        raise UserError(f"There is no recording in {folder}.", f"A recording holds {FLAC} or {WAV}.")
    return _read_anyhow(folder)


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders directly in another one; one with a dot is only being made."""
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            with suppress(OSError):
                if not entry.name.startswith(".") and entry.is_dir():
                    yield Path(entry.path)


def _may_hold_one(folder: Path) -> bool:
    # Whose sound is gone is damaged, and no less to be seen and deleted.
    return any(may_hold(folder, name) for name in (FLAC, WAV, SESSION, EVENTS))


def _read_anyhow(folder: Path) -> Recording:
    """Read a folder, whatever it holds: the faults of one must not hide the others."""
    try:
        return _read(folder)
    except Exception as fault:
        log.warning("the recording %s can not be read: %r", folder, fault)
        return Recording(folder, _dated(folder), _name_in(folder), "", 0.0, whole=False, damaged=True)


def _read(folder: Path) -> Recording:
    session, length_s = _read_session(folder), _length_s(_audio(folder))
    damaged = length_s is None or not (_is_typed(session) and _is_readable(folder / EVENTS))
    return Recording(
        folder=folder,
        started=_moment(session.get("started")) or _dated(folder),
        model=_model(session) or _name_in(folder),
        language=_language(session),
        seconds=length_s or 0.0,
        whole=bool(session.get("ended") and length_s) and not damaged,
        damaged=damaged,
    )


def _length_s(audio: Path) -> float | None:
    """Return the length of a sound file, None where it can not be read, or can not be so long."""
    with suppress(*UNREADABLE):
        return float(_about(audio).duration)
    return None


def _about(audio: Path) -> Any:
    """Return what the header of a sound file says. Raises one of UNREADABLE, also where it is not true."""
    if not audio.is_file():
        # A pipe in its place would never end.
        raise FileNotFoundError(errno.ENOENT, "is not a regular file", str(audio))
    about = soundfile.info(audio)
    if not 0 <= about.duration <= LONGEST_S:
        raise ValueError(f"{audio} says that it is {about.duration} s long")
    return about


def _audio(folder: Path) -> Path:
    flac = folder / FLAC
    return flac if flac.is_file() else folder / WAV


def _read_session(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        session = read_json(folder / SESSION)
        if isinstance(session, dict):
            return session
    return {}


def _is_typed(session: Mapping[str, Any]) -> bool:
    """Say whether the values of session.json are what they have to be; those of a talk before its end too."""
    ended, frames = session.get("ended"), session.get("frames", 0)
    return (
        _moment(session.get("started")) is not None
        and (ended is None or _moment(ended) is not None)
        and _is_text(session.get("model"))
        and _is_frame(frames)
        and isinstance(session.get("details", {}), dict)
    )


def _is_readable(path: Path) -> bool:
    """Say whether a file of events is missing, or can be read and is no larger than any of ours."""
    try:
        with open_regular(path) as file:
            return os.fstat(file.fileno()).st_size <= EVENTS_BYTES
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what can be read of events.jsonl; a crash may have cut its last line."""
    with suppress(OSError, ValueError):
        for event in read_json_lines(folder / EVENTS, EVENTS_BYTES):
            if isinstance(event.get("kind"), str) and _is_frame(event.get("frame")):
                yield event


def _is_frame(value: object) -> bool:
    """Say whether a value is a number of frames, or that of one, that a talk can have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_FRAMES


def _printable(text: str) -> str:
    """Return a name as it can be shown and written: without what ends a line or is no character."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _inner(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what a name stands for, as far as that is a table."""
    inner = values.get(name)
    return inner if isinstance(inner, dict) else {}


def _gap(event: Mapping[str, Any], length: int) -> Gap | None:
    """Return a gap as far as the sound has it, None where it is damaged or beyond."""
    first, frames = event["frame"], event.get("frames")
    if not _is_frame(frames):
        return None
    end = min(first + frames, length)
    return Gap(first, end - first, str(event.get("reason", ""))) if end > first else None


def _meet(before: Gap, after: Gap) -> bool:
    return before.frame + before.frames == after.frame


def _moment(value: object) -> datetime | None:
    """Return a date and time of ISO 8601, in local time; None for what is none, or can not be true."""
    with suppress(ValueError, OverflowError, OSError):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone() if moment and FIRST_YEAR <= moment.year <= LAST_YEAR else None
    return None


def _dated(folder: Path) -> datetime:
    """Return when a talk began that does not say so: as the folder is named, or as it is dated."""
    with suppress(ValueError, OverflowError, OSError):
        named = datetime.strptime(folder.name[:19], "%Y-%m-%d_%H-%M-%S")
        if FIRST_YEAR <= named.year <= LAST_YEAR:
            return named.astimezone()
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(folder.stat().st_mtime).astimezone()
    return datetime.fromtimestamp(0).astimezone()


def _name_in(folder: Path) -> str:
    """Return the model that a folder is named after."""
    return re.sub(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-", "", _printable(folder.name))


def _model(session: Mapping[str, Any]) -> str:
    """Return the name of the model as session.json has it, '' where it has none."""
    name = session.get("model")
    return _printable(name)[:MODEL_LETTERS] if isinstance(name, str) else ""


def _language(session: Mapping[str, Any]) -> str:
    """Return the language that the model's details name, or that the catalogue knows for it."""
    with suppress(KeyError, TypeError):
        language = session["details"]["model"]["language"]
        if isinstance(language, str):
            return language
    known = catalog.find(_model(session))
    return known.language if known is not None else ""


def read_levels(audio: Path) -> ChannelLevels:
    """Return the level of each frame of any stereo file; no frames where it can not be read."""
    with suppress(*UNREADABLE):
        return _measure(audio)
    return np.zeros((2, 0), dtype=np.float32)


def _cached_levels(audio: Path) -> ChannelLevels:
    frames = -(-_about(audio).frames // FRAME_SAMPLES)
    cache = audio.with_name(LEVELS)
    with suppress(OSError, ValueError):
        if cache.stat().st_mtime_ns >= audio.stat().st_mtime_ns:
            return _kept_levels(cache, frames)
    levels = _measure(audio)
    with suppress(OSError):
        _save(cache, levels)
    return levels


def _kept_levels(cache: Path, frames: int) -> ChannelLevels:
    """Return the levels in a file that is, but for its values, what `_save` writes. Raises ValueError."""
    blank, alike = np.zeros((2, frames), dtype=np.float32), io.BytesIO()
    np.save(alike, blank, allow_pickle=False)
    size = alike.tell()
    begin = size - blank.nbytes
    content = read_bytes(cache, size)
    # Compared, not parsed: numpy evaluates what a damaged header says, and makes room for it.
    if len(content) != size or content[:begin] != alike.getvalue()[:begin]:
        raise ValueError(f"{cache} is of another sound, or damaged")
    levels: ChannelLevels = np.frombuffer(content, np.float32, offset=begin).reshape(2, frames).copy()
    if not ((levels >= SILENCE_DB) & (levels <= LOUDEST_DB)).all():
        raise ValueError(f"{cache} is damaged")
    return levels


def _measure(audio: Path) -> ChannelLevels:
    """Return the levels of a stereo file, a last piece of a frame counted as one."""
    levels: list[list[float]] = [[], []]
    _about(audio)
    with soundfile.SoundFile(audio) as file:
        for block in file.blocks(_BLOCK_FRAMES * FRAME_SAMPLES, dtype="float32", always_2d=True):
            for row, channel in zip(levels, block.T[:2], strict=True):
                samples = np.ascontiguousarray(channel)
                row.extend(
                    level_db(samples[at : at + FRAME_SAMPLES]) for at in range(0, samples.size, FRAME_SAMPLES)
                )
    return np.array(levels, dtype=np.float32)


def _save(cache: Path, levels: ChannelLevels) -> None:
    with replacing(cache, sync=False) as part, part.open("wb") as file:
        np.save(file, levels, allow_pickle=False)


def _model_lines(words: list[Word]) -> list[Line]:
    """Return the model's words as lines, a new one after each pause and each long sentence."""
    lines: list[Line] = []
    for word in words:
        if lines and _goes_on(lines[-1], word.frame):
            first = lines[-1].frame
            lines[-1] = Line(first, word.frame + 1 - first, lines[-1].text + word.text)
        else:
            lines.append(Line(word.frame, 1, word.text))
    return [line._replace(text=line.text.strip()) for line in lines if line.text.strip()]


def _goes_on(line: Line, frame: int) -> bool:
    """Say whether a word in this frame belongs on the line."""
    paused = frame - (line.frame + line.frames) >= LINE_PAUSE_S * FRAME_RATE
    return not paused and not (len(line.text) >= LINE_CHARACTERS and line.text.endswith(SENTENCE_ENDS))


def _wording(line: Line) -> str:
    length_s = seconds(line.frames)
    if line.gap:
        return f"(no sound for {length_s:.1f} s: {GAP_REASONS.get(line.gap, line.gap)})"
    return line.text or f"(you: {length_s:.1f} s)"


def _clock(frame: int) -> str:
    """Return a time of the talk as 01:23.4, and with hours where there are any."""
    tenths = round(10 * seconds(frame))
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{clock}" if hours else clock


def _copy_as_wav(audio: Path, wav: Path) -> None:
    _about(audio)
    # Not written by libsndfile, which does not tell what the disk refused, and why.
    with replacing(wav) as part, soundfile.SoundFile(audio) as source, wave.open(str(part), "wb") as target:
        target.setparams((source.channels, 2, SAMPLE_RATE, 0, "NONE", ""))
        for block in source.blocks(_BLOCK_FRAMES * FRAME_SAMPLES, dtype="<i2"):
            target.writeframes(block.tobytes())
