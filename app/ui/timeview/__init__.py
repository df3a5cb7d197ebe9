"""Time from left to right: zoom, scroll, axis; the live timeline, a replay and the strip over it."""
