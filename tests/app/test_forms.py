from datetime import date
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from app.forms import WHOLE, Day, EmailAddress, Form, JsonBody, Line, OrEmpty


class Sample(Form):
    title: Annotated[Line, Field(min_length=3, max_length=10)] = "fine"
    email: EmailAddress = "ada@example.com"


def message(**fields: str) -> str:
    with pytest.raises(ValidationError) as refused:
        Sample(**fields)
    (error,) = refused.value.errors()
    return Sample.describe_error(error)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("A", "Use at least 3 characters."),
        ("A" * 11, "Use at most 10 characters."),
        ("two\nlines", "Remove the control characters and line breaks."),
        ("nul\x00", "Remove the control characters and line breaks."),
        ("half \ud800", "Remove the control characters and line breaks."),
    ],
)
def test_a_line_that_does_not_do_is_told_why(title: str, said: str) -> None:
    assert message(title=title) == said


def test_text_is_stripped_and_normalized() -> None:
    assert Sample(title="  Ame\u0301lie ").title == "Amélie"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+news@Example.COM ", "Ada.Lovelace+news@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_address_keeps_its_name_and_gets_an_ascii_domain(typed: str, kept: str) -> None:
    assert Sample(email=typed).email == kept


@pytest.mark.parametrize(
    "typed",
    [
        "ada", "@example.com", "ada@", "ada@localhost", "ada@example", "ada@exa mple.com", "a b@example.com", "ada@@example.com",
        ".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@-example.com", "ada@example.com.", "ada@127.0.0.1",
        "ada@example.com,eve@example.com", "ada@example.com>", '"ada"@example.com', "ádmin@example.com", f"{'a' * 65}@example.com",
        f"ada@{'a' * 64}.com", f"ada@{'a.' * 130}com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert "Enter an e-mail address" in message(email=typed) or "Use at most" in message(email=typed)


class Order(JsonBody):
    count: int = 0
    is_paid: bool = False
    weight: float = 0.0


@pytest.mark.parametrize(
    "text",
    [
        '{"count": "1"}',
        '{"count": 1.0}',
        '{"count": true}',
        '{"is_paid": 1}',
        '{"is_paid": "true"}',
        '{"weight": "1.5"}',
        '{"weight": NaN}',
        '{"weight": Infinity}',
        '{"weight": 1e999}',
        '{"colour": "red"}',
    ],
)
def test_a_program_must_send_the_types_and_names_that_are_declared(text: str) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate_json(text)


class Filter(Form):
    status: OrEmpty[int] = None


def test_a_filter_that_was_left_empty_asks_for_nothing_and_its_schema_says_so() -> None:
    assert Filter(status="").status is None  # type: ignore[arg-type]
    assert Filter(status="7").status == 7  # type: ignore[arg-type]
    assert {"const": ""} in Filter.model_json_schema()["properties"]["status"]["anyOf"]


class Appointment(Form):
    on: Day = date(2030, 12, 31)


@pytest.mark.parametrize("typed", ["0", "1e9", "31.12.2030", "2030-02-31", "2030-12-31T00:00:00", "tomorrow"])
def test_a_day_is_written_as_year_month_and_day_and_is_never_a_number_of_seconds(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Appointment.model_validate({"on": typed})
    (error,) = refused.value.errors()
    assert Appointment.describe_error(error) == "Enter a day as year, month and day: 2030-12-31."


class Amount(JsonBody):
    uses: Annotated[int, Field(ge=1, le=10), WHOLE] = 1


def test_a_whole_number_may_be_written_with_a_point_and_keeps_its_limits() -> None:
    assert Amount.model_validate_json('{"uses": 7.0}').uses == 7
    for refused in ("0", "0.0", "7.5", '"7"', "true"):
        with pytest.raises(ValidationError):
            Amount.model_validate_json(f'{{"uses": {refused}}}')
    assert Amount.model_json_schema()["properties"]["uses"]["minimum"] == 1
