"""A HeyGen client without a network, and builders for what HeyGen answers.

    client = FakeClient(read_session=[remote_session(status="thinking"), heygen.NotFound(status=404)])

One FakeClient for all unit tests: it has the public names and parameters of `heygen.Client`, which a test
checks. Whatever must be proven about the wire is tested against the simulator instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

import heygen
from heygen import (
    Abilities,
    Account,
    Appended,
    AvatarGroup,
    BrandGlossary,
    BrandKit,
    CreatedSession,
    CreateSession,
    CreateStream,
    Deleted,
    Dialect,
    DirectUpload,
    EventType,
    Look,
    Page,
    PolledSession,
    RemoteAsset,
    RemoteMessage,
    RemoteResource,
    RemoteSession,
    RemoteStream,
    RemoteVideo,
    RotatedSecret,
    SendMessage,
    Sent,
    SessionSummary,
    Stopped,
    Style,
    UploadedAsset,
    VideoStatus,
    Voice,
    WebhookEndpoint,
    WebhookEvent,
    WordStream,
)
from heygen.client import Ownership


@dataclass(frozen=True, slots=True)
class FakeCall:
    """One call as it was made: the method's name and every argument by its name."""

    name: str
    arguments: Mapping[str, Any]


class FakeClient:
    """Serves scripted answers; `calls` holds what was asked, in order.

    For each method name: a list is served one by one and must suffice, anything else is the answer every
    time. An exception is raised, a function is called with the arguments by name. A call without a script
    fails the test. `poll_session` follows the script of `read_session` unless it has its own.
    """

    def __init__(self, *, dialect: Dialect = Dialect.CURRENT, **answers: Any) -> None:
        unknown = {name for name in answers if name.startswith("_") or not hasattr(heygen.Client, name)}
        if unknown:
            raise TypeError(f"heygen.Client has no {sorted(unknown)}")
        self._dialect = dialect
        self._answers = {name: list(one) if isinstance(one, list) else one for name, one in answers.items()}
        self.calls: list[FakeCall] = []

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @property
    def base_url(self) -> str:
        return "https://heygen.invalid"

    @property
    def abilities(self) -> Abilities:
        return self._dialect.abilities

    def called(self, name: str) -> list[Mapping[str, Any]]:
        """The arguments of every call of one method."""
        return [call.arguments for call in self.calls if call.name == name]

    def _answer(self, name: str, **arguments: Any) -> Any:
        self.calls.append(FakeCall(name, arguments))
        if name not in self._answers:
            raise AssertionError(f"FakeClient has no answer for {name}({arguments})")
        answer = self._answers[name]
        if isinstance(answer, list):
            if not answer:
                raise AssertionError(f"FakeClient has no further answer for {name}({arguments})")
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(**arguments) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def _polled(self, session_id: str, known: str) -> PolledSession:
        if "poll_session" in self._answers:
            polled: PolledSession = self._answer("poll_session", session_id=session_id, known=known)
            return polled
        session = self.read_session(session_id)
        digest = hashlib.blake2b(json.dumps(session.raw).encode(), digest_size=16).hexdigest()
        return PolledSession(digest=digest, session=None if digest == known else session)

    def create_session(self, wanted: CreateSession) -> CreatedSession:
        return self._answer("create_session", wanted=wanted)

    def list_sessions(self, limit: int = 20, token: str | None = None) -> Page[SessionSummary]:
        return self._answer("list_sessions", limit=limit, token=token)

    def read_session(self, session_id: str) -> RemoteSession:
        return self._answer("read_session", session_id=session_id)

    def poll_session(self, session_id: str, known: str = "") -> PolledSession:
        return self._polled(session_id, known)

    def send_message(self, session_id: str, message: SendMessage) -> Sent:
        return self._answer("send_message", session_id=session_id, message=message)

    def stop_session(self, session_id: str) -> Stopped:
        return self._answer("stop_session", session_id=session_id)

    def read_resource(self, session_id: str, resource_id: str) -> RemoteResource:
        return self._answer("read_resource", session_id=session_id, resource_id=resource_id)

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
        return self._answer(
            "list_resources",
            session_id=session_id,
            resource_ids=resource_ids,
            type=type,
            source=source,
            limit=limit,
            token=token,
        )

    def list_session_videos(self, session_id: str, token: str | None = None) -> Page[RemoteVideo]:
        return self._answer("list_session_videos", session_id=session_id, token=token)

    def list_styles(
        self, *, tag: str | None = None, limit: int = 50, token: str | None = None
    ) -> Page[Style]:
        return self._answer("list_styles", tag=tag, limit=limit, token=token)

    def list_videos(
        self,
        *,
        folder_id: str | None = None,
        title: str | None = None,
        limit: int = 10,
        token: str | None = None,
    ) -> Page[RemoteVideo]:
        return self._answer("list_videos", folder_id=folder_id, title=title, limit=limit, token=token)

    def read_video(self, video_id: str) -> RemoteVideo:
        return self._answer("read_video", video_id=video_id)

    def delete_video(self, video_id: str) -> Deleted:
        return self._answer("delete_video", video_id=video_id)

    def video_statuses(
        self, video_ids: Sequence[str] = (), *, batch_ids: Sequence[str] = ()
    ) -> tuple[VideoStatus, ...]:
        return self._answer("video_statuses", video_ids=video_ids, batch_ids=batch_ids)

    def list_avatars(
        self, *, ownership: Ownership | None = None, limit: int = 50, token: str | None = None
    ) -> Page[AvatarGroup]:
        return self._answer("list_avatars", ownership=ownership, limit=limit, token=token)

    def read_avatar(self, group_id: str) -> AvatarGroup:
        return self._answer("read_avatar", group_id=group_id)

    def list_looks(
        self,
        *,
        group_id: str | None = None,
        avatar_type: str | None = None,
        ownership: Ownership | None = None,
        limit: int = 50,
        token: str | None = None,
    ) -> Page[Look]:
        return self._answer(
            "list_looks",
            group_id=group_id,
            avatar_type=avatar_type,
            ownership=ownership,
            limit=limit,
            token=token,
        )

    def read_look(self, look_id: str) -> Look:
        return self._answer("read_look", look_id=look_id)

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
        return self._answer(
            "list_voices",
            type=type,
            engine=engine,
            language=language,
            gender=gender,
            limit=limit,
            token=token,
        )

    def read_voice(self, voice_id: str) -> Voice:
        return self._answer("read_voice", voice_id=voice_id)

    def list_brand_kits(self, *, limit: int = 100, token: str | None = None) -> Page[BrandKit]:
        return self._answer("list_brand_kits", limit=limit, token=token)

    def list_brand_glossaries(self, *, limit: int = 100, token: str | None = None) -> Page[BrandGlossary]:
        return self._answer("list_brand_glossaries", limit=limit, token=token)

    def me(self) -> Account:
        return self._answer("me")

    def upload_asset(
        self, stream: IO[bytes], filename: str, content_type: str, idempotency_key: str | None = None
    ) -> UploadedAsset:
        return self._answer(
            "upload_asset",
            stream=stream,
            filename=filename,
            content_type=content_type,
            idempotency_key=idempotency_key,
        )

    def create_direct_upload(
        self, filename: str, content_type: str, size_bytes: int, checksum_sha256: str | None = None
    ) -> DirectUpload:
        return self._answer(
            "create_direct_upload",
            filename=filename,
            content_type=content_type,
            size_bytes=size_bytes,
            checksum_sha256=checksum_sha256,
        )

    def put_upload(self, upload: DirectUpload, stream: IO[bytes], size_bytes: int) -> None:
        self._answer("put_upload", upload=upload, stream=stream, size_bytes=size_bytes)

    def complete_upload(self, asset_id: str, checksum_sha256: str | None = None) -> UploadedAsset:
        return self._answer("complete_upload", asset_id=asset_id, checksum_sha256=checksum_sha256)

    def read_asset(self, asset_id: str) -> RemoteAsset:
        return self._answer("read_asset", asset_id=asset_id)

    def list_assets(
        self, username: str, *, folder_id: str | None = None, limit: int = 20, token: str | None = None
    ) -> Page[RemoteAsset]:
        return self._answer("list_assets", username=username, folder_id=folder_id, limit=limit, token=token)

    def delete_asset(self, asset_id: str) -> Deleted:
        return self._answer("delete_asset", asset_id=asset_id)

    def create_stream(self, wanted: CreateStream) -> str:
        return self._answer("create_stream", wanted=wanted)

    def read_stream(self, stream_id: str) -> RemoteStream:
        return self._answer("read_stream", stream_id=stream_id)

    def append_text(self, stream_id: str, delta: str, final: bool = False) -> Appended:
        return self._answer("append_text", stream_id=stream_id, delta=delta, final=final)

    def cancel_stream(self, stream_id: str) -> bool:
        return self._answer("cancel_stream", stream_id=stream_id)

    def words(self, stream_id: str, *, max_seconds: float = 3900, idle_seconds: float = 60) -> WordStream:
        return self._answer("words", stream_id=stream_id, max_seconds=max_seconds, idle_seconds=idle_seconds)

    def list_event_types(self) -> tuple[EventType, ...]:
        return self._answer("list_event_types")

    def list_webhook_endpoints(self, *, limit: int = 100, token: str | None = None) -> Page[WebhookEndpoint]:
        return self._answer("list_webhook_endpoints", limit=limit, token=token)

    def create_webhook_endpoint(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        entity_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookEndpoint:
        return self._answer(
            "create_webhook_endpoint",
            url=url,
            events=events,
            entity_id=entity_id,
            idempotency_key=idempotency_key,
        )

    def update_webhook_endpoint(
        self, endpoint_id: str, *, url: str | None = None, events: Sequence[str] | None = None
    ) -> WebhookEndpoint:
        return self._answer("update_webhook_endpoint", endpoint_id=endpoint_id, url=url, events=events)

    def delete_webhook_endpoint(self, endpoint_id: str) -> Deleted:
        return self._answer("delete_webhook_endpoint", endpoint_id=endpoint_id)

    def rotate_webhook_secret(self, endpoint_id: str, *, idempotency_key: str | None = None) -> RotatedSecret:
        return self._answer("rotate_webhook_secret", endpoint_id=endpoint_id, idempotency_key=idempotency_key)

    def list_webhook_events(
        self,
        *,
        event_type: str | None = None,
        entity_id: str | None = None,
        limit: int = 100,
        token: str | None = None,
    ) -> Page[WebhookEvent]:
        return self._answer(
            "list_webhook_events", event_type=event_type, entity_id=entity_id, limit=limit, token=token
        )


# What HeyGen answers, read from JSON by the same code as on the wire, so that `raw` always fits.

CREATED = 1_790_000_000  # Unix seconds of everything that is not given a time


def remote_message(content: str = "Hello", role: str = "model", **fields: Any) -> RemoteMessage:
    return RemoteMessage.from_json(
        {
            "role": role,
            "content": content,
            "type": "text",
            "created_at": CREATED,
            "resource_ids": None,
            **fields,
        }
    )


def remote_session(
    session_id: str = "session-1",
    *,
    status: str = "thinking",
    messages: Sequence[RemoteMessage] = (),
    **fields: Any,
) -> RemoteSession:
    """`messages` are oldest first, as in the typed result."""
    return RemoteSession.from_json(
        {
            "session_id": session_id,
            "status": status,
            "progress": 0,
            "title": None,
            "video_id": None,
            "created_at": CREATED,
            "messages": [dict(message.raw) for message in reversed(messages)],
            **fields,
        }
    )


def created_session(session_id: str = "session-1", **fields: Any) -> CreatedSession:
    return CreatedSession.from_json(
        {"session_id": session_id, "status": "thinking", "video_id": None, "created_at": CREATED, **fields}
    )


def session_summary(session_id: str = "session-1", **fields: Any) -> SessionSummary:
    return SessionSummary.from_json(
        {"session_id": session_id, "title": None, "created_at": CREATED, **fields}
    )


def sent(session_id: str = "session-1", **fields: Any) -> Sent:
    return Sent.from_json({"session_id": session_id, "run_id": "run-1", "title": None, **fields})


def stopped(session_id: str = "session-1") -> Stopped:
    return Stopped.from_json({"session_id": session_id})


def remote_resource(
    resource_id: str = "resource-1", resource_type: str = "image", **fields: Any
) -> RemoteResource:
    return RemoteResource.from_json(
        {
            "resource_id": resource_id,
            "resource_type": resource_type,
            "source_type": "generated",
            "created_at": CREATED,
            **fields,
        }
    )


def remote_video(video_id: str = "video-1", status: str = "completed", **fields: Any) -> RemoteVideo:
    return RemoteVideo.from_json({"id": video_id, "status": status, "created_at": CREATED, **fields})


def remote_stream(stream_id: str = "stream-1", status: str = "pending", **fields: Any) -> RemoteStream:
    return RemoteStream.from_json({"stream_id": stream_id, "status": status, **fields})


def appended(buffered_bytes: int | None = 0) -> Appended:
    return Appended.from_json({"ok": True, "buffered_bytes": buffered_bytes})


def page(*items: Any, next_token: str | None = None) -> Page[Any]:
    return Page(items=items, next_token=next_token, raw={})
