"""GraphQL over HTTP (the graphql-over-http specification) and over websockets (the protocol `graphql-transport-ws`).

    server = GraphQL(schema, context=context_of)
    routes = [Route("/graphql", server), WebSocketRoute("/graphql", server)]

The schema is one of graphql-core, or of a library that builds on it (strawberry). What an operation may cost is checked before
it is validated or run, because both take time that the client decides on. A handler with dependencies of its own calls
`answer(request, context)`. Resolvers that are async need asyncio, which graphql-core is written for.
"""

import inspect
import json
import logging
import math
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any, NamedTuple, Self

import anyio
import graphql
from anyio.abc import TaskGroup
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType

from core._multipart import parse_parameters
from core._utils import create_collapsing_task_group
from core.exceptions import HTTPException, WebSocketException
from core.problems import accept_ranges, quality
from core.requests import HTTPConnection, Request
from core.responses import JSONResponse, Response
from core.types import Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

logger = logging.getLogger(__name__)

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
SUBPROTOCOL = "graphql-transport-ws"
MASKED = "Something went wrong on our side."
SIZE_ARGUMENTS = frozenset({"first", "last", "limit"})
REPORTED_ERRORS = 20
# Of a request, and their types once JSON is read (graphql-over-http, section 5.1).
PARAMETERS: Any = {"query": str, "operationName": str | None, "variables": dict | None, "extensions": dict | None}
ANYTHING = tuple(OperationType)
READING = (OperationType.QUERY,)
KINDS = {"GET": READING, "HEAD": READING, "POST": (*READING, OperationType.MUTATION)}
# Any: whatever the resolvers want to find in `info.context`.
Context = Callable[[HTTPConnection], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one operation may cost. Fragments count where they are used, sizes and times are bytes and seconds.

    Every field costs 1, and those below a list as often as its argument `first`, `last` or `limit` says, or `list_size` times.
    """

    depth: int = 8
    cost: int = 1000
    aliases: int = 15
    directives: int = 50
    # Pairs of fields with the same name, which validation has to look at.
    comparisons: int = 30_000
    tokens: int = 1000
    body: int = 16 * 1024
    seconds: float = 5.0
    list_size: int = 10
    # Of one websocket: operations at a time, the wait for its first message, and its whole life.
    operations: int = 10
    initialisation_seconds: float = 3.0
    connection_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks for."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, parameters: Any) -> Self:
        """Of the specification's parameters, decoded from JSON. Raises HTTPException (400)."""
        if not isinstance(parameters, dict):
            raise HTTPException(400, "Operations come one at a time, as an object: batches are not supported.")
        for name, kind in PARAMETERS.items():
            if not isinstance(parameters.get(name), kind):
                raise HTTPException(400, f"The request's `{name}` is missing or of a wrong type.")
        return cls(parameters["query"], parameters.get("operationName") or None, parameters.get("variables"))


@dataclass(eq=False)
class GraphQL:
    """An ASGI application that answers GraphQL requests and, on a websocket, subscriptions.

    `context` makes what resolvers find in `info.context`, for each request and each operation on a websocket; what it raises
    as HTTPException refuses the request, and closes a websocket with 4403. A client's `connection_init` payload is in
    `connection.state.connection_params`. Without `introspection` (as it should be in production) the schema cannot be
    asked for, and messages suggest no names.

    Errors that resolvers did not mean for the client are logged and masked; HTTPException and GraphQLError are meant for it.
    Raises TypeError for what is no schema, here and not at the first request.
    """

    schema: Any
    _: KW_ONLY
    context: Context = lambda connection: None
    root_value: Any = None
    limits: Limits = field(default_factory=Limits)
    introspection: bool = False

    def __post_init__(self) -> None:
        self.schema = _schema_of(self.schema)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.converse(WebSocket(scope, receive, send))
        else:
            request: Request = Request(scope, receive, send)
            await (await self.answer(request, await self.context_for(request)))(scope, receive, send)

    async def context_for(self, connection: HTTPConnection) -> Any:
        """What `context` makes of a connection."""
        context = self.context(connection)
        return await context if inspect.isawaitable(context) else context

    async def answer(self, request: Request, context: Any = None) -> Response:
        """Run the operation of a GET or POST request (graphql-over-http, sections 4 to 6)."""
        media_type = _negotiated(request.headers.get("accept", ""))
        try:
            if media_type is None:
                raise HTTPException(406, f"The answer is {GRAPHQL_JSON} or {JSON}.")
            asked = await self._read(request)
            status, payload = await self.run(asked, context, method=request.method)
        except HTTPException as refusal:
            payload = {"errors": _errors_of(refusal)}
            return _response(payload, refusal.status_code, media_type or JSON, refusal.headers)
        # In application/json the status says only whether the request was understood (section 6.4.1).
        return _response(payload, 200 if media_type == JSON and status < 500 else status, media_type)

    async def run(
        self, asked: GraphQLRequest, context: Any = None, *, method: str = "POST"
    ) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer. Raises HTTPException (405) for a mutation by GET."""
        try:
            return 200, _payload(await self._begin(asked, context, KINDS[method]))
        except _Refused as refusal:
            return refusal.status, {"errors": refusal.shown}

    async def converse(self, websocket: WebSocket) -> None:
        """Speak `graphql-transport-ws` until the connection ends."""
        is_offered = SUBPROTOCOL in websocket.scope.get("subprotocols", ())
        await websocket.accept(SUBPROTOCOL if is_offered else None)
        try:
            if not is_offered:
                raise WebSocketException(4406, "Subprotocol not acceptable")
            await _Conversation(self, websocket).hold()
        except WebSocketException as error:
            await websocket.close(error.code, error.reason)
        except HTTPException:
            # The context is not for this client, or not any more.
            await websocket.close(4403, "Forbidden")
        except WebSocketDisconnect:
            return

    async def _read(self, request: Request) -> GraphQLRequest:
        """The parameters of a request. Raises HTTPException (400, 405, 413, 414, 415)."""
        if request.method not in KINDS:
            raise HTTPException(405, "Use GET or POST.", {"allow": "GET, POST"})
        if request.method == "POST":
            _require_json(request.headers.get("content-type", ""))
            return GraphQLRequest.of(_decoded(await self._body(request)))
        if len(request.scope["query_string"]) > self.limits.body:
            raise HTTPException(414, "The address is too long.")
        parameters: dict[str, Any] = {name: value for name, value in request.query_params.items() if value}
        for name in {"variables", "extensions"} & parameters.keys():
            parameters[name] = _decoded(parameters[name])
        return GraphQLRequest.of(parameters)

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.limits.body:
                raise HTTPException(413, f"The request is larger than {self.limits.body} bytes.")
        return bytes(body)

    async def _begin(self, asked: GraphQLRequest, context: Any, kinds: Sequence[OperationType]) -> Any:
        """An operation's result, or the stream of them that a subscription is. Raises _Refused, and HTTPException (405)."""
        document, kind = self._validated(asked)
        if kind not in kinds and kind is OperationType.MUTATION:
            raise HTTPException(405, "Send mutations by POST.", {"allow": "POST"})
        if kind not in kinds:
            raise _Refused(f"Subscriptions need a websocket with the protocol {SUBPROTOCOL}.")
        call: Any = graphql.subscribe if kind is OperationType.SUBSCRIPTION else graphql.execute
        what = (self.schema, document, self.root_value, context, asked.variables, asked.operation_name)
        with anyio.move_on_after(self.limits.seconds):
            result = call(*what, hide_suggestions=not self.introspection)
            result = await result if inspect.isawaitable(result) else result
            if call is graphql.subscribe and isinstance(result, ExecutionResult):
                raise _Refused(*(result.errors or ()))
            return result
        raise _Refused(f"The operation took longer than {self.limits.seconds:g} seconds.", status=503)

    def _validated(self, asked: GraphQLRequest) -> tuple[graphql.DocumentNode, OperationType]:
        """Parse, measure and only then validate. Raises _Refused."""
        try:
            document = graphql.parse(asked.query, max_lexical_tokens=self.limits.tokens)
        except GraphQLError as error:
            raise _Refused(error) from None
        operation = graphql.get_operation_ast(document, asked.operation_name)
        hides = not self.introspection
        if operation is not None:
            variables = graphql.get_variable_values(
                self.schema, operation.variable_definitions or (), dict(asked.variables or {}), REPORTED_ERRORS, hides
            )
            if isinstance(variables, list):
                raise _Refused(*variables)
            _Meter(self, document, variables).require_within_limits(operation)
        rules = [*graphql.specified_rules, *([graphql.NoSchemaIntrospectionCustomRule] if hides else [])]
        if errors := graphql.validate(self.schema, document, rules, REPORTED_ERRORS, hide_suggestions=hides):
            raise _Refused(*errors)
        if operation is None:
            raise _Refused("The document has several operations, or none of that name: name one in `operationName`.")
        return document, operation.operation


class _Refused(Exception):
    """The operation was not begun, or took too long."""

    def __init__(self, *errors: GraphQLError | str, status: int = 400) -> None:
        self.shown = [{"message": error} if isinstance(error, str) else _shown(error) for error in errors]
        self.status = status


class _Measure(NamedTuple):
    depth: int = 0
    cost: int = 0
    aliases: int = 0


class _Meter:
    """Measures one operation of a document that nobody has validated: names may lead nowhere, fragments in circles."""

    def __init__(self, server: GraphQL, document: graphql.DocumentNode, variables: graphql.VariableValues) -> None:
        self.schema: GraphQLSchema = server.schema
        self.limits = server.limits
        self.document = document
        self.variables = variables
        fragments = (each for each in document.definitions if isinstance(each, graphql.FragmentDefinitionNode))
        self.fragments = {fragment.name.value: fragment for fragment in fragments}
        # Each fragment is measured once: thirty that use the next one twice would make a thousand million fields.
        self._known: dict[tuple[str, bool], _Measure] = {}

    def require_within_limits(self, operation: graphql.OperationDefinitionNode) -> None:
        """Raises _Refused with all that is too much."""
        root = self.schema.get_root_type(operation.operation)
        found = self._selections(operation.selection_set, root, False)._asdict()
        found |= {"directives": _count_directives(self.document), "comparisons": _count_comparisons(self.document)}
        limits = asdict(self.limits)
        # The numbers may be astronomic, and so are not shown.
        if too_much := [name for name, value in found.items() if value > limits[name]]:
            raise _Refused(*(f"The operation's {name} may be {limits[name]} at most." for name in too_much))

    def _selections(self, node: graphql.SelectionSetNode, parent: Any, is_page: bool) -> _Measure:
        found = [self._selection(selection, parent, is_page) for selection in node.selections]
        depth = max((each.depth for each in found), default=0)
        return _Measure(depth, sum(each.cost for each in found), sum(each.aliases for each in found))

    def _selection(self, node: graphql.SelectionNode, parent: Any, is_page: bool) -> _Measure:
        if isinstance(node, graphql.FieldNode):
            return self._field(node, parent, is_page)
        if isinstance(node, graphql.FragmentSpreadNode):
            return self._fragment(node.name.value, is_page)
        assert isinstance(node, graphql.InlineFragmentNode)
        kind = self.schema.get_type(node.type_condition.name.value) if node.type_condition else None
        return self._selections(node.selection_set, kind or parent, is_page)

    def _fragment(self, name: str, is_page: bool) -> _Measure:
        fragment = self.fragments.get(name)
        if fragment is not None and (name, is_page) not in self._known:
            self._known[name, is_page] = _Measure()  # What a circle comes back to; validation refuses circles.
            parent = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name, is_page] = self._selections(fragment.selection_set, parent, is_page)
        return self._known.get((name, is_page), _Measure())

    def _field(self, node: graphql.FieldNode, parent: Any, is_page: bool) -> _Measure:
        """`is_page` says that the field's parent was asked for a size: `members(first: 20) { edges { … } }`."""
        definition = self.schema.get_field(parent, node.name.value) if graphql.is_composite_type(parent) else None
        size = self._size(node, definition) if definition else None
        aliases = int(node.alias is not None)
        if node.selection_set is None:
            return _Measure(1, size or 1, aliases)
        kind = definition.type if definition else None
        is_list = kind is not None and graphql.is_list_type(graphql.get_nullable_type(kind))
        inner = self._selections(node.selection_set, graphql.get_named_type(kind), size is not None and not is_list)
        if node.name.value in ("__schema", "__type"):
            # Refused by validation, or else bounded by its rule on introspection: the usual query is deep and harmless.
            return _Measure(1, 1, aliases + inner.aliases)
        times = size or (self.limits.list_size if is_list and not is_page else 1)
        return _Measure(1 + inner.depth, 1 + times * inner.cost, aliases + inner.aliases)

    def _size(self, node: graphql.FieldNode, definition: graphql.GraphQLField) -> int | None:
        """The largest size that the field's arguments or their defaults name. What is wrong with them, validation says."""
        with suppress(GraphQLError, RecursionError):
            values = graphql.get_argument_values(definition, node, self.variables)
            sizes = [max(1, values[name]) for name in SIZE_ARGUMENTS & values.keys() if isinstance(values[name], int)]
            return max(sizes, default=None)
        return None


class _Conversation:
    """One connection of `graphql-transport-ws`, from its handshake to its end."""

    def __init__(self, server: GraphQL, websocket: WebSocket) -> None:
        self.server = server
        self.limits = server.limits
        self.websocket = websocket
        self.is_acknowledged = False
        self.running: dict[str, anyio.CancelScope] = {}

    async def hold(self) -> None:
        """Take messages. Raises WebSocketException with the code to close with, WebSocketDisconnect, and what the context raises."""
        async with create_collapsing_task_group() as group:
            with anyio.move_on_after(self.limits.connection_seconds):
                with anyio.move_on_after(self.limits.initialisation_seconds) as self._initialising:
                    while True:
                        await self._take(group)
                raise WebSocketException(4408, "Connection initialisation timeout")
            # The client connects anew, and is then asked anew who it is.
            raise WebSocketException(1001, "The connection is old: connect again")

    async def _take(self, group: TaskGroup) -> None:
        message = await self._next_message()
        match message["type"]:
            case "connection_init":
                await self._initialise(message)
            case "ping":
                await self._send("pong")
            case "pong":
                return
            case "subscribe":
                self._subscribe(message, group)
            case "complete":
                if scope := self.running.pop(_id_of(message), None):
                    scope.cancel()
            case unknown:
                raise WebSocketException(4400, f"Unknown message type {unknown[:40]!r}")

    async def _next_message(self) -> dict[str, Any]:
        text = await self.websocket.receive_text()
        if len(text.encode("utf-8", "surrogatepass")) > self.limits.body:
            raise WebSocketException(1009, "The message is too large")
        with suppress(ValueError, RecursionError):
            message = json.loads(text)
            if isinstance(message, dict) and isinstance(message.get("type"), str):
                return message
        raise WebSocketException(4400, "A message is a JSON object with a type")

    async def _initialise(self, message: dict[str, Any]) -> None:
        if self.is_acknowledged:
            raise WebSocketException(4429, "Too many initialisation requests")
        self.websocket.state.connection_params = message.get("payload")
        await self.server.context_for(self.websocket)
        await self._send("connection_ack")
        self.is_acknowledged = True
        self._initialising.deadline = math.inf

    def _subscribe(self, message: dict[str, Any], group: TaskGroup) -> None:
        if not self.is_acknowledged:
            raise WebSocketException(4401, "Unauthorized")
        identifier = _id_of(message)
        if identifier in self.running:
            raise WebSocketException(4409, f"Subscriber for {identifier[:40]} already exists")
        if len(self.running) >= self.limits.operations:
            raise WebSocketException(4429, "Too many operations at a time")
        try:
            asked = GraphQLRequest.of(message.get("payload"))
        except HTTPException as refusal:
            raise WebSocketException(4400, refusal.detail) from None
        self.running[identifier] = anyio.CancelScope()
        group.start_soon(self._run, identifier, self.running[identifier], asked)

    async def _run(self, identifier: str, scope: anyio.CancelScope, asked: GraphQLRequest) -> None:
        # Made anew for each operation: who was let in an hour ago may have lost their rights since.
        messages = self._messages(asked, await self.server.context_for(self.websocket))
        with scope, suppress(WebSocketDisconnect, WebSocketDisconnected):
            async with aclosing(messages):
                async for message in messages:
                    if message["type"] != "next":
                        # The id is free before the client can know that it is.
                        self.running.pop(identifier, None)
                    await self._send(**message, id=identifier)

    async def _messages(self, asked: GraphQLRequest, context: Any) -> AsyncGenerator[dict[str, Any], None]:
        """An operation's results, and how it ended."""
        try:
            result = await self.server._begin(asked, context, ANYTHING)
            if isinstance(result, ExecutionResult):
                yield {"type": "next", "payload": _payload(result)}
            else:
                async with aclosing(result):
                    async for each in result:
                        yield {"type": "next", "payload": _payload(each)}
            yield {"type": "complete"}
        except Exception as error:
            yield {"type": "error", "payload": _errors_of(error)}

    async def _send(self, type: str, **members: Any) -> None:
        await self.websocket.send_json({"type": type, **members})


def _schema_of(candidate: Any) -> GraphQLSchema:
    for schema in (candidate, getattr(candidate, "graphql_schema", None), getattr(candidate, "_schema", None)):
        if isinstance(schema, GraphQLSchema):
            graphql.assert_valid_schema(schema)
            return schema
    raise TypeError(f"{type(candidate).__name__} is no GraphQL schema of graphql-core, and holds none.")


def _negotiated(accept: str) -> str | None:
    """The media type of the answer, or None if the client takes neither. The newer one only goes to those that name it."""
    ranges = accept_ranges(accept)
    plain = quality(ranges, JSON)
    if ranges.get(GRAPHQL_JSON, 0) >= max(plain, 0.001):
        return GRAPHQL_JSON
    return JSON if plain else None


def _require_json(content_type: str) -> None:
    """Refuse all else: a form of another site can send text/plain or multipart, and no browser would ask before. Raises 415."""
    media_type, parameters = parse_parameters(content_type.encode("latin-1"))
    if media_type != JSON.encode() or parameters.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise HTTPException(415, f"Send the request as {JSON} in UTF-8.")


def _decoded(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The request is not valid JSON.") from None


def _response(payload: Any, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(payload, status, {"vary": "accept", **(headers or {})}, f"{media_type}; charset=utf-8")


def _payload(result: ExecutionResult) -> dict[str, Any]:
    errors = {"errors": [_shown(error) for error in result.errors]} if result.errors else {}
    return {"data": result.data, **errors}


def _errors_of(error: Exception) -> list[Any]:
    """What a client is told of an operation that did not begin, or of a stream that broke off."""
    if isinstance(error, _Refused):
        return error.shown
    if isinstance(error, HTTPException):
        return [_ended(error.detail, error.status_code)]
    logger.error("A subscription failed.", exc_info=error)
    return [_ended(MASKED, 500)]


def _shown(error: GraphQLError) -> Any:
    """An error as the client may see it. One of the program's own, which has a path, is logged instead."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    shown: dict[str, Any] = {**error.formatted}
    if isinstance(cause, HTTPException):
        shown |= _ended(cause.detail, cause.status_code)
    elif cause is not None and error.path is not None:
        logger.error("A resolver failed at %s.", ".".join(map(str, error.path)), exc_info=cause)
        shown |= _ended(MASKED, 500)
    return shown


def _ended(message: str, status: int) -> dict[str, Any]:
    """Why something was not answered, with what would be its status in HTTP."""
    return {"message": message, "extensions": {"status": status}}


def _count_directives(document: graphql.DocumentNode) -> int:
    count, token = 0, document.loc.start_token if document.loc else None
    while token is not None:
        count, token = count + (token.kind is graphql.TokenKind.AT), token.next
    return count


def _count_comparisons(document: graphql.DocumentNode) -> int:
    """How often validation will compare two fields of one name; a pair with fields below it takes many times as long."""
    counts: Counter[tuple[str, int]] = Counter()
    waiting: list[Any] = list(document.definitions)
    while waiting:
        selections = getattr(waiting.pop().selection_set, "selections", ())
        waiting += (node for node in selections if not isinstance(node, graphql.FragmentSpreadNode))
        fields = (node for node in selections if isinstance(node, graphql.FieldNode))
        counts.update(((node.alias or node.name).value, 30 if node.selection_set else 1) for node in fields)
    return sum(weight * count * (count - 1) // 2 for (_, weight), count in counts.items())


def _id_of(message: Mapping[str, Any]) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise WebSocketException(4400, "The message has no id")
    return identifier
