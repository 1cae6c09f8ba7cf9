"""Which errors say that the database, or the machine under it, cannot work just now: the answer is 503, and nobody's mistake."""

import errno
import socket

import asyncpg
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Classes of SQLSTATE (PostgreSQL, appendix A): connection exception, insufficient resources (the disk, connections),
# operator intervention (a restart, a cancelled statement), system error.
OUTAGE_CLASSES = ("08", "53", "57", "58")
# A read-only server after a failover, an idle transaction that was ended, a deadlock, a conflict, a lock that is taken.
OUTAGE_STATES = ("25006", "25P03", "40P01", "40001", "55P03")
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)


def is_outage(error: BaseException) -> bool:
    """Whether the same request may well succeed in a moment. A statement that is wrong will not."""
    match error:
        case PoolTimeout() | DisconnectionError() | TimeoutError() | ConnectionError() | socket.gaierror():
            return True
        case DBAPIError():
            return error.connection_invalidated or _says_outage(error.orig)
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            return _says_outage(error)
        case OSError():
            # Where a name has several addresses, asyncio joins their failures into one error without a number.
            return error.errno is None or error.errno in (*FULL_DISK, errno.ENETUNREACH, errno.EHOSTUNREACH)
    return False


def is_silent(error: BaseException | None) -> bool:
    """Whether the server did not answer in time, so that the connection must not be waited for any more."""
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "__cause__", None), TimeoutError)


def _says_outage(error: BaseException | None) -> bool:
    """What the driver found, which SQLAlchemy wraps twice."""
    for found in (error, getattr(error, "__cause__", None)):
        if isinstance(found, (TimeoutError, ConnectionError, asyncpg.InterfaceError)):
            return True
        state = getattr(found, "sqlstate", None) or getattr(found, "pgcode", None) or ""
        if state[:2] in OUTAGE_CLASSES or state in OUTAGE_STATES:
            return True
    return False
