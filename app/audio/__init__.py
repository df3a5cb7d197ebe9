"""Sound devices and sound files: numpy, sounddevice, soxr and soundfile, never torch, Qt or the engine."""

import ctypes.util
import os

# A package may bring PortAudio along; the one of the system goes first.
if _bundled := os.environ.get("AIZUCHI_PORTAUDIO"):
    _find = ctypes.util.find_library
    ctypes.util.find_library = lambda name: _find(name) or (_bundled if name == "portaudio" else None)
