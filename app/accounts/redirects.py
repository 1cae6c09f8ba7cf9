"""Where a person is sent after an entry page: always a path of this product."""

from urllib.parse import quote, urlsplit

from core.requests import Request

LONGEST_PATH = 2000
# What RFC 3986 lets a path and a query contain. Everything else (backslashes, blanks, control characters, anything beyond
# ASCII) is read differently by different browsers, and somebody will find the reading that leaves this site.
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@%/?")


def safe_path(target: str | None, default: str = "") -> str:
    """`target` if it is a path on this site, else `default`. The only judge of every `next` parameter.

    A path starts with one slash. Two begin the name of another host (RFC 3986 section 4.2), also when the second one
    comes out of dot segments ("/.//host"), so no doubled slash and no dot segment is let through in the path at all.
    """
    if not target or len(target) > LONGEST_PATH or not _ALLOWED.issuperset(target):
        return default
    path = target.partition("?")[0].lower().replace("%2e", ".").replace("%2f", "/")
    if not target.startswith("/") or "//" in path or "%5c" in path or _has_control_characters(target):
        return default
    if any(segment in (".", "..") for segment in path.split("/")):
        return default
    return target


def _has_control_characters(target: str) -> bool:
    lowered = target.lower()
    return "%0" in lowered or "%1" in lowered or "%7f" in lowered


def log_in_path(log_in: str, target: str) -> str:
    """The address of the log-in page that leads on to `target`."""
    return f"{log_in}?next={quote(target, safe='/')}" if target not in ("", "/") else log_in


def requested_path(request: Request) -> str:
    """What can be asked for again after logging in: the page itself, or for a form that was sent, the page that showed it."""
    if request.method not in ("GET", "HEAD"):
        return _form_page(request)
    return _path_and_query(request.url.path, request.url.query)


def _form_page(request: Request) -> str:
    """The page of this site that a form was sent from, as far as the browser tells (RFC 9110 section 10.1.3)."""
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if (referer.scheme, referer.netloc) != (request.url.scheme, request.url.netloc):
        return ""
    return _path_and_query(referer.path, referer.query)


def _path_and_query(path: str, query: str) -> str:
    return safe_path(path + (f"?{query}" if query else ""))
