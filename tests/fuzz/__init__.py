"""Damaged and hostile files through the doors that read them: `python -m tests.fuzz --seconds 600`."""
