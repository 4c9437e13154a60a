"""Everything that people type into the pages of live streams."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxLengthValidator
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from commands import tokens
from heygen import FILE_SIZE_LIMIT
from realtime_app.actions import NewStream
from realtime_app.models import Stream, StreamKind
from realtime_app.querysets import LIST_FILTERS
from workspaces_app.models import CatalogueItem, CatalogueKind, Workspace

# HeyGen's ids are stored as they come; nobody knows their longest.
ID_LIMIT = 255
URL_LIMIT = 2000

# The field that shows what HeyGen said about a parameter of the create call; "audio.url" counts as "audio".
FIELD_OF_PARAM = {
    "type": "kind",
    "avatar_id": "avatar_id",
    "voice_id": "voice_id",
    "text": "text",
    "audio": "audio_url",
}


class ListFilter(forms.Form):
    """`?workspace=&status=&page=`: what the list shows. What makes no sense counts as not given."""

    workspace = forms.SlugField(required=False)
    status = forms.ChoiceField(required=False, choices=[(name, name) for name in LIST_FILTERS])
    page = forms.IntegerField(required=False, min_value=1)


class StreamForm(forms.Form):
    """Every field of HeyGen's create call, and a title of our own. Limits are checked here, before anything is sent.

    What is picked carries HeyGen's id, as in the form of a new session; an id that the catalogue does not have can be pasted.
    """

    # By the field that is picked: its kind in the catalogue, and the field for an id that was pasted.
    PICKS = {
        "avatar_id": (CatalogueKind.LOOK, "avatar_other"),
        "voice_id": (CatalogueKind.VOICE, "voice_other"),
    }

    token = tokens.TokenField()
    kind = forms.ChoiceField(
        label=_("What it speaks"),
        # What one does most comes first.
        choices=[(kind, kind.label) for kind in (StreamKind.TEXT_STREAM, StreamKind.TTS, StreamKind.AUDIO)],
        initial=StreamKind.TEXT_STREAM,
        widget=forms.RadioSelect,
    )
    avatar_id = forms.CharField(label=_("Avatar look"), max_length=None, required=False)
    avatar_other = forms.CharField(label=_("Look id"), max_length=None, required=False)
    voice_id = forms.CharField(label=_("Voice"), max_length=None, required=False)
    voice_other = forms.CharField(label=_("Voice id"), max_length=None, required=False)
    text = forms.CharField(
        label=_("Text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto", "data-draft": "live:new"}),
        help_text=_("The script, or the opening words of live text."),
    )
    audio_file = forms.FileField(
        label=_("Recording"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "audio/*"}),
        help_text=_("An audio file of up to 32 MB."),
    )
    audio_url = forms.URLField(
        label=_("Link to a recording"),
        required=False,
        assume_scheme="https",
        validators=[MaxLengthValidator(URL_LIMIT)],
        help_text=_("Public, https, the file itself and not a page about it."),
    )
    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        required=False,
        help_text=_("For your team; HeyGen does not see it."),
    )

    def __init__(
        self,
        workspace: Workspace,
        data: QueryDict | dict[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[bytes]] | None = None,
        *,
        source: Stream | None = None,
    ) -> None:
        super().__init__(data, files, label_suffix="")
        self.workspace = workspace
        # An earlier stream whose recording is used again when no other is given.
        self.source = source
        # What was picked, by field, once the form was cleaned; without what the catalogue does not have.
        self.items: dict[str, CatalogueItem] = {}

    @classmethod
    def corrected(cls, source: Stream, refusal: dict[str, Any] | None) -> StreamForm:
        """The form of a stream that exists, to be sent anew; what HeyGen refused stands at its field."""
        workspace = source.workspace
        data: dict[str, Any] = {
            "token": tokens.new(),
            "kind": source.kind,
            "text": source.text,
            "title": source.title,
            "audio_url": source.audio.get("url", ""),
        }
        for name, (kind, other) in cls.PICKS.items():
            remote_id = getattr(source, name)
            rows = CatalogueItem.objects.filter(workspace=workspace, kind=kind, remote_id=remote_id)
            data[name if rows.filter(gone=False).exists() else other] = remote_id
        form = cls(workspace, data, source=source)
        if refusal:
            field = FIELD_OF_PARAM.get(str(refusal.get("param", "")).partition(".")[0])
            form.add_error(field, str(refusal.get("message") or refusal.get("code") or ""))
        return form

    def clean_avatar_other(self) -> str:
        return _fitting(self.cleaned_data["avatar_other"])

    def clean_voice_other(self) -> str:
        return _fitting(self.cleaned_data["voice_other"])

    def clean_audio_url(self) -> str:
        url: str = self.cleaned_data["audio_url"]
        if url and urlsplit(url).scheme != "https":
            raise forms.ValidationError(_("HeyGen fetches https links only."), code="https")
        return url

    def clean_audio_file(self) -> UploadedFile[bytes] | None:
        file: UploadedFile[bytes] | None = self.cleaned_data["audio_file"]
        if file is None:
            return None
        if file.size is not None and file.size > FILE_SIZE_LIMIT:
            raise forms.ValidationError(_("The file is larger than 32 MB."), code="size")
        if not (file.content_type or "").startswith("audio/"):
            raise forms.ValidationError(_("This is not an audio file."), code="type")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._find_items(cleaned)
        if not (cleaned.get("avatar_id") or cleaned.get("avatar_other")) and not self.has_error("avatar_id"):
            self.add_error("avatar_id", _("Choose who speaks."))
        if cleaned.get("kind") == StreamKind.AUDIO:
            self._clean_recording(cleaned)
        elif cleaned.get("kind"):
            if not (cleaned.get("voice_id") or cleaned.get("voice_other")) and not self.has_error("voice_id"):
                self.add_error("voice_id", _("Choose a voice."))
            if not cleaned.get("text"):
                self.add_error("text", _("Write what is to be said first."))
        return cleaned

    def _find_items(self, cleaned: dict[str, Any]) -> None:
        for name, (kind, _other) in self.PICKS.items():
            rows = CatalogueItem.objects.filter(
                workspace=self.workspace, kind=kind, remote_id=cleaned.get(name, "")
            )
            item = rows.first()
            if item is None and cleaned.get(name):
                self.add_error(
                    name, _("The workspace's catalogue has no such choice: pick another, or paste its id.")
                )
            elif item is not None and not item.usable:
                self.add_error(
                    name, _("“%(name)s” is not ready at HeyGen yet: pick another.") % {"name": item.name}
                )
            elif item is not None:
                self.items[name] = item

    def _clean_recording(self, cleaned: dict[str, Any]) -> None:
        given = [name for name in ("audio_file", "audio_url") if cleaned.get(name)]
        if len(given) == 2:
            self.add_error("audio_url", _("Give a file or a link, not both."))
        elif not given and not self.earlier_audio and not self.has_error("audio_file"):
            self.add_error("audio_file", _("Choose a recording, or give a link to one."))

    @property
    def earlier_audio(self) -> dict[str, str]:
        """The recording of the stream that this form corrects, once it was uploaded."""
        audio: dict[str, str] = self.source.audio if self.source else {}
        return audio if audio.get("type") == "asset_id" else {}

    def wanted(self, *, asset_id: str = "") -> NewStream:
        """What was asked for; `asset_id` stands for the uploaded file. For a valid form."""
        values = self.cleaned_data
        kind = StreamKind(values["kind"])
        look, voice = self.items.get("avatar_id"), self.items.get("voice_id")
        new = {
            "kind": kind,
            "title": values["title"],
            "avatar_id": look.remote_id if look else values["avatar_other"],
            "avatar_name": look.name[:ID_LIMIT] if look else "",
        }
        if kind == StreamKind.AUDIO:
            audio = self.earlier_audio
            if asset_id:
                audio = {"type": "asset_id", "asset_id": asset_id}
            elif values["audio_url"]:
                audio = {"type": "url", "url": values["audio_url"]}
            return NewStream(**new, audio=audio)
        return NewStream(
            **new,
            text=values["text"],
            voice_id=voice.remote_id if voice else values["voice_other"],
            voice_name=voice.name[:ID_LIMIT] if voice else "",
        )


def _fitting(remote_id: str) -> str:
    if len(remote_id) > ID_LIMIT:
        raise forms.ValidationError(_("This is too long for an id."), code="length")
    return remote_id


class PushForm(forms.Form):
    """A further piece of text for a live stream."""

    token = tokens.TokenField()
    text = forms.CharField(label=_("Text"), required=False, widget=forms.Textarea)
    final = forms.BooleanField(label=_("Finish"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("text") and not cleaned.get("final"):
            self.add_error("text", _("Write what is to be said next, or finish the stream."))
        return cleaned


class CancelForm(forms.Form):
    token = tokens.TokenField()


class DecisionForm(forms.Form):
    """How an unclear press ended, as a person found out. A start that happened needs HeyGen's id of the stream."""

    happened = forms.TypedChoiceField(
        choices=[("yes", _("It did happen")), ("no", _("It did not happen"))],
        coerce=lambda value: value == "yes",
    )
    stream_id = forms.CharField(label=_("HeyGen's id of the stream"), max_length=None, required=False)

    def __init__(self, stream: Stream, data: QueryDict) -> None:
        super().__init__(data)
        self.stream = stream

    def clean_stream_id(self) -> str:
        stream_id = _fitting(self.cleaned_data["stream_id"])
        taken = Stream.objects.filter(workspace=self.stream.workspace, stream_id=stream_id)
        if stream_id and taken.exclude(pk=self.stream.pk).exists():
            raise forms.ValidationError(_("That stream is here already."), code="taken")
        return stream_id
