"""Finds the route of a path without asking every route.

Paths without parameters are looked up in a dict; paths whose parameters each stay within one segment are looked up
in a trie of segments; all other routes (mounts, hosts, parameters that may contain slashes, classes with their own
`matches`) are asked one by one. The candidates are asked in the order of registration, so that what is found is
exactly what asking every route would find.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from core._paths import PARAMETER, compile_path
from core._typed.markers import Depends
from core._utils import notifying
from core.convertors import FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor
from core.types import Scope

if TYPE_CHECKING:
    from core.routing import BaseRoute

# Their patterns are known not to reach over a slash; a registered convertor's may.
SEGMENT_CONVERTORS = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)

# A function in the scope that wants to know the routes that are found.
ROUTE_OBSERVER_KEY = "core.route_observer"

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

# A route, of any class, after its place in the order of registration, which sorts them, and whether its path has no
# parameters and is the one that is asked for, so that nothing is left to compare.
Place = tuple[int, bool, Any]


class Match(enum.Enum):
    """Whether a route matches a scope; PARTIAL: the path matches, the method does not."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


NONE, PARTIAL, FULL = Match

# A route, what to add to the scope, and None for a full match or the methods that the path's routes allow together.
Found = tuple["BaseRoute | None", Scope, frozenset[str] | None]


def ordered_methods(methods: Iterable[str]) -> list[str]:
    """The methods in one fixed order, whatever set they come from."""
    return sorted(methods, key=lambda method: (VERBS.index(method) if method in VERBS else len(VERBS), method))


@notifying(list, "append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort")
@notifying(list, "__setitem__", "__delitem__", "__iadd__", "__imul__")
class RouteList(list["BaseRoute"]):
    """A list of routes that counts its changes, so that an index knows when it is out of date.

    All of its routes are behind its dependencies, those included that are added later.
    """

    version = 0
    dependencies: Sequence[Depends] = ()
    _behind: frozenset[int] = frozenset()

    def changed(self) -> None:
        if self.dependencies:
            for route in self:
                if id(route) not in self._behind:
                    route.place_behind(self.dependencies)
            self._behind = frozenset(map(id, self))
        self.version += 1

    def place_behind(self, dependencies: Sequence[Depends]) -> None:
        """Run these dependencies before those of every route. Raises InvalidSignature."""
        if dependencies:
            for route in self:
                route.place_behind(dependencies)
            self.dependencies = (*dependencies, *self.dependencies)
            self._behind = frozenset(map(id, self))


class Node:
    """A place in the trie: what may follow, and the routes that end here."""

    def __init__(self) -> None:
        self.static: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.places: list[Place] = []

    def add(self, path: str, place: Place) -> None:
        node = self
        for segment in path.split("/"):
            if PARAMETER.search(segment):
                node.parameter = node = node.parameter or Node()
            else:
                node = node.static.setdefault(segment, Node())
        node.places.append(place)

    def collect(self, segments: Sequence[str], position: int, found: list[Place]) -> None:
        """Add the routes whose segments fit these, from `position` on."""
        node = self
        for place in range(position, len(segments)):
            child = node.static.get(segments[place])
            if node.parameter is not None and segments[place]:
                if child is not None:
                    child.collect(segments, place + 1, found)
                child = node.parameter
            if child is None:
                return
            node = child
        found += node.places


class RouterIndex:
    """The routes of a router, ready to be searched by path and by name.

    Only routes whose class has inherited `matches` and `url_path_for` from one of the `kinds` are indexed.
    """

    def __init__(self, routes: Sequence[BaseRoute], kinds: Sequence[type[BaseRoute]]) -> None:
        self._trie = Node()
        self._asked: list[Place] = []
        self._named: dict[str, list[Place]] = {}
        self._asked_for_names: list[Place] = []
        static: dict[str, list[Place]] = {}
        for order, route in enumerate(routes):
            place: Place = order, False, route
            if type(route).matches not in [kind.matches for kind in kinds] or not _stays_in_segments(route):
                self._asked.append(place)
            elif place[2].param_convertors:
                self._trie.add(place[2].path, place)
            else:
                static.setdefault(place[2].path, []).append((order, True, route))
            is_named = type(route).url_path_for in [kind.url_path_for for kind in kinds]
            (self._named.setdefault(place[2].name, []) if is_named else self._asked_for_names).append(place)
        self._static = {path: self._search(path, places) for path, places in static.items()}

    def find(self, scope: Scope, path: str) -> Found:
        """The first full match, else the first partial one with the methods of all partial ones."""
        partial: Found = None, {}, frozenset()
        for _, is_literal, route in self._static.get(path) or self._search(path, ()):
            match, child_scope = route.found(scope, {}) if is_literal else route.matches(scope)
            if match is FULL:
                return route, child_scope, None
            if match is PARTIAL:
                first = (route, child_scope) if partial[0] is None else partial[:2]
                partial = *first, (partial[2] or frozenset()).union(getattr(route, "methods", None) or ())
        return partial

    def named(self, name: str) -> list[BaseRoute]:
        """The routes that may have the name; those that hold others (mounts, hosts) may have any."""
        return [route for _, _, route in sorted([*self._named.get(name, ()), *self._asked_for_names])]

    def _search(self, path: str, literal: Sequence[Place]) -> list[Place]:
        found = [*literal, *self._asked]
        self._trie.collect(path.split("/"), 0, found)
        return sorted(found) if len(found) > 1 else found


def _stays_in_segments(route: Any) -> bool:
    stays = all(type(convertor) in SEGMENT_CONVERTORS for convertor in route.param_convertors.values())
    return stays and route.path_regex.pattern == compile_path(route.path)[0].pattern
