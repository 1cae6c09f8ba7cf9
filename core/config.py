"""Settings from the environment and from a file of KEY=value lines."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TypeVar, overload

T = TypeVar("T")

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class undefined:  # noqa: N801 - part of the documented interface under this name
    """Stands for a default that was not given (None is a default)."""


class EnvironError(Exception):
    """A variable was changed after somebody had read it, so that parts of the program would disagree about it."""


class Environ(MutableMapping[str, str]):
    """The process environment, where a variable can no longer be changed once it has been read. Raises EnvironError."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._read: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self._read.add(key)
        return self._environ[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._refuse_if_read(key, "set")
        self._environ[key] = value

    def __delitem__(self, key: str) -> None:
        self._refuse_if_read(key, "delete")
        del self._environ[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def _refuse_if_read(self, key: str, verb: str) -> None:
        if key in self._read:
            raise EnvironError(f"Attempting to {verb} environ['{key}'], but the value has already been read.")


environ = Environ()


class Config:
    """Looks a setting up in the environment, then in the file, then falls back to the default.

    Called as `config(key, cast=…, default=…)`. Raises KeyError for a setting without value and default, and ValueError
    for a value that the cast refuses. The cast is applied to the default too.
    """

    def __init__(
        self,
        env_file: str | Path | None = None,
        environ: Mapping[str, str] = environ,
        env_prefix: str = "",
        encoding: str = "utf-8",
    ) -> None:
        self.environ = environ
        self.env_prefix = env_prefix
        self.file_values = read_env_file(Path(env_file), encoding) if env_file is not None else {}

    @overload
    def __call__(self, key: str, cast: type[str] = ..., default: str = ...) -> str: ...
    @overload
    def __call__(self, key: str, cast: type[str] = ..., default: T = ...) -> T | str: ...
    @overload
    def __call__(self, key: str, cast: Callable[[Any], T] = ..., default: Any = ...) -> T: ...

    def __call__(self, key: str, cast: Callable[[Any], Any] | None = None, default: Any = undefined) -> Any:
        name = self.env_prefix + key
        for source in (self.environ, self.file_values):
            if name in source:
                return perform_cast(name, source[name], cast)
        if default is undefined:
            raise KeyError(f"Config '{name}' is missing, and has no default.")
        return perform_cast(name, default, cast)

    get = __call__


def read_env_file(path: Path, encoding: str) -> dict[str, str]:
    """The KEY=value lines of a file; `#` starts a comment line. Only warns if there is no such file."""
    if not path.is_file():
        warnings.warn(f"Config file '{path}' not found.", stacklevel=3)
        return {}
    values = {}
    for line in path.read_text(encoding=encoding).splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            value = value.strip()
            is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
            values[key.strip()] = value[1:-1] if is_quoted else value
    return values


def perform_cast(name: str, value: Any, cast: Callable[[Any], Any] | None) -> Any:
    if cast is None or value is None:
        return value
    try:
        return BOOLEANS[value.lower()] if cast is bool and isinstance(value, str) else cast(value)
    except (KeyError, TypeError, ValueError):
        cast_name = "bool" if cast is bool else getattr(cast, "__name__", repr(cast))
        raise ValueError(f"Config '{name}' has value '{value}'. Not a valid {cast_name}.") from None
