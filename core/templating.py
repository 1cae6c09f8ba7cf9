"""Jinja2 templates as responses."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

import jinja2
from jinja2.compiler import CodeGenerator

from core.background import BackgroundTask
from core.datastructures import URL
from core.requests import HTTPConnection, Request
from core.responses import HTMLResponse
from core.types import Receive, Scope, Send

ContextProcessor = Callable[[Request], dict[str, Any]]
Directories = str | PathLike[str] | Sequence[str | PathLike[str]]

DEBUG_MESSAGE = "http.response.debug"
# Of these names a dictionary's attribute comes before its key, so they are left to Jinja.
DICT_ATTRIBUTES = frozenset(dir(dict))


class TemplateResponse(HTMLResponse):
    """A rendered template. Where the server announces it, a test client is told the template and its context."""

    def __init__(self, template: jinja2.Template, context: dict[str, Any], *settings: Any, **options: Any) -> None:
        self.template = template
        self.context = context
        super().__init__(template.render(context), *settings, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if DEBUG_MESSAGE in scope.get("extensions", {}):
            await send({"type": DEBUG_MESSAGE, "info": {"template": self.template, "context": self.context}})
        await super().__call__(scope, receive, send)


class DictFirstGenerator(CodeGenerator):
    """Has `row.name` look into a plain dictionary first. Jinja asks for an attribute, and finds the key by an exception."""

    def visit_Getattr(self, node: jinja2.nodes.Getattr, frame: Any) -> None:  # noqa: N802 - named by the node
        if node.attr in DICT_ATTRIBUTES or self.environment.is_async:
            super().visit_Getattr(node, frame)
            return
        name = repr(node.attr)
        self.write(f"(_owner[{name}] if type(_owner := ")
        self.visit(node.node, frame)
        self.write(f") is dict and {name} in _owner else environment.getattr(_owner, {name}))")


class Jinja2Templates:
    """Finds and renders templates, from a directory (or several, the first hit wins) or with an environment of your own.

    From a directory, the values in .html, .htm and .xml templates are escaped. Every template has `request`,
    `url_for(name, **path_params)` (absolute) and `url_path_for(name, **path_params)` (without scheme and host, so right
    behind any proxy). `context_processors` give further values to each; those of the handler win over them.
    """

    def __init__(
        self,
        directory: Directories | None = None,
        *,
        context_processors: Sequence[ContextProcessor] | None = None,
        env: jinja2.Environment | None = None,
    ) -> None:
        if (directory is None) == (env is None):
            raise AssertionError("Of Jinja2Templates, either 'directory' or 'env' arguments must be passed.")
        self.context_processors = list(context_processors or ())
        loader = jinja2.FileSystemLoader(directory or ())
        self.env = env or jinja2.Environment(loader=loader, autoescape=jinja2.select_autoescape())
        # A class of its own, such as the sandbox, may have its own rules for attributes.
        if type(self.env) is jinja2.Environment:
            self.env.code_generator_class = DictFirstGenerator
        self.env.globals.setdefault("url_for", url_for)
        self.env.globals.setdefault("url_path_for", url_path_for)

    def get_template(self, name: str) -> jinja2.Template:
        """Raises jinja2.TemplateNotFound."""
        return self.env.get_template(name)

    def TemplateResponse(  # noqa: N802 - named like the class it makes, as in Starlette
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> TemplateResponse:
        """Render the template. Raises jinja2.TemplateNotFound, and whatever the template raises."""
        values: dict[str, Any] = {"request": request}
        for processor in self.context_processors:
            values |= processor(request)
        values.update(context or {})
        return TemplateResponse(self.get_template(name), values, status_code, headers, media_type, background)


@jinja2.pass_context
def url_for(context: jinja2.runtime.Context, name: str, /, **path_params: Any) -> URL:
    """Return a route's absolute URL on the host that was asked for."""
    request: HTTPConnection = context["request"]
    return request.url_for(name, **path_params)


@jinja2.pass_context
def url_path_for(context: jinja2.runtime.Context, name: str, /, **path_params: Any) -> str:
    """Return a route's path; absolute only if the route belongs to another host."""
    request: HTTPConnection = context["request"]
    url = request.url_for(name, **path_params)
    return url.path if url.netloc == request.base_url.netloc else str(url)
