"""The HeyGen API: one method for each endpoint over one private `_call`.

It has all operations of the contract, also those that the product does not use: the client is what the simulator is
tried with, and good for a look from a shell. Every method makes exactly one HTTP attempt (`video_statuses` one for each
part of its list, `list_event_types` one for each page), returns a typed result from `heygen.types` and raises only `heygen.ApiError`. Nothing is retried and
nothing sleeps: what to do after an error is the caller's business.

    client = Client(base_url="https://api.heygen.com", key=key)
    session = client.create_session(CreateSession(prompt="A short introduction", mode="chat"))
    client.read_session(session.session_id).status
"""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO, Any, Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests

from heygen import multipart
from heygen.decoding import WrongShape
from heygen.dialects import PATHS, Abilities, Dialect, create_body, send_body
from heygen.envelopes import failure, opened_body
from heygen.errors import ApiError, BadPayload, NotFound, Refused, Unsupported
from heygen.gates import Call, Exchange, Gate, Listener
from heygen.inputs import CreateSession, CreateStream, SendMessage
from heygen.json_types import JsonObject
from heygen.paging import every
from heygen.pool import Deadline, shared_http
from heygen.transport import Answer, Request, Secret, attempt, opened
from heygen.types import (
    Account,
    Appended,
    AvatarGroup,
    BrandGlossary,
    BrandKit,
    Cancelled,
    CreatedSession,
    CreatedStream,
    Deleted,
    DirectUpload,
    EventType,
    Look,
    Page,
    RemoteAsset,
    RemoteResource,
    RemoteSession,
    RemoteStream,
    RemoteVideo,
    RotatedSecret,
    Sent,
    SessionSummary,
    Stopped,
    Style,
    UploadedAsset,
    VideoStatus,
    Voice,
    WebhookEndpoint,
    WebhookEvent,
)
from heygen.words import WordStream

logger = logging.getLogger("heygen")

T = TypeVar("T")

NO_IDS: Mapping[str, str] = {}

Ownership = Literal["public", "private"]

# One request asks for no more ids than this, and for no more characters of them: they stand in the address.
IDS_PER_REQUEST = 100
ID_CHARACTERS_PER_REQUEST = 4_000

_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class PolledSession:
    """`session` is None when the answer is the one that the caller knows; `digest` is to be known next time."""

    digest: str
    session: RemoteSession | None


class Client:
    """One HeyGen account, spoken to in one dialect. Safe to share between threads.

    `gate` is asked before each HTTP attempt and told how it went; None lets everything pass. `listener` hears what
    JSON calls said, for the record. The deadlines
    are in seconds for a whole call, connect to last byte; `transfer_deadline` is for calls that carry a file.
    """

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        dialect: Dialect = Dialect.CURRENT,
        gate: Gate | None = None,
        listener: Listener | None = None,
        http: requests.Session | None = None,
        read_deadline: float = 30,
        write_deadline: float = 120,
        transfer_deadline: float = 600,
    ) -> None:
        self._base_url = _checked(base_url)
        self._key = Secret(key)
        self._dialect = Dialect(dialect)
        self._gate = gate
        self._listener = listener
        self._http = http if http is not None else shared_http()
        self._read_deadline = read_deadline
        self._write_deadline = write_deadline
        self._transfer_deadline = transfer_deadline

    def __repr__(self) -> str:
        return f"Client({self._base_url!r}, dialect={self._dialect.value!r})"

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def abilities(self) -> Abilities:
        """What this client's dialect can do."""
        return self._dialect.abilities

    # -------------------------------------------------------------- sessions

    def create_session(self, wanted: CreateSession) -> CreatedSession:
        """Start a session. Paid, and not repeatable after NoAnswer or ServerError."""
        paths = PATHS[self._dialect]
        body = create_body(self._dialect, wanted)

        def decode(value: Any) -> CreatedSession:
            return CreatedSession.from_json(value, default_status=paths.new_status)

        try:
            return self._call("POST", paths.create, decode, body=body, paid=True)
        except Refused as refusal:
            other = _dialect_refusal(refusal, self._dialect)
        raise other

    def list_sessions(self, limit: int = 20, token: str | None = None) -> Page[SessionSummary]:
        """Sessions, newest first, without status; `limit` 1-100. Unsupported in the old dialect."""
        self._need(self.abilities.list_sessions, "list of sessions")
        return self._page("/v3/video-agents", SessionSummary.from_json, limit=limit, token=token)

    def read_session(self, session_id: str) -> RemoteSession:
        """Status, progress and the newest 40 messages."""
        return self._call(
            "GET", PATHS[self._dialect].session, RemoteSession.from_json, ids={"session_id": session_id}
        )

    def poll_session(self, session_id: str, known: str = "") -> PolledSession:
        """Like `read_session`, at a third less CPU when the answer is byte for byte the one that `known` is of.

        `known` is the digest of an earlier answer; "" is none.
        """
        body_digest = ""

        def decode(answer: Answer) -> RemoteSession | None:
            nonlocal body_digest
            body_digest = blake2b(answer.body, digest_size=16).hexdigest()
            return None if body_digest == known else _decoded(answer, RemoteSession.from_json)

        template = PATHS[self._dialect].session
        session = self._attempt(
            Call("GET", template, paid=False, write=False),
            self._request("GET", template, {"session_id": session_id}),
            self._read_deadline,
            decode,
        )
        return PolledSession(digest=body_digest, session=session)

    def send_message(self, session_id: str, message: SendMessage) -> Sent:
        """Answer, approve or ask for changes. Paid, and not repeatable after NoAnswer or ServerError."""
        body = send_body(self._dialect, message)
        path = PATHS[self._dialect].send
        return self._call("POST", path, Sent.from_json, body=body, paid=True, ids={"session_id": session_id})

    def stop_session(self, session_id: str) -> Stopped:
        """Ask the agent to halt at its next checkpoint; may be repeated."""
        path = PATHS[self._dialect].stop
        return self._call("POST", path, Stopped.from_json, body={}, ids={"session_id": session_id})

    def read_resource(self, session_id: str, resource_id: str) -> RemoteResource:
        """One resource; NotFound may mean that it cannot be read yet. Works in both dialects."""
        path = PATHS[self._dialect].resource
        if path:
            return self._call(
                "GET",
                path,
                RemoteResource.from_json,
                ids={"session_id": session_id, "resource_id": resource_id},
            )
        listed = self.list_resources(session_id, resource_ids=[resource_id], limit=1)
        for resource in listed.items:
            if resource.resource_id == resource_id:
                return resource
        raise NotFound("the list of resources does not have it", status=404, code="resource_not_found")

    def list_resources(
        self,
        session_id: str,
        *,
        resource_ids: Sequence[str] = (),
        type: str | None = None,
        source: Literal["generated", "user_uploaded"] | None = None,
        limit: int = 100,
        token: str | None = None,
    ) -> Page[RemoteResource]:
        """Resources of a session; `limit` 1-100 and at least the number of ids. Old dialect only."""
        self._need(self.abilities.list_resources, "list of resources")
        return self._page(
            PATHS[self._dialect].resources,
            RemoteResource.from_json,
            query={"resource_ids": ",".join(resource_ids), "type": type, "source": source},
            limit=limit,
            token=token,
            ids={"session_id": session_id},
        )

    def list_session_videos(self, session_id: str, token: str | None = None) -> Page[RemoteVideo]:
        """Videos of a session, newest first. Unsupported in the old dialect."""
        self._need(self.abilities.list_session_videos, "list of a session's videos")
        path = "/v3/video-agents/{session_id}/videos"
        return self._page(path, RemoteVideo.from_json, token=token, ids={"session_id": session_id})

    def list_styles(
        self, *, tag: str | None = None, limit: int = 50, token: str | None = None
    ) -> Page[Style]:
        """Visual styles. `limit` 1-50: sources disagree whether more is allowed."""
        return self._page(
            "/v3/video-agents/styles", Style.from_json, query={"tag": tag}, limit=min(limit, 50), token=token
        )

    # ---------------------------------------------------------------- videos

    def list_videos(
        self,
        *,
        folder_id: str | None = None,
        title: str | None = None,
        limit: int = 10,
        token: str | None = None,
    ) -> Page[RemoteVideo]:
        """Videos of the account; `title` is a part of it, `limit` 1-100."""
        query = {"folder_id": folder_id, "title": title}
        return self._page("/v3/videos", RemoteVideo.from_json, query=query, limit=limit, token=token)

    def read_video(self, video_id: str) -> RemoteVideo:
        """One video with fresh links: read it right before they are used."""
        return self._call("GET", "/v3/videos/{video_id}", RemoteVideo.from_json, ids={"video_id": video_id})

    def delete_video(self, video_id: str) -> Deleted:
        """Delete a video for good; may be repeated, NotFound then means done."""
        return self._call("DELETE", "/v3/videos/{video_id}", _deleted(video_id), ids={"video_id": video_id})

    def video_statuses(
        self, video_ids: Sequence[str] = (), *, batch_ids: Sequence[str] = ()
    ) -> tuple[VideoStatus, ...]:
        """States of many videos, one request for each hundred; unknown ids come back as "not_found"."""
        parts: list[tuple[str, list[str]]] = []
        parts += [("video_ids", part) for part in _parts(list(dict.fromkeys(video_ids)))]
        parts += [("batch_ids", part) for part in _parts(list(dict.fromkeys(batch_ids)))]
        found: list[VideoStatus] = []
        for name, part in parts:
            found += every(functools.partial(self._statuses, {name: ",".join(part)}))
        return tuple(found)

    def _statuses(self, query: Mapping[str, str], token: str | None) -> Page[VideoStatus]:
        return self._page("/v3/videos/statuses", VideoStatus.from_json, query=query, token=token)

    # ------------------------------------------------------------- catalogue

    def list_avatars(
        self, *, ownership: Ownership | None = None, limit: int = 50, token: str | None = None
    ) -> Page[AvatarGroup]:
        """Avatars, that is, groups of looks; `limit` 1-50."""
        return self._page(
            "/v3/avatars",
            AvatarGroup.from_json,
            query={"ownership": ownership},
            limit=min(limit, 50),
            token=token,
        )

    def read_avatar(self, group_id: str) -> AvatarGroup:
        return self._call("GET", "/v3/avatars/{group_id}", AvatarGroup.from_json, ids={"group_id": group_id})

    def list_looks(
        self,
        *,
        group_id: str | None = None,
        avatar_type: str | None = None,
        ownership: Ownership | None = None,
        limit: int = 50,
        token: str | None = None,
    ) -> Page[Look]:
        """Looks, whose ids `avatar_id` fields want; `limit` 1-50."""
        query = {"group_id": group_id, "avatar_type": avatar_type, "ownership": ownership}
        return self._page("/v3/avatars/looks", Look.from_json, query=query, limit=min(limit, 50), token=token)

    def read_look(self, look_id: str) -> Look:
        return self._call("GET", "/v3/avatars/looks/{look_id}", Look.from_json, ids={"look_id": look_id})

    def list_voices(
        self,
        *,
        type: Ownership | None = None,
        engine: str | None = None,
        language: str | None = None,
        gender: str | None = None,
        limit: int = 100,
        token: str | None = None,
    ) -> Page[Voice]:
        """Voices; the server's default `type` is public, own voices are a second call. `limit` 1-100."""
        query = {"type": type, "engine": engine, "language": language, "gender": gender}
        return self._page("/v3/voices", Voice.from_json, query=query, limit=limit, token=token)

    def read_voice(self, voice_id: str) -> Voice:
        return self._call("GET", "/v3/voices/{voice_id}", Voice.from_json, ids={"voice_id": voice_id})

    def list_brand_kits(self, *, limit: int = 100, token: str | None = None) -> Page[BrandKit]:
        """Brand kits; `limit` 1-100."""
        return self._page("/v3/brand-kits", BrandKit.from_json, limit=limit, token=token)

    def list_brand_glossaries(self, *, limit: int = 100, token: str | None = None) -> Page[BrandGlossary]:
        """Brand glossaries; `limit` 1-100."""
        return self._page("/v3/brand-glossaries", BrandGlossary.from_json, limit=limit, token=token)

    # --------------------------------------------------------------- account

    def me(self) -> Account:
        """Whose key this is, and the balance: a cheap check of a new key."""
        return self._call("GET", "/v3/users/me", Account.from_json)

    # ---------------------------------------------------------------- assets

    def upload_asset(
        self, stream: IO[bytes], filename: str, content_type: str, idempotency_key: str | None = None
    ) -> UploadedAsset:
        """Upload a file of at most 32 MB; repeatable with the same key.

        `stream` is read from where it stands; one that cannot seek is read into memory first.
        """
        upload = multipart.Upload(stream, filename, content_type)
        headers = {"Content-Type": upload.content_type, "Content-Length": str(upload.length)}
        return self._call(
            "POST",
            "/v3/assets",
            UploadedAsset.from_json,
            body=upload,
            headers=headers,
            idempotency_key=idempotency_key,
        )

    def create_direct_upload(
        self, filename: str, content_type: str, size_bytes: int, checksum_sha256: str | None = None
    ) -> DirectUpload:
        """Ask for a signed address for a large file. `checksum_sha256` in hex."""
        body: JsonObject = {"filename": filename, "content_type": content_type, "size_bytes": size_bytes}
        if checksum_sha256:
            body["checksum_sha256"] = checksum_sha256
        return self._call("POST", "/v3/assets/direct-uploads", DirectUpload.from_json, body=body)

    def put_upload(self, upload: DirectUpload, stream: IO[bytes], size_bytes: int) -> None:
        """Put exactly `size_bytes` bytes of `stream` to the signed address; the key is not sent there."""
        if not self._may_receive_files(upload.upload_url):
            raise BadPayload("the upload address is not https", code="upload_url")
        for name, value in upload.upload_headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise BadPayload("the upload headers are not usable", code="upload_headers")
        headers = {**upload.upload_headers, "Content-Length": str(size_bytes)}
        request = Request("PUT", upload.upload_url, "", None, headers, multipart.Part(stream, size_bytes))
        self._attempt(
            Call("PUT", "upload_url", paid=False, write=True),
            request,
            self._transfer_deadline,
            lambda answer: None,
        )

    def complete_upload(self, asset_id: str, checksum_sha256: str | None = None) -> UploadedAsset:
        """Finish a direct upload; repeatable. Conflict means that the bytes have not arrived yet."""
        body: JsonObject = {"checksum_sha256": checksum_sha256} if checksum_sha256 else {}
        path = "/v3/assets/{asset_id}/complete"
        return self._call("POST", path, UploadedAsset.from_json, body=body, ids={"asset_id": asset_id})

    def read_asset(self, asset_id: str) -> RemoteAsset:
        return self._call("GET", "/v3/assets/{asset_id}", RemoteAsset.from_json, ids={"asset_id": asset_id})

    def list_assets(
        self, username: str, *, folder_id: str | None = None, limit: int = 20, token: str | None = None
    ) -> Page[RemoteAsset]:
        """Files of one member of the account; `folder_id` "" is the root, `limit` 1-100."""
        query = {"username": username, "folder_id": folder_id}
        return self._page(
            "/v3/assets", RemoteAsset.from_json, query=query, limit=limit, token=token, empty=("folder_id",)
        )

    def delete_asset(self, asset_id: str) -> Deleted:
        return self._call("DELETE", "/v3/assets/{asset_id}", _deleted(asset_id), ids={"asset_id": asset_id})

    # -------------------------------------------------------------- realtime

    def create_stream(self, wanted: CreateStream) -> str:
        """Start a live stream and return its id. Paid, not repeatable, and no list can find it again."""
        created = self._call(
            "POST", "/v3/avatar-realtime", CreatedStream.from_json, body=wanted.body(), paid=True
        )
        return created.stream_id

    def read_stream(self, stream_id: str) -> RemoteStream:
        path = "/v3/avatar-realtime/{stream_id}"
        return self._call("GET", path, RemoteStream.from_json, ids={"stream_id": stream_id})

    def append_text(self, stream_id: str, delta: str, final: bool = False) -> Appended:
        """Push text to be spoken; a repeat is spoken twice. Gone, NotFound, Conflict: the stream takes no more.

        `delta` may be empty only with `final`. One call at a time per stream: order of arrival is order of
        speech.
        """
        body: JsonObject = {"delta": delta}
        if final:
            body["final"] = True
        path = "/v3/avatar-realtime/{stream_id}/text"
        return self._call("POST", path, Appended.from_json, body=body, ids={"stream_id": stream_id})

    def cancel_stream(self, stream_id: str) -> bool:
        """End a stream early; repeatable. False when it had already ended."""
        path = "/v3/avatar-realtime/{stream_id}/cancel"
        return self._call("POST", path, Cancelled.from_json, ids={"stream_id": stream_id}).cancelled

    def words(self, stream_id: str, *, max_seconds: float = 3_900, idle_seconds: float = 60) -> WordStream:
        """Follow the words that are spoken, from the first one on: see `WordStream`.

        Ends with EndOfWords, or quietly after `max_seconds`, or when nothing at all came for `idle_seconds`
        (pauses in speech of a text stream reach 30 s).
        """
        template = "/v3/avatar-realtime/{stream_id}/words"
        request = self._request(
            "GET", template, {"stream_id": stream_id}, headers={"Accept": "text/event-stream"}
        )
        call = Call("GET", template, paid=False, write=False)
        deadline = Deadline(max_seconds, idle=idle_seconds)

        def open_stream() -> WordStream:
            response = opened(self._http, request, deadline)
            return WordStream.over(response)

        return self._gated(call, open_stream)

    # -------------------------------------------------------------- webhooks

    def list_event_types(self) -> tuple[EventType, ...]:
        """What an endpoint can be told about."""
        path = "/v3/webhooks/event-types"
        return tuple(every(lambda token: self._page(path, EventType.from_json, token=token)))

    def list_webhook_endpoints(self, *, limit: int = 100, token: str | None = None) -> Page[WebhookEndpoint]:
        """Registered addresses, without their secrets; `limit` 1-100."""
        return self._page("/v3/webhooks/endpoints", WebhookEndpoint.from_json, limit=limit, token=token)

    def create_webhook_endpoint(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        entity_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookEndpoint:
        """Register an https address; None for `events` means all. The answer holds the signing secret: save it.

        Conflict: the address is registered already. Repeatable with the same key.
        """
        body: JsonObject = {"url": url}
        if events is not None:
            body["events"] = list(events)
        if entity_id:
            body["entity_id"] = entity_id
        return self._call(
            "POST",
            "/v3/webhooks/endpoints",
            WebhookEndpoint.from_json,
            body=body,
            idempotency_key=idempotency_key,
        )

    def update_webhook_endpoint(
        self, endpoint_id: str, *, url: str | None = None, events: Sequence[str] | None = None
    ) -> WebhookEndpoint:
        """Change the address or replace the list of events; at least one of them."""
        body: JsonObject = {}
        if url is not None:
            body["url"] = url
        if events is not None:
            body["events"] = list(events)
        path = "/v3/webhooks/endpoints/{endpoint_id}"
        return self._call(
            "PATCH", path, WebhookEndpoint.from_json, body=body, ids={"endpoint_id": endpoint_id}
        )

    def delete_webhook_endpoint(self, endpoint_id: str) -> Deleted:
        """Remove an address; may be repeated, NotFound then means done."""
        path = "/v3/webhooks/endpoints/{endpoint_id}"
        return self._call("DELETE", path, _deleted(endpoint_id), ids={"endpoint_id": endpoint_id})

    def rotate_webhook_secret(self, endpoint_id: str, *, idempotency_key: str | None = None) -> RotatedSecret:
        """Replace the signing secret; the old one is dead at once. Repeatable with the same key."""
        return self._call(
            "POST",
            "/v3/webhooks/endpoints/{endpoint_id}/rotate-secret",
            RotatedSecret.from_json,
            idempotency_key=idempotency_key,
            ids={"endpoint_id": endpoint_id},
        )

    def list_webhook_events(
        self,
        *,
        event_type: str | None = None,
        entity_id: str | None = None,
        limit: int = 100,
        token: str | None = None,
    ) -> Page[WebhookEvent]:
        """Notices of the past, to catch up on what did not arrive; `limit` 1-100."""
        query = {"event_type": event_type, "entity_id": entity_id}
        return self._page(
            "/v3/webhooks/events", WebhookEvent.from_json, query=query, limit=limit, token=token
        )

    # ---------------------------------------------------------- the one call

    def _page(
        self,
        template: str,
        decode: Callable[[Any], T],
        *,
        query: Mapping[str, str | int | None] | None = None,
        limit: int | None = None,
        token: str | None = None,
        empty: tuple[str, ...] = (),
        ids: Mapping[str, str] = NO_IDS,
    ) -> Page[T]:
        """One page of a list. Empty query values are left out, save those named in `empty`."""
        asked = {**(query or {}), "limit": limit, "token": token}
        kept = {name: value for name, value in asked.items() if value or (name in empty and value == "")}
        return self._call(
            "GET", template, lambda body: Page.from_json(body, decode), query=kept, whole=True, ids=ids
        )

    def _call(
        self,
        method: str,
        template: str,
        decode: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: JsonObject | multipart.Upload | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        paid: bool = False,
        whole: bool = False,
        ids: Mapping[str, str] = NO_IDS,
    ) -> T:
        """Make one attempt and decode `data` of the answer (`whole`: the answer with its envelope)."""
        sent = dict(headers or {})
        if idempotency_key is not None:
            if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
                raise ValueError(f"{idempotency_key!r} is no idempotency key")
            sent["Idempotency-Key"] = idempotency_key
        request = self._request(method, template, ids, query=query, headers=sent, body=body)
        write = method != "GET"
        return self._attempt(
            Call(method, template, paid=paid, write=write),
            request,
            self._deadline_for(write=write, file=isinstance(body, multipart.Upload)),
            lambda answer: _decoded(answer, decode, whole=whole),
        )

    def _request(
        self,
        method: str,
        template: str,
        ids: Mapping[str, str],
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: JsonObject | multipart.Upload | None = None,
    ) -> Request:
        path = (
            template.format_map({name: _segment(value) for name, value in ids.items()}) if ids else template
        )
        url = self._base_url + path + (f"?{urlencode(query)}" if query else "")
        return Request.of(method, url, template, self._key, headers or {}, body)

    def _attempt(self, call: Call, request: Request, seconds: float, decode: Callable[[Answer], T]) -> T:
        def once() -> T:
            begun = time.monotonic()
            answer: Answer | None = None
            try:
                answer = attempt(self._http, request, Deadline(seconds))
            finally:
                self._tell(call, request, answer, time.monotonic() - begun)
            if answer.status >= 300:
                raise failure(answer)
            return decode(answer)

        return self._gated(call, once)

    def _tell(self, call: Call, request: Request, answer: Answer | None, seconds: float) -> None:
        if self._listener is None:
            return
        said = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else ""
        heard = answer.body.decode("utf-8", "replace") if answer is not None else ""
        status = answer.status if answer is not None else None
        self._listener(Exchange(call, self._key.hide_in(said), status, self._key.hide_in(heard), seconds))

    def _deadline_for(self, *, write: bool, file: bool) -> float:
        if file:
            return self._transfer_deadline
        return self._write_deadline if write else self._read_deadline

    def _gated(self, call: Call, once: Callable[[], T]) -> T:
        """Let the gate admit and observe one attempt; whatever it raises holds no key."""
        if self._gate is not None:
            self._gate.admit(call)
        error: ApiError | None = None
        try:
            result = once()
        except ApiError as problem:
            error = problem
        if error is not None:
            _redact(error, self._key)
        self._observe(call, error)
        if error is not None:
            # Without the inner frames: their variables hold what was received, which may quote the key.
            error.__context__ = None
            raise error.with_traceback(None)
        return result

    def _observe(self, call: Call, error: ApiError | None) -> None:
        if self._gate is None:
            return
        try:
            self._gate.observe(call, error)
        except Exception:
            # The answer to a paid call must not be lost because its bookkeeping failed.
            logger.exception("gate could not observe %s %s", call.method, call.template)

    def _need(self, ability: bool, what: str) -> None:
        if not ability:
            raise Unsupported(f"the dialect {self._dialect.value!r} has no {what}", code="unsupported")

    def _may_receive_files(self, address: str) -> bool:
        """Whether files may be put there: over TLS anywhere, otherwise to the API's own host only."""
        parts, own = urlsplit(address), urlsplit(self._base_url)
        return parts.scheme == "https" or (parts.scheme, parts.netloc) == (own.scheme, own.netloc)


def _decoded(answer: Answer, decode: Callable[[Any], T], *, whole: bool = False) -> T:
    body = opened_body(answer)
    try:
        return decode(body if whole else body.get("data"))
    except WrongShape as problem:
        reason = str(problem)
    raise BadPayload(reason, status=answer.status, code="wrong_shape")


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{base_url!r} is not an http or https address")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("the base address is scheme, host and path only")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _segment(value: str) -> str:
    """An id as one path segment; ids are opaque and may hold anything. Raises NotFound for an empty one."""
    if value in {"", ".", ".."}:
        # Such a path would name another endpoint.
        raise NotFound(f"nothing has the id {value!r}", code="not_found")
    return quote(value, safe="")


def _parts(ids: list[str]) -> list[list[str]]:
    """`ids` in groups that fit into one request."""
    parts: list[list[str]] = []
    size = 0
    for one in ids:
        if not parts or len(parts[-1]) == IDS_PER_REQUEST or size + len(one) > ID_CHARACTERS_PER_REQUEST:
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += len(one) + 1
    return parts


def _deleted(asked: str) -> Callable[[Any], Deleted]:
    def decode(value: Any) -> Deleted:
        raw = value if isinstance(value, dict) else {}
        named = raw.get("id") or raw.get("endpoint_id")
        return Deleted(id=named if isinstance(named, str) else asked, raw=raw)

    return decode


def _dialect_refusal(refusal: Refused, dialect: Dialect) -> Refused:
    """A create refused because the server does not speak this dialect, said so; any other as it came.

    On a current-only server the old path looks like "send a message to the session named sessions", which is
    answered with 404 or with a complaint about the missing `message`. Source: section 4.1.
    """
    complains = refusal.status in {400, 422} and refusal.param == "message" and dialect is Dialect.SESSIONS
    if refusal.status not in {404, 405} and not complains:
        return refusal
    return Refused(
        f"the server does not speak the dialect {dialect.value!r}: {refusal.message}",
        status=refusal.status,
        code="dialect_not_supported",
        doc_url=refusal.doc_url,
        request_id=refusal.request_id,
    )


def _redact(error: ApiError, key: Secret) -> None:
    """Servers and proxies may quote what they were sent."""
    error.message = key.hide_in(error.message)
    error.code = key.hide_in(error.code)
    error.param = key.hide_in(error.param) if error.param else None
    error.doc_url = key.hide_in(error.doc_url) if error.doc_url else None
    error.request_id = key.hide_in(error.request_id) if error.request_id else None
    error.args = tuple(key.hide_in(part) if isinstance(part, str) else part for part in error.args)
