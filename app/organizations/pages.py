"""Where forms lead when they are done."""

from core.requests import Request
from core.responses import RedirectResponse, Response


def see(request: Request, route: str, **parameters: object) -> Response:
    """Lead to a page after a form was dealt with."""
    headers = {"cache-control": "no-store"}
    return RedirectResponse(path_of(request, route, **parameters), status_code=303, headers=headers)


def path_of(request: Request, route: str, **parameters: object) -> str:
    return str(request.app.url_path_for(route, **parameters))
