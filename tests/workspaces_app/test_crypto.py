from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from workspaces_app import crypto

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_seal_hides_and_unseal_shows(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    envelope = crypto.seal("sk_secret")
    version, kid, token = envelope.split(":")
    assert (version, len(kid), "sk_secret" in token) == ("v1", 8, False)
    assert crypto.unseal(envelope) == "sk_secret"


def test_newest_key_seals_and_older_ones_still_open(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    before = crypto.seal("sk_secret")
    settings.FIELD_KEYS = [NEW, OLD]
    after = crypto.seal("sk_secret")
    assert [crypto.unseal(each) for each in (before, after)] == ["sk_secret", "sk_secret"]
    assert [crypto.is_newest(each) for each in (before, after)] == [False, True]


def test_secret_key_opens_nothing(settings: Settings) -> None:
    envelope = crypto.seal("sk_secret")
    settings.SECRET_KEY = "another one"
    assert crypto.unseal(envelope) == "sk_secret"


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-4] + "AAA=", lambda text: "v9" + text[2:], lambda text: "", str.upper]
)
def test_damaged_envelopes_are_refused_without_telling(damage: object, settings: Settings) -> None:
    envelope = crypto.seal("sk_secret")
    with pytest.raises(crypto.SealError) as caught:
        crypto.unseal(damage(envelope))  # type: ignore[operator]
    assert "sk_secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_that_is_missing_is_named(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    envelope = crypto.seal("sk_secret")
    kid = envelope.split(":")[1]
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(crypto.SealError, match=f"sealed with key {kid}, which is not among FIELD_KEYS"):
        crypto.unseal(envelope)


def test_fingerprints_name_keys_and_differ_between_installations(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]
    one, again, other = (crypto.fingerprint(key) for key in ("sk_1", "sk_1", "sk_2"))
    settings.FIELD_KEYS = [NEW]
    elsewhere = crypto.fingerprint("sk_1")
    assert one == again
    assert len({one, other, elsewhere}) == 3
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in (one, other, elsewhere))


def test_ring_shows_no_key_in_its_repr(settings: Settings) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    shown = repr(crypto.ring())
    assert NEW not in shown
    assert OLD not in shown
