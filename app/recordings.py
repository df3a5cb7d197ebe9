"""Past talks: what stands in a session folder, read as words, levels, turns and text.

Reads what `app.audio.recorder` writes, and reads it damaged too: a folder that a crash left behind is
listed with what is left of it. Knows nothing about windows, and changes nothing but its own cache of levels.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from app import catalog, locks
from app.audio.recorder import EVENTS, FLAC, SESSION, WAV
from app.errors import UserError
from app.files import make_folder, replace_file, replacing
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, level_db, seconds
from app.turns import Turns, find_turns, user_turns

log = logging.getLogger(__name__)

LEVELS = "levels.npy"

LINE_PAUSE_S = 1.0
"""A pause of the words longer than this begins a new line of the transcript."""

LINE_CHARACTERS = 80
"""A line as long as this ends with its sentence."""

SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")

_BLOCK_FRAMES = 512

ChannelLevels = npt.NDArray[np.float32]
"""[2, T] RMS levels in dB of full scale: row 0 the model (left), row 1 the user (right)."""


class Word(NamedTuple):
    """A piece of the model's text at the frame in which it was said."""

    frame: int
    text: str


class Skip(NamedTuple):
    """This many frames of the user were lost just before `frame`, and the sound was joined there.

    So it was in older recordings; in newer ones a loss is a Gap.
    """

    frame: int
    frames: int


class Gap(NamedTuple):
    """From `frame` on so many frames are no part of the talk but silence for time that was lost, and why."""

    frame: int
    frames: int
    reason: str


class Line(NamedTuple):
    """One line of a transcript: what the model said, or (where text is empty) a turn of the user."""

    frame: int
    frames: int
    text: str


@dataclass(frozen=True)
class Recording:
    """One session folder. `language` is '' where it is not known; `whole` is False after a crash."""

    folder: Path
    started: datetime
    model: str
    language: str
    seconds: float
    whole: bool

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

    def events(self) -> list[dict[str, Any]]:
        """Return the events that have a kind and a frame, in order."""
        return list(_read_events(self.folder))

    def words(self) -> list[Word]:
        """Return the readable pieces of what the model said."""
        spoke = (event for event in self.events() if event["kind"] == "spoke")
        return [Word(event["frame"], str(event["text"])) for event in spoke if event.get("text")]

    def skips(self) -> list[Skip]:
        """Return where audio of the user was lost to keep the lag small."""
        skipped = (event for event in self.events() if event["kind"] == "skipped")
        return [Skip(event["frame"], event.get("frames", 1)) for event in skipped]

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
        with suppress(OSError, ValueError, EOFError, soundfile.SoundFileError):
            return _cached_levels(self.audio)
        return np.zeros((2, 0), dtype=np.float32)

    def turns(self) -> Turns:
        """Return who spoke when."""
        said_db, heard_db = self.levels()
        return find_turns(heard_db, said_db)

    def lines(self) -> list[Line]:
        """Return the lines of the transcript by time: the model's words and the user's turns."""
        user = [Line(turn.first, turn.frames, "") for turn in user_turns(self.turns())]
        return sorted(_model_lines(self.words()) + user)

    def transcript(self) -> str:
        """Return the talk as text, a line each for what the model said and for each turn of the user."""
        return "".join(f"[{_clock(line.frame)}] {_wording(line)}\n" for line in self.lines())

    def export(self, to: Path) -> tuple[Path, Path]:
        """Write `<name>.wav` (stereo, 16 bit) and `<name>.txt` into the folder `to` and return both.

        Raises UserError when the recording can not be read or the folder not be written.
        """
        wav, text = to / f"{self.folder.name}.wav", to / f"{self.folder.name}.txt"
        try:
            make_folder(to)
            _copy_as_wav(self.audio, wav)
            replace_file(text, self.transcript())
        except (OSError, soundfile.SoundFileError) as fault:
            raise UserError(
                f"The recording {self.folder.name} could not be exported to {to}: {fault}",
                "Choose a folder that can be written and has room.",
            ) from fault
        return wav, text


def list_recordings(root: Path) -> list[Recording]:
    """Return the recordings below `root`, newest first; folders that hold nothing of one are left out."""
    try:
        folders = [folder for folder in root.iterdir() if folder.is_dir()]
    except OSError:
        return []
    found = [_read(folder) for folder in folders if _audio(folder).is_file()]
    return sorted(found, key=lambda recording: (recording.started, recording.folder.name), reverse=True)


def open_recording(folder: Path) -> Recording:
    """Return the recording in a folder. Raises UserError when there is none."""
    if not _audio(folder).is_file():
        raise UserError(f"There is no recording in {folder}.", f"A recording holds {FLAC} or {WAV}.")
    return _read(folder)


def _read(folder: Path) -> Recording:
    session = _read_session(folder)
    audio = _audio(folder)
    length_s = 0.0
    with suppress(OSError, soundfile.SoundFileError):
        length_s = float(soundfile.info(audio).duration)
    return Recording(
        folder=folder,
        started=_started(folder, session, audio),
        model=str(session.get("model") or _name_in(folder)),
        language=_language(session),
        seconds=length_s,
        whole=bool(session.get("ended")) and length_s > 0,
    )


def _audio(folder: Path) -> Path:
    flac = folder / FLAC
    return flac if flac.is_file() else folder / WAV


def _read_session(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        session = json.loads((folder / SESSION).read_text(encoding="utf-8"))
        if isinstance(session, dict):
            return session
    return {}


def _read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what can be read of events.jsonl; a crash may have cut its last line."""
    try:
        text = (folder / EVENTS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "kind" in event and isinstance(event.get("frame"), int):
                yield event


def _gap(event: Mapping[str, Any], length: int) -> Gap | None:
    """Return a gap as far as the sound has it, None where it is damaged or beyond."""
    first, frames = event["frame"], event.get("frames")
    if not isinstance(frames, int) or isinstance(frames, bool):
        return None
    end = min(first + frames, length)
    first = max(0, first)
    return Gap(first, end - first, str(event.get("reason", ""))) if end > first else None


def _meet(before: Gap, after: Gap) -> bool:
    return before.frame + before.frames == after.frame


def _started(folder: Path, session: Mapping[str, Any], audio: Path) -> datetime:
    """Return when the talk began: as written, as the folder is named, or as the audio is dated."""
    with suppress(KeyError, TypeError, ValueError):
        return datetime.fromisoformat(session["started"]).astimezone()
    with suppress(ValueError):
        return datetime.strptime(folder.name[:19], "%Y-%m-%d_%H-%M-%S").astimezone()
    return datetime.fromtimestamp(audio.stat().st_mtime).astimezone()


def _name_in(folder: Path) -> str:
    """Return the model that a folder is named after."""
    return re.sub(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-", "", folder.name)


def _language(session: Mapping[str, Any]) -> str:
    """Return the language that the model's details name, or that the catalogue knows for it."""
    with suppress(KeyError, TypeError):
        return str(session["details"]["model"]["language"])
    known = catalog.find(str(session.get("model")))
    return known.language if known is not None else ""


def read_levels(audio: Path) -> ChannelLevels:
    """Return the level of each frame of any stereo file; no frames where it can not be read."""
    with suppress(OSError, ValueError, EOFError, soundfile.SoundFileError):
        return _measure(audio)
    return np.zeros((2, 0), dtype=np.float32)


def _cached_levels(audio: Path) -> ChannelLevels:
    frames = -(-soundfile.info(audio).frames // FRAME_SAMPLES)
    cache = audio.with_name(LEVELS)
    with suppress(OSError, ValueError, EOFError):
        if cache.stat().st_mtime_ns >= audio.stat().st_mtime_ns:
            levels: ChannelLevels = np.load(cache, allow_pickle=False)
            if levels.shape == (2, frames) and levels.dtype == np.float32:
                return levels
    levels = _measure(audio)
    with suppress(OSError):
        _save(cache, levels)
    return levels


def _measure(audio: Path) -> ChannelLevels:
    """Return the levels of a stereo file, a last piece of a frame counted as one."""
    levels: list[list[float]] = [[], []]
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
    return [Line(frame, frames, text.strip()) for frame, frames, text in lines if text.strip()]


def _goes_on(line: Line, frame: int) -> bool:
    """Say whether a word in this frame belongs on the line."""
    paused = frame - (line.frame + line.frames) >= LINE_PAUSE_S * FRAME_RATE
    return not paused and not (len(line.text) >= LINE_CHARACTERS and line.text.endswith(SENTENCE_ENDS))


def _wording(line: Line) -> str:
    return line.text or f"(you: {seconds(line.frames):.1f} s)"


def _clock(frame: int) -> str:
    """Return a time of the talk as 01:23.4, and with hours where there are any."""
    tenths = round(10 * seconds(frame))
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{clock}" if hours else clock


def _copy_as_wav(audio: Path, wav: Path) -> None:
    with (
        replacing(wav) as part,
        soundfile.SoundFile(audio) as source,
        soundfile.SoundFile(part, "w", SAMPLE_RATE, source.channels, "PCM_16", format="WAV") as target,
    ):
        for block in source.blocks(_BLOCK_FRAMES * FRAME_SAMPLES, dtype="int16"):
            target.write(block)
