"""Aizuchi: full-duplex spoken dialogue with the Moshi family of models, on your own computer."""

__version__ = "0.1.0"
