"""A private sound server with virtual devices, for tests and for measuring, in a folder of its own.

It is PulseAudio, or PipeWire with the parts that make it speak PulseAudio's protocol.

One stereo null sink is the wire: its left channel is the air before the microphone, its right channel
the air before the speaker. A program sees them as two devices, the microphone `mic` and the speaker
`speaker`, through remap modules, which add no buffer of their own. A recorder on the
wire's monitor hears both channels on one clock, so a click's way from left to right is counted in
samples, and no clock is ever compared with another. Knows nothing about the program under test.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal

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

Plugin = Literal["pulse", "pipewire"]
"""ALSA's way to a sound server, each from a package of its own."""

ALSA_CONFIG = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

PIPEWIRE_ALSA_CONFIG = """\
pcm_type.pipewire {{ lib "{library}" }}
pcm.pipewire {{ type pipewire }}
pcm.default {{ type pipewire }}
"""
"""As where PipeWire's plugin is the only one, which the computer's own configuration does not say."""

PLUGIN_ROOTS = (Path(sys.prefix) / "pipewire-alsa", Path("/"))
PLUGIN_FOLDERS = ("usr/lib*/*/alsa-lib", "usr/lib*/alsa-lib")
"""Where PipeWire's plugin may be: Debian installs it only without PulseAudio, so it may lie beside Python."""

WIREPLUMBER_CONFIG = {
    "main.lua.d/80-virtual.lua": "alsa_monitor.enabled = false\n"
    "v4l2_monitor.enabled = false\n"
    "libcamera_monitor.enabled = false\n"
    'default_access.properties["enable-flatpak-portal"] = false\n',
    "bluetooth.lua.d/80-virtual.lua": "bluez_monitor.enabled = false\n",
    "wireplumber.conf.d/80-virtual.conf": "wireplumber.profiles = { main = { hardware.audio = disabled "
    "hardware.bluetooth = disabled hardware.video-capture = disabled support.logind = disabled "
    "support.portal-permissionstore = disabled support.reserve-device = disabled } }\n",
}
"""No real devices, and nothing that needs D-Bus: in Lua before WirePlumber 0.5, and else as properties."""

PIPEWIRE_PULSE_CONFIG = """\
context.spa-libs = {
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}
context.modules = [
    { name = libpipewire-module-rt flags = [ ifexists nofail ] }
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-metadata }
    { name = libpipewire-module-protocol-pulse args = { server.address = [ "unix:native" ] } }
]
"""
"""What makes PipeWire pipewire-pulse, without the package of that name: that is to replace PulseAudio."""

QUANTUM_SAMPLES = 256
"""How much PipeWire handles at once, at RATE: as little as Duplex asks for, and no less."""

START_TIMEOUT_S = 10


class Rig:
    """A running PulseAudio; `env` is the environment in which its devices are the only ones.

    Use it in a `with` statement. Raises UserError where the server is not installed or does not start.
    """

    programs: tuple[str, ...] = ("pulseaudio",)
    packages = "pulseaudio pulseaudio-utils"
    socket = "native"

    def __init__(self) -> None:
        for program in (*self.programs, "pactl", "pacat", "parec"):
            if shutil.which(program) is None:
                sentence = f"The virtual sound devices need the program {program}, which is not installed."
                raise UserError(sentence, f"Install it: sudo apt install {self.packages}.")
        alsa_config = self._alsa_config()
        self._keep = tempfile.TemporaryDirectory(prefix="aizuchi-rig-")
        self.folder = Path(self._keep.name)
        (self.folder / "asound.conf").write_text(alsa_config)
        self.env = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.folder),
            "PIPEWIRE_RUNTIME_DIR": str(self.folder),
            "PULSE_SERVER": f"unix:{self.folder / self.socket}",
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
        }
        self._servers: list[subprocess.Popen[bytes]] = []
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
        self._launch(*command)
        self._await(self._is_ready)

    def stop(self) -> None:
        """Kill the server, as when the sound system crashes; `start` brings it back."""
        for server in self._servers:
            server.kill()
            server.wait()
        self._servers.clear()

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

    def add_microphone(self, name: str, label: str) -> None:
        """Add a microphone in the same air as `mic`, with a label in any script."""
        properties = f'source_properties=device.description="{label}"'
        self.control(
            "load-module", "module-remap-source", f"source_name={name}", "master=wire.monitor", properties
        )

    def add_dead_microphone(self, name: str) -> None:
        """Add a microphone that opens and never brings a sound, with PulseAudio alone."""
        pipe = self.folder / f"{name}.pipe"
        self.control("load-module", "module-pipe-source", f"source_name={name}", f"file={pipe}")

    def freeze(self) -> None:
        """Stop the server without ending it, as where a computer is held up; `thaw` lets it go on."""
        for server in self._servers:
            server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for server in self._servers:
            server.send_signal(signal.SIGCONT)

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

    def _alsa_config(self) -> str:
        return ALSA_CONFIG

    def _launch(self, *command: str) -> None:
        """Start a program of the server."""
        # Cookies and states of the user's own server are in their home; this one has a home of its own.
        env = {**self.env, "HOME": str(self.folder), "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        # Or PipeWire would take other settings in a virtual machine.
        env["PIPEWIRE_VM"] = "0"
        for name in ("PULSE_SERVER", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            env.pop(name, None)
        with (self.folder / "log").open("ab") as log:
            self._servers.append(
                subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not condition():
            if any(server.poll() is not None for server in self._servers) or time.monotonic() > deadline:
                log = (self.folder / "log").read_text().strip().splitlines()
                self.close()
                raise UserError("The virtual sound server did not start.", log[-1] if log else "")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        return "Default Source: mic" in (self._try("info") or "")

    def _try(self, *command: str) -> str | None:
        """Return what pactl prints, None where it fails."""
        asked = subprocess.run(
            ["pactl", *command], env=self.env, capture_output=True, text=True, check=False, timeout=10
        )
        return asked.stdout if asked.returncode == 0 else None


class PipeWireRig(Rig):
    """The same devices on PipeWire, as programs reach them through one of ALSA's plugins.

    WirePlumber decides as on a desktop what is connected to what; it is kept from the real devices.
    """

    programs = ("pipewire", "wireplumber")
    packages = "pipewire wireplumber pulseaudio-utils"
    socket = "pulse/native"

    def __init__(self, plugin: Plugin = "pulse", quantum_samples: int = QUANTUM_SAMPLES) -> None:
        self._plugin = plugin
        self._config = {
            **{f"wireplumber/{name}": text for name, text in WIREPLUMBER_CONFIG.items()},
            "pipewire-pulse.conf": PIPEWIRE_PULSE_CONFIG,
            "pipewire/pipewire.conf.d/80-virtual.conf": "context.properties = { "
            f"default.clock.min-quantum = {quantum_samples} }}\n",
        }
        super().__init__()

    def start(self) -> None:
        """Start the server, with `mic` and `speaker` as the default devices."""
        for name, text in self._config.items():
            file = self.folder / ".config" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self._launch("pipewire")
        self._await((self.folder / "pipewire-0").exists)
        self._launch("wireplumber")
        self._launch("pipewire", "-c", str(self.folder / ".config/pipewire-pulse.conf"))
        self._await(lambda: self._try("info") is not None)
        for module in MODULES.values():
            self.control("load-module", *module.split(" "))
        # Refused until WirePlumber is there.
        self._await(lambda: self._try("set-default-source", "mic") is not None)
        self.control("set-default-sink", "speaker")
        self._await(self._is_ready)

    def stop(self) -> None:
        """Kill the server, as when the sound system crashes; `start` brings it back."""
        super().stop()
        (self.folder / "pipewire-0").unlink(missing_ok=True)

    def _alsa_config(self) -> str:
        if self._plugin == "pulse":
            return ALSA_CONFIG
        for root, folder in itertools.product(PLUGIN_ROOTS, PLUGIN_FOLDERS):
            for library in root.glob(f"{folder}/libasound_module_pcm_pipewire.so"):
                return PIPEWIRE_ALSA_CONFIG.format(library=library)
        sentence = "The virtual sound devices need ALSA's plugin for PipeWire, which is not installed."
        raise UserError(sentence, "Install it: sudo apt install pipewire-alsa.")


def read_recording(file: Path) -> Samples:
    """Return what a recorder wrote: [N, 2] float32 at RATE; column 0 was heard, column 1 was said."""
    raw = np.fromfile(file, dtype="<f4")
    return raw[: raw.size // 2 * 2].reshape(-1, 2)
