"""What a file is called: what the person called it, freed of what could mean something to a system or mislead a reader."""

import unicodedata

from app.files.models import LONGEST_FILENAME

NAMELESS = "file"
LONGEST_EXTENSION = 20
# Names that Windows takes for devices, whatever follows their first dot.
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³")})
FORBIDDEN = frozenset('<>:"|?*')


def clean_filename(name: str) -> str:
    """The last part of a path, in NFC, without control and direction characters, of 200 characters at most.

    Direction overrides make "exe.txt" of "txt.exe" on a screen. The extension outlives the cut.
    """
    normal = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    visible = "".join("_" if character in FORBIDDEN else character for character in normal if _is_shown(character))
    tidy = visible.strip().strip(".").strip()
    if not tidy:
        return NAMELESS
    if tidy.partition(".")[0].strip().lower() in RESERVED:
        tidy = f"_{tidy}"
    return _cut(tidy)


def extension_of(name: str) -> str:
    """The part behind the last dot, in lower case; "" where there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if stem and dot else ""


def _is_shown(character: str) -> bool:
    # Cc: control characters, line breaks among them. Cf: direction marks and other invisible ones. Cs, Co, Cn: no text.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _cut(name: str) -> str:
    if len(name) <= LONGEST_FILENAME:
        return name
    extension = extension_of(name)
    if not 0 < len(extension) <= LONGEST_EXTENSION:
        return name[:LONGEST_FILENAME]
    return f"{name[: LONGEST_FILENAME - len(extension) - 1]}.{extension}"
