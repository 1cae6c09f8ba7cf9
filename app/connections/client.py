"""The conversation with a provider: where a person is sent, and who it was that came back."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.config_providers import LogInProvider
from app.connections import github
from app.connections.id_tokens import verified_claims
from app.connections.metadata import DEADLINE, LARGEST, Issuer
from app.connections.person import Person, person_of
from app.connections.problems import ProofRefused, ProviderFailed
from app.connections.states import Departure
from app.outgoing import NoAnswer, call

SCOPES = "openid email profile"


@dataclass(frozen=True)
class Return:
    """What came back in the address of the callback. `issuer` is who says to have answered (RFC 9207)."""

    code: str
    issuer: str | None


class Client:
    """Us, as one provider knows us. `redirect_uri` is where the provider sends people back, always the same."""

    def __init__(self, provider: LogInProvider, redirect_uri: str, *, deadline: float = DEADLINE) -> None:
        self.provider = provider
        self.redirect_uri = redirect_uri
        self.deadline = deadline
        self.issuer = Issuer(provider.issuer, deadline=deadline)

    async def address(self, departure: Departure) -> str:
        """Where to send the person (RFC 6749 section 4.1.1). Raises ProviderFailed."""
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES if self.provider.speaks_openid else github.SCOPES,
            "state": departure.state,
            "code_challenge": departure.code_challenge,
            "code_challenge_method": "S256",
        }
        if not self.provider.speaks_openid:
            return f"{github.AUTHORIZE}?{urlencode(query)}"
        endpoint = (await self.issuer.metadata()).authorization_endpoint
        mark = "&" if "?" in endpoint else "?"
        return f"{endpoint}{mark}{urlencode({**query, 'nonce': departure.nonce})}"

    async def person(self, came_back: Return, *, code_verifier: str, nonce: str) -> Person:
        """Who it was that came back with a code. Raises ProviderFailed, ProofRefused."""
        try:
            # Each call has its deadline; this is the one for all of them together.
            async with asyncio.timeout(2 * self.deadline):
                return await self._person(came_back, code_verifier, nonce)
        except TimeoutError:
            raise ProviderFailed(f"No answer within {2 * self.deadline:g} seconds.") from None

    async def _person(self, came_back: Return, code_verifier: str, nonce: str) -> Person:
        if not self.provider.speaks_openid:
            return await self._github_person(came_back, code_verifier)
        metadata = await self.issuer.metadata()
        # Another provider that lured the person there would answer with its own code in the name of this one.
        if came_back.issuer is None and metadata.names_itself:
            raise ProofRefused("The answer does not say which issuer it is from.")
        if came_back.issuer is not None and came_back.issuer != metadata.issuer:
            raise ProofRefused("The answer is from another issuer.")
        answer = await self._redeem(metadata.token_endpoint, came_back.code, code_verifier, metadata.posts_secret)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProofRefused("The provider sent no ID token.")
        claims = await verified_claims(self.issuer, token, client_id=self.provider.client_id, nonce=nonce)
        return person_of(claims, self.provider)

    async def _github_person(self, came_back: Return, code_verifier: str) -> Person:
        answer = await self._redeem(github.TOKEN, came_back.code, code_verifier, True)
        token = answer.get("access_token")
        if not isinstance(token, str):
            raise ProofRefused("GitHub sent no access token.")
        return await github.fetch_person(token, self.deadline)

    async def _redeem(self, endpoint: str, code: str, code_verifier: str, posts_secret: bool) -> dict[str, Any]:
        """Give the code for what it stands for (RFC 6749 section 4.1.3). A redirect would carry our secret away: it is refused."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": code_verifier,
        }
        headers = {}
        if posts_secret:
            form |= {"client_id": self.provider.client_id, "client_secret": str(self.provider.client_secret)}
        else:
            headers["authorization"] = self._basic()
        try:
            answer = await call("POST", endpoint, form=form, headers=headers, deadline=self.deadline, largest=LARGEST)
        except NoAnswer as problem:
            raise ProviderFailed(f"The token endpoint: {problem}") from None
        found = answer.json_object()
        if not answer.is_success or found is None or "error" in found:
            raise ProofRefused(f"The code was not taken: {answer.status_code} {(found or {}).get('error', '')!s:.40}")
        return found

    def _basic(self) -> str:
        """RFC 6749 section 2.3.1: both halves are encoded as forms are, before they are joined."""
        both = f"{quote(self.provider.client_id, safe='')}:{quote(str(self.provider.client_secret), safe='')}"
        return f"Basic {base64.b64encode(both.encode()).decode()}"
