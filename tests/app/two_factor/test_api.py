"""What programs see of second factors."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.two_factor.authenticator import Authenticator
from tests.app.two_factor.holding import log_in_with_passkey, person_with_passkey

PATH = "/api/v1/me/second-factors"


async def test_a_program_sees_which_factors_there_are_and_no_secret(client: AsyncTestClient, db: AsyncSession) -> None:
    laptop = Authenticator(is_synced=True)
    await person_with_passkey(client, db, laptop)
    await log_in_with_passkey(client, laptop)
    found = (await client.get(PATH)).json()

    assert found["since"] is not None
    assert (found["has_app"], found["recovery_codes_left"]) == (False, 10)
    assert [(passkey["name"], passkey["is_synced"]) for passkey in found["passkeys"]] == [("Laptop", True)]
    assert set(found["passkeys"][0]) == {"id", "name", "is_synced", "created_at", "last_used_at"}


async def test_nobody_sees_them_without_a_session_or_token(client: AsyncTestClient) -> None:
    assert (await client.get(PATH)).status_code == 401
