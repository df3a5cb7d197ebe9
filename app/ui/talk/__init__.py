"""The Talk page."""
