"""What leaves is signed as Standard Webhooks says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from adapter.destinations.signing import SigningSecret, signature_headers

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = '{"code":"HV15-ÄÖ✓"}'.encode()


def test_the_signature_is_the_one_in_the_specifications_own_vectors() -> None:
    """The example of the reference libraries' tests (standard-webhooks, `libraries/*`)."""
    moment = datetime.fromtimestamp(1614265330, tz=UTC)
    signed = signature_headers(
        [SigningSecret(OLD)], "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}'
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_secrets_rotate_each_of_them_verifies() -> None:
    now = datetime.now(tz=UTC)
    headers = signature_headers([SigningSecret(OLD), SigningSecret(NEW)], "dlv_1", now, BODY)
    assert headers["webhook-id"] == "dlv_1"
    for secret in (OLD, NEW):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" ", headers)


def test_a_moment_in_another_time_zone_signs_the_same() -> None:
    now = datetime.now(tz=UTC)
    there = now.astimezone(timezone(timedelta(hours=-7)))
    secrets = [SigningSecret(OLD)]
    assert signature_headers(secrets, "dlv_1", now, BODY) == signature_headers(secrets, "dlv_1", there, BODY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + "QUFB" * 22,
        "whsec_not base64 at all, but long enough",
        "ключ" * 9,
    ],
    ids=["nothing", "the prefix alone", "5 bytes", "66 bytes", "not base64", "not ASCII"],
)
def test_an_invalid_secret_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as refused:
        SigningSecret(text)
    assert not text.removeprefix("whsec_") or text.removeprefix("whsec_") not in str(refused.value)
