"""Exceptions that answer a request or close a websocket."""

import pytest

from core.exceptions import HTTPException, WebSocketException


def test_the_detail_is_the_reason_phrase_by_default() -> None:
    assert HTTPException(404).detail == "Not Found"
    assert HTTPException(404, "No such page").detail == "No such page"
    assert HTTPException(404, "").detail == ""


def test_an_unknown_status_has_no_detail() -> None:
    assert HTTPException(599).detail == ""


def test_text_and_representation_name_the_status() -> None:
    assert str(HTTPException(404)) == "404: Not Found"
    assert repr(HTTPException(404)) == "HTTPException(status_code=404, detail='Not Found')"
    assert str(WebSocketException(1008, "Policy")) == "1008: Policy"
    assert repr(WebSocketException(1008)) == "WebSocketException(code=1008, reason='')"


def test_a_subclass_is_represented_by_its_own_name() -> None:
    class Gone(HTTPException):
        pass

    assert repr(Gone(410)) == "Gone(status_code=410, detail='Gone')"


def test_headers_are_kept() -> None:
    assert HTTPException(401, headers={"WWW-Authenticate": "Bearer"}).headers == {"WWW-Authenticate": "Bearer"}
    with pytest.raises(HTTPException, match="405: Method Not Allowed"):
        raise HTTPException(405)
