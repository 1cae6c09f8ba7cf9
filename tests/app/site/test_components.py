"""The components as a reader of their markup meets them: the gallery has each in every state."""

import re

import pytest
from pydantic import BaseModel

from app.templates import environment
from core.params import Submitted
from core.testclient import AsyncTestClient


@pytest.fixture
async def gallery(client: AsyncTestClient) -> str:
    return (await client.get("/dev/components")).text


def tag(text: str, identifier: str) -> str:
    found = re.search(rf'<\w+[^>]*\bid="{identifier}"[^>]*>', text)
    assert found, identifier
    return found[0]


def refused_form(text: str) -> str:
    return text[text.index('id="refused"') : text.index('id="alerts"')]


def test_a_label_belongs_to_every_field(gallery: str) -> None:
    fields = set(re.findall(r'<(?:input|select|textarea)\b[^>]*\bid="([^"]+)"', gallery))

    assert len(fields) >= 6
    assert fields <= set(re.findall(r'<label\b[^>]*\bfor="([^"]+)"', gallery))


def test_a_refused_field_keeps_what_was_typed_and_names_its_error(gallery: str) -> None:
    field = tag(refused_form(gallery), "field-email")

    assert 'value="ada@"' in field
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="field-email-error field-email-help"' in field
    assert 'id="field-email-error"' in gallery


def test_the_summary_links_every_error_to_its_field(gallery: str) -> None:
    form = refused_form(gallery)

    assert re.findall(r'<li><a href="#field-(\w+)">', form) == ["email", "role", "accepted"]
    assert "There are problems with 3 answers" in form


def test_a_field_without_errors_is_not_called_invalid(gallery: str) -> None:
    assert "aria-invalid" not in gallery[: gallery.index('id="refused"')]


def test_a_password_field_has_no_value_and_may_be_pasted_into(gallery: str) -> None:
    field = tag(gallery, "field-password")

    assert "value=" not in field
    assert 'autocomplete="new-password"' in field
    assert "onpaste" not in gallery


def test_the_button_that_shows_a_password_waits_for_the_script(gallery: str) -> None:
    assert re.search(r"<button[^>]*\bhidden\b[^>]*data-show-password", gallery)


def test_each_icon_and_drawing_of_the_house_is_shown(gallery: str) -> None:
    assert "components/icons" not in gallery
    assert gallery.count('class="gallery__label"') > 60


class Anything(BaseModel):
    pass


def summary(form: Submitted[Anything]) -> str:
    source = '{% import "components/forms.html" as forms with context %}{{ forms.error_summary(form) }}'
    return environment().from_string(source).render(form=form)


def test_an_error_of_the_form_as_a_whole_speaks_for_itself() -> None:
    form = Submitted.blank(Anything)
    form.add_error("", "The e-mail address or the password is wrong.")

    assert "The e-mail address or the password is wrong." in summary(form)
    assert "There is a problem" not in summary(form)


def test_a_form_without_errors_has_no_summary() -> None:
    assert summary(Submitted.blank(Anything)).strip() == ""
