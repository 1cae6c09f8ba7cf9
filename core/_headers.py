"""Header fields: how they are kept, checked, looked up and taken apart (RFC 9110 section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, cast

from core.types import Message, Scope

Field = tuple[bytes, bytes]
RawHeaders = list[Field]
TOKEN_CHARACTERS = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Headers(Mapping[str, str]):
    """Header fields by case-insensitive name. A name may occur several times: `[name]` is the first of them.

    `raw` is the list of (lower-case name, value) pairs that ASGI knows. Given a scope or a message, the object is a
    view: changes through MutableHeaders are changes of the scope or message.
    """

    __slots__ = ("_list",)

    def __init__(
        self, headers: Mapping[str, str] | None = None, raw: RawHeaders | None = None, scope: Scope | None = None
    ) -> None:
        if (headers is not None) + (raw is not None) + (scope is not None) > 1:
            raise AssertionError('Cannot set more than one of "headers", "raw" and "scope".')
        self._list: RawHeaders
        if raw is not None:
            self._list = raw
        elif scope is not None:
            self._list = scope["headers"] = list(scope["headers"])
        else:
            self._list = [encode_header(name, value) for name, value in headers.items()] if headers else []

    @property
    def raw(self) -> RawHeaders:
        return self._list

    def keys(self) -> list[str]:  # type: ignore[override]  # A list with duplicates is the documented interface.
        return [name.decode("latin-1") for name, _ in self._list]

    def values(self) -> list[str]:  # type: ignore[override]
        return [value.decode("latin-1") for _, value in self._list]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._list]

    def getlist(self, key: str) -> list[str]:
        wanted = lookup_name(key)
        return [value.decode("latin-1") for name, value in self._list if name == wanted]

    def mutablecopy(self) -> MutableHeaders:
        return MutableHeaders(raw=self._list[:])

    def get(self, key: str, default: Any = None) -> Any:
        wanted = lookup_name(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        return default

    def __getitem__(self, key: str) -> str:
        value: str | None = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(cast(str, key)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same fields, in any order."""
        if not isinstance(other, Headers):
            return NotImplemented
        return sorted(self._list) == sorted(other._list)

    __hash__ = None  # type: ignore[assignment]  # Equality is by value, and MutableHeaders can change.

    def __repr__(self) -> str:
        fields = dict(self.items())
        if len(fields) == len(self._list):
            return f"{type(self).__name__}({fields!r})"
        return f"{type(self).__name__}(raw={self._list!r})"


class MutableHeaders(Headers, MutableMapping[str, str]):
    """Headers that can be changed. Refuses names and values that would break out of their line, with ValueError."""

    __slots__ = ()

    def __setitem__(self, key: str, value: str) -> None:
        """Set the one value of a name, at the place of its first occurrence."""
        field = encode_header(key, value)
        names = [name for name, _ in self._list]
        place = names.index(field[0]) if field[0] in names else len(names)
        del self[key]
        self._list.insert(place, field)

    def __delitem__(self, key: str) -> None:
        wanted = lookup_name(key)
        # In place: the list may be that of a message or response.
        self._list[:] = [field for field in self._list if field[0] != wanted]

    def __ior__(self, other: Mapping[str, str]) -> MutableHeaders:
        if not isinstance(other, Mapping):
            raise TypeError(f"Expected a mapping but got {type(other).__name__}")
        self.update(other)
        return self

    def __or__(self, other: Mapping[str, str]) -> MutableHeaders:
        joined = self.mutablecopy()
        joined |= other
        return joined

    def append(self, key: str, value: str) -> None:
        """Add a field and keep those that have the same name, as Set-Cookie needs."""
        self._list.append(encode_header(key, value))

    def add_vary_header(self, vary: str) -> None:
        """Add to the names in Vary, which become one field."""
        self["vary"] = ", ".join([*self.getlist("vary"), vary])


def add_vary(start: Message, name: bytes) -> None:
    """Add to the names in Vary of a response that is about to start, which become one field."""
    fields = start.get("headers", ())
    for field in fields:
        if field[0] == b"vary":
            MutableHeaders(scope=start).add_vary_header(name.decode("latin-1"))
            return
    start["headers"] = [*fields, (b"vary", name)]


@lru_cache(maxsize=512)
def lookup_name(name: str) -> bytes:
    # A name with characters beyond latin-1 cannot occur, and looking it up must not raise.
    return name.lower().encode("latin-1", "replace")


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    """A header field in ASGI's form. Raises ValueError for what would inject another field or end the head."""
    return encode_header_name(name), encode_header_value(value)


@lru_cache(maxsize=512)
def encode_header_name(name: str) -> bytes:
    encoded = name.lower().encode("latin-1")
    if not encoded or encoded.strip(TOKEN_CHARACTERS):
        raise ValueError(f"Header name {name!r} is not a token (RFC 9110 section 5.1).")
    return encoded


def encode_header_value(value: str) -> bytes:
    encoded = value.encode("latin-1")
    if b"\n" in encoded or b"\r" in encoded or b"\0" in encoded:
        raise ValueError(f"Header value {value!r} contains a line break or NUL (RFC 9110 section 5.5).")
    return encoded


def media_type_of(content_type: str) -> str:
    """The media type of a Content-Type in lower case, without its parameters (RFC 9110 section 8.3)."""
    return content_type.partition(";")[0].strip().lower()
