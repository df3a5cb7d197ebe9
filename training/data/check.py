"""The verb `aizuchi data check`: what would be learnt from a dataset, and what is odd about it.

Says it to people, and in check.json and JSON to programs. Knows nothing about models; what the text streams
consist of was counted when they were prepared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentencepiece import SentencePieceProcessor
from tqdm import tqdm

from app.cli import run_verb
from app.engine.checkpoint import find
from app.engine.text import SPACE
from app.errors import UserError
from app.files import write_json
from app.frames import seconds
from app.paths import Paths
from app.store.datasets import Dataset, TimedWord, read_words
from training.data.duplicates import sounds_of
from training.data.identity import inputs
from training.data.places import dialogues_of, find_dataset
from training.data.soundless import Known, read_streams
from training.data.statistics import FASTEST_CARD, Finding, Seen, look
from training.data.texts import is_japanese
from training.progress import counted, duration

CHECK = "check.json"

MOST_BARE_SPACES = 0.1
"""Japanese with a larger share of bare spaces among its text tokens teaches a model to say spaces."""

_STEPS_S = (30, 60, 120, 300, 600, 1800, 3600)
_MOST_BARS = 16
_BAR = 32
_ROWS_OF_SOUND = 3
"""So many rows of the table, the first ones, tell of speech and words."""

_AS_IT_IS = "It can be trained on as it is."
_COUNT_SPACES = "It can be trained on as it is; `data check --model NAME` counts its bare spaces."
_TOKENIZE_AGAIN = (
    "Tokenize its words again with nu-dialogue's `--no_whitespace_before_word`, and import that."
)


class Odd(NamedTuple):
    """A finding as check.json has it; `dialogue` is '' where it is about all of them."""

    dialogue: str
    severity: Literal["refused", "odd"]
    sentence: str
    advice: str
    at_s: float | None = None
    """Where it is in the dialogue, and in whose voice, if it is at one place."""
    speaker: str = ""


def main(argv: list[str], where: Paths) -> int:
    """Run `aizuchi data check` and return the exit status: 1 where training would refuse the dataset."""
    arguments = _parser().parse_args(argv)
    dataset = find_dataset(arguments.dataset, where)
    known = _known(arguments.model, where) if arguments.model else None
    report = check(dataset, known, quiet=arguments.json)
    with suppress(OSError):
        write_json(dataset.folder / CHECK, report)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print(_for_people(dataset, report))
    if arguments.picture is not None:
        run_verb("picture", [str(dataset.folder), "--out", str(arguments.picture)], where)
    return int(report["refused"])


def check(dataset: Dataset, known: Known | None = None, *, quiet: bool = True) -> dict[str, Any]:
    """Return what check.json holds. Raises UserError for a dataset without dialogues.

    Of dialogues without sound the speech, the words and the turns count as none; how many bare spaces are in
    their text, and whether a model knows all their tokens, is known where that is `known`.
    """
    if not dataset.dialogues() and dataset.shards:
        return _check_tokens(dataset, known)
    names = dialogues_of(dataset)
    prepared = dataset.prepared
    found = _look_at_dataset(dataset)
    alike = _alike(dataset, names)
    seen: dict[str, Seen] = {}
    items = []
    for name in tqdm(names, desc="Listening", unit="dialogue", file=sys.stderr, leave=False, disable=quiet):
        one, findings = _look_at_dialogue(dataset, name, prepared)
        if name in alike:
            advice = "Training uses it once: take one of both out of the dataset."
            findings.append(Finding(f"It has the same sound as {alike[name]}.", advice))
        if one is not None:
            seen[name] = one
        items.append(_item(name, one, findings))
        found += [Odd(name, "odd", *finding) for finding in findings]
    return {**_summary(dataset, list(seen.values()), len(names)), **_found(items, found)}


def _check_tokens(dataset: Dataset, known: Known | None) -> dict[str, Any]:
    """Return what check.json holds of dialogues that are tokens alone."""
    space = known.space if known is not None else None
    streams = read_streams(dataset, space)
    frames = sum(one.frames for one in streams)
    report = _summary(dataset, [], len(streams))
    for number, speaker in enumerate("AB"):
        report[speaker]["with_text"] = sum(one.text[number] > 0 for one in streams)
        if report[speaker]["tokens"] is None:
            tokens = sum(one.text[number] for one in streams)
            spaces = None if space is None else sum(one.bare_spaces[number] for one in streams)
            report[speaker] |= _shares(frames, tokens, spaces)
    sentence = f"{dataset.name} holds tokens alone: who speaks when, and which words, is not known."
    advice = _COUNT_SPACES if space is None else _AS_IT_IS
    found = [Odd("", "odd", sentence, advice), *_bare_spaces(dataset, report)]
    items = []
    for one in streams:
        findings = list(one.findings())
        beyond = list(one.beyond(known)) if known is not None else []
        items.append({**_item(one.dialogue, None, [*beyond, *findings]), "seconds": seconds(one.frames)})
        found += [Odd(one.dialogue, "refused", *finding) for finding in beyond]
        found += [Odd(one.dialogue, "odd", *finding) for finding in findings]
    lengths = _histogram([seconds(one.frames) for one in streams])
    return {**report, "hours": seconds(frames) / 3600, "lengths_s": lengths, **_found(items, found)}


def _found(items: list[dict[str, Any]], found: list[Odd]) -> dict[str, Any]:
    return {
        "items": items,
        "findings": [odd._asdict() for odd in found],
        "refused": any(odd.severity == "refused" for odd in found),
    }


def refuse_bad(dataset: Dataset) -> None:
    """Raise UserError for a prepared dataset that would do harm: Japanese with bare spaces in its text."""
    for odd in _bare_spaces(dataset, _texts(dataset)):
        raise UserError(odd.sentence, odd.advice)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aizuchi data check", description="Show what would be learnt, and what is odd about it."
    )
    parser.add_argument("dataset", metavar="DATASET", help="a dataset's name or folder")
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="of tokens alone: the model to train, to see whether it knows them, and to count bare spaces",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it into a PNG file as well")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _known(spec: str, where: Paths) -> Known:
    """Return what a model knows. Raises UserError where there is no model."""
    found = find(spec, models=where.models, both_voices=True)
    space = int(SentencePieceProcessor(model_file=str(found.tokenizer)).piece_to_id(SPACE))
    return Known(found.name, int(found.config["text_card"]), int(found.config["card"]), space)


def _alike(dataset: Dataset, names: Sequence[str]) -> dict[str, str]:
    """Return for each dialogue whose sound is that of one before it, which one that is."""
    first: dict[str, str] = {}
    alike: dict[str, str] = {}
    for name, content in zip(names, sounds_of(dataset), strict=True):
        if content.sound and first.setdefault(content.sound, name) != name:
            alike[name] = first[content.sound]
    return alike


def _look_at_dataset(dataset: Dataset) -> list[Odd]:
    """Return what is odd about the dataset as a whole."""
    advice = f"Run `aizuchi data prepare {dataset.name}`."
    if not dataset.prepared or not dataset.shards:
        return [Odd("", "odd", f"{dataset.name} is not prepared yet.", advice)]
    found = _bare_spaces(dataset, _texts(dataset))
    if (made_of := dataset.prepared.get("inputs")) and made_of != inputs(dataset):
        found.append(Odd("", "odd", "Words or sound have changed since the dataset was prepared.", advice))
    return found


def _texts(dataset: Dataset) -> dict[str, Any]:
    return {speaker: _text_figures(dataset, speaker) for speaker in "AB"}


def _bare_spaces(dataset: Dataset, voices: dict[str, Any]) -> list[Odd]:
    """Return what is wrong with the text of a Japanese dataset, per voice; nothing of others."""
    shares = {speaker: voices[speaker]["bare_space_share"] for speaker in "AB"}
    bad = {speaker: share for speaker, share in shares.items() if share and share > MOST_BARE_SPACES}
    if not bad or not is_japanese(dataset):
        return []
    severity: Literal["refused", "odd"] = "refused"
    advice = f"Run `aizuchi data prepare {dataset.name} --no-whitespace-before-word`."
    if "text" not in dataset.prepared:
        # Training knows nothing of it: what is counted here is not kept with the tokens.
        severity, advice = "odd", _TOKENIZE_AGAIN
    return [
        Odd(
            "",
            severity,
            f"{100 * share:.0f} % of the text tokens of {speaker} in {dataset.name} are bare spaces.",
            advice,
        )
        for speaker, share in bad.items()
    ]


def _text_figures(dataset: Dataset, speaker: str) -> dict[str, Any]:
    """Return what the text streams of one voice consist of; all None before they are prepared."""
    counts = dict.fromkeys(("frames", "tokens", "bare_spaces"), 0)
    with suppress(KeyError, TypeError, ValueError):
        counts.update({name: int(count) for name, count in dataset.prepared["text"][speaker].items()})
    return _shares(counts["frames"], counts["tokens"], counts["bare_spaces"])


def _shares(frames: int, tokens: int, bare_spaces: int | None) -> dict[str, Any]:
    bare_share = None if bare_spaces is None else bare_spaces / max(1, tokens)
    return {
        "tokens": tokens if frames else None,
        "tokens_per_s": tokens / seconds(frames) if frames else None,
        "padding_share": 1 - tokens / frames if frames else None,
        "bare_space_share": bare_share if frames else None,
    }


def _look_at_dialogue(
    dataset: Dataset, name: str, prepared: dict[str, Any]
) -> tuple[Seen | None, list[Finding]]:
    findings: list[Finding] = []
    words: list[TimedWord] = []
    if dataset.text(name).exists():
        try:
            words = read_words(dataset.text(name))
        except UserError as fault:
            findings.append(Finding(fault.sentence, fault.advice))
    try:
        tokens, card = prepared.get("tokens", {}).get(name), prepared.get("text_card")
        seen = look(dataset.audio(name), words, tokens, card if isinstance(card, int) else FASTEST_CARD)
    except UserError as fault:
        return None, [*findings, Finding(fault.sentence, fault.advice)]
    findings += seen.findings
    if name in prepared.get("left_out", ()):
        findings.append(
            Finding("It was left out when the dataset was prepared.", "Mend it and prepare again.")
        )
    return seen, findings


def _item(name: str, seen: Seen | None, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "dialogue": name,
        "seconds": seen.seconds if seen else 0.0,
        "A_speech_s": seen.a.speech_s if seen else 0.0,
        "B_speech_s": seen.b.speech_s if seen else 0.0,
        "A_words": seen.a.words if seen else 0,
        "B_words": seen.b.words if seen else 0,
        "findings": [finding.sentence for finding in findings],
    }


def _summary(dataset: Dataset, seen: Sequence[Seen], dialogues: int) -> dict[str, Any]:
    total_s = sum(one.seconds for one in seen)
    overlap_s = sum(one.turns.overlap_s for one in seen)

    def rate(figure: str) -> float:
        """Return the mean of a figure per minute, longer dialogues counting more."""
        return sum(getattr(one.turns, figure) * one.seconds for one in seen) / total_s if total_s else 0.0

    return {
        "dialogues": dialogues,
        "hours": total_s / 3600,
        "language": dataset.language,
        **{speaker: _voice(dataset, speaker, seen, total_s) for speaker in "AB"},
        "overlap_share": overlap_s / total_s if total_s else 0.0,
        "turns_per_minute": rate("turns"),
        "pauses_per_minute": rate("pauses"),
        "gaps_per_minute": rate("gaps"),
        "overlaps_per_minute": rate("overlaps"),
        "backchannels_per_minute": rate("backchannels"),
        "lengths_s": _histogram([one.seconds for one in seen]),
    }


def _voice(dataset: Dataset, speaker: str, seen: Sequence[Seen], total_s: float) -> dict[str, Any]:
    voices = [one.a if speaker == "A" else one.b for one in seen]
    speech_s = sum(voice.speech_s for voice in voices)
    return {
        "speech_s": speech_s,
        "speech_share": speech_s / total_s if total_s else 0.0,
        "words": sum(voice.words for voice in voices),
        **_text_figures(dataset, speaker),
        "with_text": sum(voice.words > 0 for voice in voices),
    }


def _histogram(lengths_s: Sequence[float]) -> dict[str, list[int]]:
    """Return how many dialogues are how long, in not too many steps."""
    longest = max(lengths_s, default=0.0)
    step = next((step for step in _STEPS_S if longest < step * _MOST_BARS), 24 * 3600)
    edges = [step * at for at in range(int(longest // step) + 2)]
    counts = [sum(low <= length < high for length in lengths_s) for low, high in pairwise(edges)]
    return {"edges": edges, "counts": counts}


def _for_people(dataset: Dataset, report: dict[str, Any]) -> str:
    """Return the report as a short table, the lengths, and the findings one a line."""
    language = report["language"] or "language unknown"
    dialogues = counted(report["dialogues"], "dialogue")
    lines = [f"{dataset.name}: {dialogues}, {duration(3600 * report['hours'])}, {language}", ""]
    has_sound = bool(dataset.dialogues())
    heading, *rows = _table(report["A"], report["B"])
    lines += [heading, *rows[0 if has_sound else _ROWS_OF_SOUND :]]
    if has_sound:
        lines += ["", f"Both at once {100 * report['overlap_share']:.1f} % of the time. A minute has"]
        kinds = ("turns", "pauses", "gaps", "overlaps", "backchannels")
        lines.append("  " + ", ".join(f"{report[f'{kind}_per_minute']:.1f} {kind}" for kind in kinds))
    lines += ["", "Lengths", *_bars(report["lengths_s"])]
    if report["findings"]:
        lines += ["", f"Findings: {len(report['findings'])}"]
    for odd in report["findings"]:
        whose = f"{odd['dialogue']}: " if odd["dialogue"] else ""
        refused = "Training refuses this: " if odd["severity"] == "refused" else ""
        lines.append(f"  {whose}{refused}{odd['sentence']} {odd['advice']}")
    return "\n".join(lines)


def _table(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    def percent(share: float | None) -> str:
        return "-" if share is None else f"{100 * share:.1f} %"

    def number(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    rows = [
        ("", "A (model)", "B (user)"),
        ("speech, minutes", *(number(voice["speech_s"] / 60, ".1f") for voice in (a, b))),
        ("speech", *(percent(voice["speech_share"]) for voice in (a, b))),
        ("words", *(number(voice["words"], ",") for voice in (a, b))),
        ("dialogues with text", *(number(voice["with_text"], ",") for voice in (a, b))),
        ("text tokens", *(number(voice["tokens"], ",") for voice in (a, b))),
        ("tokens a second", *(number(voice["tokens_per_s"], ".2f") for voice in (a, b))),
        ("frames without text", *(percent(voice["padding_share"]) for voice in (a, b))),
        ("bare spaces in the text", *(percent(voice["bare_space_share"]) for voice in (a, b))),
    ]
    return [f"  {name:<24}{own:>12}{other:>12}" for name, own, other in rows]


def _bars(lengths_s: dict[str, list[int]]) -> list[str]:
    most = max(lengths_s["counts"], default=0)
    return [
        f"  {low:>6} - {high:>5} s  {'#' * -(-_BAR * count // most) if most else ''} {count}".rstrip()
        for (low, high), count in zip(pairwise(lengths_s["edges"]), lengths_s["counts"], strict=True)
    ]
