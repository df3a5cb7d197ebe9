"""A private sound server with virtual devices, for tests and for measuring: PulseAudio in its own folder.

One stereo null sink is the wire: its left channel is the air before the microphone, its right channel
the air before the speaker. A program sees them as two devices, the microphone `mic` and the speaker
`speaker`, through PulseAudio's remap modules, which add no buffer of their own. A recorder on the
wire's monitor hears both channels on one clock, so a click's way from left to right is counted in
samples, and no clock is ever compared with another. Knows nothing about the program under test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import numpy as np

from app.errors import UserError
from app.frames import SAMPLE_RATE, Samples

RATE = 48_000
"""The rate of all devices here, that of most real ones."""

MODULES = {
    "wire": "module-null-sink sink_name=wire rate=48000 channels=2 channel_map=front-left,front-right",
    "air": "module-remap-sink sink_name=air master=wire channels=1 channel_map=mono "
    "master_channel_map=front-left remix=no",
    "mic": "module-remap-source source_name=mic master=wire.monitor channels=1 channel_map=mono "
    "master_channel_map=front-left remix=no source_properties=device.description=Virtual-microphone",
    "speaker": "module-remap-sink sink_name=speaker master=wire channels=1 channel_map=mono "
    "master_channel_map=front-right remix=no "
    'sink_properties="device.description=Virtual-speaker device.form_factor=headset"',
    "other": "module-null-sink sink_name=other rate=48000 channels=2 "
    "sink_properties=device.description=Other-speaker",
    "other_mic": "module-remap-source source_name=other_mic master=other.monitor "
    "source_properties=device.description=Other-microphone",
}
"""What is loaded, by name. Play into `air` for the microphone to hear; record `wire.monitor`.

The speaker is worn, so that no echo is looked for where there is none."""

ALSA_CONFIG = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

START_TIMEOUT_S = 10


class Rig:
    """A running server; `env` is the environment in which its devices are the only ones.

    Use it in a `with` statement. Raises UserError where PulseAudio is not installed.
    """

    def __init__(self) -> None:
        for program in ("pulseaudio", "pactl", "pacat", "parec"):
            if shutil.which(program) is None:
                sentence = f"The virtual sound devices need the program {program}, which is not installed."
                raise UserError(sentence, "Install it: sudo apt install pulseaudio pulseaudio-utils.")
        self._keep = tempfile.TemporaryDirectory(prefix="aizuchi-rig-")
        self.folder = Path(self._keep.name)
        (self.folder / "asound.conf").write_text(ALSA_CONFIG)
        self.env = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.folder),
            "PULSE_SERVER": f"unix:{self.folder / 'native'}",
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
        }
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start the server, with `mic` and `speaker` as the default devices."""
        script = [f"load-module module-native-protocol-unix socket={self.folder / 'native'} auth-anonymous=1"]
        script += [f"load-module {module}" for module in MODULES.values()]
        script += ["set-default-source mic", "set-default-sink speaker", ""]
        (self.folder / "server.pa").write_text("\n".join(script))
        command = ["pulseaudio", "-n", "-F", str(self.folder / "server.pa"), "--exit-idle-time=-1"]
        command += ["--daemonize=no", "--use-pid-file=no", "--disable-shm=yes", "--log-target=stderr"]
        # Cookies and states of the user's own server are in their home; this one has a home of its own.
        env = {**self.env, "HOME": str(self.folder)}
        env.pop("PULSE_SERVER")
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._await_answer(self._server)

    def stop(self) -> None:
        """Kill the server, as when the sound system crashes; `start` brings it back."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        self._keep.cleanup()

    def control(self, *command: str) -> str:
        """Run pactl on this server and return what it prints."""
        run = subprocess.run(
            ["pactl", *command], env=self.env, check=True, capture_output=True, text=True, timeout=10
        )
        return run.stdout.strip()

    def unplug(self, device: str) -> None:
        """Take `mic`, `speaker`, `other` or `other_mic` away."""
        for line in self.control("list", "short", "modules").splitlines():
            number, _, arguments = line.partition("\t")
            if f"_name={device}" in arguments.split() or f"_name={device} " in f"{arguments} ":
                self.control("unload-module", number)

    def plug(self, device: str) -> None:
        """Bring a device back, as the default one of its kind."""
        self.control("load-module", *MODULES[device].split(" "))
        self.control("set-default-source" if "source_name" in MODULES[device] else "set-default-sink", device)

    def play(self, samples: Samples, *, into: str = "air") -> subprocess.Popen[bytes]:
        """Play 24 kHz sound, [N] float32, into a sink and return the player; it ends by itself."""
        file = self.folder / f"play-{time.monotonic_ns()}.raw"
        samples.astype("<f4").tofile(file)
        command = ["pacat", "--playback", "-d", into, f"--rate={SAMPLE_RATE}", "--channels=1", str(file)]
        return subprocess.Popen([*command, "--format=float32le", "--raw"], env=self.env)

    def record(self, file: Path, *, source: str = "wire.monitor") -> subprocess.Popen[bytes]:
        """Record a source with two channels into a file until the recorder is terminated."""
        command = ["parec", "-d", source, f"--rate={RATE}", "--channels=2", "--format=float32le", "--raw"]
        return subprocess.Popen([*command, "--latency-msec=10", str(file)], env=self.env)

    def _await_answer(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if server.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text().strip().splitlines()
                self.close()
                raise UserError("The virtual sound server did not start.", log[-1] if log else "")
            time.sleep(0.05)

    def _answers(self) -> bool:
        asked = subprocess.run(["pactl", "info"], env=self.env, capture_output=True, text=True, check=False)
        return asked.returncode == 0 and "Default Source: mic" in asked.stdout


def read_recording(file: Path) -> Samples:
    """Return what a recorder wrote: [N, 2] float32 at RATE; column 0 was heard, column 1 was said."""
    raw = np.fromfile(file, dtype="<f4")
    return raw[: raw.size // 2 * 2].reshape(-1, 2)
