"""Draw an SVG icon in the sizes of the hicolor theme: `icons.py ICON.svg HICOLOR_FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def main(icon: Path, theme: Path) -> None:
    """Write a PNG for each size."""
    app = QGuiApplication([])
    renderer = QSvgRenderer(str(icon))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        file = theme / f"{size}x{size}" / "apps" / f"{icon.stem}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(str(file))
    del app


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
