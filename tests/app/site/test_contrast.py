"""The colours of tokens.css against each other, by the formula of WCAG 2.2, in both themes."""

import math
import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "static" / "css" / "tokens.css"
TEXT, GRAPHICS = 4.5, 3.0
PAPERS = ("paper", "raised", "floating", "sunken")
STATES = ("success", "warning", "danger", "info")

PAIRS = [
    *[(ink, paper, TEXT) for ink in ("ink", "muted", "accent-ink") for paper in (*PAPERS, "pressed")],
    *[("faint", paper, TEXT) for paper in PAPERS],
    *[(f"{state}-ink", paper, TEXT) for state in STATES for paper in ("paper", "raised", "floating", f"{state}-tint")],
    *[("on-accent", fill, TEXT) for fill in ("accent", "accent-hover", "danger", "danger-hover")],
    ("accent-ink", "accent-tint", TEXT),
    *[("line-strong", paper, GRAPHICS) for paper in PAPERS],
    *[("accent", paper, GRAPHICS) for paper in ("paper", "raised", "sunken")],
]


def colours(theme: int) -> dict[str, tuple[float, float, float]]:
    """Every token that is a colour, as linear sRGB; theme 0 is light, 1 is dark."""
    found = re.findall(r"--([\w-]+): light-dark\((oklch\([^)]*\)), (oklch\([^)]*\))\);", TOKENS.read_text())
    return {name: linear_rgb(both[theme]) for name, *both in found}


def linear_rgb(text: str) -> tuple[float, float, float]:
    """An `oklch(L% C H)` in linear sRGB, cut to its gamut (CSS Color 4, section 9.3)."""
    lightness, chroma, hue = (float(part.rstrip("%")) for part in text.removeprefix("oklch(").rstrip(")").split())
    light, angle = lightness / 100, math.radians(hue)
    a, b = chroma * math.cos(angle), chroma * math.sin(angle)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return (min(max(red, 0), 1), min(max(green, 0), 1), min(max(blue, 0), 1))


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = colour
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper", "least"), PAIRS, ids=[f"{ink} on {paper}" for ink, paper, _ in PAIRS])
def test_what_is_drawn_can_be_told_from_what_it_is_drawn_on(ink: str, paper: str, least: float, theme: int) -> None:
    found = colours(theme)

    assert contrast(found[ink], found[paper]) >= least


def test_the_formula_gives_the_extremes_their_known_ratio() -> None:
    assert contrast(linear_rgb("oklch(100% 0 0)"), linear_rgb("oklch(0% 0 0)")) == pytest.approx(21, abs=0.01)
