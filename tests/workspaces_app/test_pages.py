"""The pages of a workspace: who gets which answer, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from polling import schedule
from polling.models import PollState
from tests.factories import (
    PASSWORD,
    CatalogueItemFactory,
    MembershipFactory,
    StreamFactory,
    UserFactory,
    VideoFactory,
    VideoSessionFactory,
    WorkspaceFactory,
)
from workspaces_app import audit, members, webhook_registration
from workspaces_app.approval_rule import ApprovalRule
from workspaces_app.models import (
    AuditEntry,
    CatalogueItem,
    CatalogueKind,
    Membership,
    Role,
    User,
    Workspace,
)

pytestmark = pytest.mark.django_db

Browse = Callable[[User | None], Client]
Member = Callable[[Role], User]

ID = "01890000-0000-7000-8000-000000000000"
# Address, lowest role that may use it, and the methods it has.
PAGES = [
    ("/workspaces/studio/", Role.VIEWER, "GET"),
    ("/workspaces/studio/settings/", Role.ADMIN, "GET POST"),
    ("/workspaces/studio/key/", Role.ADMIN, "GET POST"),
    ("/workspaces/studio/audit/", Role.ADMIN, "GET"),
    ("/workspaces/studio/members/add/", Role.ADMIN, "POST"),
    (f"/workspaces/studio/members/{ID}/role/", Role.ADMIN, "POST"),
    (f"/workspaces/studio/members/{ID}/password/", Role.ADMIN, "POST"),
    ("/workspaces/studio/key/remove/", Role.ADMIN, "POST"),
    ("/workspaces/studio/key/credit-back/", Role.ADMIN, "POST"),
    ("/workspaces/studio/refresh/", Role.CREATOR, "POST"),
    (f"/workspaces/studio/catalogue/{ID}/favourite/", Role.CREATOR, "POST"),
    ("/workspaces/studio/webhook/register/", Role.ADMIN, "POST"),
    ("/workspaces/studio/webhook/rotate/", Role.ADMIN, "POST"),
    ("/workspaces/studio/webhook/remove/", Role.ADMIN, "POST"),
    ("/workspaces/studio/webhook/catch-up/", Role.ADMIN, "POST"),
]


@pytest.mark.parametrize(("url", "needed", "methods"), PAGES)
def test_strangers_get_404_low_roles_403_and_anonymous_the_sign_in_page(
    url: str, needed: Role, methods: str, workspace: Workspace, member: Member, stranger: User, browse: Browse
) -> None:
    for method in methods.split():
        assert browse(stranger).generic(method, url).status_code == 404
        assert browse(None).generic(method, url)["Location"].startswith("/sign-in/?next=")
        fragment = browse(None).generic(method, url, headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment["HX-Redirect"].startswith("/sign-in/")) == (403, True)
        for role in Role:
            if not role.allows(needed):
                assert browse(member(role)).generic(method, url).status_code == 403


@pytest.mark.parametrize(("url", "needed", "methods"), PAGES)
def test_other_methods_are_refused(
    url: str, needed: Role, methods: str, workspace: Workspace, admin: User, browse: Browse
) -> None:
    for method in {"GET", "POST", "PUT", "DELETE"} - set(methods.split()):
        assert browse(admin).generic(method, url).status_code == 405


@pytest.mark.parametrize("url", [url for url, _needed, methods in PAGES if "GET" in methods])
def test_pages_open(url: str, workspace: Workspace, admin: User, browse: Browse) -> None:
    assert browse(admin).get(url).status_code == 200


def test_post_needs_a_csrf_token(workspace: Workspace, admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.post("/workspaces/studio/key/remove/").status_code == 403


# --- List and overview -------------------------------------------------------------------------------------------


def test_list_shows_ones_own_workspaces_with_role(workspace: Workspace, viewer: User, browse: Browse) -> None:
    WorkspaceFactory(name="Somebody else's")
    page = browse(viewer).get("/workspaces/").content.decode()
    assert "Studio" in page
    assert "Viewer" in page
    assert "1 member" in page
    assert "Somebody else" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_many(count: int, browse: Browse, django_assert_num_queries) -> None:
    user = UserFactory()
    for _ in range(count):
        MembershipFactory(user=user)
    client = browse(user)
    client.get("/workspaces/")
    with django_assert_num_queries(4):
        client.get("/workspaces/")


def test_list_without_workspaces_says_what_to_do(browse: Browse) -> None:
    assert "You are in no workspace yet" in browse(UserFactory()).get("/workspaces/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_overview_costs_the_same_for_many_members(
    count: int, workspace: Workspace, admin: User, browse: Browse, django_assert_max_num_queries
) -> None:
    MembershipFactory.create_batch(count, workspace=workspace)
    client = browse(admin)
    client.get("/workspaces/studio/")
    with django_assert_max_num_queries(16):
        client.get("/workspaces/studio/")


def test_viewer_sees_members_but_no_buttons(
    workspace: Workspace, admin: User, viewer: User, browse: Browse
) -> None:
    page = browse(viewer).get("/workspaces/studio/").content.decode()
    assert admin.email in page
    assert "members/add/" not in page
    assert "/key/" not in page
    assert "/role/" not in page


# --- Settings ----------------------------------------------------------------------------------------------------


def settings_form(**fields: str) -> dict[str, str]:
    """The settings as the page has them for a new workspace; a box that is not ticked is not sent."""
    form = {
        "name": "Studio",
        "dialect": "current",
        "approvals_needed": "1",
        "author_may_approve": "on",
        "creators_may_approve": "",
    } | fields
    return {name: value for name, value in form.items() if value}


def test_settings_are_saved_and_noted(workspace: Workspace, admin: User, browse: Browse) -> None:
    response = browse(admin).post(
        "/workspaces/studio/settings/", settings_form(name="Studio B", dialect="sessions")
    )
    assert response["Location"] == "/workspaces/studio/"
    workspace.refresh_from_db()
    assert (workspace.name, workspace.dialect) == ("Studio B", "sessions")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.data) == (
        "workspace.changed",
        admin,
        {"name": "Studio B", "dialect": "sessions"},
    )


def test_a_workspace_that_speaks_the_other_dialect_is_read_anew(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    """In the older dialect there is no list of sessions: its poll had ended."""
    Workspace.objects.filter(pk=workspace.pk).update(dialect="sessions")
    schedule.enroll("session_list", [workspace.pk], workspace_id=workspace.pk, fingerprint="key")
    schedule.retire("session_list", [workspace.pk])

    browse(admin).post("/workspaces/studio/settings/", settings_form(dialect="current"))

    assert PollState.objects.get(kind="session_list").next_poll_at is not None


def test_settings_take_no_address_from_members(workspace: Workspace, admin: User, browse: Browse) -> None:
    browse(admin).post(
        "/workspaces/studio/settings/",
        settings_form(base_url="http://169.254.169.254/", slug="x"),
    )
    before = workspace.base_url
    workspace.refresh_from_db()
    assert (workspace.base_url, workspace.slug) == (before, "studio")


def test_bad_settings_are_refused(workspace: Workspace, admin: User, browse: Browse) -> None:
    response = browse(admin).post("/workspaces/studio/settings/", settings_form(name="", dialect="klingon"))
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name", "dialect"}


def test_who_approves_is_a_setting_that_keeps_the_others_and_is_noted(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(settings={"simulated": True})
    MembershipFactory(workspace=workspace, role=Role.APPROVER)
    browse(admin).post(
        "/workspaces/studio/settings/", settings_form(approvals_needed="2", author_may_approve="")
    )
    workspace.refresh_from_db()
    assert workspace.settings == {
        "simulated": True,
        "approvals_needed": 2,
        "author_may_approve": False,
        "creators_may_approve": False,
    }
    assert AuditEntry.objects.get().data == {"approvals_needed": 2, "author_may_approve": False}


def test_letting_creators_approve_is_warned_about_first(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    client = browse(admin)
    warned = client.post("/workspaces/studio/settings/", settings_form(creators_may_approve="on"))
    assert warned.status_code == 422
    assert "costs money" in warned.content.decode()
    workspace.refresh_from_db()
    assert workspace.settings == {}

    client.post("/workspaces/studio/settings/", settings_form(creators_may_approve="on", understood="on"))
    workspace.refresh_from_db()
    assert ApprovalRule.of(workspace) == ApprovalRule(creators_may=True)
    # What was understood once is not asked again.
    kept = client.post(
        "/workspaces/studio/settings/", settings_form(name="Studio C", creators_may_approve="on")
    )
    assert kept.status_code == 302


def test_more_approvals_than_people_are_refused(workspace: Workspace, admin: User, browse: Browse) -> None:
    answer = browse(admin).post("/workspaces/studio/settings/", settings_form(approvals_needed="3"))
    assert answer.status_code == 422
    assert "may approve, so nothing could be approved" in answer.content.decode()


@pytest.mark.parametrize(
    "broken", [{"approvals_needed": "2"}, {"approvals_needed": True}, {"approvals_needed": 0}, []]
)
def test_a_broken_rule_is_the_usual_one(broken: Any) -> None:
    assert ApprovalRule.of(Workspace(settings=broken)) == ApprovalRule()


def test_single_keys_are_a_setting_of_the_person(viewer: User, browse: Browse) -> None:
    client = browse(viewer)
    assert 'data-shortcuts="on"' in client.get("/account/").content.decode()
    assert "data-shortcuts-on checked" in client.get("/account/").content.decode()
    assert client.post("/account/single-keys/").status_code == 302
    assert 'data-shortcuts="off"' in client.get("/account/").content.decode()
    answer = client.post("/account/single-keys/", {"on": "1"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    viewer.refresh_from_db()
    assert viewer.single_keys is True


# --- Members -----------------------------------------------------------------------------------------------------


def invite(client: Client, **fields: str):
    values = {"email": "new@example.com", "name": "New", "role": "creator"} | fields
    return client.post(
        "/workspaces/studio/members/add/", {f"invite-{name}": value for name, value in values.items()}
    )


def test_new_person_gets_a_one_time_password_shown_once(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    client = browse(admin)
    response = invite(client)
    user = User.objects.get(email="new@example.com")
    password = response.context["invited"].password
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert password in response.content.decode()
    assert user.check_password(password)
    assert user.must_change_password
    assert Membership.objects.get(user=user).role == Role.CREATOR
    assert password not in client.get("/workspaces/studio/").content.decode()
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["user.created", "member.added"]
    assert not [entry for entry in AuditEntry.objects.all() if password in str(entry.data)]


def test_somebody_with_an_account_is_added_with_it(workspace: Workspace, admin: User, browse: Browse) -> None:
    user = UserFactory(email="ben@example.com")
    response = invite(browse(admin), email="BEN@example.com", role="approver")
    assert response["Location"] == "/workspaces/studio/"
    assert Membership.objects.get(user=user, workspace=workspace).role == Role.APPROVER
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(("fields", "field"), [({"email": "nonsense"}, "email"), ({"role": "king"}, "role")])
def test_bad_invitations_are_refused(
    fields: dict[str, str], field: str, workspace: Workspace, admin: User, browse: Browse
) -> None:
    response = invite(browse(admin), **fields)
    assert response.status_code == 422
    assert list(response.context["invite_form"].errors) == [field]
    assert User.objects.count() == 1


def test_nobody_is_added_twice(workspace: Workspace, admin: User, viewer: User, browse: Browse) -> None:
    response = invite(browse(admin), email=viewer.email)
    assert response.status_code == 422
    assert Membership.objects.filter(user=viewer).count() == 1


def test_role_is_changed_and_streams_asked_again(
    workspace: Workspace,
    admin: User,
    viewer: User,
    browse: Browse,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("eventstream.sessions.ended_for", asked.append)
    membership = Membership.objects.get(user=viewer)
    with django_capture_on_commit_callbacks(execute=True):
        browse(admin).post(f"/workspaces/studio/members/{membership.pk}/role/", {"role": "approver"})
    membership.refresh_from_db()
    assert membership.role == Role.APPROVER
    assert asked == [viewer.pk]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data) == (
        "member.role-changed",
        {"email": viewer.email, "from": "viewer", "to": "approver"},
    )


def test_unknown_role_changes_nothing(
    workspace: Workspace, admin: User, viewer: User, browse: Browse
) -> None:
    membership = Membership.objects.get(user=viewer)
    browse(admin).post(f"/workspaces/studio/members/{membership.pk}/role/", {"role": "king"})
    membership.refresh_from_db()
    assert membership.role == Role.VIEWER


def test_last_admin_stays_admin(workspace: Workspace, admin: User, browse: Browse) -> None:
    membership = Membership.objects.get(user=admin)
    MembershipFactory(workspace=workspace, role=Role.ADMIN, user=UserFactory(is_active=False))
    client = browse(admin)
    page = client.post(f"/workspaces/studio/members/{membership.pk}/role/", {"role": "viewer"}, follow=True)
    assert "A workspace needs an admin" in page.content.decode()
    client.post(f"/workspaces/studio/members/{membership.pk}/remove/")
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN


def test_one_of_two_admins_may_go(workspace: Workspace, admin: User, member: Member, browse: Browse) -> None:
    member(Role.ADMIN)
    membership = Membership.objects.get(user=admin)
    assert (
        browse(admin).post(f"/workspaces/studio/members/{membership.pk}/remove/")["Location"]
        == "/workspaces/"
    )
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_removed_member_gets_404(workspace: Workspace, admin: User, viewer: User, browse: Browse) -> None:
    membership = Membership.objects.get(user=viewer)
    removed = browse(viewer)
    assert removed.get("/workspaces/studio/").status_code == 200
    browse(admin).post(f"/workspaces/studio/members/{membership.pk}/remove/")
    assert removed.get("/workspaces/studio/").status_code == 404


def test_members_leave_but_do_not_remove_others(
    workspace: Workspace, admin: User, viewer: User, browse: Browse
) -> None:
    other = Membership.objects.get(user=admin)
    own = Membership.objects.get(user=viewer)
    client = browse(viewer)
    assert client.post(f"/workspaces/studio/members/{other.pk}/remove/").status_code == 403
    assert client.get(f"/workspaces/studio/members/{own.pk}/remove/").status_code == 405
    assert client.post(f"/workspaces/studio/members/{own.pk}/remove/").status_code == 302
    assert list(Membership.objects.all()) == [other]


def test_member_of_another_workspace_cannot_be_touched(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    foreign = MembershipFactory()
    client = browse(admin)
    for verb in ("role", "remove", "password"):
        response = client.post(f"/workspaces/studio/members/{foreign.pk}/{verb}/", {"role": "viewer"})
        assert response.status_code == 404
    foreign.refresh_from_db()
    assert foreign.role == Role.VIEWER


def test_lost_one_time_password_is_renewed(workspace: Workspace, admin: User, browse: Browse) -> None:
    invited = members.invite(workspace, email="new@example.com", name="", role=Role.VIEWER, by=admin)
    response = browse(admin).post(f"/workspaces/studio/members/{invited.membership.pk}/password/")
    user = User.objects.get(email="new@example.com")
    renewed = response.context["invited"].password
    assert renewed != invited.password
    assert user.check_password(renewed)


def test_password_of_somebody_who_is_more_than_a_new_member_is_left_alone(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    elsewhere = MembershipFactory(workspace=workspace)
    MembershipFactory(user=elsewhere.user)
    staff = MembershipFactory(workspace=workspace, user=UserFactory(is_staff=True))
    seasoned = MembershipFactory(workspace=workspace)
    Client().post("/sign-in/", {"email": seasoned.user.email, "password": PASSWORD})
    client = browse(admin)
    for membership in (elsewhere, staff, seasoned):
        assert client.post(f"/workspaces/studio/members/{membership.pk}/password/").status_code == 403
        assert User.objects.get(pk=membership.user_id).check_password(PASSWORD)


# --- Catalogue ---------------------------------------------------------------------------------------------------


def test_preview_redirects_members_to_the_picture(
    workspace: Workspace, viewer: User, stranger: User, browse: Browse
) -> None:
    link = "https://files2.heygen.ai/look.webp"
    item = CatalogueItemFactory(workspace=workspace, data={"preview_image_url": link})
    url = f"/workspaces/studio/catalogue/{item.pk}/picture/"
    assert browse(viewer).get(url)["Location"] == link
    assert browse(stranger).get(url).status_code == 404
    for what in ("sound", "film", "nonsense"):
        assert browse(viewer).get(f"/workspaces/studio/catalogue/{item.pk}/{what}/").status_code == 404


def test_unusable_preview_is_not_found(workspace: Workspace, viewer: User, browse: Browse) -> None:
    item = CatalogueItemFactory(
        workspace=workspace, kind=CatalogueKind.VOICE, data={"preview_audio_url": "s3://bucket/voice.mp3"}
    )
    assert browse(viewer).get(f"/workspaces/studio/catalogue/{item.pk}/sound/").status_code == 404


def test_a_preview_that_a_browser_can_follow_comes_before_one_that_it_cannot() -> None:
    item = CatalogueItemFactory(
        data={
            "preview_image_url": "s3://bucket/look.webp",
            "thumbnail_url": "https://files2.heygen.ai/small.webp",
        }
    )
    assert item.preview("picture") == "https://files2.heygen.ai/small.webp"


def test_item_of_another_workspace_is_not_found(workspace: Workspace, admin: User, browse: Browse) -> None:
    item = CatalogueItemFactory(data={"preview_image_url": "https://files2.heygen.ai/look.webp"})
    client = browse(admin)
    assert client.get(f"/workspaces/studio/catalogue/{item.pk}/picture/").status_code == 404
    assert client.post(f"/workspaces/studio/catalogue/{item.pk}/favourite/").status_code == 404


def test_favourites_belong_to_the_team(workspace: Workspace, member: Member, browse: Browse) -> None:
    item = CatalogueItemFactory(workspace=workspace)
    url = f"/workspaces/studio/catalogue/{item.pk}/favourite/"
    client = browse(member(Role.CREATOR))
    assert client.post(url, {"favourite": "1"}, headers={"HX-Request": "true"}).status_code == 204
    assert CatalogueItem.objects.get().favourite
    assert client.post(url, {"favourite": "0"})["Location"] == "/workspaces/studio/"
    assert not CatalogueItem.objects.get().favourite


# --- Audit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", sorted(webhook_registration.ACTIONS.keys() - {"catch-up"}))
def test_the_audit_trail_has_words_for_what_was_done_to_the_webhook(what: str) -> None:
    assert audit.in_words(f"webhook.{what}").startswith("Webhook")


def test_audit_trail_shows_this_workspace_page_by_page(
    workspace: Workspace, admin: User, browse: Browse
) -> None:
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(workspace=workspace, action=f"thing.{number}", actor_email="amy@example.com")
            for number in range(105)
        ]
    )
    AuditEntry.objects.create(workspace=WorkspaceFactory(), action="thing.elsewhere")
    client = browse(admin)
    first = client.get("/workspaces/studio/audit/")
    second = client.get(f"/workspaces/studio/audit/?before={first.context['older']}")
    seen = [entry.action for page in (first, second) for entry, _words in page.context["entries"]]
    assert seen == [f"thing.{number}" for number in reversed(range(105))]
    assert second.context["older"] is None
    assert client.get("/workspaces/studio/audit/?before=nonsense").status_code == 200


def test_usage_is_counted_and_priced(
    workspace: Workspace, admin: User, browse: Browse, settings: Settings
) -> None:
    settings.VIDEO_PRICE_PER_SECOND, settings.REALTIME_PRICE_PER_SECOND = 0.05, 0.1
    session = VideoSessionFactory(workspace=workspace)
    for duration, group in (
        (60.0, "done"),
        (30.0, "done"),
        (None, "done"),
        (-5.0, "done"),
        (600.0, "failed"),
    ):
        VideoFactory(session=session, duration=duration, group=group)
    begun = timezone.now() - timedelta(minutes=10)
    StreamFactory(
        workspace=workspace, started_at=begun, ended_at=begun + timedelta(minutes=2), group="completed"
    )
    StreamFactory(workspace=workspace, started_at=None)

    page = browse(admin).get(workspace.get_absolute_url()).content.decode()

    assert "1.5 minutes, about $4.50 at $0.05 a second" in page
    assert "2.0 minutes, about $12.00 at $0.1 a second" in page
