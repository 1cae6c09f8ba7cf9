"""`python -m app routes`."""

from collections.abc import Iterator

import click

from app.config import load_settings
from app.main import create_app
from app.policy import access_of
from core.routing import BaseRoute, Mount

UNDECIDED = "NOBODY DECIDED"


@click.command("routes")
@click.option("--search", default="", help="Only lines that contain this text.")
def routes_command(search: str) -> None:
    """Print the URL map: methods, path, name, and who may use it."""
    lines = [line for line in route_lines(list(create_app(load_settings()).routes)) if search in " ".join(line)]
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(3)]
    for methods, path, name, access in lines:
        click.echo(f"{methods:{widths[0]}}  {path:{widths[1]}}  {name:{widths[2]}}  {access}".rstrip())


def route_lines(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Methods, path, name and access of every route, those inside mounts included."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        access = ", ".join(access_of(route))
        if isinstance(route, Mount) and not access:
            yield from route_lines(list(route.routes or []), path)
            continue
        methods = sorted(set(getattr(route, "methods", None) or ()) - {"HEAD"})
        yield ",".join(methods), path or "/", str(getattr(route, "name", "") or ""), access or UNDECIDED
