"""What a variant of a session has that the first one has not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from sessions_app.comparing import Piece, diff_words
from sessions_app.models import Mode, Upload, VideoSession
from workspaces_app.models import CatalogueItem, CatalogueKind
from workspaces_app.pickers import FIELDS

# Words that are shown around a change of the prompt.
CONTEXT = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs, in words; `pieces` instead of `before` and `after` where a text was edited."""

    label: str
    before: str = ""
    after: str = ""
    pieces: Sequence[Piece] = ()


def first_values(session: VideoSession) -> dict[str, Any]:
    """What the session was made with, as fields of the form. Choices keep HeyGen's ids."""
    settings = session.settings if isinstance(session.settings, dict) else {}
    files = [item for item in settings.get("files") or () if isinstance(item, dict)]
    assets = [item["asset_id"] for item in files if item.get("type") == "asset_id"]
    uploads = Upload.objects.filter(workspace=session.workspace_id, asset_id__in=assets)
    plain = ("orientation", "incognito_mode", *FIELDS)
    return {
        **{name: settings[name] for name in plain if settings.get(name)},
        "prompt": session.prompt,
        "mode": settings.get("mode") or session.mode,
        "file_urls": "\n".join(str(item.get("url")) for item in files if item.get("type") == "url"),
        "uploads": [str(pk) for pk in uploads.values_list("pk", flat=True)],
    }


def differences(session: VideoSession, values: Mapping[str, Any]) -> list[Difference]:
    """Where `values` (the form's fields, as typed) are not those that the session was made with."""
    first = first_values(session)
    names = _names(session, [first, values])
    found = []
    before, after = _text(first, "prompt"), _text(values, "prompt")
    if before.split() != after.split():
        found.append(Difference(_("Prompt"), pieces=_word_changes(before, after)))
    modes = {Mode.CHAT.value: _("Talk it through"), Mode.GENERATE.value: _("Straight through")}
    shapes = {"landscape": _("Landscape"), "portrait": _("Portrait")}
    open_choice = _("The agent decides")

    def compare(field: str, label: str, word: Mapping[str, str], nothing: str) -> None:
        was, now = _text(first, field), _text(values, field)
        if was != now:
            found.append(Difference(label, word.get(was, was) or nothing, word.get(now, now) or nothing))

    compare("mode", _("How much to steer"), modes, modes[Mode.CHAT])
    compare("orientation", _("Orientation"), shapes, open_choice)
    for field, kind in FIELDS.items():
        compare(field, str(CatalogueKind(kind).label), names, open_choice)
    was, now = bool(first.get("incognito_mode")), bool(values.get("incognito_mode"))
    if was != now:
        found.append(Difference(_("Incognito"), _("On") if was else _("Off"), _("On") if now else _("Off")))
    had, has = _files(session, first), _files(session, values)
    if sorted(had) != sorted(has):
        found.append(Difference(_("Files"), ", ".join(had) or _("None"), ", ".join(has) or _("None")))
    return found


def _text(values: Mapping[str, Any], field: str) -> str:
    return str(values.get(field) or "").strip()


def _names(session: VideoSession, each: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the picked things are called, by HeyGen's id."""
    ids = {_text(values, field) for values in each for field in FIELDS}
    rows = CatalogueItem.objects.filter(workspace=session.workspace_id, remote_id__in=ids)
    return dict(rows.values_list("remote_id", "name"))


def _files(session: VideoSession, values: Mapping[str, Any]) -> list[str]:
    ids = [text for text in values.get("uploads") or () if re.fullmatch(r"[0-9a-f-]{36}", text)]
    uploads = Upload.objects.filter(workspace=session.workspace_id, pk__in=ids)
    addresses = dict.fromkeys(line.strip() for line in _text(values, "file_urls").splitlines())
    return [*uploads.order_by("filename").values_list("filename", flat=True), *filter(None, addresses)]


def _word_changes(before: str, after: str) -> list[Piece]:
    """What was taken out and put in, with long stretches that are in both cut to a few words around each change."""
    pieces = [(piece.kind, piece.text.split()) for piece in diff_words(before, after)]
    last = len(pieces) - 1
    return [
        Piece(kind, _shortened(words, number == 0, number == last) if kind == "same" else " ".join(words))
        for number, (kind, words) in enumerate(pieces)
    ]


def _shortened(words: Sequence[str], is_first: bool, is_last: bool) -> str:
    head = [] if is_first else words[:CONTEXT]
    tail = [] if is_last else words[-CONTEXT:]
    if len(words) <= len(head) + len(tail) + 1:
        return " ".join(words)
    return " ".join([*head, "…", *tail])
