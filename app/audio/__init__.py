"""Sound devices and sound files: numpy, sounddevice, soxr and soundfile, never torch, Qt or the engine."""
