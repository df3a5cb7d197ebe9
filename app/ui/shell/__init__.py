"""The window around the pages: its frame, language, look, and how it reaches other processes."""
