"""Tags for the parts that pages repeat."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from benchmarks.pages import files

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" {} focusable="false">{}</svg>',
        spoken,
        mark_safe(files.drawing(name)),  # noqa: S308 - the product's own
    )


@register.simple_tag
def mark() -> str:
    return mark_safe(files.drawing("mark"))  # noqa: S308 - the product's own


@register.simple_tag
def static(path: str) -> str:
    return files.static(path)


@register.inclusion_tag("avatar.html")
def avatar(name: str, shape: str = "circle", size: str = "") -> dict[str, Any]:
    words = name.split()
    initials = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return {"shape": shape, "size": size, "initials": initials, "tone": (len(name) + len(words[0])) % 5}
