"""The models and the conversation loop: torch and moshi, never Qt, PortAudio or app.audio."""
