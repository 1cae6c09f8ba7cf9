"""Which jobs there are: each feature's jobs.py declares its own with `@job`."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from app import features
from app.config import Settings
from app.database import Database

HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[None]])

DEFAULT_ATTEMPTS = 8
DEFAULT_DEADLINE = timedelta(seconds=60)

_registered: dict[str, "RegisteredJob"] = {}


class UnknownJob(LookupError):
    """No feature's jobs.py declares a job of this name."""


class JobMistake(TypeError):
    """A job is declared twice, or its signature cannot carry JSON arguments."""


class RetryLater(Exception):
    """Raised by a job to be run again, not before `after` has passed; its attempts are counted all the same."""

    def __init__(self, reason: str, after: timedelta = timedelta(0)) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class JobContext:
    """What every job gets as its first argument. `attempt` counts from 1."""

    settings: Settings
    database: Database
    attempt: int = 1
    attempts: int = 1

    @property
    def is_last_attempt(self) -> bool:
        return self.attempt >= self.attempts


@dataclass(frozen=True)
class RegisteredJob:
    """A declared job: what runs, what it takes, how often it is tried and for how long one try may take."""

    name: str
    handler: Callable[..., Awaitable[None]]
    arguments: type[BaseModel]
    attempts: int
    deadline: timedelta
    concurrency: int
    schedule: str | None

    def check(self, arguments: Mapping[str, object]) -> bytes:
        """The arguments as JSON. Raises pydantic's ValidationError if they are not what the job takes."""
        return self.arguments.model_validate(dict(arguments)).model_dump_json().encode()

    async def run(self, context: JobContext, payload: bytes) -> None:
        """Read the arguments back and do the work."""
        arguments = self.arguments.model_validate_json(payload or b"{}")
        await self.handler(context, **{name: getattr(arguments, name) for name in type(arguments).model_fields})


def job(
    name: str,
    *,
    attempts: int = DEFAULT_ATTEMPTS,
    deadline: timedelta = DEFAULT_DEADLINE,
    concurrency: int = 0,
    schedule: str | None = None,
) -> Callable[[HandlerT], HandlerT]:
    """Declare `async def handler(context: JobContext, *, ...)` as the job `name` ("feature.verb").

    The keyword parameters are the job's arguments; their annotations say how they are read from JSON. A job may run more
    than once (its worker can die after the work and before the note of it), so it must bear that. `concurrency` limits how
    many run at once over all workers (0: no limit). `schedule` is a cron expression in UTC, for jobs without arguments.
    """

    def register(handler: HandlerT) -> HandlerT:
        if name in _registered:
            raise JobMistake(f"The job {name!r} is declared twice: give {handler.__qualname__} another name.")
        arguments = _arguments_model(name, handler)
        if schedule and arguments.model_fields:
            raise JobMistake(f"The job {name!r} has a schedule, so it cannot take arguments.")
        _registered[name] = RegisteredJob(name, handler, arguments, attempts, deadline, concurrency, schedule)
        return handler

    return register


def registered_jobs() -> Mapping[str, RegisteredJob]:
    """All declared jobs by name; imports every feature's jobs.py."""
    features.modules("jobs")
    return _registered


def get_job(name: str) -> RegisteredJob:
    """The job of that name. Raises UnknownJob."""
    declared = _registered.get(name) or registered_jobs().get(name)
    if declared is None:
        raise UnknownJob(f"No job is called {name!r}. Declare it with @job({name!r}) in a feature's jobs.py.")
    return declared


def _arguments_model(name: str, handler: Callable[..., Awaitable[None]]) -> type[BaseModel]:
    hints = get_type_hints(handler, include_extras=True)
    fields = {}
    for parameter in list(inspect.signature(handler).parameters.values())[1:]:
        if parameter.kind is not parameter.KEYWORD_ONLY or parameter.name not in hints:
            raise JobMistake(f"The job {name!r}: {parameter.name!r} must be an annotated parameter after `*`.")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)  # type: ignore[call-overload, no-any-return] # fields are dynamic
