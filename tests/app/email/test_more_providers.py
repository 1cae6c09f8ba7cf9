"""Amazon SES, Mailgun, SendGrid and SMTP: what goes over the wire, and what comes back."""

import email
import email.policy
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from app.email.models import EmailMessage
from app.email.providers import DeliveryFailed, Mailgun, MessageRefused, OutcomeUnknown, SendGrid, Ses, Smtp
from app.email.providers.aws_signature import AwsKey, sign
from app.email.providers.smtp import SmtpServer
from core.datastructures import Secret
from tests.app.email.provider_server import Answer, provider_server
from tests.app.email.smtp_server import mail_server
from tests.app.email.test_providers import KEY, SENDER, a_message

EXAMPLE_KEY = AwsKey("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
EXAMPLE_TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def unsubscribable() -> EmailMessage:
    message = a_message()
    message.unsubscribe_url = "https://slipway.test/unsubscribe/x"
    return message


def test_the_signature_of_amazons_own_example_comes_out() -> None:
    signed = sign(
        EXAMPLE_KEY,
        "GET",
        "/",
        {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": "iam.amazonaws.com"},
        b"",
        region="us-east-1",
        service="iam",
        at=EXAMPLE_TIME,
        query="Action=ListUsers&Version=2010-05-08",
    )

    assert signed["x-amz-date"] == "20150830T123600Z"
    assert signed["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


async def test_ses_gets_the_message_signed() -> None:
    message = unsubscribable()
    async with provider_server(Answer(body='{"MessageId": "ses-1"}')) as server:
        ses = Ses(AwsKey("AKID", Secret(KEY)), "eu-west-1", SENDER, configuration_set="events", url=server.url)
        assert await ses.deliver(message) == "ses-1"

    [asked] = server.asked
    assert asked.line == "POST /v2/email/outbound-emails HTTP/1.1"
    assert "/eu-west-1/ses/aws4_request, SignedHeaders=content-type;host;x-amz-date" in asked.headers["authorization"]
    assert KEY not in str(asked)
    simple = asked.body["Content"]["Simple"]
    assert simple["Subject"] == {"Data": "Verify", "Charset": "UTF-8"}
    assert simple["Body"]["Text"]["Data"] == "Plain\n"
    assert simple["Headers"][0] == {"Name": "List-Unsubscribe", "Value": "<https://slipway.test/unsubscribe/x>"}
    assert asked.body["Destination"] == {"ToAddresses": ["ada@example.com"]}
    assert asked.body["EmailTags"] == [{"Name": "message", "Value": str(message.id)}]
    assert asked.body["ConfigurationSetName"] == "events"


async def test_mailgun_gets_a_form() -> None:
    message = unsubscribable()
    async with provider_server(Answer(body='{"id": "<mg-1@example.com>"}')) as server:
        assert await Mailgun(KEY, "mg.example.com", SENDER, url=server.url).deliver(message) == "mg-1@example.com"

    [asked] = server.asked
    assert asked.line == "POST /v3/mg.example.com/messages HTTP/1.1"
    assert asked.headers["authorization"].startswith("Basic ")
    form = {name: values[0] for name, values in parse_qs(asked.body).items()}
    assert (form["to"], form["subject"], form["html"]) == ("ada@example.com", "Verify", "<p>Rich</p>")
    assert form["v:message"] == str(message.id)
    assert form["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_sendgrid_gets_the_message_and_names_it_in_a_header() -> None:
    message = unsubscribable()
    accepted = Answer("HTTP/1.1 202 Accepted", "", ("x-message-id: sg-1",))
    async with provider_server(accepted) as server:
        assert await SendGrid(KEY, SENDER, url=server.url).deliver(message) == "sg-1"

    [asked] = server.asked
    assert asked.line == "POST /v3/mail/send HTTP/1.1"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["from"] == {"email": "hello@example.com", "name": "Slipway"}
    assert asked.body["personalizations"] == [
        {"to": [{"email": "ada@example.com"}], "custom_args": {"message": str(message.id)}}
    ]
    assert [part["type"] for part in asked.body["content"]] == ["text/plain", "text/html"]
    assert asked.body["headers"] == message.list_headers


def smtp(port: int, **options: str) -> Smtp:
    return Smtp(SmtpServer("127.0.0.1", port, tls="none", **options), SENDER, deadline=5)  # type: ignore[arg-type] # texts


async def test_smtp_gets_both_parts_and_one_id_for_every_try() -> None:
    message = unsubscribable()
    message.subject = "Grüße – 你好"
    async with mail_server() as server:
        names = [await smtp(server.port).deliver(message) for _ in range(2)]

    assert names == [f"{message.id}@example.com"] * 2
    assert server.heard[1:3] == ["MAIL FROM:<hello@example.com>", "RCPT TO:<ada@example.com>"]
    mime = email.message_from_string(server.messages[0], policy=email.policy.default)
    assert (mime["Subject"], mime["To"], mime["From"]) == ("Grüße – 你好", "ada@example.com", SENDER)
    assert mime["List-Unsubscribe"] == "<https://slipway.test/unsubscribe/x>"
    assert [part.get_content_type() for part in mime.iter_parts()] == ["text/plain", "text/html"]


async def test_smtp_logs_in_where_it_was_told_to() -> None:
    async with mail_server() as server:
        await Smtp(
            SmtpServer("127.0.0.1", server.port, "slipway", Secret("pw"), tls="none"), SENDER, deadline=5
        ).deliver(a_message())

    assert any(line.startswith("AUTH ") for line in server.heard)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, MessageRefused),
        ({"RCPT": "451 4.7.1 greylisted"}, DeliveryFailed),
        ({"MAIL": "530 5.7.0 log in first"}, DeliveryFailed),
        ({"end_of_data": "554 5.7.1 spam"}, MessageRefused),
        ({"end_of_data": "452 4.3.1 full"}, DeliveryFailed),
        ({"end_of_data": ""}, OutcomeUnknown),
    ],
)
async def test_what_a_mail_server_says_decides_about_another_try(
    answers: dict[str, str], kind: type[DeliveryFailed]
) -> None:
    async with mail_server(**answers) as server:
        with pytest.raises(DeliveryFailed) as failed:
            await smtp(server.port).deliver(a_message())

    assert type(failed.value) is kind


async def test_a_mail_server_that_is_not_there_has_surely_not_got_the_message() -> None:
    async with mail_server() as server:
        pass
    with pytest.raises(DeliveryFailed) as failed:
        await smtp(server.port).deliver(a_message())

    assert type(failed.value) is DeliveryFailed


async def test_a_password_is_never_sent_in_the_clear_unless_that_was_asked_for() -> None:
    async with mail_server() as server:
        secured = SmtpServer("127.0.0.1", server.port, "slipway", Secret("pw"))
        with pytest.raises(DeliveryFailed):
            await Smtp(secured, SENDER, deadline=5).deliver(a_message())

    assert not any(line.startswith("AUTH") for line in server.heard)
    assert server.messages == []
