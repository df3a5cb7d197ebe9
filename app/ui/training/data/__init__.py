"""The step Data."""
