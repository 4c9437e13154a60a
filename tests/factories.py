"""One boring factory for each model."""

from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from realtime_app.models import Stream, StreamGroup, StreamKind
from sessions_app.models import MediaFile, MediaRole, Message, Resource, Upload, Video, VideoSession
from workspaces_app.models import CatalogueItem, CatalogueKind, Membership, Role, User, Workspace

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"person{number}@example.com")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **kwargs)


class WorkspaceFactory(DjangoModelFactory):
    class Meta:
        model = Workspace
        skip_postgeneration_save = True  # the hook saves what it sets

    name = factory.Sequence(lambda number: f"Workspace {number}")
    slug = factory.Sequence(lambda number: f"workspace-{number}")
    base_url = "http://127.0.0.1:9"

    @factory.post_generation
    def key(workspace: Workspace, create: bool, extracted: str | None, **kwargs: Any) -> None:
        """`WorkspaceFactory(key="sk_…")` stores an encrypted key, without asking HeyGen."""
        if extracted is None:
            return
        from workspaces_app import crypto

        workspace.encrypted_key = crypto.seal(extracted)
        workspace.key_fingerprint = crypto.fingerprint(extracted)
        workspace.key_last4 = extracted[-4:]
        workspace.save(update_fields=["encrypted_key", "key_fingerprint", "key_last4"])


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    workspace = factory.SubFactory(WorkspaceFactory)
    role = Role.VIEWER


class CatalogueItemFactory(DjangoModelFactory):
    class Meta:
        model = CatalogueItem

    workspace = factory.SubFactory(WorkspaceFactory)
    kind = CatalogueKind.LOOK
    remote_id = factory.Sequence(lambda number: f"look_{number}")
    name = factory.Sequence(lambda number: f"Look {number}")
    position = factory.Sequence(int)


class UploadFactory(DjangoModelFactory):
    class Meta:
        model = Upload

    workspace = factory.SubFactory(WorkspaceFactory)
    owner = factory.SubFactory(UserFactory)
    filename = "logo.png"
    content_type = "image/png"
    size = 33
    asset_id = factory.Sequence(lambda number: f"asset_{number}")


class StreamFactory(DjangoModelFactory):
    class Meta:
        model = Stream

    workspace = factory.SubFactory(WorkspaceFactory)
    stream_id = factory.Sequence(lambda number: f"stream_{number}")
    kind = StreamKind.TEXT_STREAM
    title = factory.Sequence(lambda number: f"Stream {number}")
    avatar_id = "look_1"
    voice_id = "voice_1"
    text = "Good morning."
    group = StreamGroup.STREAMING
    status = "streaming"


class VideoSessionFactory(DjangoModelFactory):
    class Meta:
        model = VideoSession

    workspace = factory.SubFactory(WorkspaceFactory)
    remote_id = factory.Sequence(lambda number: f"sess_{number}")
    prompt = "A film about a bakery"
    status = "thinking"
    active_at = factory.LazyFunction(timezone.now)
    status_since = factory.LazyFunction(timezone.now)


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    session = factory.SubFactory(VideoSessionFactory)
    position = 0
    role = "model"
    type = "text"
    content = "Working on it."
    first_seen_at = factory.LazyFunction(timezone.now)
    version = 1


class ResourceFactory(DjangoModelFactory):
    class Meta:
        model = Resource

    session = factory.SubFactory(VideoSessionFactory)
    workspace = factory.SelfAttribute("session.workspace")
    resource_id = factory.Sequence(lambda number: f"res_{number}")
    type = "image"
    message_position = 0
    first_seen_at = factory.LazyFunction(timezone.now)
    read_at = factory.LazyFunction(timezone.now)


class VideoFactory(DjangoModelFactory):
    class Meta:
        model = Video

    session = factory.SubFactory(VideoSessionFactory)
    workspace = factory.SelfAttribute("session.workspace")
    video_id = factory.Sequence(lambda number: f"v_{number}")
    status = "completed"
    group = "done"
    first_seen_at = factory.LazyFunction(timezone.now)


class MediaFileFactory(DjangoModelFactory):
    class Meta:
        model = MediaFile

    resource = factory.SubFactory(ResourceFactory)
    workspace = factory.LazyAttribute(lambda file: (file.resource or file.video).workspace)
    role = MediaRole.MAIN
    remote_url = "https://files.heygen.ai/one.png?signature=1"
