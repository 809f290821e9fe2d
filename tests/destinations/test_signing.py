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
    secret = SigningSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1614265330, tz=UTC)
    signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", moment, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_secrets_rotate_each_of_them_verifies() -> None:
    now = datetime.now(tz=UTC)
    headers = signature_headers([SigningSecret(OLD), SigningSecret(NEW)], "dlv_1", now, BODY)
    assert headers is not None
    assert headers["webhook-id"] == "dlv_1"
    for secret in (OLD, NEW):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" ", headers)


def test_a_secret_past_its_time_signs_no_more() -> None:
    now = datetime.now(tz=UTC)
    headers = signature_headers([SigningSecret(OLD, not_after=now), SigningSecret(NEW)], "dlv_1", now, BODY)
    assert headers is not None
    Webhook(NEW).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY, headers)


def test_without_a_valid_secret_there_are_no_headers() -> None:
    now = datetime.now(tz=UTC)
    ended = SigningSecret(OLD, not_after=now - timedelta(seconds=1))
    assert signature_headers([ended], "dlv_1", now, BODY) is None


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
