"""The verb `doctor`: what this computer has, what it lacks, and what to do about it.

Knows nothing about how the things it looks for are used. What is slow or may end a process (torch,
PortAudio, Qt) is asked in children, all at once. The report names no user, so that it can be posted.
"""

from __future__ import annotations

import argparse
import ctypes.util
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from app import settings
from app.audio.devices import Device, all_devices
from app.audio.naming import DEFAULT_MARK
from app.catalog import HUB, KNOWN, KnownModel
from app.commands.screen import screen_trouble
from app.engine.choice import Situation, choose_engine
from app.engine.device_record import WHOLE_LIMIT_S, Record, alone, child_command, describe, run_child
from app.engine.device_record import read as read_record
from app.engine.device_record import write as write_record
from app.engine.events import AUTO, KVS, MODES, PROCESSOR, Loadout
from app.errors import UserError
from app.files import parse_json
from app.memory_plan import words
from app.paths import Paths

OLDEST_PYTHON = (3, 10)
FIRST_UNTRIED_PYTHON = (3, 14)

PACKAGES = (
    "aizuchi", "torch", "moshi", "numpy", "PySide6-Essentials", "sounddevice", "soundfile",
    "soxr", "sentencepiece", "huggingface_hub", "safetensors",
)  # fmt: skip

BF16_CAPABILITY = (8, 0)
"""The compute capability from which on NVIDIA cards reckon in bfloat16 (Ampere)."""

MEMORY_GB = 16.0
"""Main memory below which a model of 15 GB is loaded slowly, through the disk."""

RECORDINGS_GB = 1.0
"""Three hours of talk, before they are compressed."""

CHILD_S = 60.0

REPAIR = "Run packaging/talk again, or `aizuchi --repair` if it was installed as a package."

TORCH = """
import json, torch
from app.engine.device import card_memory, card_trouble
cards = []
for index in range(torch.cuda.device_count()):
    about = torch.cuda.get_device_properties(index)
    free, total = card_memory(index)
    # One tiny kernel decides, as where the device of a model is chosen.
    card = {"name": about.name, "capability": [about.major, about.minor], "free": free, "total": total}
    cards.append({**card, "trouble": card_trouble(index)})
print(json.dumps({"cuda": torch.version.cuda, "cards": cards}))
"""

FONTS = """
import json
from PySide6.QtGui import QFontDatabase, QGuiApplication
app = QGuiApplication([])
print(json.dumps(QFontDatabase.families(QFontDatabase.WritingSystem.Japanese)))
"""

ENGINES = """
import json, sys
from pathlib import Path
from app.engine.device_test import foresee
from app.engine.events import Loadout
from app.errors import UserError
models, cache, loadout = Path(sys.argv[1]), Path(sys.argv[2]), Loadout(**json.loads(sys.argv[3]))
def look(spec):
    try:
        return foresee(spec, models, cache, loadout)
    except UserError as fault:
        return {"engine": "", "device": "", "reason": fault.sentence, "checked": ""}
print(json.dumps({spec: look(spec) for spec in sys.argv[4:]}))
"""

NOTHING_FITS = "not enough for any known model"

ADVICE_MARK = "-> "
"""Stands before an advice in the table."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: its name, whether it will do, what was found, and what to do if not."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    essential: bool = False
    """Nothing works without it."""


Probe = Callable[[Paths], list[Check]]


def main(argv: list[str], where: Paths) -> int:
    """Print what was found; the status is 0 unless something essential is missing, or a check is wrong."""
    options = _parse(argv)
    if options.check:
        return check_model(options, where)
    checks = examine(where)
    print(json.dumps([asdict(check) for check in checks], indent=2) if options.json else table(checks))
    return int(any(check.essential and not check.ok for check in checks))


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi doctor", description="Look over this computer and say what is missing."
    )
    add = parser.add_argument
    add("--json", action="store_true", help="print JSON, for programs and bug reports")
    add("--check", metavar="MODEL", help="check the fast engine with a model on this device, and time it")
    add("--base", metavar="MODEL", help="what an adapter to be checked was trained on")
    add("--mode", choices=(AUTO, *MODES), default=AUTO, help="how weights are kept (default %(default)s)")
    add("--kv", choices=(AUTO, *KVS), default=AUTO, help="how keys and values are (default %(default)s)")
    add("--device", default=AUTO, metavar="cpu|cuda|cuda:N", help="where to check (default %(default)s)")
    return parser.parse_args(argv)


def examine(where: Paths) -> list[Check]:
    """Return every check, in the order of PROBES; takes as long as the slowest of them."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        found = pool.map(lambda probe: probe(where), PROBES)
        return [_anonymous(check) for checks in found for check in checks]


def table(checks: Sequence[Check]) -> str:
    """Return the checks for people, a line each, and the advice below those that will not do."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = "ok" if check.ok else "MISSING" if check.essential else "note"
        lines.append(f"{mark:<7}  {check.name:<{width}}  {check.found}")
        if check.advice and not check.ok:
            lines.append(f"{'':<7}  {'':<{width}}  {ADVICE_MARK}{check.advice}")
    return "\n".join(lines)


# --- The check of a model ------------------------------------------------------------------------------


def check_model(options: argparse.Namespace, where: Paths) -> int:
    """Check our engine with a model in a child, keep what it found, and print it; the status is 1 if wrong.

    Raises UserError for a model that can not be checked at all.
    """
    request = {
        "spec": options.check,
        "base": options.base,
        "models": str(where.models),
        "mode": options.mode,
        "kv": options.kv,
        "device": options.device,
        "whole": True,
        "limit_s": WHOLE_LIMIT_S,
    }
    with alone(where.cache):
        record = run_child(
            child_command(request),
            limit_s=WHOLE_LIMIT_S,
            told=lambda name: print(f"Checking: {name}", file=sys.stderr, flush=True),
        )
        if not record.key:
            raise UserError(f"{options.check} could not be checked: {record.trouble.rstrip('.')}.")
        before = read_record(where.cache, record.key)
        record = replace(record, frame_ms=before.frame_ms if before is not None else None)
        if record.lasting:
            write_record(where.cache, record)
    report = describe_check(record)
    if options.json:
        report["computer"] = [asdict(check) for check in examine(where)]
    print(json.dumps(_anonymous_values(report), indent=2) if options.json else _check_table(record, report))
    return int(record.wrong is not None)


def describe_check(record: Record) -> dict[str, Any]:
    """Return a check as JSON values: what it is about, each finding, and the engine that follows."""
    about = record.about
    here = Situation(
        str(about.get("model", "")), str(about.get("uncovered", "")), str(about.get("packed", "")),
        record.has_graphs, record,
    )  # fmt: skip
    try:
        choice = choose_engine(AUTO, here)
        engine, told = choice.engine, " ".join(choice.trouble or ())
    except UserError as fault:
        engine, told = "none", str(fault)
    return {
        "about": about,
        "findings": [asdict(each) for each in record.findings],
        "trouble": record.trouble,
        "frame_ms": record.frame_ms,
        "line": describe(record),
        "engine": engine,
        "told": told,
    }


def _check_table(record: Record, report: dict[str, Any]) -> str:
    """Return a check for people, a line for each finding."""
    marks = {True: "right", False: "WRONG", None: "-"}
    lines = [f"{marks[each.right]:<7}  {each.name:<8}  {each.seen}" for each in record.findings]
    lines += [record.trouble] if record.trouble else []
    lines += [report["line"], f"engine: {report['engine']}", *([report["told"]] if report["told"] else [])]
    return "\n".join(map(anonymous, lines))


def _anonymous_values(value: Any) -> Any:
    """Return JSON values without the home folder and the name of the user in their texts."""
    if isinstance(value, dict):
        return {name: _anonymous_values(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_anonymous_values(each) for each in value]
    return anonymous(value) if isinstance(value, str) else value


# --- The probes -----------------------------------------------------------------------------------


def python(_where: Paths) -> list[Check]:
    """Look at the interpreter and the system."""
    ok = OLDEST_PYTHON <= sys.version_info[:2] < FIRST_UNTRIED_PYTHON
    advice = "Use Python 3.10 to 3.13; `uv sync` in the clone fetches one."
    return [
        Check("Python", ok, platform.python_version(), advice, essential=True),
        Check(
            "System",
            True,
            f"{_distribution()}, {platform.system()} {platform.release()}, {platform.machine()}",
        ),
    ]


def packages(_where: Paths) -> list[Check]:
    """Look for the Python packages and their versions."""
    versions = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    return [
        Check(
            "Packages", not missing, found, "Run packaging/talk, or `uv sync` in the clone.", essential=True
        )
    ]


def graphics(where: Paths) -> list[Check]:
    """Ask torch for the graphics cards, and weigh them against the known models."""
    answer = _ask(TORCH)
    if isinstance(answer, str):
        advice = REPAIR
        return [Check("PyTorch", False, answer, advice, essential=True)]
    cuda = answer["cuda"]
    torch = Check("PyTorch", True, f"{_version('torch')}, {f'for CUDA {cuda}' if cuda else 'without CUDA'}")
    loadout = settings.load(where.settings).loadout()
    cards = [check for card in answer["cards"] for check in judge_card(card, loadout)]
    return [torch, _driver(bool(cards)), *(cards or [_no_card(cuda)])]


def judge_card(card: dict[str, Any], loadout: Loadout | None = None) -> list[Check]:
    """Return what can be said about one graphics card, as the child that asked torch describes it.

    `loadout` is how the user wants models to be loaded.
    """
    major, minor = card["capability"]
    found, advice = f"{card['name']}, compute capability {major}.{minor}", ""
    if card["trouble"]:
        found = f"{found}: {card['trouble']}"
        advice = "Models run on the processor instead; for the card install a PyTorch that was built for it."
        return [Check("Graphics card", False, found, advice)]
    new = (major, minor) >= BF16_CAPABILITY
    if not new:
        advice = "A card before Ampere (RTX 30, A100) has no bfloat16; models run in float16 there."
    total_gb, free_gb = card["total"] / 1e9, card["free"] / 1e9
    room = f"{free_gb:.1f} of {total_gb:.1f} GB free"
    least = min(known.sizes.needed_bytes(known.sizes.fits()[-1]) for known in HUB)
    close = f"Close what else uses the card; the smallest known model needs {least / 1e9:.1f} GB."
    fitting = _fitting(card["free"], loadout)
    return [
        Check("Graphics card", new, found, advice),
        Check("Graphics memory", bool(fitting), f"{room}: {fitting or NOTHING_FITS}", close),
    ]


def memory(_where: Paths) -> list[Check]:
    """Look at the main memory."""
    kb = dict(re.findall(r"(\w+):\s+(\d+) kB", Path("/proc/meminfo").read_text()))
    total_gb, free_gb = (int(kb[name]) * 1024 / 1e9 for name in ("MemTotal", "MemAvailable"))
    found = f"{free_gb:.0f} of {total_gb:.0f} GB free"
    advice = "Loading a model of 15 GB takes longer with less than 16 GB; close other programs."
    return [Check("Memory", total_gb >= 0.95 * MEMORY_GB, found, advice)]


def compiler(_where: Paths) -> list[Check]:
    """Look for what Triton compiles its launchers with."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    program = next((path for name in names if name and (path := shutil.which(name))), None)
    headers = Path(sysconfig.get_path("include"), "Python.h").exists()
    found = f"{program or 'no C compiler'}, {'with' if headers else 'without'} the headers of Python"
    advice = "On a graphics card the first talk compiles some code: `sudo apt-get install gcc python3-dev`."
    return [Check("C compiler", bool(program) and headers, found, advice)]


def sound(_where: Paths) -> list[Check]:
    """Look for PortAudio, microphones and speakers."""
    library = ctypes.util.find_library("portaudio")
    advice = "`sudo apt-get install libportaudio2 libasound2-plugins`, or run packaging/talk."
    checks = [Check("PortAudio", library is not None, library or "not installed", advice)]
    if shutil.which("pactl") is None and runs_server():
        advice = "`sudo apt-get install pulseaudio-utils`, or monitors of speakers may pass as microphones."
        checks.append(Check("Sound server", False, "can not be asked without pactl", advice))
    try:
        devices = all_devices()
    except UserError as fault:
        return [*checks, Check("Sound devices", False, fault.sentence, fault.advice)]
    microphones = [device for device in devices if device.kind == "in" and not device.monitor]
    speakers = [device for device in devices if device.kind == "out"]
    monitors = [device for device in devices if device.monitor]
    advice = "Plug one in or choose one in the system's sound settings; a headless talk needs none."
    checks += [
        _microphone(microphones, monitors, advice),
        Check("Speaker", bool(speakers), _labels(speakers) or "none", advice),
    ]
    # Each brings what a speaker plays: for --microphone, but nothing that a person speaks into.
    return [*checks, Check("Monitors", True, _labels(monitors))] if monitors else checks


def runs_server() -> bool:
    """Say whether PulseAudio or PipeWire seems to run for this user."""
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    sockets = (folder / name for name in ("pulse/native", "pipewire-0"))
    return bool(os.environ.get("PULSE_SERVER")) or any(socket.exists() for socket in sockets)


def _microphone(microphones: Sequence[Device], monitors: Sequence[Device], advice: str) -> Check:
    """Return what can be said about the microphones, and about a default one that is none."""
    labels = _labels(microphones) or "none"
    heard = next((device.label for device in monitors if device.default), "")
    if heard and microphones:
        advice = "Choose a microphone in the system's sound settings, or name one with --microphone."
    if heard:
        labels += f"; the system's default is “{heard}”, which only brings what a speaker plays"
    return Check("Microphone", bool(microphones) and not heard, labels, advice)


def _labels(devices: Sequence[Device]) -> str:
    """Return devices by the labels that --microphone and --speaker take."""
    return ", ".join(f"{device.label}{DEFAULT_MARK * device.default}" for device in devices)


def screen(_where: Paths) -> list[Check]:
    """Look for a display that Qt can use, and for the fonts of the languages that models speak."""
    trouble = screen_trouble()
    displays = [
        f"{name}={os.environ[name]}" for name in ("WAYLAND_DISPLAY", "DISPLAY") if os.environ.get(name)
    ]
    advice = (
        "Without a display, `aizuchi talk` is headless; libraries that are missing come with packaging/talk."
    )
    families = _ask(FONTS, QT_QPA_PLATFORM="offscreen")
    fonts = ", ".join(families[:3]) if isinstance(families, list) else families
    return [
        Check("Display", not trouble, trouble or ", ".join(displays), advice),
        Check(
            "Japanese fonts",
            isinstance(families, list) and bool(families),
            fonts or "none",
            "`sudo apt-get install fonts-noto-cjk`, or Japanese words show as boxes.",
        ),
    ]


def disk(where: Paths) -> list[Check]:
    """Look at the room for recordings and for models."""
    # Who needs more than most is told by the download itself.
    usual_gb = statistics.median(known.size_gb for known in HUB)
    return [
        _room("Disk, recordings", where.recordings, RECORDINGS_GB, "Make room, or talk with --no-record."),
        _room(
            "Disk, models",
            _hub_cache(),
            usual_gb,
            f"A large model takes {usual_gb:.0f} GB; HF_HOME names another disk.",
        ),
    ]


def models(_where: Paths) -> list[Check]:
    """Look for known models that are on this computer already."""
    present = [known.name for known in KNOWN if _is_present(known)]
    advice = "Install Aizuchi again: `starter` comes with it."
    return [Check("Models", bool(present), ", ".join(present) or "none downloaded", advice)]


def engines(where: Paths) -> list[Check]:
    """Ask which engine each model would run with, by the rule that a load goes by, and what tests found."""
    present = [known.name for known in KNOWN if _is_present(known)]
    present += sorted(path.parent.name for path in where.models.glob("*/config.json"))
    loadout = settings.load(where.settings).loadout()
    answer = _ask(ENGINES, str(where.models), str(where.cache), json.dumps(asdict(loadout)), *present)
    if isinstance(answer, str):
        return [Check("Engine", False, answer, REPAIR)]
    ways = {"fast": "the fast one", "moshi": "moshi's own", "": "none"}
    found = "; ".join(
        f"{name}: {ways[each['engine']]}" + (f", since {each['reason']}" if each["reason"] else "")
        for name, each in answer.items()
    )
    sound = not any(each["reason"] for each in answer.values())
    advice = "A model that the fast engine does not cover runs with moshi's own, in whole weights."
    return [Check("Engine", sound, found, advice), _tested(answer)]


def _tested(answer: dict[str, dict[str, str]]) -> Check:
    """Say what tests of the card found, a line for all models."""
    known = {name: each["checked"] for name, each in answer.items() if each["checked"]}
    if all(each["device"] in ("", PROCESSOR) for each in answer.values()):
        return Check("Device test", True, "not needed: models run on the processor")
    wrong = [name for name, checked in known.items() if ": wrong, " in checked]
    found = "; ".join(f"{name}: {checked}" for name, checked in known.items())
    advice = f"Update the driver and Aizuchi, then run `aizuchi doctor --check {', '.join(wrong)}` again."
    return Check("Device test", not wrong, found or "done when a model is loaded", advice)


PROBES: tuple[Probe, ...] = (
    python, packages, graphics, memory, compiler, sound, screen, disk, models, engines,
)  # fmt: skip


# --- What the probes are made of ------------------------------------------------------------------


def _ask(code: str, *arguments: str, **environment: str) -> Any:
    """Run Python code in a child and return the JSON of its last line, or a str: why it failed."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=CHILD_S,
            check=False,
        )
        return parse_json(ended.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return f"no answer within {CHILD_S:.0f} s"
    except (IndexError, ValueError):
        return (ended.stderr.strip().splitlines() or [f"ended with status {ended.returncode}"])[-1]


def _driver(card: bool) -> Check:
    try:
        text = Path("/proc/driver/nvidia/version").read_text()
    except OSError:
        return Check(
            "NVIDIA driver", card, "loaded" if card else "not loaded", "Install the driver for your card."
        )
    version = re.search(r"\d+\.\d[\d.]*", text)
    return Check("NVIDIA driver", True, version.group() if version else "of unknown version")


def _no_card(cuda: str | None) -> Check:
    if Path("/proc/driver/nvidia/version").exists():
        advice = (
            f"The driver is older than CUDA {cuda} wants; update it." if cuda else "Install PyTorch for CUDA."
        )
    else:
        advice = "The large models need an NVIDIA card with 8 GB or more; `starter` runs on the processor."
    return Check("Graphics card", False, "none that PyTorch can use", advice)


def _fitting(free_bytes: float, loadout: Loadout | None) -> str:
    """Return which known models fit into so much graphics memory and in which way, '' for none."""
    ways: dict[str, list[str]] = {}
    for known in HUB:
        found = known.plan(free_bytes, loadout)
        if found.fits:
            ways.setdefault(words(found.fit, known.mode), []).append(known.name)
    told = (f"{', '.join(names)} ({way})" for way, names in ways.items())
    return f"enough for {'; '.join(told)}" if ways else ""


def _room(name: str, folder: Path, needed_gb: float, advice: str) -> Check:
    there = folder
    while not there.exists():
        there = there.parent
    free_gb = shutil.disk_usage(there).free / 1e9
    return Check(name, free_gb >= needed_gb, f"{free_gb:.0f} GB free for {folder}", advice)


def _hub_cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _is_present(known: KnownModel) -> bool:
    from huggingface_hub import try_to_load_from_cache

    parts = (reference.removeprefix("hf://").rpartition("/") for reference in known.files)
    return all(isinstance(try_to_load_from_cache(repo, file), str) for repo, _, file in parts)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"


def _anonymous(check: Check) -> Check:
    """Return the check without the home folder and the name of the user in its paths."""
    return replace(check, found=anonymous(check.found), advice=anonymous(check.advice))


def anonymous(text: str) -> str:
    """Return a text without the home folder and the name of the user in its paths."""
    home = os.path.expanduser("~").rstrip("/")
    if not home:
        return text
    return re.sub(rf"/{re.escape(Path(home).name)}(?=/|\s|$)", "/USER", text.replace(home, "~"))
