"""The call plan of a handler: which functions to call, in which order, with what.

A plan is compiled when a route is built. Every distinct dependency in the tree is one `Call`, whose place is also
that of its result, placed after the calls that it needs; the handler comes last. Running a plan is a walk down that list.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args, get_origin

import anyio

from core._paths import PARAMETER
from core._typed.inputs import FAILED, Reader, Resolution, adapter, input_reader
from core._typed.markers import Body, Depends, Form, Input, Path, attached_dependencies
from core._typed.signature import InvalidSignature, Parameter, Signature, describe, read_signature, unwrap_partials
from core._typed.submitted import Submitted, submitted_reader
from core.concurrency import closing, run_in_threadpool
from core.exceptions import HTTPException

Function = Callable[..., Any]
Overrides = Mapping[Function, Function]
NO_KEYWORDS: dict[str, Any] = {}
# What Starlette's own convertors yield; a registered one yields what it likes, and is believed.
CONVERTED_TYPES = {None: str, "str": str, "path": str, "int": int, "float": float}
# How long the cleaning up after a cancelled request may take, in seconds, before it is cancelled as well.
CANCELLED_GRACE = 10.0


@dataclass(frozen=True)
class Argument:
    """One parameter of a call and how its value is read: at once, unless it `waits` for the request's body."""

    parameter: Parameter
    read: Reader
    waits: bool = False

    async def value(self, run: Resolution) -> Any:
        return await self.read(run) if self.waits else self.read(run)


class Call:
    """One function of the plan, with its arguments."""

    def __init__(self, function: Function, arguments: list[Argument]) -> None:
        self.function = function
        self.arguments = arguments
        bare, _ = unwrap_partials(function)
        is_class = inspect.isclass(bare)
        target = bare if is_class or inspect.isroutine(bare) else type(bare).__call__
        self.yields = inspect.isasyncgenfunction(target) or inspect.isgeneratorfunction(target)
        self.waits = not (is_class or self.yields)
        is_blocking = self.waits and not inspect.iscoroutinefunction(target)
        self.invoke = partial(run_in_threadpool, function) if is_blocking else function
        self.positional = [argument for argument in arguments if not argument.parameter.is_keyword_only]
        self.keywords = [argument for argument in arguments if argument.parameter.is_keyword_only]
        # Most calls need nothing that has to be waited for.
        is_simple = not any(argument.waits or argument.parameter.is_keyword_only for argument in arguments)
        self.readers = [argument.read for argument in arguments] if is_simple else None

    async def run(self, run: Resolution) -> Any:
        """Read the arguments and call. `FAILED` where an argument could not be read."""
        if self.readers is not None:
            values, keywords = [read(run) for read in self.readers], NO_KEYWORDS
        else:
            values = [await argument.value(run) for argument in self.positional]
            keywords = {argument.parameter.name: await argument.value(run) for argument in self.keywords}
        if run.errors and any(value is FAILED for value in (*values, *keywords.values())):
            return FAILED
        result = self.invoke(*values, **keywords)
        if self.waits:
            return await result
        return await _open(run, result) if self.yields else result


async def _open(run: Resolution, generator: Any) -> Any:
    value = await _advance(generator)
    if value is FAILED:
        raise RuntimeError(f"The dependency {generator.__qualname__} ended without a yield.")
    run.generators.append(generator)
    return value


async def finish(run: Resolution, error: BaseException | None) -> None:
    """Let every generator see how the handler ended, last opened first. None can swallow `error`; raises what they raise instead.

    A generator that fails makes those opened before it see that failure: a commit that fails rolls the rest back.
    """
    if error is None or isinstance(error, Exception):
        failure = await _finish_each(run, error)
        if failure is not None and failure is not error:
            raise failure
    else:
        with anyio.move_on_after(CANCELLED_GRACE, shield=True):
            await _finish_each(run, error)


async def _finish_each(run: Resolution, error: BaseException | None) -> BaseException | None:
    while run.generators:
        generator = run.generators.pop()
        try:
            if await _advance(generator, error) is not FAILED:
                async with closing(generator):
                    raise RuntimeError(f"The dependency {generator.__qualname__} yielded more than once.")
        except BaseException as failure:
            error = failure
    if run.form is not None:
        await run.form.close()
    return error


async def _advance(generator: Any, error: BaseException | None = None) -> Any:
    """What a dependency yields next, or what it yields when `error` is thrown into it; `FAILED` at its end."""
    if not isinstance(generator, AsyncGenerator):
        return await run_in_threadpool(_advance_blocking, generator, error)
    try:
        return await (anext(generator) if error is None else generator.athrow(error))
    except StopAsyncIteration:
        return FAILED


def _advance_blocking(generator: Generator[Any, None, None], error: BaseException | None) -> Any:
    try:
        return next(generator) if error is None else generator.throw(error)
    except StopIteration:
        return FAILED


class Plan:
    """The compiled calls of one handler on one path. Raises InvalidSignature when it is built.

    `dependencies` are called before all others, for their effect alone. `given` names parameters of the handler whose values
    come with each call, such as the `self` of a method. `overrides` replaces dependencies by others, resolved in their place.
    """

    def __init__(
        self,
        endpoint: Function,
        path: str,
        *,
        dependencies: Sequence[Depends] = (),
        given: Sequence[str] = (),
        overrides: Overrides | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.given = given
        self.path_parameters = {name: convertor or "str" for name, convertor in PARAMETER.findall(path)}
        self.signature = read_signature(endpoint)
        self.calls: list[Call] = []
        self._overrides = overrides or {}
        self._slots: dict[Function, int] = {}
        for dependency in (*dependencies, *attached_dependencies(endpoint)):
            self._place(endpoint, dependency, None, ())
        self.handler = self._call(self.signature, (endpoint,))
        self._require_one_body()

    async def run(self, run: Resolution) -> Any:
        """Call the dependencies in order, then the handler. `FAILED` if inputs of the request were refused."""
        for call in self.calls:
            run.results.append(await call.run(run))
        if run.errors:
            return await self._read_remaining_inputs(run)
        return await self.handler.run(run)

    async def _read_remaining_inputs(self, run: Resolution) -> Any:
        """Once a dependency's inputs were refused the handler is not called, but the answer names its bad inputs too."""
        for argument in self.handler.arguments:
            if isinstance(argument.parameter.marker, Input):
                await argument.value(run)
        return FAILED

    def inputs(self) -> Iterator[tuple[Parameter, Input]]:
        """Every marked input of the tree, in the order in which they are read."""
        for call in (*self.calls, self.handler):
            for argument in call.arguments:
                if isinstance(argument.parameter.marker, Input):
                    yield argument.parameter, argument.parameter.marker

    def _call(self, signature: Signature, chain: tuple[Function, ...]) -> Call:
        arguments = [self._argument(signature, parameter, chain) for parameter in signature.parameters]
        return Call(signature.function, arguments)

    def _argument(self, signature: Signature, parameter: Parameter, chain: tuple[Function, ...]) -> Argument:
        function, marker = signature.function, parameter.marker
        if signature is self.signature and parameter.name in self.given:
            return Argument(parameter, lambda run: run.given[parameter.name])
        if isinstance(marker, Depends):
            slot = self._place(function, marker, parameter, chain)
            return Argument(parameter, lambda run: run.results[slot])
        if isinstance(marker, Path) or (marker is None and parameter.name in self.path_parameters):
            return Argument(parameter, self._path_reader(function, parameter))
        if marker is not None:
            return Argument(
                parameter, input_reader(function, parameter, marker), waits=marker.place in ("form", "body")
            )
        return self._unmarked(signature, parameter)

    def _unmarked(self, signature: Signature, parameter: Parameter) -> Argument:
        if get_origin(parameter.bare) is Submitted:
            return Argument(parameter, submitted_reader(get_args(parameter.bare)[0]), waits=True)
        if parameter.is_connection or self._is_only_bare(signature, parameter):
            return Argument(parameter, lambda run: run.connection)
        raise InvalidSignature(signature.function, advice_on(parameter))

    def _is_only_bare(self, signature: Signature, parameter: Parameter) -> bool:
        named = {*self.path_parameters, *(self.given if signature is self.signature else ())}
        bare = [each for each in signature.parameters if not each.is_annotated and each.name not in named]
        return bare == [parameter] and parameter.is_required

    def _place(self, owner: Function, marker: Depends, parameter: Parameter | None, chain: tuple[Function, ...]) -> int:
        """The slot of a dependency's result, placing its call after those that it needs."""
        function = dependency_of(owner, marker, parameter)
        function = self._overrides.get(function, function)
        if function in chain:
            circle = " -> ".join(describe(each) for each in (*chain[chain.index(function) :], function))
            raise InvalidSignature(owner, f"its dependencies go in a circle: {circle}")
        if function not in self._slots:
            for each in attached_dependencies(function):
                self._place(function, each, None, (*chain, function))
            call = self._call(read_signature(function), (*chain, function))
            self._slots[function] = len(self.calls)
            self.calls.append(call)
        return self._slots[function]

    def _path_reader(self, function: Function, parameter: Parameter) -> Reader:
        marker = parameter.marker
        name = (marker.alias if isinstance(marker, Path) else None) or parameter.name
        believed = (inspect.Parameter.empty, Any, CONVERTED_TYPES.get(self.path_parameters.get(name), Any))
        if parameter.bare in believed and parameter.bare is parameter.annotation:
            return lambda run: run.connection.path_params[name]
        validate = adapter(function, parameter.name, parameter.annotation).validator.validate_python

        def read(run: Resolution) -> Any:
            try:
                return validate(run.connection.path_params[name])
            except ValueError:
                raise HTTPException(404) from None

        return read

    def _require_one_body(self) -> None:
        bodies = [parameter for parameter, marker in self.inputs() if isinstance(marker, Body)]
        if len(bodies) > 1:
            names = ", ".join(parameter.name for parameter in bodies)
            problem = f"a request has one body, but {names} each want it: make them one model"
            raise InvalidSignature(self.endpoint, problem)
        if bodies and any(isinstance(marker, Form) for _, marker in self.inputs()):
            raise InvalidSignature(self.endpoint, f"the body cannot be both a form and {bodies[0].name!r}")


def advice_on(parameter: Parameter) -> str:
    """How to say where a parameter comes from."""
    if not parameter.is_annotated:
        return f"parameter {parameter.name!r} has no annotation, so nothing says where its value comes from"
    shown = getattr(parameter.bare, "__name__", parameter.bare)
    return (
        f"parameter {parameter.name!r} is neither the connection nor in the path: mark where it comes from, such as "
        f"`{parameter.name}: Annotated[{shown}, Query()]`, Body(), Form() or Depends(...)"
    )


def dependency_of(owner: Function, marker: Depends, parameter: Parameter | None) -> Function:
    """The function of a `Depends`, or the annotated class where it names none. Raises InvalidSignature."""
    if marker.dependency is not None:
        if not callable(marker.dependency):
            raise InvalidSignature(owner, f"Depends({marker.dependency!r}): a dependency is a function or a class")
        return marker.dependency
    if parameter is not None and inspect.isclass(parameter.bare):
        return parameter.bare
    raise InvalidSignature(owner, "Depends() names no dependency, and the annotation is no class")


def dependencies_of(handler: Function, behind: Sequence[Depends] = ()) -> Iterator[Depends]:
    """Every `Depends` in the tree of a handler, depth first, after those that its route is `behind`.

    A handler that takes only the connection has none of its own.
    """
    found: list[tuple[Any, Any]] = [(marker, None) for marker in (*behind, *attached_dependencies(handler))]
    found += [(parameter.marker, parameter) for parameter in read_signature(handler).parameters]
    for marker, parameter in found:
        if isinstance(marker, Depends):
            yield marker
            yield from dependencies_of(dependency_of(handler, marker, parameter))
