"""A choice among microphones or speakers, the system's default first.

Knows nothing about what is done with the choice, nor how devices are found.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QWidget

from app.audio.devices import Device, Kind
from app.ui.widgets.controls import Chooser


class DeviceChooser(Chooser):
    """A chooser whose data are the stable names of devices, '' for the system's default."""

    def __init__(self, kind: Kind, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__("microphone" if kind == "in" else "speaker", name, tip, parent)
        self._kind = kind
        self.offer([])

    def offer(self, devices: Sequence[Device]) -> None:
        """Offer those of these devices, and keep what is chosen even if it is not plugged in."""
        chosen = self.currentData() or ""
        with QSignalBlocker(self):
            self.clear()
            self.addItem(self.tr("System default"), "")
            for device in devices:
                if device.kind == self._kind:
                    self._add(device, device.name == chosen)
        self.choose(chosen)

    def _add(self, device: Device, chosen: bool) -> None:
        """Offer a device; a monitor, which is no microphone, only where it is chosen already."""
        if chosen or not device.monitor:
            self.addItem(device.label, device.name)
        if device.default:
            default = self.tr("System default: {0}").format(device.label)
            self.setItemText(0, self.tr("System default: no microphone") if device.monitor else default)
