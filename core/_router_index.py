"""Finds the route of a path without asking every route.

Paths without parameters are looked up in a dict; paths whose parameters each stay within one segment are looked up
in a trie of segments; all other routes (mounts, hosts, parameters that may contain slashes, classes with their own
`matches`) are asked one by one. The candidates are examined in the order of registration, so that what is found is
exactly what asking every route would find.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from core._paths import PARAMETER, compile_path, match_path
from core.convertors import Convertor, FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor
from core.types import Scope

if TYPE_CHECKING:
    from core.routing import BaseRoute, Route, WebSocketRoute

# Their patterns are known not to reach over a slash; a registered convertor's may.
SEGMENT_CONVERTORS = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)

# A function in the scope that wants to know the routes that are found.
ROUTE_OBSERVER_KEY = "core.route_observer"

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")


class Match(enum.Enum):
    """Whether a route matches a scope; PARTIAL: the path matches, the method does not."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


class Found(NamedTuple):
    """What a search found: for a partial match, the methods that the path's routes allow together."""

    match: Match
    route: BaseRoute | None
    child_scope: Scope
    allowed_methods: frozenset[str] = frozenset()


NOT_FOUND = Found(Match.NONE, None, {})


def ordered_methods(methods: Iterable[str]) -> list[str]:
    """The methods in one fixed order, whatever set they come from."""
    return sorted(methods, key=lambda method: (VERBS.index(method) if method in VERBS else len(VERBS), method))


class RouteList(list["BaseRoute"]):
    """A list of routes that counts its changes, so that an index knows when it is out of date."""

    version = 0


def _counting(change: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(change)
    def method(self: RouteList, *args: Any, **kwargs: Any) -> Any:
        self.version += 1
        return change(self, *args, **kwargs)

    return method


CHANGES = ("append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort")
for _name in (*CHANGES, "__setitem__", "__delitem__", "__iadd__", "__imul__"):
    setattr(RouteList, _name, _counting(getattr(list, _name)))


class Reader(NamedTuple):
    """Reads one parameter out of the segment that it fills."""

    name: str
    position: int
    pattern: re.Pattern[str] | None
    convertor: Convertor[Any]


class Asked:
    """A route that decides for itself, with its place in the order of registration."""

    __slots__ = ("order", "route")

    def __init__(self, order: int, route: BaseRoute) -> None:
        self.order = order
        self.route = route

    def examine(self, scope: Scope, path: str, segments: Sequence[str]) -> tuple[Match, Scope]:
        return self.route.matches(scope)


class Entry(Asked):
    """A route whose path the index has compared already, all but the values of its parameters."""

    __slots__ = ("readers",)
    route: Route | WebSocketRoute

    def __init__(self, order: int, route: Route | WebSocketRoute, readers: tuple[Reader, ...] | None) -> None:
        super().__init__(order, route)
        self.readers = readers

    def examine(self, scope: Scope, path: str, segments: Sequence[str]) -> tuple[Match, Scope]:
        params = self.read(path, segments)
        if params is None:
            return Match.NONE, {}
        route = self.route
        if outer := scope.get("path_params"):
            params = {**outer, **params}
        child_scope = {"endpoint": route.endpoint, "path_params": params}
        return (Match.FULL if route.accepts(scope) else Match.PARTIAL), child_scope

    def read(self, path: str, segments: Sequence[str]) -> dict[str, Any] | None:
        """The parameters, or None if the path does not match after all."""
        if self.readers is None:
            return match_path(self.route.path_regex, self.route.param_convertors, path)
        params: dict[str, Any] = {}
        try:
            for name, position, pattern, convertor in self.readers:
                text = segments[position]
                if pattern is not None and not pattern.fullmatch(text):
                    return None
                params[name] = text if pattern is None else convertor.convert(text)
        except ValueError:
            return None
        return params


class Node:
    """A place in the trie: what may follow, and the routes that end here."""

    __slots__ = ("entries", "parameter", "static")

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.entries: list[Entry] = []

    def add(self, segments: Sequence[str], entry: Entry) -> None:
        node = self
        for segment in segments:
            if PARAMETER.search(segment):
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.static.setdefault(segment, Node())
        node.entries.append(entry)

    def collect(self, segments: Sequence[str], position: int, found: list[Asked]) -> None:
        """Add the entries whose segments fit these, from `position` on."""
        if position == len(segments):
            found.extend(self.entries)
            return
        segment = segments[position]
        child = self.static.get(segment)
        if child is not None:
            child.collect(segments, position + 1, found)
        if self.parameter is not None and segment:
            self.parameter.collect(segments, position + 1, found)


class RouterIndex:
    """The routes of one kind (Route or WebSocketRoute) and all that are of neither kind, ready to be searched."""

    def __init__(self, routes: Sequence[BaseRoute], kind: type[BaseRoute], other_kind: type[BaseRoute]) -> None:
        self._trie = Node()
        # By path: its segments, which candidates with parameters read from, and the candidates in order.
        self._static: dict[str, tuple[list[str], list[Asked]]] = {}
        self._asked: list[Asked] = []
        for order, route in enumerate(routes):
            matches = type(route).matches
            if matches is kind.matches:
                self._add(order, route)  # type: ignore[arg-type]  # Its class is `kind`, or derived from it.
            elif matches is not other_kind.matches:
                self._asked.append(Asked(order, route))
        for segments, entries in self._static.values():
            entries[:] = self._in_order([*entries, *self._fitting(segments)])

    def _add(self, order: int, route: Route | WebSocketRoute) -> None:
        pattern, _, convertors = compile_path(route.path)
        stays_in_segments = all(type(convertor) in SEGMENT_CONVERTORS for convertor in convertors.values())
        if not stays_in_segments or route.path_regex.pattern != pattern.pattern:
            self._asked.append(Asked(order, route))
        elif not convertors:
            self._static.setdefault(route.path, (route.path.split("/"), []))[1].append(Entry(order, route, ()))
        else:
            segments = route.path.split("/")
            self._trie.add(segments, Entry(order, route, _readers(segments, route.param_convertors)))

    def find(self, scope: Scope, path: str) -> Found:
        """The first full match, else the first partial one with the methods of all partial ones."""
        segments, candidates = self._static.get(path) or self._look_up(path)
        partial = NOT_FOUND
        for candidate in candidates:
            match, child_scope = candidate.examine(scope, path, segments)
            if match is Match.FULL:
                return Found(match, candidate.route, child_scope)
            if match is Match.PARTIAL:
                partial = _joined(partial, candidate.route, child_scope)
        return partial

    def _look_up(self, path: str) -> tuple[list[str], list[Asked]]:
        segments = path.split("/")
        return segments, self._in_order(self._fitting(segments))

    def _fitting(self, segments: Sequence[str]) -> list[Asked]:
        found: list[Asked] = []
        self._trie.collect(segments, 0, found)
        return found

    def _in_order(self, entries: list[Asked]) -> list[Asked]:
        if not entries:
            return self._asked
        if self._asked or len(entries) > 1:
            entries = sorted([*entries, *self._asked], key=lambda candidate: candidate.order)
        return entries


class NameIndex:
    """The routes by name, for addresses; routes that hold others (mounts, hosts) are asked for every name."""

    def __init__(self, routes: Sequence[BaseRoute], kinds: Collection[type[BaseRoute]]) -> None:
        ways = [kind.url_path_for for kind in kinds]
        self._named: dict[str, list[Asked]] = {}
        self._asked: list[Asked] = []
        for order, route in enumerate(routes):
            if type(route).url_path_for in ways:
                name: str = route.name  # type: ignore[attr-defined]  # Its class is one of the kinds, or derived.
                self._named.setdefault(name, []).append(Asked(order, route))
            else:
                self._asked.append(Asked(order, route))

    def candidates(self, name: str) -> list[BaseRoute]:
        """The routes that may have the name, in the order of registration."""
        found = [*self._named.get(name, ()), *self._asked]
        return [candidate.route for candidate in sorted(found, key=lambda candidate: candidate.order)]


def _readers(segments: Sequence[str], convertors: Mapping[str, Convertor[Any]]) -> tuple[Reader, ...] | None:
    """How to read each parameter, or None when a segment holds more than one parameter and nothing else."""
    readers = []
    for position, segment in enumerate(segments):
        whole = PARAMETER.fullmatch(segment)
        if whole is None and PARAMETER.search(segment):
            return None
        if whole is not None:
            convertor = convertors[whole[1]]
            pattern = None if type(convertor) is StringConvertor else re.compile(convertor.regex)
            readers.append(Reader(whole[1], position, pattern, convertor))
    return tuple(readers)


def _joined(partial: Found, route: BaseRoute, child_scope: Scope) -> Found:
    methods = frozenset(getattr(route, "methods", None) or ())
    if partial.match is Match.NONE:
        return Found(Match.PARTIAL, route, child_scope, methods)
    return partial._replace(allowed_methods=partial.allowed_methods | methods)
