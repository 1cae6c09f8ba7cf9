"""The token that came with a request: read from its header, without the database (RFC 6750 section 2.1)."""

from app.accounts.sessions import SessionCookieBackend, Visitor
from app.errors import is_for_programs
from app.tokens.spelling import PREFIX
from core.authentication import AuthCredentials, AuthenticationError, BaseUser
from core.exceptions import HTTPException
from core.problems import ProblemResponse, problem_document
from core.requests import HTTPConnection
from core.responses import Response

BOTH = "The request has a token and a session's cookie. Send one of them."
IN_QUERY = "A token belongs into the header Authorization: addresses end up in logs."
SEVERAL = "The request has several Authorization headers."


class CredentialBackend(SessionCookieBackend):
    """Reads the token of a program, or else the session's cookie, for AuthenticationMiddleware.

    Tokens count where programs ask. A request with one ignores cookies, so that it can only do what the token may; if it
    has the session's cookie as well, somebody confused the two, and is told.
    """

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        if not is_for_programs(conn.scope["path"]):
            return await super().authenticate(conn)
        _refuse_in_query(conn)
        token = bearer_token(conn)
        if token is None:
            return await super().authenticate(conn)
        if self.cookie_name in conn.cookies:
            raise AuthenticationError(BOTH)
        return AuthCredentials(), Visitor(None, bearer_token=token)


def bearer_token(connection: HTTPConnection) -> str | None:
    """What follows `Bearer` in the header Authorization; None where there is no such thing. Raises AuthenticationError."""
    headers = connection.headers.getlist("authorization")
    if len(headers) > 1:
        raise AuthenticationError(SEVERAL)
    scheme, _, token = (headers[0] if headers else "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def refuse_credentials(connection: HTTPConnection, error: AuthenticationError) -> Response:
    """The answer to credentials that contradict each other (RFC 6750 section 3.1: invalid_request)."""
    headers = {"www-authenticate": 'Bearer error="invalid_request"', "cache-control": "no-store"}
    return ProblemResponse(problem_document(HTTPException(400, str(error))), 400, headers)


def client_of(connection: HTTPConnection) -> str | None:
    """By what the limit on a token's requests counts them: the token itself, in memory only; None without one."""
    try:
        return bearer_token(connection)
    except AuthenticationError:
        return None


def _refuse_in_query(connection: HTTPConnection) -> None:
    query = connection.scope.get("query_string", b"")
    if query and (PREFIX.encode() in query or "access_token" in connection.query_params):
        raise AuthenticationError(IN_QUERY)
