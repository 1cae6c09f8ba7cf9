"""`python -m app policy`."""

import click

from app.policy import Permission, Role, area_name, by_area

HOLDS, LACKS = "yes", "-"

INTRODUCTION = """# Who may do what

The built-in roles of an organization, and what each of them allows. The table is `PERMISSIONS` in `app/policy.py`, which every
request is checked against; `python -m app policy --markdown > docs/policy.md` writes this page, and a test compares the two.
Organizations make roles of their own out of the same permissions ([Organizations](guides/organizations.md)).
"""


@click.command("policy")
@click.option("--markdown", is_flag=True, help="As the page docs/policy.md.")
def policy_command(markdown: bool) -> None:
    """Print who may do what: each permission, and the roles that hold it."""
    click.echo(policy_page() if markdown else policy_table(), nl=False)


def policy_table() -> str:
    """The table in columns, for a terminal."""
    rows = [("permission", *Role, "")]
    rows += [row for permissions in by_area().values() for row in _rows(permissions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(Role) + 1)]
    lines = ("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def policy_page() -> str:
    """The table as a page in Markdown, with a section for each area."""
    sections = [INTRODUCTION]
    for area, permissions in by_area().items():
        head = f"| permission | {' | '.join(Role)} | |\n|{'---|' * (len(Role) + 2)}"
        lines = [f"| `{name}` | {' | '.join(marks)} |" for name, *marks in _rows(permissions)]
        sections.append("\n".join([f"## {area_name(area)}\n", head, *lines]) + "\n")
    return "\n".join(sections)


def _rows(permissions: dict[str, Permission]) -> list[tuple[str, ...]]:
    return [
        (name, *(HOLDS if role in each.roles else LACKS for role in Role), each.sentence)
        for name, each in permissions.items()
    ]
