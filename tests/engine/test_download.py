"""Files come from the hub once, what is here needs no network, and each obstacle has its sentence."""

from __future__ import annotations

import gc
import hashlib
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils import reset_sessions

from app.engine import download
from app.engine.checkpoint import find
from app.engine.download import cache_only, cached, commit, expected_sha256, fetch, origin, pin, split
from app.errors import UserError
from tests.training.imports import full_disk

CONTENT = bytes(range(256)) * 94_000
"""24 MB: the hub's library writes what comes in by 10 MB."""

SHA256 = hashlib.sha256(CONTENT).hexdigest()
HOLD_S = 0.4


class Hub:
    """The little of the hub that a download sees. It can not be the real one: tests run without a network."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.paths: list[str] = []
        hub = self

        class Answer(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        self.requests.append(request.command)
        self.paths.append(request.path)
        status, error = self._judge(request.path)
        request.send_response(status)
        request.send_header("Content-Length", str(0 if error else len(CONTENT)))
        request.send_header("ETag", f'"{SHA256}"')
        request.send_header("X-Repo-Commit", "b" * 40)
        if error:
            request.send_header("X-Error-Code", error)
        request.end_headers()
        if body and not error:
            half = len(CONTENT) // 2
            request.wfile.write(CONTENT[:half])
            request.wfile.flush()
            time.sleep(HOLD_S)
            if "cut" not in request.path:
                request.wfile.write(CONTENT[half:])

    @staticmethod
    def _judge(path: str) -> tuple[int, str]:
        if "missing" in path:
            return 404, "EntryNotFound"
        if "gated" in path:
            return 403, "GatedRepo"
        if "forbidden" in path:
            return 403, "Other"
        return (401, "RepoNotFound") if "nobody" in path else (200, "")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        # The hub's library leaves the answers to what was refused to the garbage collector, sockets and all.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    monkeypatch.setattr(download, "_WISHED_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    reset_sessions()
    yield hub
    reset_sessions()
    hub.close()


def test_a_file_is_fetched_once_and_its_progress_told_in_bytes(hub: Hub) -> None:
    told: list[tuple[int, int]] = []
    path = fetch("hf://owner/model/weights.bin", lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert any(0 < done < len(CONTENT) for done, _ in told)
    assert expected_sha256(path) == SHA256
    asked = len(hub.requests)
    assert fetch("hf://owner/model/weights.bin") == cached("hf://owner/model/weights.bin") == path
    assert len(hub.requests) == asked, "what is here needs no network"


def test_what_is_here_needs_no_hub_at_all(hub: Hub) -> None:
    path = fetch("hf://owner/model/weights.bin")
    hub.close()
    assert fetch("hf://owner/model/weights.bin") == path


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("hf://owner/gated/weights.bin", r"owner/gated asks you to accept its licence first.*hf auth login"),
        (
            "hf://owner/forbidden/weights.bin",
            r"The hub refuses owner/forbidden with this token",
        ),
        (
            "hf://nobody/model/weights.bin",
            r"There is no repository nobody/model on the hub, or it is private",
        ),
        ("hf://owner/model/cut.bin", r"The download of owner/model broke off.*goes on where it stopped"),
    ],
)
def test_obstacles_are_told(hub: Hub, reference: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        fetch(reference)


def test_a_file_that_the_repository_lacks_is_told_apart(hub: Hub) -> None:
    with pytest.raises(FileNotFoundError):
        fetch("hf://owner/model/missing.json")


def test_without_a_network_it_is_told_at_once(hub: Hub) -> None:
    hub.close()
    began = time.monotonic()
    with pytest.raises(UserError, match=r"owner/model is not on this computer.*Connect to the network"):
        fetch("hf://owner/model/weights.bin", lambda *_: None)
    assert time.monotonic() - began < 5


def test_offline_on_purpose_is_told_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_WISHED_OFFLINE", True)
    reset_sessions()
    with pytest.raises(UserError, match="HF_HUB_OFFLINE"):
        fetch("hf://owner/model/weights.bin")
    assert not hub.requests


def test_what_nobody_asked_for_is_not_fetched(hub: Hub) -> None:
    sentence = r"owner/model is not on this computer\. Download it on the Models page"
    with cache_only(), pytest.raises(UserError, match=sentence):
        fetch("hf://owner/model/weights.bin")
    assert not hub.requests


def test_what_is_in_the_cache_is_used_without_being_asked_for(hub: Hub) -> None:
    there = fetch("hf://owner/model/weights.bin")
    hub.requests.clear()
    with cache_only():
        assert fetch("hf://owner/model/weights.bin") == there
    assert not hub.requests


def test_references_name_files_in_folders() -> None:
    assert split("hf://owner/name/a/b.bin") == ("owner/name", "a/b.bin")


def test_a_file_outside_the_cache_has_no_hash_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / ("a" * 64)).write_bytes(b"x")
    assert expected_sha256(tmp_path / ("a" * 64)) is None


BROKEN_REFS = (b"", b"\xff\xfe\x00", b"main", b"../../..", b"\0", b"a" * 41)


@pytest.mark.parametrize("note", BROKEN_REFS)
def test_a_damaged_note_of_the_newest_commit_hides_nothing(note: bytes, hub: Hub) -> None:
    path = fetch("hf://owner/model/weights.bin")
    refs = path.parents[2] / "refs" / "main"
    refs.write_bytes(note)
    assert cached("hf://owner/model/weights.bin") == path
    assert cached("hf://owner/model/other.bin") is None
    hub.close()
    assert fetch("hf://owner/model/weights.bin") == path
    with pytest.raises(
        UserError, match=r"owner/model is not on this computer, and the hub can not be reached"
    ):
        fetch("hf://owner/model/other.bin")


def test_a_damaged_note_does_not_stop_a_download(hub: Hub) -> None:
    path = fetch("hf://owner/model/weights.bin")
    (path.parents[2] / "refs" / "main").write_bytes(b"\xff\xfe\x00")
    try:
        fetch("hf://owner/model/other.bin")
    except UserError as fault:
        assert "The cache of owner/model is damaged" in fault.sentence
        assert str(path.parents[2]) in fault.advice


def test_a_commit_is_fetched_and_told(hub: Hub) -> None:
    path = fetch(pin("hf://owner/model/weights.bin", "b" * 40))
    assert any(f"/resolve/{'b' * 40}/" in each for each in hub.paths)
    assert commit(path) == "b" * 40
    assert origin(path) == ("owner/model", "weights.bin", "b" * 40)
    assert cached(pin("hf://owner/model/weights.bin", "c" * 40)) is None
    assert commit(path.resolve()) == ""


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "nonsense"])
@pytest.mark.parametrize("name", ["someone/unknown", "moshiko"])
def test_behind_a_dead_proxy_the_network_is_told_to_be_missing(
    name: str, proxy: str, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy":
        monkeypatch.setenv(variable, proxy)
    for variable in "NO_PROXY", "no_proxy":
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=r" is not on this computer, and the hub can not be reached"):
        find(name, models=tmp_path)


def test_a_full_disk_is_told_and_the_download_goes_on_once_there_is_room(hub: Hub) -> None:
    reference = "hf://owner/model/weights.bin"
    with full_disk(15_000_000), pytest.raises(UserError, match=r"disk|written") as caught:
        fetch(reference)
    assert caught.value.advice
    assert cached(reference) is None, "half a file is none"
    assert fetch(reference).read_bytes() == CONTENT
