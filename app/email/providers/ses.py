"""Amazon SES, version 2 of its API: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

import json
from urllib.parse import urlsplit

from app import clock
from app.email.models import EmailMessage
from app.email.providers.aws_signature import AwsKey, sign
from app.email.providers.http_api import HttpApi, json_of
from app.email.providers.interface import DEADLINE, CannotTell

PATH = "/v2/email/outbound-emails"
JSON = "application/json"


class Ses:
    """It has no idempotency key, so what may have been sent is not sent again."""

    name = "ses"
    keeps_messages = False
    recognizes_repetition = False

    def __init__(
        self,
        key: AwsKey,
        region: str,
        sender: str,
        *,
        configuration_set: str = "",
        url: str = "",
        deadline: float = DEADLINE,
    ) -> None:
        self._api = HttpApi(url or f"https://email.{region}.amazonaws.com", {}, deadline)
        self._key = key
        self._region = region
        self._sender = sender
        self._configuration = {"ConfigurationSetName": configuration_set} if configuration_set else {}

    async def deliver(self, message: EmailMessage) -> str:
        content = json.dumps(self._body(message)).encode()
        headers = {"host": urlsplit(self._api.url).netloc, "content-type": JSON}
        signed = sign(self._key, "POST", PATH, headers, content, region=self._region, service="ses", at=clock.now())
        answer = await self._api.ask("POST", PATH, content, {**headers, **signed})
        return str(json_of(answer).get("MessageId", ""))

    async def find(self, message: EmailMessage) -> str | None:
        raise CannotTell

    def _body(self, message: EmailMessage) -> dict[str, object]:
        def text(value: str) -> dict[str, str]:
            return {"Data": value, "Charset": "UTF-8"}

        headers = [{"Name": name, "Value": value} for name, value in message.list_headers.items()]
        simple = {
            "Subject": text(message.subject),
            "Body": {"Text": text(message.text), "Html": text(message.html)},
            **({"Headers": headers} if headers else {}),
        }
        return {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [message.to_address]},
            "Content": {"Simple": simple},
            "EmailTags": [{"Name": "message", "Value": str(message.id)}],
            **self._configuration,
        }
