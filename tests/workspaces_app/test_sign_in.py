"""Signing in and out through the pages."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.factories import PASSWORD, MembershipFactory, UserFactory
from workspaces_app import sign_in, throttle
from workspaces_app.models import AuditEntry, SignInBucket, User

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"
PROFILE = "/account/"


def post_sign_in(client: Client, email: str, password: str, **extra: str):
    return client.post(SIGN_IN, {"email": email, "password": password, **extra})


def test_right_password_signs_in_and_goes_on() -> None:
    user = UserFactory(email="amy@example.com")
    client = Client()
    response = post_sign_in(client, "Amy@Example.COM ", PASSWORD, next="/account/")
    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert client.get(PROFILE).status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.address) == ("sign-in.succeeded", user, "127.0.0.1")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_leads_nowhere_else(elsewhere: str) -> None:
    UserFactory(email="amy@example.com")
    response = post_sign_in(Client(), "amy@example.com", PASSWORD, next=elsewhere)
    assert response["Location"] == "/"


def test_wrong_password_unknown_address_and_switched_off_look_the_same() -> None:
    UserFactory(email="amy@example.com")
    UserFactory(email="off@example.com", is_active=False)
    answers = {
        (response.status_code, response.content.replace(email.encode(), b"").split(b"csrfmiddlewaretoken")[0])
        for email, password in [
            ("amy@example.com", "wrong"),
            ("nobody@example.com", PASSWORD),
            ("off@example.com", PASSWORD),
        ]
        for response in [post_sign_in(Client(), email, password)]
    }
    assert len(answers) == 1
    status, content = answers.pop()
    assert status == 422
    assert PASSWORD.encode() not in content


def test_unknown_address_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    UserFactory(email="amy@example.com")
    hashed: list[str] = []
    encode = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    from django.contrib.auth.hashers import MD5PasswordHasher

    original = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(encode, counted)
    counts = []
    for email in ("amy@example.com", "nobody@example.com"):
        hashed.clear()
        post_sign_in(Client(), email, "wrong")
        counts.append(len(hashed))
    assert counts == [1, 1]


def test_empty_form_is_refused_with_its_fields() -> None:
    response = Client().post(SIGN_IN, {})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"email", "password"}


def test_too_many_tries_are_told_to_wait_and_not_looked_at() -> None:
    UserFactory(email="amy@example.com")
    client = Client()
    statuses = [post_sign_in(client, "amy@example.com", "wrong").status_code for _ in range(6)]
    assert statuses == [422] * throttle.BY_ACCOUNT_AND_VISITOR.burst + [429]
    response = post_sign_in(client, "amy@example.com", PASSWORD)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= throttle.BY_ACCOUNT_AND_VISITOR.seconds
    assert "_auth_user_id" not in client.session


def test_a_browser_that_signed_in_before_is_not_slowed_by_strangers() -> None:
    UserFactory(email="amy@example.com")
    known = Client()
    post_sign_in(known, "amy@example.com", PASSWORD)
    known.post("/sign-out/")
    full = time.time() + 10_000
    SignInBucket.objects.bulk_create(
        [
            SignInBucket(key=bucket.key, spent_until=full)
            for bucket in throttle.buckets(email="amy@example.com", visitor="127.0.0.1", device=None)
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["spent_until"],
    )
    assert post_sign_in(Client(), "amy@example.com", PASSWORD).status_code == 429
    assert post_sign_in(known, "amy@example.com", PASSWORD).status_code == 302


def test_device_cookie_of_another_account_counts_for_nothing() -> None:
    UserFactory(email="amy@example.com")
    UserFactory(email="ben@example.com")
    client = Client()
    post_sign_in(client, "amy@example.com", PASSWORD)
    client.post("/sign-out/")
    for _ in range(throttle.BY_ACCOUNT_AND_VISITOR.burst):
        post_sign_in(client, "ben@example.com", "wrong")
    assert post_sign_in(client, "ben@example.com", "wrong").status_code == 429


def test_signing_in_changes_the_session_key() -> None:
    UserFactory(email="amy@example.com")
    client = Client()
    session = client.session
    session["before"] = True
    session.save()
    fixed = session.session_key
    client.cookies["dailies_session"] = fixed
    post_sign_in(client, "amy@example.com", PASSWORD)
    assert client.session.session_key != fixed
    assert not Session.objects.filter(session_key=fixed).exists()


def test_sign_out_ends_the_session_and_closes_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr("eventstream.sessions.ended", ended.append)
    user = UserFactory()
    client = Client()
    client.force_login(user)
    key = client.session.session_key
    response = client.post("/sign-out/")
    assert (response.status_code, response["Location"]) == (302, SIGN_IN)
    assert ended == [key]
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get(PROFILE).status_code == 302


def test_sign_out_of_nobody_leads_to_the_same_page() -> None:
    assert Client().post("/sign-out/")["Location"] == SIGN_IN


def test_idle_sessions_end_by_themselves(settings: Settings) -> None:
    client = Client()
    client.force_login(UserFactory())
    client.get(PROFILE)
    stored = Session.objects.get()
    assert abs((stored.expire_date - timezone.now()).total_seconds() - settings.SESSION_IDLE_SECONDS) < 60
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get(PROFILE).status_code == 302


def test_sessions_end_after_their_longest_time_however_busy(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    UserFactory(email="amy@example.com")
    client = Client()
    post_sign_in(client, "amy@example.com", PASSWORD)
    begin = time.time()
    session = client.session
    assert abs(session[sign_in.ENDS_AT] - begin - settings.SESSION_ABSOLUTE_SECONDS) < 5
    # Shortly before the end what is left is less than the idle time.
    monkeypatch.setattr(sign_in.time, "time", lambda: session[sign_in.ENDS_AT] - 60)
    assert client.get(PROFILE).status_code == 200
    assert client.session.get_expiry_age() == 60
    monkeypatch.setattr(sign_in.time, "time", lambda: session[sign_in.ENDS_AT] + 300)
    response = client.get(PROFILE)
    assert (response.status_code, response["Location"]) == (302, f"{SIGN_IN}?next=%2Faccount%2F")


def test_activity_is_noted_at_most_every_five_minutes(django_assert_num_queries) -> None:
    client = Client()
    client.force_login(UserFactory())
    client.get("/workspaces/")
    # Session, user, the navigation's workspaces, memberships: no write.
    with django_assert_num_queries(4):
        client.get("/workspaces/")


def test_sign_out_elsewhere_ends_other_browsers_and_keeps_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("eventstream.sessions.ended_for", asked.append)
    user = UserFactory()
    here, there = Client(), Client()
    here.force_login(user)
    there.force_login(user)
    assert here.post("/account/sign-out-elsewhere/")["Location"] == PROFILE
    assert here.get(PROFILE).status_code == 200
    assert there.get(PROFILE).status_code == 302
    assert asked == [user.pk]


def test_new_password_ends_other_browsers_and_keeps_this_one() -> None:
    user = UserFactory()
    here, there = Client(), Client()
    here.force_login(user)
    there.force_login(user)
    new = "seven seals of the sea"
    response = here.post("/account/password/", {"current": PASSWORD, "password": new, "again": new})
    assert response["Location"] == PROFILE
    assert here.get(PROFILE).status_code == 200
    assert there.get(PROFILE).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"current": "wrong"}, "current"),
        ({"again": "something else entirely"}, "again"),
        ({"password": PASSWORD, "again": PASSWORD}, "password"),
        ({"password": "short", "again": "short"}, "password"),
        ({"password": "1234567890123", "again": "1234567890123"}, "password"),
    ],
)
def test_bad_new_passwords_are_refused(changes: dict[str, str], field: str) -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    good = "seven seals of the sea"
    response = client.post(
        "/account/password/", {"current": PASSWORD, "password": good, "again": good} | changes
    )
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert good not in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_current_password_cannot_be_guessed_from_an_open_session() -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    good = "seven seals of the sea"
    for _ in range(throttle.BY_DEVICE.burst):
        client.post("/account/password/", {"current": "guess", "password": good, "again": good})
    response = client.post("/account/password/", {"current": PASSWORD, "password": good, "again": good})
    assert response.status_code == 422


def test_one_time_password_has_to_be_changed_before_anything_else() -> None:
    membership = MembershipFactory(user=UserFactory(must_change_password=True))
    client = Client()
    client.force_login(membership.user)
    page = membership.workspace.get_absolute_url()
    assert client.get(page)["Location"] == "/account/password/"
    assert client.get("/account/password/").status_code == 200
    htmx = client.get(page, headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx["HX-Redirect"]) == (403, "/account/password/")
    new = "seven seals of the sea"
    response = client.post("/account/password/", {"current": PASSWORD, "password": new, "again": new})
    assert response["Location"] == "/"
    assert client.get(page).status_code == 200


def test_somebody_with_a_one_time_password_may_sign_out() -> None:
    client = Client()
    client.force_login(UserFactory(must_change_password=True))
    assert client.post("/sign-out/")["Location"] == SIGN_IN


def test_signed_out_page_leads_to_sign_in_and_back() -> None:
    assert Client().get("/workspaces/?x=1")["Location"] == f"{SIGN_IN}?next=%2Fworkspaces%2F%3Fx%3D1"


def test_signed_out_fragment_gets_403_and_leads_back_to_its_page() -> None:
    response = Client().get(
        "/workspaces/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/account/?tab=2"}
    )
    assert (response.status_code, response["HX-Redirect"]) == (403, f"{SIGN_IN}?next=%2Faccount%2F%3Ftab%3D2")
    assert response.content == b""


def test_signed_out_form_leads_back_to_the_page_it_stood_on() -> None:
    url = "/account/sign-out-elsewhere/"
    there = Client().post(url, headers={"Referer": "http://testserver/account/"})
    assert there["Location"] == f"{SIGN_IN}?next=%2Faccount%2F"
    nowhere = Client().post(url, headers={"Referer": "https://evil.example/account/"})
    assert nowhere["Location"] == f"{SIGN_IN}?next=%2F"


def test_profile_is_saved_and_used() -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    response = client.post(PROFILE, {"name": "Amy", "time_zone": "Asia/Tokyo", "language": "en"})
    assert response["Location"] == PROFILE
    user.refresh_from_db()
    assert (user.name, user.time_zone, user.language) == ("Amy", "Asia/Tokyo", "en")
    assert 'data-time-zone="Asia/Tokyo"' in client.get(PROFILE).content.decode()


def test_profile_refuses_what_it_does_not_offer() -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    response = client.post(PROFILE, {"name": "Amy", "time_zone": "Mars/Base", "language": "tlh"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"time_zone", "language"}
    user.refresh_from_db()
    assert user.time_zone == ""


def test_without_a_time_zone_of_ones_own_the_browsers_counts() -> None:
    client = Client()
    client.force_login(UserFactory(name="Amy"))
    page = client.get(PROFILE).content.decode()
    assert "data-time-zone" not in page
    assert '<option value="" selected>That of the browser</option>' in page
    assert client.post(PROFILE, {"name": "Amy", "time_zone": "", "language": "en"})["Location"] == PROFILE


@pytest.mark.parametrize("name", ["accounts:sign-out", "accounts:sign-out-elsewhere"])
def test_get_on_a_post_is_refused(name: str) -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(reverse(name)).status_code == 405


def test_emails_are_one_person_in_any_case() -> None:
    user = User.objects.create_user("Amy@Example.com", PASSWORD)
    assert user.email == "amy@example.com"
    assert User.objects.get_by_natural_key("AMY@example.com") == user
