"""Looking for what contains a text."""


def containing(text: str | None) -> str | None:
    """What LIKE takes for "contains", escaped by a backslash; None for no text at all.

    The marks that mean something to LIKE mean themselves.
    """
    if not text:
        return None
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
