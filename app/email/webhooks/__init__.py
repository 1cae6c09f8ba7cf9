"""What providers tell of messages that they took: one module for each, one interface for all."""

from app.email.webhooks import mailgun, postmark, resend, sendgrid, ses
from app.email.webhooks.interface import Notice, Webhook

WEBHOOKS: dict[str, Webhook] = {
    "mailgun": mailgun.MailgunWebhook(),
    "postmark": postmark.PostmarkWebhook(),
    "resend": resend.ResendWebhook(),
    "sendgrid": sendgrid.SendGridWebhook(),
    "ses": ses.SesWebhook(),
}

__all__ = ["WEBHOOKS", "Notice", "Webhook"]
