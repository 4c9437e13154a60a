"""Rows of Video Agent sessions: what HeyGen said, kept for good, and what people add to it.

    VideoSession 1─* Message 1─* MessageRevision
                 1─* Gap
                 1─* Resource 1─* MediaFile
                 1─* Video    1─* MediaFile
                 1─* SessionTag, RawWindow, Note, SearchText, ReadMark, Approval, Snooze, Upload (not sent yet)

Every row that a browser may ask for has a UUIDv7 of ours as its id; HeyGen's ids stay in `remote_id`, `resource_id`
and `video_id` and never appear in an address.
"""

from sessions_app.models.conversation import Gap, Message, MessageRevision, RawWindow
from sessions_app.models.finding import LibraryTally, SearchText, SessionTally, Tally
from sessions_app.models.media import MediaFile, MediaRole, MediaState, Resource, Video
from sessions_app.models.people import Approval, Draft, Note, ReadMark, Snooze, Upload
from sessions_app.models.session import (
    ListPosition,
    Mode,
    SessionTag,
    StatusGroup,
    StatusSpell,
    VideoSession,
    display_title,
)

__all__ = [
    "Approval",
    "Draft",
    "Gap",
    "LibraryTally",
    "ListPosition",
    "MediaFile",
    "MediaRole",
    "MediaState",
    "Message",
    "MessageRevision",
    "Mode",
    "Note",
    "RawWindow",
    "ReadMark",
    "Resource",
    "SearchText",
    "SessionTag",
    "SessionTally",
    "Snooze",
    "StatusGroup",
    "StatusSpell",
    "Tally",
    "Upload",
    "Video",
    "VideoSession",
    "display_title",
]
