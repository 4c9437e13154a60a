"""What the API answers with, as typed values.

Every class is frozen and keeps the JSON it was read from as `raw` (all of it, also what we don't know).
Times are aware and UTC. None means that HeyGen did not say; an empty tuple that there are none, null and
absent lists included. Statuses are HeyGen's own words, unchecked; `heygen.statuses` groups them.
`from_json` raises `heygen.decoding.WrongShape`, which the client turns into `BadPayload`.
"""

from heygen.types.account import Account, AutoReload, CreditBucket, Subscription, UsageBased, Wallet
from heygen.types.assets import DirectUpload, RemoteAsset, UploadedAsset
from heygen.types.catalogue import AvatarGroup, BrandGlossary, BrandKit, Look, TrainingError, Voice
from heygen.types.lists import Page
from heygen.types.realtime import (
    Appended,
    Cancelled,
    CreatedStream,
    EndOfWords,
    RemoteStream,
    Word,
    WordBatch,
)
from heygen.types.sessions import (
    MESSAGE_WINDOW,
    CreatedSession,
    RemoteMessage,
    RemoteResource,
    RemoteSession,
    Sent,
    SessionSummary,
    Stopped,
    Style,
)
from heygen.types.videos import Deleted, RemoteVideo, VideoStatus
from heygen.types.webhooks import EventType, RotatedSecret, WebhookEndpoint, WebhookEvent

__all__ = [
    "MESSAGE_WINDOW",
    "Account",
    "Appended",
    "AutoReload",
    "AvatarGroup",
    "BrandGlossary",
    "BrandKit",
    "Cancelled",
    "CreatedSession",
    "CreatedStream",
    "CreditBucket",
    "Deleted",
    "DirectUpload",
    "EndOfWords",
    "EventType",
    "Look",
    "Page",
    "RemoteAsset",
    "RemoteMessage",
    "RemoteResource",
    "RemoteSession",
    "RemoteStream",
    "RemoteVideo",
    "RotatedSecret",
    "Sent",
    "SessionSummary",
    "Stopped",
    "Style",
    "Subscription",
    "TrainingError",
    "UploadedAsset",
    "UsageBased",
    "VideoStatus",
    "Voice",
    "Wallet",
    "WebhookEndpoint",
    "WebhookEvent",
    "Word",
    "WordBatch",
]
