"""URLs, headers, multi-valued mappings and uploads: the values that requests and responses are made of."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self, TypeVar, cast
from urllib.parse import urlencode

from core._headers import Headers as Headers
from core._headers import MutableHeaders as MutableHeaders
from core._urls import URL as URL
from core._urls import URLPath as URLPath
from core._urls import parse_urlencoded
from core.concurrency import run_in_threadpool

KT = TypeVar("KT")
VT = TypeVar("VT")
T = TypeVar("T")

KEY = itemgetter(0)


class Address(NamedTuple):
    host: str
    port: int


class Secret:
    """A string that does not show in tracebacks and logs: str() gives the value, repr() a mask."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}('**********')"

    def __str__(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)


class CommaSeparatedStrings(tuple[str, ...]):
    """The items of `a, b, "c, d"`, without surrounding spaces and quotes."""

    __slots__ = ()

    def __new__(cls, value: str | Sequence[str]) -> Self:
        return super().__new__(cls, split_commas(value) if isinstance(value, str) else value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"

    def __str__(self) -> str:
        return ", ".join(repr(item) for item in self)


class ImmutableMultiDict(Mapping[KT, VT]):
    """A mapping that keeps every value of a key. `[key]` is the last one, `getlist(key)` all of them in order."""

    __slots__ = ("_dict", "_list")

    def __init__(self, value: Mapping[KT, VT] | Iterable[tuple[KT, VT]] = (), /, **kwargs: Any) -> None:
        self._list: list[tuple[KT, VT]] = pairs_of(value)
        if kwargs:
            self._list += cast("dict[KT, VT]", kwargs).items()
        self._dict: dict[KT, VT] = dict(self._list)

    def __getitem__(self, key: KT) -> VT:
        return self._dict[key]

    def __iter__(self) -> Iterator[KT]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def get(self, key: KT, default: Any = None) -> Any:
        return self._dict.get(key, default)

    def getlist(self, key: KT) -> list[VT]:
        return [value for name, value in self._list if name == key]

    def multi_items(self) -> list[tuple[KT, VT]]:
        return list(self._list)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same values under the same keys; the order counts under a key, not between keys."""
        if not isinstance(other, type(self)):
            return NotImplemented
        # Only keys are compared while sorting, so that values need no order.
        return sorted(self._list, key=KEY) == sorted(other._list, key=KEY)

    __hash__ = None  # type: ignore[assignment]  # Equality is by value, and MultiDict can change.

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._list!r})"


class MultiDict(ImmutableMultiDict[KT, VT], MutableMapping[KT, VT]):
    __slots__ = ()

    def __setitem__(self, key: KT, value: VT) -> None:
        self.setlist(key, [value])

    def __delitem__(self, key: KT) -> None:
        del self._dict[key]
        self._forget(key)

    def setlist(self, key: KT, values: Sequence[VT]) -> None:
        """Put these values in place of all values of the key; none at all removes the key."""
        self._dict.pop(key, None)
        self._forget(key)
        for value in values:
            self.append(key, value)

    def append(self, key: KT, value: VT) -> None:
        self._list.append((key, value))
        self._dict[key] = value

    def pop(self, key: KT, default: Any = None) -> Any:
        """Remove every value of the key and return the last."""
        self._forget(key)
        return self._dict.pop(key, default)

    def popitem(self) -> tuple[KT, VT]:
        """Remove every value of the newest key, as a dictionary does, and return it with the last of them."""
        key, value = self._dict.popitem()
        self._forget(key)
        return key, value

    def poplist(self, key: KT) -> list[VT]:
        values = self.getlist(key)
        self.pop(key)
        return values

    def clear(self) -> None:
        self._list.clear()
        self._dict.clear()

    def update(self, *args: Mapping[KT, VT] | Iterable[tuple[KT, VT]], **kwargs: Any) -> None:  # type: ignore[override]
        """Put the given keys, with all their values, in place of those that are there."""
        given: MultiDict[KT, VT] = MultiDict(*args, **kwargs)
        self._list = [pair for pair in self._list if pair[0] not in given] + given._list
        self._dict.update(given._dict)

    def _forget(self, key: KT) -> None:
        self._list = [pair for pair in self._list if pair[0] != key]


class QueryParams(ImmutableMultiDict[str, str]):
    """The parameters of a query string, given as text, as the scope's bytes, as a mapping or as pairs."""

    __slots__ = ()

    def __init__(
        self, value: str | bytes | Mapping[Any, Any] | Iterable[tuple[Any, Any]] = "", /, **kwargs: Any
    ) -> None:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        pairs = parse_urlencoded(value) if isinstance(value, str) else pairs_of(value)
        super().__init__([(str(key), str(item)) for key, item in [*pairs, *kwargs.items()]])

    def __str__(self) -> str:
        return urlencode(self._list)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class UploadFile:
    """A file that was sent in a form. Small ones live in memory, larger ones on disk, read and written in threads.

    `size` is its length in bytes, `filename` what the client calls it (never use it as a path), `headers` the headers
    of its part of the form.
    """

    __slots__ = ("file", "filename", "headers", "size")

    def __init__(
        self, file: BinaryIO, *, size: int | None = None, filename: str | None = None, headers: Headers | None = None
    ) -> None:
        self.file = file
        self.size = size
        self.filename = filename
        self.headers = headers if headers is not None else Headers()

    @property
    def content_type(self) -> str | None:
        content_type: str | None = self.headers.get("content-type")
        return content_type

    async def write(self, data: bytes) -> None:
        if self.size is not None:
            self.size += len(data)
        await self._call(self.file.write, data, growth=len(data))

    def read(self, size: int = -1) -> Coroutine[Any, Any, bytes]:
        return self._call(self.file.read, size)

    async def seek(self, offset: int) -> None:
        await self._call(self.file.seek, offset)

    def close(self) -> Coroutine[Any, Any, None]:
        return self._call(self.file.close)

    async def _call(self, method: Callable[..., T], *args: object, growth: int = 0) -> T:
        return method(*args) if self.is_in_memory(growth) else await run_in_threadpool(method, *args)

    def is_in_memory(self, growth: int = 0) -> bool:
        """Whether it is and stays there with so many bytes more, so that no call blocks."""
        # A spooled file blocks on the write that moves it to the disk, and from then on (CVE-2025-54121). What kind of
        # file it is and where it stands only its private attributes tell; any other kind of file counts as blocking.
        if getattr(self.file, "_rolled", True):
            return False
        limit = growth and getattr(self.file, "_max_size", 0)
        return not limit or self.file.tell() + growth <= limit

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filename={self.filename!r}, size={self.size!r}, headers={self.headers!r})"


class FormData(ImmutableMultiDict[str, UploadFile | str]):
    """The fields of a form: text, or an UploadFile for each part that names a file."""

    __slots__ = ()

    async def close(self) -> None:
        """Close every file."""
        for _, value in self._list:
            if isinstance(value, UploadFile):
                await value.close()


class State:
    """A dictionary whose items are attributes too: `state.user` is `state["user"]`."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        # The dictionary is that of the instance, shared by all states that are made of it.
        self.__dict__ = {} if state is None else state

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...
        def __setattr__(self, key: str, value: Any) -> None: ...

    def __getitem__(self, key: str) -> Any:
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.__dict__[key] = value

    def __delitem__(self, key: str) -> None:
        del self.__dict__[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)


def pairs_of(value: Any) -> list[tuple[Any, Any]]:
    """The pairs of a multi-valued mapping, of a mapping, or of an iterable of pairs, as a list of their own."""
    if isinstance(value, list):
        return value[:]  # Asked first: whether it is a Mapping takes longer to find out than all the rest.
    if isinstance(value, ImmutableMultiDict):
        return value.multi_items()
    return list(value.items()) if isinstance(value, Mapping) else list(value)


def split_commas(text: str) -> list[str]:
    words = shlex.shlex(text, posix=True)
    words.whitespace = ","
    words.whitespace_split = True
    return [word.strip() for word in words]
