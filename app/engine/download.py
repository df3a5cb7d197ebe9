"""Files of the Hugging Face hub, fetched once into the cache that every program shares.

What is in the cache is used without asking the network: the hub's library is offline but for the time of a
download. Knows nothing about models.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub import try_to_load_from_cache as look_up
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils._http import reset_sessions

from app.errors import UserError
from app.secret import token

SCHEME = "hf://"

Progress = Callable[[int, int], None]
"""Told (done_bytes, total_bytes) while a file comes in, from a thread of its own; total 0 is unknown."""

_WISHED_OFFLINE = bool(constants.HF_HUB_OFFLINE)
"""Whether the user has switched downloads off."""

constants.HF_HUB_OFFLINE = True

_CACHE_ONLY = ContextVar("cache_only", default=False)

_POLL_S = 0.25
_REACH_S = 10.0


_REFUSED = (401, 403)
"""What the hub answers to who may not read a file, where it does not say that the file is gated."""

_NEWEST = "main"
"""The revision that holds where none is named."""

_COMMIT = re.compile("[0-9a-f]{40}")

_CACHED = re.compile(
    r"/models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<revision>[^/]+)/(?P<file>.+)"
)
"""Where the hub's library keeps a file."""


class Origin(NamedTuple):
    """Where on the hub a file in the cache is from."""

    repo: str
    file: str
    commit: str


def split(reference: str) -> tuple[str, str]:
    """Return repository and file name of a reference hf://owner/name/file or hf://owner/name@commit/file."""
    owner, name, file = reference.removeprefix(SCHEME).split("/", 2)
    return f"{owner}/{name.partition('@')[0]}", file


def pin(reference: str, commit: str) -> str:
    """Return a reference to the file as it was in a commit; without one it stays as it is."""
    repo, file = split(reference)
    return f"{SCHEME}{repo}@{commit}/{file}" if commit else reference


def cached(reference: str) -> Path | None:
    """Return where a file is in the cache, None if it is not there. Never asks the network."""
    repo, file = split(reference)
    try:
        found = look_up(repo, file, cache_dir=constants.HF_HUB_CACHE, revision=_revision(reference))
    except (OSError, ValueError):
        found = None  # The cache is damaged; what is whole in it is looked for below.
    return Path(found) if isinstance(found, str) else _find_beside(repo, file, _revision(reference))


def origin(path: Path) -> Origin | None:
    """Return where a file in the cache is from, None for a file that is not of the cache or of no commit."""
    place = path.absolute()
    found = _CACHED.search(place.as_posix()) if place.is_relative_to(constants.HF_HUB_CACHE) else None
    if found is None or not _COMMIT.fullmatch(found["revision"]):
        return None
    return Origin(f"{found['owner']}/{found['name']}", found["file"], found["revision"])


def commit(path: Path) -> str:
    """Return the commit that a file in the cache is of, '' for any other file."""
    found = origin(path)
    return found.commit if found else ""


def _revision(reference: str) -> str:
    return reference.removeprefix(SCHEME).split("/", 2)[1].partition("@")[2] or _NEWEST


def _find_beside(repo: str, file: str, revision: str) -> Path | None:
    """Return a file of a cache whose note of the newest commit is damaged, if one commit alone has it."""
    root = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    note = root / "refs" / _NEWEST
    try:
        if revision != _NEWEST or not note.exists() or _COMMIT.fullmatch(note.read_text().strip()):
            return None
    except (OSError, ValueError):
        pass
    there = [path for commit in root.glob("snapshots/*") if (path := commit / file).is_file()]
    return there[0] if len(there) == 1 else None


def may_download() -> bool:
    """Return whether what is not in the cache may be asked of the network here."""
    return not (_WISHED_OFFLINE or _CACHE_ONLY.get())


@contextmanager
def cache_only() -> Iterator[None]:
    """Let nothing be downloaded on this thread: what is not in the cache is a UserError."""
    before = _CACHE_ONLY.set(True)
    try:
        yield
    finally:
        _CACHE_ONLY.reset(before)


def fetch(reference: str, progress: Progress | None = None) -> Path:
    """Return where a file is in the cache, after downloading it if it is not there.

    Raises UserError with a sentence on what stands in the way, and FileNotFoundError if the repository is
    there but has no such file.
    """
    if (found := cached(reference)) is not None:
        return found
    repo, file = split(reference)
    if _WISHED_OFFLINE:
        advice = "Download it on the Models page, or run `aizuchi models download` without HF_HUB_OFFLINE."
        raise UserError(f"{repo} is not on this computer, and downloads are switched off.", advice)
    if not may_download():
        advice = "Download it on the Models page, or with `aizuchi models download`."
        raise UserError(f"{repo} is not on this computer.", advice)
    with _sentences(repo), _online(), _as_open_as(Path(constants.HF_HUB_CACHE)):
        _reach(repo, file)
        with _watched(reference, progress):
            return Path(hf_hub_download(repo, file, revision=_revision(reference), token=token()))


def expected_sha256(path: Path) -> str | None:
    """Return the SHA-256 that the hub tells of a file in its cache, None where it tells none."""
    blob = path.resolve().name
    return blob if path.is_symlink() and re.fullmatch("[0-9a-f]{64}", blob) else None


def _reach(repo: str, file: str) -> None:
    """Ask the hub once: its library would ask for half a minute before it says that there is no network."""
    try:
        get_session().head(hf_hub_url(repo, file), timeout=_REACH_S)
    except OSError as fault:
        raise LocalEntryNotFoundError(str(fault)) from fault


@contextmanager
def _as_open_as(folder: Path) -> Iterator[None]:
    """Let those read what is fetched who may read the folder: a cache may belong to a group.

    Everything that holds voices is made private where it is written, whatever this says meanwhile.
    """
    try:
        before = os.umask(0o777 & ~folder.stat().st_mode)
    except FileNotFoundError:
        yield
        return
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _online() -> Iterator[None]:
    """Let the hub's library use the network."""
    constants.HF_HUB_OFFLINE = False
    reset_sessions()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = True
        reset_sessions()


@contextmanager
def _sentences(repo: str) -> Iterator[None]:
    """Turn what the hub's library raises into a sentence for the user."""
    page = f"{constants.ENDPOINT}/{repo}"
    try:
        yield
    except LocalEntryNotFoundError as fault:
        # The library also says so where the hub was reached, and refused.
        if _is_refusal(fault.__cause__):
            raise _refused(repo, page) from fault
        advice = "Connect to the network, or copy the model into a folder and choose that."
        raise UserError(f"{repo} is not on this computer, and the hub can not be reached.", advice) from fault
    except EntryNotFoundError as fault:
        raise FileNotFoundError(f"{repo} has no such file") from fault
    except GatedRepoError as fault:
        advice = (
            f"Accept its licence at {page}, then give a token of yours under Settings, or `hf auth login`."
        )
        raise UserError(f"{repo} asks you to accept its licence first.", advice) from fault
    except (RepositoryNotFoundError, HFValidationError) as fault:
        advice = f"Look for it at {page}; a private one needs a token (Settings, or `hf auth login`)."
        raise UserError(f"There is no repository {repo} on the hub, or it is private.", advice) from fault
    except ValueError as fault:
        folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
        raise UserError(
            f"The cache of {repo} is damaged: {fault}.", f"Delete {folder}, and try again."
        ) from fault
    except HfHubHTTPError as fault:
        raise (_refused(repo, page) if _is_refusal(fault) else _broke_off(repo, fault)) from fault
    except OSError as fault:
        raise _broke_off(repo, fault) from fault


def _is_refusal(fault: BaseException | None) -> bool:
    return getattr(getattr(fault, "response", None), "status_code", 0) in _REFUSED


def _refused(repo: str, page: str) -> UserError:
    advice = f"Accept its licence at {page}; the token under Settings needs the right to read such files."
    return UserError(f"The hub refuses {repo} with this token.", advice)


def _broke_off(repo: str, fault: OSError) -> UserError:
    advice = "Check the network and the room on the disk, then try again: it goes on where it stopped."
    return UserError(f"The download of {repo} broke off: {fault}.", advice)


@contextmanager
def _watched(reference: str, progress: Progress | None) -> Iterator[None]:
    """Tell how far a download has come, by the growth of the file that the hub's library writes."""
    if progress is None:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(reference, progress, done), name="download-progress")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(reference: str, progress: Progress, done: threading.Event) -> None:
    repo, file = split(reference)
    try:
        url = hf_hub_url(repo, file, revision=_revision(reference))
        metadata = get_hf_file_metadata(url, token=token())
    except OSError:
        return  # The download itself meets the same fault and tells it.
    blobs = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}" / "blobs"
    growing = blobs / f"{metadata.etag}.incomplete"
    total = metadata.size or 0
    while not done.wait(_POLL_S):
        if growing.exists():
            progress(growing.stat().st_size, total)
    progress(total, total)
