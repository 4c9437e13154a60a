"""What a stored file is called when somebody takes it away."""

from __future__ import annotations

from django.utils.text import slugify

from sessions_app.models import MediaFile, MediaRole

_ENDINGS = {
    "video/mp4": "mp4", "video/webm": "webm", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp",
    "image/gif": "gif", "audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "application/pdf": "pdf",
}  # fmt: skip


def download_name(file: MediaFile) -> str:
    """A name that tells what it is. `resource` or `video` should be joined."""
    owner = file.resource or file.video
    name = slugify(str(owner)) if owner else ""
    ending = "srt" if file.role == MediaRole.SUBTITLES else _ENDINGS.get(file.content_type, "bin")
    suffix = (
        f"-{file.role}" if file.role in (MediaRole.CAPTIONED, MediaRole.THUMBNAIL, MediaRole.PREVIEW) else ""
    )
    return f"{name[:80] or 'file'}{suffix}.{ending}"
