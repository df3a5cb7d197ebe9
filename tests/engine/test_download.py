"""Files come from the hub once, what is here needs no network, and each obstacle has its sentence."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils import reset_sessions

from app.engine import download
from app.engine.download import cached, expected_sha256, fetch, split
from app.errors import UserError

CONTENT = bytes(range(256)) * 94_000
"""24 MB: the hub's library writes what comes in by 10 MB."""

SHA256 = hashlib.sha256(CONTENT).hexdigest()
HOLD_S = 0.4


class Hub:
    """The little of the hub that a download sees. It can not be the real one: tests run without a network."""

    def __init__(self) -> None:
        self.requests: list[str] = []
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
        return (401, "RepoNotFound") if "nobody" in path else (200, "")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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
    hub.close()
    reset_sessions()


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


def test_references_name_files_in_folders() -> None:
    assert split("hf://owner/name/a/b.bin") == ("owner/name", "a/b.bin")


def test_a_file_outside_the_cache_has_no_hash_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / ("a" * 64)).write_bytes(b"x")
    assert expected_sha256(tmp_path / ("a" * 64)) is None
