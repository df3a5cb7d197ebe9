"""The verb `continue`: dialogues begun in, dialogues as a model goes on with them out."""

from __future__ import annotations

from training.generation import Figures, collapse_figures, continue_dialogues

__all__ = ["Figures", "collapse_figures", "continue_dialogues"]
