"""Talking to a provider's HTTP API, and telling its refusals from its failures."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.email.providers.interface import DeliveryFailed, MessageRefused, OutcomeUnknown
from app.outgoing import Answer, NoAnswer, NotReached, call

LONGEST_ANSWER = 500  # Characters of an error that are kept.
LONGEST_RETRY_AFTER = timedelta(hours=1)
# The request itself is at fault. Anything else, a wrong key included, is mended on our side or theirs, and loses nothing.
REFUSING = frozenset({400, 413, 422})


class HttpApi:
    """Asks one service; every answer that is no success is one of our exceptions."""

    def __init__(self, url: str, headers: Mapping[str, str], deadline: float) -> None:
        self.url = url
        self._headers = dict(headers)
        self._deadline = deadline

    async def post_json(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Post JSON; the answer's JSON object. Raises DeliveryFailed, MessageRefused, OutcomeUnknown."""
        content = json.dumps(body).encode()
        return json_of(await self.ask("POST", path, content, {"content-type": "application/json", **(headers or {})}))

    async def get_json(self, path: str) -> dict[str, Any]:
        """The answer's JSON object. Raises DeliveryFailed."""
        return json_of(await self.ask("GET", path))

    async def post_form(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Post a form; the answer's JSON object. Raises DeliveryFailed, MessageRefused, OutcomeUnknown."""
        return json_of(await self.ask("POST", path, form=form))

    async def ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, which is a success. Raises DeliveryFailed, MessageRefused, OutcomeUnknown."""
        headers = {**self._headers, **(headers or {})}
        try:
            answer = await call(
                method, self.url + path, content=content, form=form, headers=headers, deadline=self._deadline
            )
        except NotReached as problem:
            raise DeliveryFailed(str(problem)) from None
        except NoAnswer as problem:
            raise OutcomeUnknown(str(problem)) from None
        if answer.status_code in REFUSING:
            raise MessageRefused(_describe(answer))
        if not answer.is_success:
            raise DeliveryFailed(_describe(answer), _retry_after(answer))
        return answer


def json_of(answer: Answer) -> dict[str, Any]:
    """The JSON object of a success. Raises OutcomeUnknown: the message may or may not be on its way."""
    found = answer.json_object()
    if found is None:
        raise OutcomeUnknown(f"An answer that is no JSON object: {answer.text[:LONGEST_ANSWER]}")
    return found


def _describe(answer: Answer) -> str:
    return f"HTTP {answer.status_code}: {answer.text[:LONGEST_ANSWER]}"


def _retry_after(answer: Answer) -> timedelta:
    """What `Retry-After` asks for in seconds (RFC 9110 section 10.2.3); its other form, a date, is left to the backoff."""
    value = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(value)), LONGEST_RETRY_AFTER) if value.isdecimal() else timedelta(0)
