"""What programs send to entry pages: an answer of ours, never a failure. The client raises what the application does not catch."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.accounts.people import PASSWORD, add_person

FORMS = {
    "/sign-up": {"name": "Ada", "email": "ada@example.com", "password": PASSWORD, "next": ""},
    "/log-in": {"email": "ada@example.com", "password": PASSWORD, "next": ""},
    "/forgot-password": {"email": "ada@example.com"},
    "/verify-email": {"token": "x" * 43},
    "/reset-password": {"token": "x" * 43, "password": PASSWORD},
}
ODD = [
    "\x00",
    "a\x00b@example.com",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "\ufeff\u202e\u2028",
    "a@" + "b." * 200 + "co",
    "a@xn--" + "9" * 60 + ".com",
    "İ@İstanbul.com",
    "K@example.com",
    "ß@ß.de",
    "x" * 100_000,
    "💥" * 300,
    "' OR 1=1; --",
    "%s%n{0}{{7*7}}",
    "<svg/onload=alert(1)>@example.com",
]
BODIES = [
    b"",
    b"&&&=&==",
    b"email=%",
    b"email=%zz&password=%",
    b"email=\xff\xfe",
    b"email=a@&email=c@&password=x&password=y",
    b"email[]=a@b.co&password[x]=y",
]


@pytest.mark.parametrize(("path", "field"), [(path, field) for path, form in FORMS.items() for field in form])
async def test_odd_text_in_a_field_is_answered(
    client: AsyncTestClient, db: AsyncSession, path: str, field: str
) -> None:
    await add_person(db)
    for text in ODD:
        client.cookies.clear()
        response = await client.post(path, data={**FORMS[path], field: text})
        assert response.status_code in (303, 400, 410, 422, 429), (path, field, text)
        assert "<svg/onload" not in response.text


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("body", BODIES)
async def test_odd_bodies_are_answered(client: AsyncTestClient, path: str, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = await client.post(path, content=body, headers=headers)

    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data", "", "multipart/form-data; boundary=x"]
)
async def test_other_kinds_of_bodies_are_refused(client: AsyncTestClient, path: str, content_type: str) -> None:
    response = await client.post(path, content=b'{"email": ["x"]}', headers={"content-type": content_type})

    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("path", ["/log-in", "/sign-up", "/verify-email", "/reset-password"])
@pytest.mark.parametrize(
    "query", ["next=%00", "token=%00", "next=%ff", "token=%ff&token=x", "next[]=x", "%", "token=" + "x" * 5000]
)
async def test_odd_queries_are_answered(client: AsyncTestClient, path: str, query: str) -> None:
    response = await client.get(f"{path}?{query}", follow_redirects=True)

    assert response.status_code in (200, 400, 410, 422)
