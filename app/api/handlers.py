"""The API described, as a document for programs and as a page for people; and GraphQL, for both likewise."""

import json
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from app.accounts.dependencies import optional_user
from app.api.document import describe_api
from app.api.following import Follower
from app.api.graphql_schema import graphql_server, graphql_subscriptions, schema
from app.api.reference import Reference
from app.api.viewer import CurrentViewer, wants_page
from app.config import CurrentSettings
from app.language import gettext as _
from app.realtime.dependencies import Listener
from app.realtime.live import Ended
from app.realtime.racing import first_to_end
from app.templates import render
from app.tokens.dependencies import CurrentCredential
from core.exceptions import HTTPException
from core.graphql import GraphQL, GraphQLRequest
from core.params import Depends, Query, depends_on
from core.requests import Request
from core.responses import JSONResponse, RedirectResponse, Response
from core.websockets import WebSocket

LONGEST_QUERY = 100
EXAMPLE = """{
  me { name email }
  organizations { slug name role }
}"""


async def current_graphql(settings: CurrentSettings) -> GraphQL:
    """Production keeps its schema to itself: its names would tell an attacker where to knock."""
    return graphql_server(not settings.is_production)


CurrentGraphQL = Annotated[GraphQL, Depends(current_graphql)]


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


async def try_operation(request: Request, operation_id: str, who: CurrentCredential) -> Response:
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


async def execute_graphql(request: Request, viewer: CurrentViewer, graphql: CurrentGraphQL) -> Response:
    """Answer a GraphQL request."""
    return await graphql.answer(request, viewer)


async def follow_graphql(websocket: WebSocket, live: Listener, settings: CurrentSettings) -> None:
    """Speak graphql-transport-ws, until the session ends."""
    websocket.state.follower = Follower(websocket, live.user)
    server = graphql_subscriptions(not settings.is_production)
    try:
        await first_to_end(server.converse(websocket), live.until_end())
    except Ended as end:
        await websocket.close(end.code, end.reason)


async def explore_graphql(request: Request, viewer: CurrentViewer, graphql: CurrentGraphQL) -> Response:
    """Show a browser the explorer, with the answer to the query in the address; answer a program at once."""
    if not wants_page(request):
        return await graphql.answer(request, viewer)
    query, variables = (request.query_params.get(name, "") for name in ("query", "variables"))
    answer = await _answer_to(graphql, viewer, query, variables) if query else None
    return render(
        request,
        "api/explore_graphql.html",
        query=query or EXAMPLE,
        variables=variables,
        answer=None if answer is None else json.dumps(answer, ensure_ascii=False, indent=2),
        schema=schema.as_str() if graphql.introspection else None,
    )


async def _answer_to(graphql: GraphQL, viewer: CurrentViewer, query: str, variables: str) -> dict[str, Any]:
    try:
        asked = GraphQLRequest.of({"query": query, "variables": json.loads(variables or "null")})
        return (await graphql.run(asked, viewer, method="GET"))[1]
    except (ValueError, RecursionError):
        return {"errors": [{"message": _("The variables are not valid JSON.")}]}
    except HTTPException as refusal:
        return {"errors": [{"message": refusal.detail}]}
