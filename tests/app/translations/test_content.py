import io

from app.translations.content import extract_texts

OPTIONS = {"keys": "title text values"}
SOURCE = b"""
title = "Top"
icon = "user"
[[rows]]
text = "Inside"
values = ["3", "Unlimited", true]
"""


def test_texts_under_the_named_keys_are_found_at_any_depth() -> None:
    found = [text for _, _, text, _ in extract_texts(io.BytesIO(SOURCE), (), (), OPTIONS)]

    assert found == ["Top", "Inside", "Unlimited"]
