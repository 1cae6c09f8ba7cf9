"""The API described: as a document for programs, as a page for people."""

from typing import Annotated
from urllib.parse import quote, urlencode

from app.accounts.dependencies import CurrentUser, optional_user
from app.api.document import describe_api
from app.api.reference import Reference
from app.templates import render
from core.exceptions import HTTPException
from core.params import Depends, Query, depends_on
from core.requests import Request
from core.responses import JSONResponse, RedirectResponse, Response

LONGEST_QUERY = 100


async def show_document(request: Request) -> Response:
    """Serve the OpenAPI 3.1 document."""
    return JSONResponse(describe_api(request.app), headers={"cache-control": "public, max-age=300"})


@depends_on(Depends(optional_user))
async def show_reference(request: Request, q: Annotated[str, Query()] = "") -> Response:
    """Show every operation and schema of the API; with `q` only the operations that match."""
    query = q[:LONGEST_QUERY]
    reference = Reference(describe_api(request.app))
    found = {operation.id for operation in reference.find(query)}
    return render(request, "api/reference.html", reference=reference, found=found, query=query)


async def try_operation(request: Request, operation_id: str, user: CurrentUser) -> Response:
    """Lead a form of the reference page to the address that its fields name; only a GET can be tried."""
    reference = Reference(describe_api(request.app))
    operation = next((each for each in reference.operations if each.id == operation_id and each.can_be_tried), None)
    if operation is None:
        raise HTTPException(404)
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    in_path = {field.name for field in operation.parameters if field.place == "path"}
    if in_path - given.keys():
        raise HTTPException(400, "Fill in every part of the address.")
    path = operation.path.format_map({name: quote(given[name], safe="") for name in in_path})
    query = urlencode({name: value for name, value in given.items() if name not in in_path})
    return RedirectResponse(f"{path}?{query}" if query else path, status_code=303)
