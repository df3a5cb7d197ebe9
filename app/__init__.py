"""Aizuchi: full-duplex spoken dialogue with the Moshi family of models, on your own computer."""

__version__ = "0.1.0"

APP_ID = "io.github.aizuchi.aizuchi"
"""What desktops know the program by: its windows, its menu entry, its icon."""
