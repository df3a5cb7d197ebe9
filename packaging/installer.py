"""The second stage of the first start: fetches the large packages, in a window that shows how far it is.

Called by `launch` as `installer.py PART READY` with the Python of the environment in PART, which holds
nothing but PySide6 yet. When all is there PART is renamed to READY, so that there is never half a program.
Each version has an environment of its own, which goes when its package is gone and nobody uses it. Without a
screen it does the same on the terminal. Knows nothing about the program itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOOK_S = 2.0

PART = ".part"
SHARED = ("python", "cache")
"""What environments have in common: interpreters, and what is being unpacked."""

LOCK, PACKAGE = "lock", "package"
"""Files of an environment: whoever uses it holds the first; the second says which package it belongs to."""

WORDS = {
    "title": ("Setting up Aizuchi", "Aizuchi を準備しています"),
    "what": (
        "Some 3 GB are fetched once: PyTorch and what it needs on graphics cards. You may close this window; "
        "the next start goes on from here.",
        "PyTorch と GPU 用の部品、約 3 GB を一度だけダウンロードします。"
        "このウィンドウは閉じてもかまいません。次に起動したとき、続きから始まります。",
    ),
    "no card": (
        "No NVIDIA driver was found: the starter model will run, the large ones need a card.",
        "NVIDIA のドライバーが見つかりません。starter モデルは動きますが、大きなモデルには GPU が必要です。",
    ),
    "far": ("{done:.1f} of {total:.1f} GB unpacked", "{total:.1f} GB 中 {done:.1f} GB"),
    "left": (", {speed:.0f} MB/s, {minutes} min left", "、{speed:.0f} MB/s、残り {minutes} 分"),
    "last": ("Putting it together…", "仕上げています…"),
    "failed": (
        "It could not be finished. Check the network and the disk, and try again; what was fetched is kept.",
        "完了できませんでした。ネットワークとディスクを確認して、もう一度お試しください。取得した分は残ります。",
    ),
    "kept": (
        "Packages of other versions are kept, so that they start at once: {names}. Delete in {folder} what "
        "you no longer need.",
        "ほかの版のパッケージは、すぐ起動できるように残してあります：{names}。"
        "不要になったものは {folder} から削除してください。",
    ),
    "retry": ("Try again", "再試行"),
    "cancel": ("Cancel", "キャンセル"),
    "folder": ("From a folder of wheels…", "wheel のフォルダーから…"),
}


def word(name: str) -> str:
    """Return a sentence in the language of the system."""
    wished = next(
        (value for each in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(each))), ""
    )
    return WORDS[name][wished.startswith("ja")]


class Job:
    """The packages on their way: one process of uv after the other, and how much there is so far."""

    def __init__(self, part: Path, ready: Path) -> None:
        self._part, self._ready = part, ready
        self._payload = part / "payload"
        self._cache = Path(os.environ["UV_CACHE_DIR"])
        self.total = int((self._payload / "bytes").read_text())
        self._log = part / "log"
        self._steps: Iterator[list[str]] = iter(())
        self._process: subprocess.Popen[bytes] | None = None
        self.failed = False

    def begin(self, wheels: str = "") -> None:
        """Begin, or begin again; what uv has in its cache is not fetched twice."""
        wheels = wheels or os.environ.get("AIZUCHI_WHEELS", "")
        index = os.environ.get("AIZUCHI_INDEX", "")
        source = ["--no-index", "--find-links", wheels] if wheels else []
        source += ["--default-index", index] if index and not wheels else []
        install = [str(self._payload / "uv"), "pip", "install", "--python", sys.executable]
        (own,) = self._payload.glob("aizuchi-*.whl")
        self._steps = iter(
            [
                [*install, "--require-hashes", "-r", str(self._payload / "requirements.txt"), *source],
                [*install, "--no-deps", "--no-index", str(own)],
            ]
        )
        self.failed = False
        self._next()

    def look(self) -> bool:
        """Go on, and return whether all is there."""
        if self._process is None or self._process.poll() is None:
            return False
        if self._process.returncode != 0:
            self.failed, self._process = True, None
            return False
        return not self._next()

    def done(self) -> int:
        """Return how many bytes are unpacked."""
        return min(self.total, _size(self._cache if self._cache.is_dir() else self._part))

    def cancel(self) -> None:
        """Stop; what is whole is kept for the next start."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def finish(self) -> None:
        """Put the environment in its place, and drop what was only needed for it."""
        if (self._payload / "libportaudio.so.2").exists():
            (self._part / "portaudio").touch()
        self._ready.parent.mkdir(parents=True, exist_ok=True)
        # What is there has no Python, or this would not have been called.
        shutil.rmtree(self._ready, ignore_errors=True)
        os.replace(self._part, self._ready)
        kept = remove_unused(self._ready)
        if kept:
            names = ", ".join(f"{each.name} ({_size(each) / 1e9:.1f} GB)" for each in kept)
            print(word("kept").format(names=names, folder=self._ready.parent), file=sys.stderr, flush=True)

    def complaint(self) -> str:
        """Return the last lines of what uv said."""
        return "\n".join(self._log.read_text(errors="replace").strip().splitlines()[-4:])

    def _next(self) -> bool:
        """Start the next step and return whether there was one."""
        step = next(self._steps, None)
        if step is None:
            return False
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(step, stdout=log, stderr=subprocess.STDOUT)
        return True


def remove_unused(ready: Path) -> list[Path]:
    """Remove the environments beside `ready` that nobody needs, and return those of other versions that stay.

    Only one whose package is gone and that no process uses is removed, and never the one that was used last:
    to it one goes back.
    """
    others = [
        each for each in ready.parent.iterdir() if each.is_dir() and each not in (ready, *_shared(ready))
    ]
    whole = sorted((each for each in others if not each.name.endswith(PART)), key=_used)
    begun = [each for each in others if each.name.endswith(PART)]
    for each in (*whole[:-1], *begun):
        if not _has_package(each):
            _remove(each)
    if not any(each.exists() for each in begun):
        shutil.rmtree(ready.parent / SHARED[1], ignore_errors=True)
    return [each for each in whole if each.exists()]


def _shared(ready: Path) -> list[Path]:
    return [ready.parent / name for name in SHARED]


def _used(folder: Path) -> float:
    """Return when an environment was used last, as seconds since 1970."""
    for place in (folder / LOCK, folder):
        with suppress(OSError):
            return place.stat().st_mtime
    return 0.0


def _has_package(folder: Path) -> bool:
    """Return whether the package of an environment may be there; what says nothing of one is left alone."""
    try:
        named, _, stamp = (folder / PACKAGE).read_text().partition("\n")
        package = Path(named)
        if package.name == "version":
            return package.read_text().strip() == folder.name.removesuffix(PART)
        about = package.stat()
    except FileNotFoundError:
        return not (folder / PACKAGE).exists()
    except (OSError, ValueError):
        return True
    return stamp.strip() in ("", f"{about.st_size} {int(about.st_mtime)}")


def _remove(folder: Path) -> None:
    """Remove an environment that no process holds or was started from."""
    with suppress(OSError), (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_running(folder):
            gone = folder.with_name(f".{folder.name}.old{PART}")
            os.replace(folder, gone)
            shutil.rmtree(gone, ignore_errors=True)


def _is_running(folder: Path) -> bool:
    """Return whether a process was started from an environment, such as training that goes on by itself."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            program = (process / "cmdline").read_bytes().split(b"\0")[0]
            if program.startswith(os.fsencode(f"{folder}/")):
                return True
    return False


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        # uv moves its folders while they are counted.
        with suppress(OSError):
            total += sum(os.lstat(os.path.join(place, name)).st_size for name in names)
    return total


def in_terminal(job: Job) -> int:
    """Do it with a line a while on the terminal."""
    print(word("what"), flush=True)
    job.begin()
    while not job.look():
        if job.failed:
            print(job.complaint(), word("failed"), sep="\n", flush=True)
            return 1
        time.sleep(LOOK_S)
        print(word("far").format(done=job.done() / 1e9, total=job.total / 1e9), flush=True)
    job.finish()
    return 0


def main() -> int:
    """Fetch, and return 0 when the program is ready to start."""
    job = Job(Path(sys.argv[1]), Path(sys.argv[2]))
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not screen:
        return in_terminal(job)
    from installer_window import in_window

    return in_window(job)


if __name__ == "__main__":
    sys.exit(main())
