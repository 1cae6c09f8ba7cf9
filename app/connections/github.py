"""GitHub, which has no ID tokens: who somebody is, is asked of its API with the access token, which is then forgotten."""

import json
from typing import Any

from app.config_providers import GITHUB
from app.connections.metadata import LARGEST
from app.connections.person import Person, clean_address, clean_name
from app.connections.problems import ProofRefused, ProviderFailed
from app.outgoing import NoAnswer, call

AUTHORIZE = f"{GITHUB}/login/oauth/authorize"
TOKEN = f"{GITHUB}/login/oauth/access_token"
API = "https://api.github.com"
SCOPES = "read:user user:email"


async def fetch_person(token: str, deadline: float, *, api: str = API) -> Person:
    """The account behind an access token. Raises ProviderFailed, ProofRefused."""
    user = await _ask(f"{api}/user", token, deadline)
    emails = await _ask(f"{api}/user/emails", token, deadline)
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise ProofRefused("GitHub did not say who it is.")
    primary = next((each for each in emails if isinstance(each, dict) and each.get("primary") is True), {})
    email = clean_address(primary.get("email"))
    return Person(
        issuer=GITHUB,
        # The number stays; the login can be given up and taken by somebody else.
        subject=str(user["id"]),
        email=email,
        is_email_verified=primary.get("verified") is True,
        name=clean_name(user.get("name") or user.get("login"), email),
    )


async def _ask(address: str, token: str, deadline: float) -> Any:  # Any: whatever JSON the API sends.
    headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json", "user-agent": "slipway"}
    try:
        answer = await call("GET", address, headers=headers, deadline=deadline, largest=LARGEST)
        if not answer.is_success:
            raise ProviderFailed(f"{address} answered {answer.status_code}.")
        return json.loads(answer.body)
    except NoAnswer as problem:
        raise ProviderFailed(f"{address}: {problem}") from None
    except (ValueError, RecursionError):
        raise ProviderFailed(f"{address} answered no JSON.") from None
