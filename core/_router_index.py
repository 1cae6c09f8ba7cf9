"""Finds the route of a path without asking every route.

Addresses without parameters are looked up in a dict, all others in a trie of segments. Routes that hold more than their
own segments (mounts, parameters that may contain slashes) stand at the node up to which their path is known; those of
which nothing is known (hosts, classes with their own `matches`) stand at its root. The candidates are examined in the
order of registration, so that what is found is exactly what asking every route would find.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from core._paths import PARAMETER, match_path, pattern_of
from core._typed.markers import Depends
from core._utils import notifying
from core.convertors import FloatConvertor, IntegerConvertor, PathConvertor, StringConvertor, UUIDConvertor
from core.types import Scope

if TYPE_CHECKING:
    from core.routing import BaseRoute

# Their patterns are known not to reach over a slash; a registered convertor's may.
SEGMENT_CONVERTORS = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
# They make the same unchangeable value of a text each time; of a registered one that is not known.
CONSTANT_CONVERTORS = (*SEGMENT_CONVERTORS, PathConvertor)

# How many addresses an index remembers with the routes that they may mean: most are asked for again soon.
REMEMBERED_PATHS = 512
LONGEST_REMEMBERED_PATH = 256

# A function in the scope that wants to know the routes that are found.
ROUTE_OBSERVER_KEY = "core.route_observer"

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

# A route of any class after its place in the order of registration. Of a plain endpoint the kind of connection and what gets
# the parameters from a path; any other route is asked.
Place = tuple[int, Any, str | None, Any]
# The same for one path: a route, and the parameters of a plain endpoint with its kind of connection.
Candidate = tuple[Any, str | None, Any]


class Match(enum.Enum):
    """Whether a route matches a scope; PARTIAL: the path matches, the method does not."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


NONE, PARTIAL, FULL = Match

# A route, what answers for it, and None for a full match or the methods that the path's routes allow together.
Found = tuple[Any, Any, frozenset[str] | None]


def ordered_methods(methods: Iterable[str]) -> list[str]:
    """The methods in one fixed order, whatever set they come from."""
    return sorted(methods, key=lambda method: (VERBS.index(method) if method in VERBS else len(VERBS), method))


@notifying(list, "append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort")
@notifying(list, "__setitem__", "__delitem__", "__iadd__", "__imul__")
class RouteList(list["BaseRoute"]):
    """A list of routes that forgets its index when it changes.

    All of its routes are behind its dependencies, those included that are added later.
    """

    router_index: RouterIndex | None = None
    dependencies: Sequence[Depends] = ()
    _behind: frozenset[int] = frozenset()

    def changed(self) -> None:
        if self.dependencies:
            for route in self:
                if id(route) not in self._behind:
                    route.place_behind(self.dependencies)
            self._behind = frozenset(map(id, self))
        self.router_index = None

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before those of every route. Raises InvalidSignature."""
        if dependencies:
            for route in self:
                route.place_behind(dependencies)
            self.dependencies = (*dependencies, *self.dependencies)
            self._behind = frozenset(map(id, self))


class Node:
    """A place in the trie: what may follow, the routes that end here, and those that hold everything below."""

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.ending: list[Place] = []
        self.holding: list[Place] = []

    def add(self, route: Any, place: Place) -> None:
        """Put a route where its path leads, or as deep as is known if a parameter of it may contain slashes."""
        node = self
        for segment in route.path_format.split("/"):
            names = [found[1] for found in PARAMETER.finditer(segment)]
            if any(type(route.param_convertors[name]) not in SEGMENT_CONVERTORS for name in names):
                node.holding.append(place)
                return
            if names:
                node.parameter = node = node.parameter or Node()
            else:
                node = node.static.setdefault(segment, Node())
        node.ending.append(place)

    def inherit(self, held: Sequence[Place] = ()) -> None:
        """Add to each node the routes that hold it, in the order of registration, so that a search ends at one list."""
        self.ending = in_order([*held, *self.ending])
        self.holding = in_order([*held, *self.holding])
        for child in (*self.static.values(), self.parameter):
            if child is not None:
                child.inherit(self.holding)

    def search(self, segments: Iterator[str]) -> list[Place]:
        """The routes that these segments may lead to."""
        node = self
        for segment in segments:
            if segment in node.static:
                if node.parameter is not None and segment:
                    rest = [*segments]
                    return in_order([*node.static[segment].search(iter(rest)), *node.parameter.search(iter(rest))])
                node = node.static[segment]
            elif node.parameter is not None and segment:
                node = node.parameter
            else:
                return node.holding
        return node.ending


class RouterIndex:
    """The routes of a router, ready to be searched by path and by name.

    Only routes whose class has inherited `matches` and `url_path_for` from one of the `kinds` are indexed.
    """

    def __init__(self, routes: Sequence[BaseRoute], kinds: Sequence[type[BaseRoute]]) -> None:
        self._trie = Node()
        self._named: dict[str, list[Place]] = {}
        self._asked_for_names: list[Place] = []
        literal: dict[str, BaseRoute] = {}
        for order, route in enumerate(routes):
            self._add(order, route, kinds, literal)
        self._trie.inherit()
        self._remembered_candidates = lru_cache(REMEMBERED_PATHS)(self._candidates)
        self.named = lru_cache(REMEMBERED_PATHS)(self._find_named)
        # The endpoints, by method, of those addresses that no route before them could answer.
        self.direct: dict[str, Any] = {
            path: route for path, route in literal.items() if self._trie.search(iter(path.split("/")))[0][1] is route
        }

    def _add(self, order: int, route: Any, kinds: Sequence[type[BaseRoute]], literal: dict[str, BaseRoute]) -> None:
        kind: Any = next((kind for kind in kinds if type(route).matches is kind.matches), None)
        is_endpoint = hasattr(kind, "scope_type")
        is_plain = is_endpoint and type(route).handle is kind.handle and has_constant_convertors(route)
        params_of = partial(match_path, route.path_regex, route.param_convertors) if is_plain else None
        place: Place = order, route, route.scope_type if is_plain else None, params_of
        if kind is not None and route.path_regex == pattern_of(route.path_format, route.param_convertors):
            self._trie.add(route, place)
            if is_plain and route.methods and not route.param_convertors:
                literal.setdefault(route.path, route)
        else:
            # Of another class, or with another pattern, for example one that ignores case.
            self._trie.holding.append(place)
        has_one_name = is_endpoint and type(route).url_path_for is kind.url_path_for
        (self._named.setdefault(route.name, []) if has_one_name else self._asked_for_names).append(place)

    def find(self, scope: Scope, path: str) -> Found:
        """The first full match, else the first partial one with the methods of all partial ones.

        What that route adds to the scope is added.
        """
        half: list[tuple[BaseRoute, Scope]] = []
        candidates = self._remembered_candidates if len(path) <= LONGEST_REMEMBERED_PATH else self._candidates
        for route, kind, params in candidates(path):
            if kind is None:
                match, child_scope = route.matches(scope)
            elif kind != scope["type"]:
                continue
            elif "path_params" not in scope and (not route.methods or scope["method"] in route.methods):
                scope["endpoint"] = route.endpoint
                scope["path_params"] = params.copy()
                return route, route.app, None
            else:
                match, child_scope = route.found(scope, params.copy())
            if match is FULL:
                scope.update(child_scope)
                return route, route.handle, None
            if match is PARTIAL:
                half.append((route, child_scope))
        return self._all_methods(scope, half) if half else (None, None, None)

    def _candidates(self, path: str) -> list[Candidate]:
        """The routes that may be meant, in order."""
        places = self._trie.search(iter(path.split("/")))
        read = [(route, kind, params_of and params_of(path)) for _, route, kind, params_of in places]
        return [candidate for candidate in read if candidate[1] is None or candidate[2] is not None]

    def _all_methods(self, scope: Scope, half: Sequence[tuple[BaseRoute, Scope]]) -> Found:
        route, child_scope = half[0]
        scope.update(child_scope)
        return route, route.handle, frozenset().union(*(getattr(route, "methods", None) or () for route, _ in half))

    def _find_named(self, name: str) -> list[BaseRoute]:
        """The routes that may have the name; those that hold others (mounts, hosts) may have any."""
        return [route for _, route, *_ in in_order([*self._named.get(name, ()), *self._asked_for_names])]


def has_constant_convertors(route: Any) -> bool:
    return all(type(convertor) in CONSTANT_CONVERTORS for convertor in route.param_convertors.values())


def in_order(places: list[Place]) -> list[Place]:
    """Sorted by registration, each once."""
    return [place for _, place in sorted({place[0]: place for place in places}.items())]
