"""Moves what is no longer wanted to the trash, and nothing that is being written.

Knows nothing about what is in a folder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QFile, QStandardPaths

from app.errors import UserError
from app.files import PRIVATE_FOLDER, make_folder
from app.store.locks import InUse, in_use

translate = QCoreApplication.translate


def trash_recording(folder: Path) -> tuple[str, str] | None:
    """Move a recording to the trash; return a sentence and an advice where it could not be moved."""
    if not folder.exists():
        return (
            translate("Trash", "The recording is gone already; it can not be moved to the trash."),
            translate("Trash", "It was deleted or moved in another place."),
        )
    try:
        if move_to_trash(folder):
            return None
    except UserError as fault:
        return fault.sentence, fault.advice
    return (
        translate("Trash", "The recording could not be moved to the trash."),
        translate("Trash", "There may be none on this disk; the folder to remove is {0}.").format(folder),
    )


def move_to_trash(folder: Path) -> bool:
    """Move a folder to the trash and return whether there is one for its disk.

    Raises InUse where something else writes the folder or one that is directly in it.
    """
    for used, holder in in_use(folder):
        raise InUse(used.name, used, holder)
    # On an account where nothing was ever trashed, Qt does not make the folder above the trash.
    data = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    with suppress(OSError):
        make_folder(Path(data))
    with suppress(OSError):
        # A folder that may not be read can not be moved either.
        folder.chmod(PRIVATE_FOLDER)
    return QFile(str(folder)).moveToTrash()
