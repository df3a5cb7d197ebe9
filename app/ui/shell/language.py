"""Which language the window speaks: the one that was chosen, else that of the system, else English.

Knows nothing about what is said; the words are in `app/data/translations`, made with Qt Linguist.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

TRANSLATIONS = Path(__file__).parents[2] / "data" / "translations"
ENGLISH = "en"


def install(app: QCoreApplication, language: str) -> list[QTranslator]:
    """Let the program speak a language of `settings.LANGUAGES`; return the translators, none for English.

    Sentences are translated as they are made, so this comes before the window.
    """
    spoken = system_language() if language == "system" else language
    QLocale.setDefault(_formats(spoken, chosen=language != "system"))
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    installed = []
    for name, folder in (("qtbase", qt), ("aizuchi", str(TRANSLATIONS))):
        translator = QTranslator(app)
        if spoken != ENGLISH and translator.load(f"{name}_{spoken}", folder):
            app.installTranslator(translator)
            installed.append(translator)
    return installed


def system_language() -> str:
    """Return the first language of the system that there are words in, English if there is none."""
    codes = (QLocale(name).name().partition("_")[0] for name in QLocale.system().uiLanguages())
    return next((code for code in codes if code == ENGLISH or _file(code).exists()), ENGLISH)


def _formats(spoken: str, *, chosen: bool) -> QLocale:
    """Return how numbers and times are written: as the system does it, unless it speaks another language.

    Who reads English for want of their own language keeps the formats that they know.
    """
    system = QLocale.system()
    if system.language() == QLocale(spoken).language() or (spoken == ENGLISH and not chosen):
        return system
    return QLocale(spoken)


def _file(code: str) -> Path:
    return TRANSLATIONS / f"aizuchi_{code}.qm"
