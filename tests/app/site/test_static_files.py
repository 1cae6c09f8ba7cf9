"""Style sheets and scripts: what is imported exists, and what exists is imported."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[3] / "static"
SHEETS = STATIC / "css"
SCRIPTS = STATIC / "js"


def test_the_style_sheet_imports_every_other_one_into_a_layer() -> None:
    imported = re.findall(r'@import url\("([^"]+)"\) layer\(\w+\);', (SHEETS / "app.css").read_text())
    present = {path.relative_to(SHEETS).as_posix() for path in SHEETS.rglob("*.css")} - {"app.css"}

    assert len(imported) == len(set(imported))
    assert set(imported) == present


def test_the_order_of_layers_is_stated_once() -> None:
    stating = [path.name for path in SHEETS.rglob("*.css") if re.search(r"@layer [\w\s,]+;", path.read_text())]

    assert stating == ["app.css"]


def test_the_script_imports_every_behaviour() -> None:
    imported = re.findall(r'^import "\./([^"]+)";$', (SCRIPTS / "app.js").read_text(), re.MULTILINE)

    assert set(imported) == {path.name for path in SCRIPTS.glob("*.js")} - {"app.js"}


def test_colours_are_named_in_the_tokens_alone() -> None:
    literal = re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(", re.IGNORECASE)

    assert [path.name for path in SHEETS.rglob("*.css") if literal.search(path.read_text())] == []


def test_every_token_that_is_used_is_defined() -> None:
    sheets = [path.read_text() for path in SHEETS.rglob("*.css")]
    used = {name for sheet in sheets for name in re.findall(r"var\((--[\w-]+)", sheet)}
    defined = {name for sheet in sheets for name in re.findall(r"(--[\w-]+)\s*:", sheet)}

    assert used - defined == set()
