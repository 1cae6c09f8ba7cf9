"""The socket that the server listens on."""

import errno
import os
import socket

from app.config import Settings
from app.problems import OperatorProblem

BACKLOG = 2048


def listening_socket(settings: Settings) -> socket.socket:
    """Bind HOST and PORT before anything else is started. Raises OperatorProblem, naming the way out."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # Only listening tells for certain that nobody else does.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OperatorProblem(_sentence(settings, error)) from None
    return listener


def _sentence(settings: Settings, error: OSError) -> str:
    place = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use, perhaps by another server of this product. Stop that one, or choose another PORT."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {place}. Choose a PORT of 1024 or above."
    return f"Nothing can listen on {place}: {error.strerror or os.strerror(error.errno or 0)}. Correct HOST and PORT."


def address_of(listener: socket.socket) -> str:
    """The address for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
    name = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"
