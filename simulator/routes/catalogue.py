"""What may be chosen, and who is calling (contract 6 and 7)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from simulator.catalogue import Group, Look, Voice
from simulator.errors import ApiError, invalid
from simulator.gateway import Call, answer, as_json, operation
from simulator.paging import cut, envelope

SIZES = {"landscape": (1920, 1080), "portrait": (1080, 1920), "square": (1080, 1080)}


def ownership(call: Call, name: str = "ownership") -> bool | None:
    """True for own things, False for public ones, None for both."""
    value = call.query.get(name)
    if value is not None and value not in ("public", "private"):
        raise invalid(f"{name} must be public or private.", name)
    return None if value is None else value == "private"


def group_view(call: Call, group: Group) -> dict[str, Any]:
    links = call.world.links
    first = group.looks[0]
    return {
        "id": group.id,
        "name": group.name,
        "created_at": group.created_at,
        "looks_count": len(group.looks),
        "gender": group.gender,
        "preview_image_url": links.public(f"/media/looks/{first.id}.jpg"),
        "preview_video_url": None,
        "default_voice_id": first.default_voice_id,
        "consent_status": group.consent_status,
        "status": group.status,
        "error": first.error,
    }


def look_view(call: Call, look: Look) -> dict[str, Any]:
    width, height = SIZES[look.orientation]
    return {
        "id": look.id,
        "name": look.name,
        "avatar_type": look.avatar_type,
        "group_id": look.group_id,
        "gender": look.gender,
        "tags": list(look.tags),
        "default_voice_id": look.default_voice_id,
        "supported_api_engines": ["avatar_iv"],
        "image_width": width,
        "image_height": height,
        "preferred_orientation": look.orientation,
        "preview_image_url": call.world.links.public(f"/media/looks/{look.id}.jpg"),
        "preview_video_url": None,
        "status": look.status,
        "error": look.error,
    }


def preview_of(call: Call, voice: Voice) -> str:
    if voice.unusable_preview:
        return f"s3://voice-previews/{voice.id}.mp3"
    return call.world.links.public(f"/media/voices/{voice.id}.wav")


async def groups(call: Call) -> Response:
    own = ownership(call)
    found = [group for group in call.world.catalogue(call.account).groups if own is None or group.own == own]
    page, token = cut(found, call.query, lambda group: group.id, default=20, most=50)
    return as_json(envelope([group_view(call, group) for group in page], token))


async def group(call: Call) -> Response:
    found = call.world.catalogue(call.account).groups_by_id.get(call.id("group_id"))
    if found is None:
        raise ApiError(404, "avatar_group_not_found", "Avatar group not found.")
    return answer(group_view(call, found))


async def looks(call: Call) -> Response:
    own, query = ownership(call), call.query
    kind = query.get("avatar_type")
    if kind is not None and kind not in ("studio_avatar", "digital_twin", "photo_avatar"):
        raise invalid("avatar_type must be studio_avatar, digital_twin or photo_avatar.", "avatar_type")
    found = [
        look
        for look in call.world.catalogue(call.account).looks.values()
        if (own is None or look.own == own)
        and (kind is None or look.avatar_type == kind)
        and (not query.get("group_id") or look.group_id == query["group_id"])
    ]
    page, token = cut(found, query, lambda look: look.id, default=20, most=50)
    return as_json(envelope([look_view(call, look) for look in page], token))


async def look(call: Call) -> Response:
    found = call.world.catalogue(call.account).looks.get(call.id("look_id"))
    if found is None:
        raise ApiError(404, "avatar_not_found", "Look not found.")
    return answer(look_view(call, found))


async def voices(call: Call) -> Response:
    own, query = bool(ownership(call, "type")), call.query
    found = [
        voice
        for voice in call.world.catalogue(call.account).voices.values()
        if voice.own == own
        and (not query.get("engine") or voice.engine == query["engine"])
        and (not query.get("language") or voice.language.lower() == query["language"].lower())
        and (not query.get("gender") or voice.gender == query["gender"].lower())
    ]
    page, token = cut(found, query, lambda voice: voice.id, default=20, most=100)
    items = [
        {
            "voice_id": voice.id,
            "name": voice.name,
            "language": voice.language,
            "gender": voice.gender,
            "support_pause": True,
            "support_locale": voice.language == "English",
            "type": "private" if voice.own else "public",
            "preview_audio_url": preview_of(call, voice),
        }
        for voice in page
    ]
    return as_json(envelope(items, token))


async def voice(call: Call) -> Response:
    found = call.world.catalogue(call.account).voices.get(call.id("voice_id"))
    if found is None:
        raise ApiError(404, "voice_not_found", "Voice not found.")
    return answer(
        {
            "voice_id": found.id,
            "support_pause": True,
            "name": found.name,
            "language": found.language,
            "gender": found.gender,
            "preview_audio_url": preview_of(call, found),
            "status": found.status,
            "failure_message": None,
            "created_at": None,
            "support_interactive_avatar": found.engine != "turbo",
        }
    )


async def brand_kits(call: Call) -> Response:
    found = list(call.world.catalogue(call.account).kits.values())
    page, token = cut(found, call.query, lambda kit: kit.id, default=20, most=100)
    items = [
        {
            "brand_kit_id": kit.id,
            "name": kit.name,
            "logo_url": call.world.links.public(f"/media/kits/{kit.id}.png"),
            "colors": list(kit.colors),
            "status": kit.status,
        }
        for kit in page
    ]
    return as_json(envelope(items, token))


async def glossaries(call: Call) -> Response:
    found = list(call.world.catalogue(call.account).glossaries.values())
    page, token = cut(found, call.query, lambda glossary: glossary.id, default=10, most=100)
    items = [
        {
            "brand_glossary_id": glossary.id,
            "name": glossary.name,
            "created_at": glossary.created_at,
            "updated_at": glossary.updated_at,
        }
        for glossary in page
    ]
    return as_json(envelope(items, token))


async def me(call: Call) -> Response:
    return answer(call.account.as_user(call.world.spent[call.account.id]))


ROUTES = [
    operation("GET", "/v3/avatars", groups),
    operation("GET", "/v3/avatars/looks", looks),
    operation("GET", "/v3/avatars/looks/{look_id}", look),
    operation("GET", "/v3/avatars/{group_id}", group),
    operation("GET", "/v3/voices", voices),
    operation("GET", "/v3/voices/{voice_id}", voice),
    operation("GET", "/v3/brand-kits", brand_kits),
    operation("GET", "/v3/brand-glossaries", glossaries),
    operation("GET", "/v3/users/me", me),
]
