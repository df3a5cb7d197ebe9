"""The step Listen."""
