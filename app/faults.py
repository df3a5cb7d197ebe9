"""What graphics cards, disks and compilers throw, as a sentence for a person.

Knows nothing about where it was thrown, and does not load torch: faults are told by their names.
"""

from __future__ import annotations


def explain(fault: Exception) -> tuple[str, str] | None:
    """Return a sentence and an advice for what graphics cards and disks do, None for anything else."""
    kind, text = type(fault).__name__, str(fault)
    if kind == "OutOfMemoryError":
        advice = "Close other programs that use the card, or load the model in fewer bits."
        return "The graphics memory ran out.", advice
    if kind == "AcceleratorError" or "CUDA error" in text or "CUDA driver" in text:
        advice = "Start Aizuchi again; if that does not help, restart the computer or update the driver."
        return "The graphics card does not answer any more.", advice
    if isinstance(fault, FileNotFoundError):
        return f"The file {fault.filename} is gone.", "Download the model again, or choose another one."
    if "C compiler" in text or kind in ("InductorError", "BackendCompilerFailed"):
        advice = (
            "Install a C compiler (`sudo apt-get install gcc python3-dev`), or start with --engine moshi."
        )
        return "Code for the graphics card could not be compiled.", advice
    return None
