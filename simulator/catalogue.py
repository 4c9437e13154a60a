"""Everything that may be chosen: avatars and their looks, voices, styles, brand kits, glossaries.

The public part is the same for every account; own looks, voices and brand material carry the account's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .identifiers import digest, number, pick

FIRST_SEEN = 1_767_225_600

PRESENTERS = (
    ("Dana", "female"), ("Marcus", "male"), ("Imani", "female"), ("Theo", "male"), ("Yuki", "female"),
    ("Rafael", "male"), ("Ingrid", "female"), ("Omar", "male"), ("Priya", "female"), ("Lukas", "male"),
    ("Noor", "female"), ("Gabriel", "male"), ("Hana", "female"), ("Kofi", "male"), ("Elena", "female"),
    ("Sam", "unknown"),
)  # fmt: skip
OUTFITS = (
    ("in grey", "office", "landscape"),
    ("in the studio", "studio", "landscape"),
    ("by the window", "casual", "portrait"),
    ("on the go", "outdoor", "portrait"),
    ("close up", "portrait", "square"),
)
AVATAR_TYPES = ("studio_avatar", "photo_avatar", "digital_twin")
LANGUAGES = (
    ("English", ("Aria", "Benjamin", "Clara", "Desmond", "Evelyn", "Finn", "Grace", "Harvey", "Isla", "Jasper", "Keira", "Liam")),
    ("Spanish", ("Alma", "Bruno", "Carmen", "Diego", "Estela", "Felipe", "Gloria", "Hugo")),
    ("German", ("Anke", "Bernd", "Carla", "Dieter", "Elke", "Florian", "Greta", "Henrik")),
    ("French", ("Adele", "Bastien", "Camille", "Damien", "Elodie", "Fabrice", "Gaelle", "Hector")),
    ("Portuguese", ("Ana", "Breno", "Catarina", "Davi", "Elisa", "Fabio")),
    ("Italian", ("Alessia", "Bruno", "Chiara", "Dario", "Elisa", "Franco")),
    ("Japanese", ("Akari", "Daichi", "Emi", "Haruto", "Kaori", "Ren")),
    ("Mandarin", ("An", "Bo", "Chen", "Dan", "Fang", "Jun")),
    ("Hindi", ("Aarav", "Bhavna", "Chetan", "Divya", "Esha", "Farhan")),
    ("Arabic", ("Amal", "Bilal", "Dalia", "Faris", "Hala", "Karim")),
    ("Polish", ("Agata", "Bartek", "Celina", "Dawid", "Ewa", "Filip")),
    ("Dutch", ("Anouk", "Bram", "Coen", "Daan", "Eva", "Fleur")),
)  # fmt: skip
STYLES = (
    ("Ink and paper", ("print", "handmade"), "16:9", "ink"),
    ("Golden hour", ("cinematic",), "16:9", "amber"),
    ("Northern light", ("cinematic",), "16:9", "north"),
    ("Phosphor", ("retro-tech",), "16:9", "phosphor"),
    ("Cassette", ("retro-tech", "pop-culture"), "1:1", "cassette"),
    ("Cut paper", ("handmade", "iconic-artist"), "16:9", "cutout"),
    ("Riso press", ("print",), "9:16", "riso"),
    ("Clay table", ("handmade",), "16:9", "clay"),
    ("Neon night", ("pop-culture", "cinematic"), "9:16", "neon"),
    ("Blueprint", ("retro-tech", "print"), "16:9", "blueprint"),
    ("Water garden", ("iconic-artist",), "16:9", "garden"),
    ("Quiet room", ("cinematic",), "16:9", "quiet"),
    ("Comic relief", ("pop-culture", "print"), "1:1", "comic"),
    ("Field notes", ("handmade", "print"), "9:16", "field"),
)
KITS = (
    ("House style", ("#12324A", "#E9B44C", "#F4F1EA")),
    ("Launch campaign", ("#3B1C5A", "#FF6B6B", "#FFF7E6")),
    ("Partner edition", ("#0B3D2E", "#8FD694", "#F2FBF5")),
)
GLOSSARIES = ("Product names", "Medical terms")


@dataclass(frozen=True, slots=True)
class Look:
    id: str
    name: str
    avatar_type: str
    group_id: str
    gender: str
    tags: tuple[str, ...]
    default_voice_id: str
    orientation: str
    own: bool
    status: str | None = None
    error: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    gender: str
    created_at: int
    looks: tuple[Look, ...]
    own: bool
    consent_status: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    id: str
    name: str
    language: str
    gender: str
    engine: str
    own: bool
    unusable_preview: bool = False
    status: str = "complete"


@dataclass(frozen=True, slots=True)
class Style:
    id: str
    name: str
    tags: tuple[str, ...]
    aspect_ratio: str
    palette: str


@dataclass(frozen=True, slots=True)
class Kit:
    id: str
    name: str
    colors: tuple[str, ...]
    status: str = "completed"


@dataclass(frozen=True, slots=True)
class Glossary:
    id: str
    name: str
    created_at: str
    updated_at: str


def public_voices() -> tuple[Voice, ...]:
    voices = []
    for language, names in LANGUAGES:
        for place, name in enumerate(names):
            identifier = "voice_" + digest("voice", language, name, size=8)
            gender = "female" if place % 2 == 0 else "male"
            engine = pick(("starfish", "panda", "turbo"), identifier)
            voices.append(
                Voice(identifier, name, language, gender, engine, False, unusable_preview=place == 11)
            )
    return tuple(voices)


def group_of(name: str, gender: str, *, own: bool, owner: str = "", status: str | None = None) -> Group:
    group_id = "group_" + digest("group", owner, name, size=8)
    voices = [voice for voice in PUBLIC_VOICES if voice.gender == gender] or list(PUBLIC_VOICES)
    count = 2 if own else 4 + number(group_id, below=2)
    looks = tuple(
        Look(
            id="look_" + digest(group_id, outfit, size=8),
            name=f"{name} {outfit}",
            avatar_type="photo_avatar" if own else AVATAR_TYPES[(place + number(group_id, below=3)) % 3],
            group_id=group_id,
            gender=gender,
            tags=(tag,),
            default_voice_id=pick(voices[:20], group_id, "voice").id,
            orientation=orientation,
            own=own,
            status=status if own else None,
            error={"code": "training_failed", "message": "The photos were too dark."}
            if status == "failed"
            else None,
        )
        for place, (outfit, tag, orientation) in enumerate(OUTFITS[:count])
    )
    consent = {"pending_consent": "pending", "completed": "approved"}.get(status or "")
    created_at = FIRST_SEEN + number(group_id, below=20_000_000)
    return Group(group_id, name, gender, created_at, looks, own, consent_status=consent, status=status)


PUBLIC_VOICES = public_voices()
PUBLIC_GROUPS = tuple(group_of(name, gender, own=False) for name, gender in PRESENTERS)
PUBLIC_STYLES = tuple(
    Style("style_" + digest("style", name, size=6), name, tags, ratio, palette)
    for name, tags, ratio, palette in STYLES
)


class Catalogue:
    """What one account may choose from."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        own = (
            group_of("Our founder", "female", own=True, owner=self._owner, status="completed"),
            group_of("New colleague", "male", own=True, owner=self._owner, status="processing"),
            group_of("Winter shoot", "female", own=True, owner=self._owner, status="pending_consent"),
            group_of("Night photos", "male", own=True, owner=self._owner, status="failed"),
        )
        return own + PUBLIC_GROUPS

    @cached_property
    def looks(self) -> dict[str, Look]:
        return {look.id: look for group in self.groups for look in group.looks}

    @cached_property
    def groups_by_id(self) -> dict[str, Group]:
        return {group.id: group for group in self.groups}

    @cached_property
    def voices(self) -> dict[str, Voice]:
        def own(name: str, language: str, gender: str, status: str) -> Voice:
            identifier = "voice_" + digest("own voice", self._owner, name, size=8)
            return Voice(identifier, name, language, gender, "starfish", True, status=status)

        mine = (
            own("Our founder", "English", "female", "complete"),
            own("Support line", "English", "male", "complete"),
            own("Fresh recording", "German", "female", "processing"),
        )
        return {voice.id: voice for voice in (*mine, *PUBLIC_VOICES)}

    @cached_property
    def styles(self) -> dict[str, Style]:
        return {style.id: style for style in PUBLIC_STYLES}

    @cached_property
    def kits(self) -> dict[str, Kit]:
        found = {}
        for name, colors in KITS:
            identifier = "kit_" + digest("kit", self._owner, name, size=8)
            found[identifier] = Kit(identifier, name, colors)
        return found

    @cached_property
    def glossaries(self) -> dict[str, Glossary]:
        found = {}
        for name in GLOSSARIES:
            identifier = "glossary_" + digest("glossary", self._owner, name, size=8)
            found[identifier] = Glossary(identifier, name, "2026-02-03T09:00:00Z", "2026-08-14T16:30:00Z")
        return found

    def look_or_default(self, identifier: str | None, seed: str) -> Look:
        if identifier and identifier in self.looks:
            return self.looks[identifier]
        return pick([group.looks[0] for group in PUBLIC_GROUPS], seed, "look")

    def voice_or_default(self, identifier: str | None, seed: str) -> Voice:
        if identifier and identifier in self.voices:
            return self.voices[identifier]
        return pick(PUBLIC_VOICES[:12], seed, "voice")


def usable(look: Look) -> bool:
    """A private look may be used only when its training is done."""
    return look.status in (None, "completed")


def metadata_of(item: Look | Voice) -> dict[str, Any]:
    """The `metadata` of an avatar or voice resource."""
    if isinstance(item, Look):
        return {"avatar_id": item.id, "name": item.name, "gender": item.gender}
    return {"voice_id": item.id, "name": item.name, "language": item.language, "gender": item.gender}
