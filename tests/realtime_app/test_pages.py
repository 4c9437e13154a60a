from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from commands import delivery, tokens
from commands.models import Command, State
from polling import schedule
from polling.models import PollState
from realtime_app import page, topic
from realtime_app.actions import NewStream, create, push
from realtime_app.models import Stream, StreamGroup, StreamKind, TextDelta, Word
from tests.factories import CatalogueItemFactory, MembershipFactory, StreamFactory, WorkspaceFactory
from tests.realtime_app.conftest import Studio
from workspaces_app.models import Role, User, Workspace

Browse = Callable[[User], Client]
NEW = "/live/new/"


@pytest.fixture
def looks(workspace: Workspace) -> dict[str, str]:
    """What the pickers' fields are sent with."""
    return {
        "avatar_id": CatalogueItemFactory(workspace=workspace, kind="look", name="Ada").remote_id,
        "voice_id": CatalogueItemFactory(workspace=workspace, kind="voice", name="Calm").remote_id,
    }


def filled(looks: dict[str, str], **values: Any) -> dict[str, Any]:
    return {"token": tokens.new(), "kind": "text_stream", "text": "Good morning.", **looks, **values}


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_one_and_for_three(
    rows: int,
    workspace: Workspace,
    creator: User,
    browse: Browse,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(rows):
        StreamFactory(workspace=workspace, owner=creator)
    StreamFactory(workspace=workspace, owner=creator, stream_id=None)
    # The health of the mirror, which the shell around every page asks for now and then, is not the list's.
    monkeypatch.setattr("workspaces_app.context._banners", lambda workspaces: [])
    browser = browse(creator)
    browser.get("/live/")  # the first request of a sign-in notes in the session that somebody is there
    # Session, person, workspaces, count, rows, starts that are under way, looks, roles.
    with django_assert_num_queries(7):
        assert browser.get("/live/").status_code == 200


def test_a_late_page_says_why_in_words_for_people(
    workspace: Workspace, creator: User, browse: Browse
) -> None:
    stream = StreamFactory(workspace=workspace)
    schedule.enroll("stream", [stream.pk], workspace_id=workspace.pk, fingerprint="key")
    PollState.objects.update(
        polled_at=timezone.now(),
        failures=1,
        reason="server_error",
        message="502 html: Bad gateway at proxy 7",
    )

    shown = browse(creator).get(f"/live/{stream.pk}/").text

    assert "HeyGen has trouble answering." in shown
    assert "proxy 7" not in shown


def test_the_list_is_narrowed_by_status_and_workspace(
    workspace: Workspace, creator: User, browse: Browse
) -> None:
    other = MembershipFactory(
        user=creator, workspace=WorkspaceFactory(slug="other"), role=Role.VIEWER
    ).workspace
    StreamFactory(workspace=workspace, title="It plays")
    StreamFactory(workspace=workspace, title="It is over", group=StreamGroup.COMPLETED)
    StreamFactory(workspace=workspace, title="It broke", group=StreamGroup.ERROR)
    StreamFactory(workspace=other, title="Elsewhere")

    def titles(query: str) -> list[str]:
        return re.findall(r'class="item-link[^>]*>([^<]+)<', browse(creator).get(f"/live/{query}").text)

    assert titles("") == ["Elsewhere", "It broke", "It is over", "It plays"]
    assert titles("?status=running") == ["Elsewhere", "It plays"]
    assert titles("?status=ended") == ["It is over"]
    assert titles("?status=failed") == ["It broke"]
    assert titles("?status=nonsense&page=x") == titles("")
    assert titles("?workspace=studio&status=running") == ["It plays"]
    assert "No stream fits" in browse(creator).get("/live/?workspace=other&status=failed").text


def test_a_row_shows_who_speaks_and_how_long_it_played(
    workspace: Workspace, creator: User, browse: Browse
) -> None:
    ended = timezone.now()
    look = CatalogueItemFactory(
        workspace=workspace, data={"preview_image_url": "https://files.heygen.ai/a.png"}
    )
    CatalogueItemFactory(remote_id=look.remote_id, data=look.data)  # of somebody else's account
    StreamFactory(
        workspace=workspace,
        avatar_id=look.remote_id,
        group=StreamGroup.COMPLETED,
        started_at=ended - timedelta(seconds=127),
        ended_at=ended,
    )

    shown = browse(creator).get("/live/").text

    assert re.findall(r'<span class="item-thumb"><img src="([^"]+)"', shown) == [
        f"/workspaces/{workspace.slug}/catalogue/{look.pk}/picture/"
    ]
    assert "2:07" in shown


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Good morning.", "Good morning."),
        ("First line.\nSecond line.", "First line."),
        ("word " * 40, "word " * 14 + "word…"),
        (
            "Welcome to the harbour, where the " + "x" * 60,
            "Welcome to the harbour, where the " + "x" * 45 + "…",
        ),
        ("", "Ada in red"),
    ],
)
def test_without_a_title_it_is_called_by_the_beginning_of_its_text(text: str, title: str) -> None:
    assert Stream(text=text, avatar_name="Ada in red").display_title == title


def test_one_that_is_over_can_be_started_anew_by_whoever_may(
    workspace: Workspace, creator: User, viewer: User, browse: Browse
) -> None:
    # In the page from the start: it shows itself as soon as the stream ends.
    stream = StreamFactory(workspace=workspace)
    link = f'class="button when-ended" href="/live/new/?from={stream.pk}"'
    assert link in browse(creator).get(stream.get_absolute_url()).text
    assert link not in browse(viewer).get(stream.get_absolute_url()).text


def test_an_empty_list_says_what_to_do(creator: User, viewer: User, browse: Browse) -> None:
    assert "Start the first one" in browse(creator).get("/live/").text
    assert "Start the first one" not in browse(viewer).get("/live/").text


# --- a new one --------------------------------------------------------------------------------------------------------


def test_a_filled_form_starts_one_stream_however_often_it_is_sent(
    workspace: Workspace, creator: User, browse: Browse, looks: dict[str, str]
) -> None:
    values = filled(looks, title="Monday")
    first, second = (browse(creator).post(NEW, values) for _ in range(2))
    stream = Stream.objects.get()
    assert first["Location"] == second["Location"] == f"{stream.get_absolute_url()}?new=1"
    assert (stream.title, stream.avatar_name, stream.voice_name, stream.owner) == (
        "Monday",
        "Ada",
        "Calm",
        creator,
    )
    payload = Command.objects.get().payload
    assert payload == {
        "type": "text_stream",
        "avatar_id": stream.avatar_id,
        "voice_id": stream.voice_id,
        "text": "Good morning.",
    }


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"text": "  "}, {"text"}),
        ({"avatar_id": "", "voice_id": ""}, {"avatar_id", "voice_id"}),
        ({"kind": "nonsense"}, {"kind"}),
        ({"token": "short"}, {"token"}),
        ({"kind": "audio"}, {"audio_file"}),
        ({"kind": "audio", "audio_url": "http://example.com/a.mp3"}, {"audio_url", "audio_file"}),
        ({"kind": "audio", "audio_url": "not a link"}, {"audio_url", "audio_file"}),
        ({"avatar_id": "", "avatar_other": "x" * 256}, {"avatar_other", "avatar_id"}),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_sent(
    values: dict[str, str],
    wrong: set[str],
    workspace: Workspace,
    creator: User,
    browse: Browse,
    looks: dict[str, str],
) -> None:
    answer = browse(creator).post(NEW, filled(looks, **values))
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == wrong
    assert not Command.objects.exists()


def test_a_recording_is_a_file_or_a_link_and_a_file_has_limits(
    workspace: Workspace,
    creator: User,
    browse: Browse,
    looks: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def errors(**values: Any) -> dict[str, list[str]]:
        form = browse(creator).post(NEW, filled(looks, kind="audio", **values)).context["form"]
        return {name: list(messages) for name, messages in form.errors.items()}

    sound = SimpleUploadedFile("a.mp3", b"ID3 sound", "audio/mpeg")
    assert errors(audio_file=sound, audio_url="https://example.com/a.mp3") == {
        "audio_url": ["Give a file or a link, not both."]
    }
    text = SimpleUploadedFile("a.txt", b"words", "text/plain")
    assert errors(audio_file=text) == {"audio_file": ["This is not an audio file."]}
    monkeypatch.setattr("realtime_app.forms.FILE_SIZE_LIMIT", 8)
    sound.seek(0)
    assert errors(audio_file=sound) == {"audio_file": ["The file is larger than 32 MB."]}


def test_a_link_to_a_recording_is_sent_as_it_is(
    workspace: Workspace, creator: User, browse: Browse, looks: dict[str, str]
) -> None:
    browse(creator).post(NEW, filled(looks, kind="audio", audio_url="https://example.com/a.mp3", text=""))
    stream = Stream.objects.get()
    assert Command.objects.get().payload == {
        "type": "audio",
        "avatar_id": stream.avatar_id,
        "audio": {"type": "url", "url": "https://example.com/a.mp3"},
    }


def test_a_picker_without_javascript_keeps_what_was_typed(
    workspace: Workspace, creator: User, browse: Browse, looks: dict[str, str]
) -> None:
    zoe = CatalogueItemFactory(workspace=workspace, kind="look", name="Zoë", search_text=" zoe")
    wanted = {"look-search": "zo", "text": "Typed.", "kind": "tts"}
    for do in ("show:look", f"favourite:{zoe.pk}:1:look"):
        answer = browse(creator).post(NEW, filled(looks, do=do, **wanted))
        assert answer.status_code == 200
        look, voice = (picker for picker, _field, _other in answer.context["pickers"])
        assert ([choice.name for choice in look.rows], look.open) == (["Ada", "Zoë"], True)
        assert ([choice.name for choice in voice.rows], voice.open) == (["Calm"], False)
        assert "Typed." in answer.text
        assert "Choose who speaks" not in answer.text
    zoe.refresh_from_db()
    assert zoe.favourite
    assert not Stream.objects.exists()


def test_a_stream_needs_a_look_so_none_is_no_choice(
    workspace: Workspace, creator: User, browse: Browse, looks: dict[str, str]
) -> None:
    shown = browse(creator).get(NEW)
    (address,) = {picker.address for picker, *_ in shown.context["pickers"] if picker.kind == "look"}
    assert "The agent decides" not in shown.text
    found = browse(creator).get(address).text
    assert "Ada" in found
    assert "The agent decides" not in found


def test_another_workspaces_look_and_one_that_is_not_ready_cannot_be_used(
    workspace: Workspace, creator: User, browse: Browse, looks: dict[str, str]
) -> None:
    foreign = CatalogueItemFactory(kind="look", name="Foreign")
    raw = CatalogueItemFactory(workspace=workspace, kind="look", name="Raw", data={"status": "processing"})
    for item, reason in ((foreign, "no such choice"), (raw, "not ready at HeyGen")):
        answer = browse(creator).post(NEW, filled(looks, avatar_id=item.remote_id))
        assert answer.status_code == 422
        assert reason in str(answer.context["form"].errors["avatar_id"])
        assert answer.context["pickers"][0][0].open


@pytest.mark.django_db(transaction=True)
def test_what_heygen_refused_stands_at_its_field_and_nothing_typed_is_lost(
    studio: Studio, browse: Browse
) -> None:
    browser = browse(studio.person)
    answer = browser.post(
        NEW,
        {
            "token": tokens.new(),
            "workspace": studio.workspace.slug,
            "kind": "tts",
            "avatar_other": "look_of_nobody",
            "voice_other": studio.voice,
            "text": "Words that were hard to find.",
        },
    )
    stream = Stream.objects.get()
    studio.deliver()
    shown = browser.get(answer["Location"])
    again = f"{NEW}?from={stream.pk}"
    assert (shown.context["status"].word, again in shown.text) == ("Not started", True)

    form = browser.get(again).context["form"]
    assert form.errors.keys() == {"avatar_id"}
    assert form["text"].value() == "Words that were hard to find."
    assert form["avatar_other"].value() == "look_of_nobody"

    corrected = {
        "from": str(stream.pk),
        "token": form["token"].value(),
        "kind": "tts",
        "text": form["text"].value(),
    }
    corrected |= {"avatar_other": studio.look, "voice_other": studio.voice}
    assert browser.post(NEW, corrected).status_code == 302
    studio.deliver()
    assert Stream.objects.exclude(pk=stream.pk).get().stream_id is not None


@pytest.mark.django_db(transaction=True)
def test_an_uploaded_recording_becomes_an_asset_and_is_used_again(studio: Studio, browse: Browse) -> None:
    browser = browse(studio.person)
    sound = SimpleUploadedFile("a.mp3", b"ID3" + bytes(2000), "audio/mpeg")
    values = {"workspace": studio.workspace.slug, "kind": "audio", "avatar_other": "look_of_nobody"}
    assert browser.post(NEW, {**values, "token": tokens.new(), "audio_file": sound}).status_code == 302
    stream = Stream.objects.get()
    assert stream.audio.keys() == {"type", "asset_id"}
    studio.deliver()

    values |= {"avatar_other": studio.look, "from": str(stream.pk), "token": tokens.new()}
    assert browser.post(NEW, values).status_code == 302
    studio.deliver()
    again = Stream.objects.exclude(pk=stream.pk).get()
    assert (again.audio, again.stream_id is not None) == (stream.audio, True)


# --- the live page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stream(workspace: Workspace, creator: User) -> Stream:
    return StreamFactory(
        workspace=workspace,
        owner=creator,
        hls_url="https://files.heygen.ai/live/index.m3u8?sig=secret",
        started_at=timezone.now() - timedelta(seconds=20),
        last_text_at=timezone.now(),
    )


def test_the_page_never_prints_a_remote_link(
    stream: Stream, creator: User, viewer: User, browse: Browse
) -> None:
    for user in (creator, viewer):
        text = browse(user).get(stream.get_absolute_url()).text
        assert reverse("live:playlist", args=[stream.pk]) in text
        assert "files.heygen.ai" not in text


def test_only_those_who_may_press_see_buttons(
    stream: Stream, creator: User, viewer: User, browse: Browse
) -> None:
    buttons = [reverse(f"live:{name}", args=[stream.pk]) for name in ("push", "cancel")]
    seen = {user: browse(user).get(stream.get_absolute_url()).text for user in (creator, viewer)}
    assert [button in seen[creator] for button in buttons] == [True, True]
    assert [button in seen[viewer] for button in buttons] == [False, False]


def test_the_playlist_leads_to_heygen_where_pages_may_load_from(
    stream: Stream, viewer: User, browse: Browse, settings: Settings
) -> None:
    url = reverse("live:playlist", args=[stream.pk])
    answer = browse(viewer).get(url)
    assert (answer.status_code, answer["Location"]) == (302, stream.hls_url)
    assert "no-store" in answer["Cache-Control"]

    settings.MEDIA_HOSTS = ["https://elsewhere.example.com"]
    answer = browse(viewer).get(url)
    assert (answer.status_code, "https://files.heygen.ai" in answer.text) == (409, True)
    assert "sig=secret" not in answer.text
    assert "which is not listed in MEDIA_HOSTS" in browse(viewer).get(stream.get_absolute_url()).text

    Stream.objects.update(hls_url="")
    assert browse(viewer).get(url).status_code == 404


def test_pushed_text_is_recorded_once_and_a_fresh_token_comes_back(
    stream: Stream, creator: User, browse: Browse
) -> None:
    url, values = reverse("live:push", args=[stream.pk]), {"token": tokens.new(), "text": "Next."}
    answer = browse(creator).post(url, values, headers={"HX-Request": "true"})
    fresh = re.search(r'id="push-token" name="token" value="([^"]+)"', answer.text)
    assert (answer.status_code, fresh is not None) == (200, True)
    assert fresh is not None
    assert fresh[1] != values["token"]
    again = browse(creator).post(url, values)
    assert again["Location"] == f"{stream.get_absolute_url()}?pushed=1#composer"
    assert [(delta.text, delta.final) for delta in TextDelta.objects.all()] == [("Next.", False)]


def test_an_empty_text_is_refused_and_an_empty_last_one_is_not(
    stream: Stream, creator: User, browse: Browse
) -> None:
    url = reverse("live:push", args=[stream.pk])
    answer = browse(creator).post(url, {"token": tokens.new(), "text": " "}, headers={"HX-Request": "true"})
    assert (answer.status_code, "or finish the stream" in answer.text) == (422, True)
    assert browse(creator).post(url, {"token": tokens.new(), "text": " "}).status_code == 422
    assert browse(creator).post(url, {"token": tokens.new(), "final": "on"}).status_code == 302
    assert Command.objects.get().payload == {"delta": "", "final": True}


def test_text_for_an_ended_stream_stays_in_the_form(stream: Stream, creator: User, browse: Browse) -> None:
    Stream.objects.update(group=StreamGroup.COMPLETED, ended_at=timezone.now())
    answer = browse(creator).post(
        reverse("live:push", args=[stream.pk]), {"token": tokens.new(), "text": "Too late."}
    )
    assert (answer.status_code, answer.context["push_form"]["text"].value()) == (422, "Too late.")
    assert not Command.objects.exists()


def test_each_state_of_a_pushed_text_says_what_to_do(stream: Stream, creator: User) -> None:
    command = push(stream, text="Next.", final=False, token=tokens.new(), by=creator)
    now = timezone.now()

    def drawn(**values: Any) -> tuple[str, str, bool, bool]:
        Command.objects.filter(pk=command.pk).update(**values)
        delta = TextDelta.objects.select_related("command").get()
        text = page.pushed_text(delta, stream)
        return text.group, text.word, text.may_repeat, text.asks_person

    assert drawn() == ("queued", "Waiting", False, False)
    unknown = {"state": State.UNKNOWN, "attempt_at": now, "unknown_at": now, "due_at": now}
    assert drawn(**unknown, error={"code": "unclear"}) == ("unknown", "Outcome unknown", False, False)
    assert drawn(asks_person_since=now) == ("unknown", "Outcome unknown", True, True)
    ended = {
        "settled_at": now,
        "settled_by": "answer",
        "asks_person_since": None,
        "due_at": None,
        "applied_at": now,
    }
    assert drawn(**ended, state=State.REFUSED) == ("refused", "Not taken", True, False)
    assert drawn(state=State.ACCEPTED, error={}) == ("accepted", "Accepted", False, False)


def test_the_countdown_runs_from_the_last_text_that_was_taken(stream: Stream) -> None:
    assert page.idle_at(stream) == stream.last_text_at + timedelta(seconds=30)
    stream.last_text_at = stream.started_at - timedelta(seconds=10)
    assert page.idle_at(stream) == stream.started_at + timedelta(seconds=30)
    stream.group = StreamGroup.COMPLETED
    assert page.idle_at(stream) is None
    assert page.idle_at(StreamFactory(kind=StreamKind.TTS, last_text_at=timezone.now())) is None


def test_the_cost_counts_the_seconds_that_it_played(stream: Stream, settings: Settings) -> None:
    settings.REALTIME_PRICE_PER_SECOND = 0.5
    stream.ended_at = stream.started_at + timedelta(seconds=12)
    assert page.context(stream)["cost"] == 6.0
    stream.started_at = None
    assert page.context(stream)["cost"] == 0.0


# --- what is pushed to open pages -------------------------------------------------------------------------------------


def test_a_fragment_brings_what_is_newer_and_nothing_of_one_person(stream: Stream, creator: User) -> None:
    Word.objects.create(stream=stream, index=0, word="Old", start=0, end=1, version=1)
    Word.objects.create(stream=stream, index=1, word="New", start=1, end=2, version=2)
    push(stream, text="Next.", final=False, token=tokens.new(), by=creator)
    html = topic.fragments(stream.pk, 1, "en", page.ACTS)
    assert re.findall(r'<span id="w\d+"[^>]*>([^<]+)<', html) == [" New"]
    assert re.findall(r'<li id="(d\d+)"', html) == ["d0"]
    for secret in ("csrf", 'name="token"', "files.heygen.ai"):
        assert secret not in html
    version = topic.version(stream.pk)
    assert 'id="d0"' not in topic.fragments(stream.pk, version, "en", page.ACTS)


def test_a_page_that_missed_everything_gets_everything(stream: Stream) -> None:
    Word.objects.create(stream=stream, index=0, word="Old", start=0, end=1, version=1)
    assert 'id="w0"' in topic.fragments(stream.pk, None, "en", "")
    assert topic.fragments(stream.workspace_id, None, "en", "") == ""


def test_remote_text_is_never_markup(workspace: Workspace, creator: User, browse: Browse) -> None:
    hostile = '<img src=x onerror="alert(1)"><script>alert(1)</script>'
    stream = create(
        workspace,
        NewStream(
            kind=StreamKind.TEXT_STREAM, avatar_id=hostile, voice_id=hostile, text=hostile, title=hostile
        ),
        token=tokens.new(),
        by=creator,
    )
    Stream.objects.update(
        status=hostile[:64], group=StreamGroup.UNKNOWN, stream_id=hostile, error_message=hostile
    )
    Word.objects.create(stream=stream, index=0, word=hostile, start=0, end=1)
    push(stream, text=hostile, final=False, token=tokens.new(), by=creator)
    text = browse(creator).get(stream.get_absolute_url()).text + topic.fragments(stream.pk, None, "en", "")
    assert "<img src=x" not in text
    assert "<script>alert" not in text


def test_unclear_presses_are_decided_by_people(stream: Stream, creator: User, browse: Browse) -> None:
    command = push(stream, text="Next.", final=False, token=tokens.new(), by=creator)
    now = timezone.now()
    Command.objects.filter(pk=command.pk).update(
        state=State.UNKNOWN, attempt_at=now, unknown_at=now, asks_person_since=now, due_at=None
    )
    url = reverse("live:decide", args=[stream.pk, command.pk])
    answer = browse(creator).post(url, {"happened": "yes"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    command.refresh_from_db()
    assert (command.state, command.settled_by) == (State.ACCEPTED, "person")
    delivery.tick()
    assert TextDelta.objects.count() == 1
