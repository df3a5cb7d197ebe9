"""The one door to a model's files: a name, a folder or a hub repository in, a Checkpoint out.

Finds and, where needed, downloads; reads configurations and refuses what is no dialogue model. Knows
nothing about torch: whether the weights fit the configuration is for `app.engine.build` to say.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import app
from app import catalog
from app.engine import download
from app.engine.configuration import (
    CONFIG_NAME,
    Config,
    guess,
    guess_folder,
    read_json,
    take_apart,
    take_mimi,
)
from app.engine.fake import ensure_tiny
from app.engine.limits import shorten
from app.engine.weights import INDEX_SUFFIX, fingerprint, shard_names, size_bytes, weight_files
from app.errors import UserError
from app.files import read_json as read_plain_json
from app.paths import paths

Progress = Callable[[str, int, int], None]
"""Told (what is being done, done_bytes, total_bytes)."""

DEFAULT_BASE = "moshiko"
"""Where an adapter or a nu-dialogue folder takes the rest from, if nothing else is known."""

NU_DIALOGUE_NAME = "moshi_lm_kwargs.json"
MIMI_CONFIG_NAME = "mimi.json"
ADAPTER_NAME = "lora.safetensors"
CONSOLIDATED_NAME = "consolidated.safetensors"

BUNDLED = Path(app.__file__).parent / "data"
"""Where the models are that come with the program, each in a folder of its name."""

PEDIGREE = "aizuchi.json"
"""Stands beside the config.json of a model of the user's own, and tells what it came from."""

Reach = Literal["never", "named", "all"]
"""What may be fetched from the hub: nothing; what was named; also what a folder of the user's names."""

_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_PAGE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/"
    r"([\w.-]+/[\w.-]+?)(?:/tree/([^/?#]+))?/?(?:[?#].*)?",
    re.ASCII,
)
"""The address of a repository's page, with the revision that it shows."""

_LOCAL = "file://"
"""How moshi marks a name that is not of the hub; one without a leading / is looked for in the folder."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA weights to be fused into the weights of a base."""

    path: Path
    rank: int
    scaling: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The files of one model, all on this computer, and how to build it."""

    name: str
    kind: str
    """What was found: 'catalogue', 'hub', 'folder', 'bare folder', 'nu-dialogue' or 'consolidated'."""
    source: str
    """The hub repository or the folder."""
    weights: Path
    mimi: Path
    tokenizer: Path
    config: dict[str, Any]
    """Keyword arguments of moshi's LMModel."""
    mimi_config: dict[str, Any] | None = None
    """None for the released Mimi."""
    adapter: Adapter | None = None
    generation: dict[str, Any] = field(default_factory=dict)
    """What the model's makers recommend for LMGen: temp, temp_text, top_k, top_k_text."""
    note: str = ""
    """What had to be assumed, a sentence for the user."""
    voices: Path | None = None
    """The archive or the folder of voices to speak with, None for a model that takes no prompt."""

    @property
    def quantized(self) -> bool:
        """Return whether the weights are kept in 8 bits."""
        return bool(self.config.get("quantize"))

    @property
    def bundled(self) -> bool:
        """Return whether it came with the program, and is small enough for any processor."""
        return Path(self.source).parent == BUNDLED

    @property
    def context(self) -> int:
        """Return the number of frames that the model looks back on."""
        return int(self.config["context"])

    @property
    def details(self) -> dict[str, object]:
        """Return what a recording keeps, as JSON values."""
        adapter = self.adapter
        return {
            "name": self.name,
            "kind": self.kind,
            "source": self.source,
            "weights": _identity(self.weights),
            "adapter": {**_identity(adapter.path), "scaling": adapter.scaling} if adapter else None,
            "context": self.context,
        }

    @property
    def weights_bytes(self) -> int:
        """Return what the weights take on disk."""
        return size_bytes(self.weights)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return all files of the model, but for its configurations."""
        adapter = (self.adapter.path,) if self.adapter else ()
        voices = (self.voices,) if self.voices is not None and self.voices.is_file() else ()
        return (*weight_files(self.weights), *adapter, self.mimi, self.tokenizer, *voices)


def find(
    spec: str,
    *,
    base: str | None = None,
    models: Path | None = None,
    progress: Progress | None = None,
    both_voices: bool = False,
    reach: Reach = "named",
) -> Checkpoint:
    """Find a model by a name of the catalogue or of one below `models`, 'tiny', a folder, or 'owner/name'.

    `base` names, in the same ways, what an adapter was trained on or where Mimi and the tokenizer are.
    Of a model that predicts the user's voice too, the user's half is left out, but for `both_voices`.
    Downloads what is not on this computer, as far as `reach` goes. Raises UserError with a sentence that
    names the file.
    """
    finder = _Finder(base, models or paths().models, progress or (lambda *_: None), both_voices, reach)
    return finder.find(spec)


@dataclass(frozen=True, slots=True)
class _Finder:
    base: str | None
    models: Path
    progress: Progress
    both_voices: bool
    reach: Reach

    def find(self, spec: str) -> Checkpoint:
        if spec == "tiny":
            return self._open_folder(ensure_tiny(self.models / "tiny"))
        if (known := catalog.find(_repo_of(spec))) is not None:
            return self._open_known(known)
        folder = Path(os.path.expanduser(spec))
        if spec and os.path.isdir(folder):
            return self._open_folder(folder.resolve())
        if os.path.isfile(folder):
            advice = f"Name its folder: {shlex.quote(str(folder.parent))}."
            raise UserError(f"{folder} is one file of a model, not its folder.", advice)
        if spec and os.path.exists(self.models / spec / CONFIG_NAME):
            return self._open_folder((self.models / spec).resolve())
        if spec.startswith(("/", "./", "../", "~")):
            raise UserError(f"There is no folder {folder}.", "Check the name and where it lies.")
        if _REPO.fullmatch(repo := _repo_of(spec)):
            return self._open_repo(repo)
        if spec == "echo":
            raise UserError("echo has no weights: it only gives back what it hears.", "Name another model.")
        names = ", ".join(known.name for known in catalog.KNOWN)
        raise UserError(
            f"There is no model called '{shorten(spec, 200)}'.",
            f"Name one of {names}, tiny or echo, a folder, or a hub repository as owner/name.",
        )

    def _open_known(self, known: catalog.KnownModel) -> Checkpoint:
        if known.bundled:
            return self._open_folder(BUNDLED / known.name)
        if self.reach == "never" and not all(map(download.cached, known.files)):
            raise _not_here(known.name)
        first, *others = known.files
        paths = [self._fetch_weights(first), *map(self._fetch, others)]
        expected = dict(known.sha256)
        for path in paths:
            found, pinned = download.expected_sha256(path), expected.get(path.name)
            if found is not None and pinned is not None and found != pinned:
                advice = "Update Aizuchi: the makers of the model may have published it anew."
                raise UserError(f"{path} is not the file that this version of Aizuchi knows.", advice)
        config = known.file_config if self.both_voices else known.config
        weights, mimi, tokenizer, *voices = paths
        place = voices[0] if voices else None
        return Checkpoint(known.name, "catalogue", known.repo, weights, mimi, tokenizer, config, voices=place)

    def _open_repo(self, repo: str) -> Checkpoint:
        try:
            path = self._try_fetch(f"{download.SCHEME}{repo}/{CONFIG_NAME}")
        except FileNotFoundError as fault:
            advice = f"Download its files into a folder together with a {CONFIG_NAME}, and choose the folder."
            raise UserError(f"{repo} has no {CONFIG_NAME}, so its shape is not known.", advice) from fault
        # All of it as it was in one commit, even if the next one is published meanwhile.
        commit = download.commit(path)

        def refer(name: str) -> str:
            if name.startswith(download.SCHEME):
                return name
            return download.pin(f"{download.SCHEME}{repo}/{name.removeprefix(_LOCAL)}", commit)

        def locate(name: str) -> Path:
            return self._fetch(refer(name))

        raw = read_json(path) or guess(self._fetch_weights(refer(catalog.MOSHI_NAME)), path)
        config = take_apart(raw, path, self.both_voices)
        mimi_config = locate(config.mimi_config_name) if config.mimi_config_name else None
        adapter = _adapter(config, locate(config.lora_name)) if config.lora_name else None
        return Checkpoint(
            name=repo,
            kind="hub",
            source=repo,
            weights=self._fetch_weights(refer(config.moshi_name)),
            mimi=locate(config.mimi_name),
            tokenizer=locate(config.tokenizer_name),
            config=config.lm,
            mimi_config=take_mimi(read_json(mimi_config), mimi_config) if mimi_config else None,
            adapter=adapter,
            generation=config.generation,
            voices=self._repo_voices(refer(catalog.VOICES_NAME), raw),
        )

    def _repo_voices(self, reference: str, raw: dict[str, Any]) -> Path | None:
        """Return the voices of a repository, None if there are none.

        Only models for both voices are known to have any: of others the hub is not asked.
        """
        if (found := download.cached(reference)) is not None or raw["dep_q"] != raw["n_q"]:
            return found
        if self.reach == "never" or not download.may_download():
            return None
        try:
            return self._try_fetch(reference)
        except FileNotFoundError:
            return None

    def _open_folder(self, folder: Path) -> Checkpoint:
        if (folder / CONFIG_NAME).exists():
            path = folder / CONFIG_NAME
            config = take_apart(read_json(path) or guess_folder(folder), path, self.both_voices)
            shapes = folder / CONSOLIDATED_NAME, folder / ADAPTER_NAME
            kind = "consolidated" if any(shape.exists() for shape in shapes) else "folder"
        elif (folder / NU_DIALOGUE_NAME).exists():
            path = folder / NU_DIALOGUE_NAME
            config = take_apart(read_json(path), path, self.both_voices)
            kind = "nu-dialogue"
        else:
            config = take_apart(guess_folder(folder), folder, self.both_voices)
            kind = "bare folder"
        return self._complete(folder, kind, config)

    def _complete(self, folder: Path, kind: str, config: Config) -> Checkpoint:
        """Take from the folder what is there, and from its base what is not."""
        adapter = self._find_adapter(folder, config)
        weights = self._locate_weights(folder, config.moshi_name)
        if (consolidated := self._locate_weights(folder, CONSOLIDATED_NAME)) is not None:
            weights, adapter = consolidated, None
        mimi = self._locate(folder, config.mimi_name)
        tokenizer = self._locate(folder, config.tokenizer_name)
        base, note = None, ""
        if (weights is None and adapter) or mimi is None or tokenizer is None:
            base, note = self._find_base(folder, kind, adapter is not None)
        if weights is None and adapter is not None and base is None:
            sentence = f"{folder} is an adapter on {_local(folder, config.moshi_name)}, which is not there."
            raise UserError(sentence, "Put it back, or name the model as the base (--base).")
        if weights is None and (base is None or adapter is None):
            raise _lacks(folder, config.moshi_name)
        if mimi is None and base is None:
            raise _lacks(folder, config.mimi_name)
        if tokenizer is None and base is None:
            raise _lacks(folder, config.tokenizer_name)
        if adapter and (config.lm.get("quantize") or (weights is None and base and base.quantized)):
            raise UserError(
                f"{adapter.path} is a LoRA adapter, and its base has 8-bit weights: they do not go together.",
                "Choose the full-precision model as the base.",
            )
        return Checkpoint(
            name=folder.parent.name if folder.name == "consolidated" else folder.name,
            kind=kind,
            source=str(folder),
            weights=weights or _of(base).weights,
            mimi=mimi or _of(base).mimi,
            tokenizer=tokenizer or _of(base).tokenizer,
            config=config.lm,
            mimi_config=self._mimi_config(folder, config) if mimi else _of(base).mimi_config,
            adapter=adapter,
            generation=config.generation,
            note=note,
            voices=_folder_voices(folder) or (base.voices if base else None),
        )

    def _find_adapter(self, folder: Path, config: Config) -> Adapter | None:
        named = self._locate(folder, config.lora_name or ADAPTER_NAME)
        if named is None and config.lora_name:
            raise _lacks(folder, config.lora_name)
        return _adapter(config, named) if named else None

    def _find_base(self, folder: Path, kind: str, adapter: bool) -> tuple[Checkpoint | None, str]:
        """Return what a folder builds on, and a sentence if that had to be assumed."""
        spec, note = self.base or _recorded_base(folder), ""
        if spec is None and kind in ("nu-dialogue", "consolidated") and not (folder / PEDIGREE).exists():
            spec = DEFAULT_BASE
            what = "which model it was trained on" if adapter else "which tokenizer it was trained with"
            note = f"{folder.name} does not say {what}; that of {spec} (English) is assumed."
        if spec is None:
            return None, ""
        # What was not named is not fetched unasked: it may be 15 GB.
        reach: Reach = "never" if self.base is None and self.reach == "named" else self.reach
        base = _Finder(None, self.models, self.progress, self.both_voices, reach).find(spec)
        if base.adapter is not None and adapter:
            advice = "Name the full model that it was trained on as the base."
            raise UserError(f"The base {spec} is an adapter itself.", advice)
        return base, note

    def _locate_weights(self, folder: Path, name: str) -> Path | None:
        """Return weights that a folder names, or the index of their shards; None if they are not there."""
        if name.startswith(download.SCHEME):
            self._refuse_reaching(folder, name)
            return self._fetch_weights(name)
        return self._locate(folder, name) or self._locate(folder, f"{name}{INDEX_SUFFIX}")

    def _locate(self, folder: Path, name: str) -> Path | None:
        """Return a file that a folder names, None if it is not there."""
        if name.startswith(download.SCHEME):
            self._refuse_reaching(folder, name)
            return self._fetch(name)
        path = _local(folder, name)
        # An older export says where its folder lay when it was made.
        places = (path, folder / path.name)
        return next((place for place in places if os.path.exists(place)), None)

    def _refuse_reaching(self, folder: Path, reference: str) -> None:
        """Raise UserError where a folder, and not the user, asks for a file that is not on this computer."""
        there = download.cached(reference) or download.cached(f"{reference}{INDEX_SUFFIX}")
        if there is None and self.reach != "all":
            repo, file = download.split(reference)
            advice = f"Download it with `aizuchi models download {shlex.quote(str(folder))}`."
            raise UserError(f"{folder} needs {file} of {repo}, which is not on this computer.", advice)

    def _mimi_config(self, folder: Path, config: Config) -> dict[str, Any] | None:
        if (name := config.mimi_config_name) is None and not (folder / CONFIG_NAME).exists():
            # What else describes such a folder is for LMModel alone, and can not name it.
            name = MIMI_CONFIG_NAME if (folder / MIMI_CONFIG_NAME).exists() else None
        if name is None:
            return None
        if (path := self._locate(folder, name)) is None:
            raise _lacks(folder, name)
        return take_mimi(read_json(path), path)

    def _fetch_weights(self, reference: str) -> Path:
        """Return weights of the hub, or the index of their shards, all of which are then on this computer."""
        index = f"{reference}{INDEX_SUFFIX}"
        if (whole := download.cached(reference)) is not None:
            return whole
        if download.cached(index) is None:
            try:
                return self._try_fetch(reference)
            except FileNotFoundError:
                pass
        try:
            path = self._try_fetch(index)
        except FileNotFoundError:
            return self._fetch(reference)  # which tells that neither is there
        for name in shard_names(path):
            shard = f"{reference.rpartition('/')[0]}/{name}"
            self._fetch(download.pin(shard, download.commit(path)))
        return path

    def _fetch(self, reference: str) -> Path:
        """Return a file of the hub. Raises UserError."""
        repo, file = download.split(reference)
        if download.may_download() and download.cached(reference) is None:
            # Told before the hub is asked, so that nobody is told that the network is off meanwhile.
            self.progress(f"Downloading {file}", 0, 0)
        try:
            return self._try_fetch(reference)
        except FileNotFoundError as fault:
            advice = "Look at the files of the repository: it may be of another kind."
            raise UserError(f"{repo} on the hub has no file {file}.", advice) from fault

    def _try_fetch(self, reference: str) -> Path:
        """Return a file of the hub. Raises FileNotFoundError if there is none, and UserError for the rest."""
        repo, file = download.split(reference)
        if self.reach == "never" and download.cached(reference) is None:
            raise _not_here(repo)
        return download.fetch(
            reference, lambda done, total: self.progress(f"Downloading {file}", done, total)
        )


def _repo_of(spec: str) -> str:
    """Return the repository whose page on the hub an address names, any other text as it is."""
    if spec.startswith(download.SCHEME):
        return spec.removeprefix(download.SCHEME)
    if (page := _PAGE.fullmatch(spec)) is None:
        return spec
    if page[2] not in (None, "main"):
        advice = "Name the repository as owner/name; its newest state is taken."
        raise UserError(f"{shorten(spec, 200)} shows a revision of its own.", advice)
    return page[1]


def copy_voices(found: Checkpoint, folder: Path) -> None:
    """Put a model's voices into the folder of another that is made of it. Raises OSError."""
    if found.voices is not None and found.voices.is_dir():
        shutil.copytree(found.voices, folder / catalog.VOICES_FOLDER)
    elif found.voices is not None:
        shutil.copyfile(found.voices, folder / catalog.VOICES_NAME)


def _folder_voices(folder: Path) -> Path | None:
    """Return the voices in a model's folder, None if there are none."""
    places = folder / catalog.VOICES_NAME, folder / catalog.VOICES_FOLDER
    return next((place for place in places if place.exists()), None)


def _local(folder: Path, name: str) -> Path:
    """Return where a name in a folder's configuration points to."""
    return Path(os.path.normpath(folder / name.removeprefix(_LOCAL)))


def _not_here(name: str) -> UserError:
    return UserError(f"{name} is not on this computer.", f"Fetch it with `aizuchi models download {name}`.")


def _of(base: Checkpoint | None) -> Checkpoint:
    assert base is not None, "whatever a folder lacks without a base was refused before"
    return base


def _lacks(folder: Path, name: str) -> UserError:
    return UserError(
        f"{folder} has no {name}.",
        "Copy it there, or name the model that has it as the base (--base).",
    )


def _identity(path: Path) -> dict[str, object]:
    """Return what tells these weights from others, in a moment even for 15 GB."""
    return {
        "file": path.name,
        "sha256": download.expected_sha256(path),
        "fingerprint": fingerprint(path),
        "commit": download.commit(path) or None,
    }


def _adapter(config: Config, path: Path) -> Adapter:
    if not config.lora:
        advice = f"The {CONFIG_NAME} beside it needs lora, lora_rank and lora_scaling."
        raise UserError(f"{path} is a LoRA adapter, but its configuration does not say so.", advice)
    return Adapter(path, config.lora_rank, config.lora_scaling)


def _recorded_base(folder: Path) -> str | None:
    """Return the base of a folder's model: as our own export tells it, or as a trainer does.

    kyutai-labs/moshi-finetune writes it into args.yaml, three folders up.
    """
    with suppress(OSError, ValueError, AttributeError):
        parent = read_plain_json(folder / PEDIGREE).get("parent")
        # A folder may have gone since; a name is as good as it was.
        if isinstance(parent, str) and parent and (os.path.isdir(parent) or not os.path.isabs(parent)):
            return parent
    try:
        text = (folder.parents[2] / "args.yaml").read_text(encoding="utf-8")
    except (OSError, IndexError, UnicodeDecodeError):
        return None
    named_there = re.search(r"^\s*hf_repo_id:\s*['\"]?([\w.-]+/[\w.-]+)", text, re.MULTILINE)
    return named_there.group(1) if named_there else None
