"""Everything that people type into the pages of sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from commands import tokens
from commands.tokens import TokenField
from heygen import Dialect
from sessions_app import people
from sessions_app.meanwhile import Mark
from sessions_app.models import Mode, StatusGroup, Upload
from workspaces_app.models import CatalogueItem, Workspace

if TYPE_CHECKING:
    from workspaces_app.models import User

# HeyGen's limits. Source: heygen-api.md, sections 4.2, 4.4 and 8.
MAX_TEXT = 10_000  # characters of a prompt or message
MAX_FILES = 20
# Our own.
MAX_TAGS, MAX_TAG = 12, 40
MAX_POSITION = 2_147_483_647  # what the column holds
MAX_FILE_BYTES = 32_000_000
# By what a browser calls them and by the ending, because some call an .srt nothing at all.
FILE_TYPES = (
    *("image/png", "image/jpeg", "video/mp4", "video/webm", "audio/mpeg", "audio/wav", "audio/x-wav"),
    *("application/pdf", "application/x-subrip", ".png", ".jpg", ".jpeg", ".mp4", ".webm", ".mp3", ".wav"),
    *(".pdf", ".srt"),
)
# What a page tells the module that uploads files; the same is checked when they arrive.
UPLOAD_RULES = {"max_files": MAX_FILES, "max_bytes": MAX_FILE_BYTES, "file_types": ",".join(FILE_TYPES)}


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several, for pages without JavaScript."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several uploaded files, each checked for size."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        if self.required and not files:
            raise ValidationError(self.error_messages["required"], code="required")
        cleaned = [super(FilesField, self).clean(file, initial) for file in files]
        for file in cleaned:
            if file.size > MAX_FILE_BYTES:
                raise ValidationError(
                    _("“%(name)s” is larger than 32 MB, the most that HeyGen takes."),
                    code="too_large",
                    params={"name": file.name},
                )
        return cleaned


class _TextField(forms.CharField):
    """Text for the agent, kept as typed but for blanks around it. `opening` is what we put in front of it: HeyGen's limit is
    for both together.

    Line ends are of one character: browsers send two, which nobody typed and HeyGen's limit would count.
    """

    def __init__(self, *, opening: str = "", rows: int = 4, **kwargs: Any) -> None:
        too_long = _(
            "With the line that goes out before it this is too long for HeyGen: it has %(show_value)d characters, and"
            " %(limit_value)d fit."
        )
        limit = MAX_TEXT - len(opening)
        super().__init__(
            validators=[MaxLengthValidator(limit, too_long if opening else None)],
            widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}),
            **kwargs,
        )
        # For the counter only: as an argument it would make the browser cut off what somebody pastes.
        self.max_length = limit

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class WithFiles(forms.Form):
    """Files of a prompt or message: uploaded one by one before, with the form itself, or named by address."""

    uploads = forms.ModelMultipleChoiceField(
        queryset=Upload.objects.none(), required=False, widget=forms.MultipleHiddenInput
    )
    attachments = FilesField(required=False, label=_("Files"))

    def offer(self, uploads: QuerySet[Upload]) -> None:
        """Only a person's own uploads for the same workspace may be named."""
        self.fields["uploads"].queryset = uploads  # type: ignore[attr-defined]

    def count_files(self, cleaned: dict[str, Any]) -> int:
        return (
            len(cleaned.get("uploads") or ())
            + len(cleaned.get("attachments") or ())
            + len(cleaned.get("file_urls") or ())
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.count_files(cleaned) > MAX_FILES:
            self.add_error("attachments", _("At most 20 files can go with one message."))
        return cleaned


class MarkField(forms.CharField):
    """What the person knew of the conversation when they began to type; None from a page that does not say."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return Mark.read(text) if text else None
        except ValueError:
            raise ValidationError(tokens.OUT_OF_DATE, code="mark") from None


class ToAgentForm(forms.Form):
    """A message to the agent. `opening` is what goes out before it."""

    token = TokenField()
    seen = MarkField(required=False)
    rows = 2

    def __init__(self, *args: Any, opening: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["message"] = _TextField(label=_("Message to the agent"), rows=self.rows, opening=opening)


class MessageForm(ToAgentForm, WithFiles):
    """One that may bring files."""


class PressForm(forms.Form):
    """A button that must reach HeyGen once. `revision` is the storyboard that an approval is about, `question` the
    position of the message that a choice answers."""

    token = TokenField()
    revision = forms.IntegerField(required=False, min_value=0)
    choice = forms.CharField(required=False, max_length=MAX_TEXT)
    question = forms.IntegerField(required=False, min_value=0)


class MessageSpan(forms.Form):
    """Which messages are asked for, from the address. Anything that makes no sense is left out, not an error."""

    before = forms.IntegerField(required=False, min_value=0, max_value=MAX_POSITION)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.fields["from"] = forms.IntegerField(required=False, min_value=0, max_value=MAX_POSITION)

    def chosen(self) -> dict[str, int | None]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}


class AboutForm(forms.Form):
    """Which session a page is about that asks in the background."""

    about = forms.UUIDField()


class ReadForm(forms.Form):
    """How far somebody has read."""

    position = forms.IntegerField(min_value=0, max_value=MAX_POSITION)


class InboxFilter(forms.Form):
    """Which workspace the inbox is narrowed to, from its address."""

    workspace = forms.SlugField(required=False)

    def chosen(self) -> str:
        """Its short name; "" for all, and for what makes no sense."""
        return str(self.cleaned_data["workspace"]) if self.is_valid() else ""


class SnoozeForm(forms.Form):
    """For how long a session is put off; "" brings it back."""

    until = forms.ChoiceField(
        required=False,
        choices=[
            ("hour", _("For an hour")),
            ("tomorrow", _("Until tomorrow morning")),
            ("week", _("Until Monday morning")),
            ("change", _("Until something happens")),
        ],
    )


class BoardChoice(forms.Form):
    """Which storyboard is shown, from its address, and with which one it is compared. `sent` is where the one begins whose
    notes were just sent."""

    revision = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    against = forms.IntegerField(required=False, min_value=1, max_value=100_000)
    sent = forms.IntegerField(required=False, min_value=0, max_value=MAX_POSITION)

    def chosen(self) -> dict[str, int | None]:
        """What makes no sense is left out."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}


class PictureNotesForm(forms.Form):
    """A note for each picture of a storyboard, and one on all of it.

    Notes are posted by their picture: what comes while they are written may move it to another place.
    """

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    seen = MarkField(required=False)
    overall = _TextField(label=_("On all of it"), required=False, rows=3)

    def __init__(self, pictures: Sequence[UUID], data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.pictures = pictures
        for place, picture in enumerate(pictures, start=1):
            self.fields[f"note-{picture}"] = _TextField(
                label=_("Note on picture %(place)d") % {"place": place}, required=False, rows=3
            )

    def on(self, picture: UUID) -> forms.BoundField:
        """The field of the note on this picture."""
        return self[f"note-{picture}"]

    def notes(self) -> dict[int, str]:
        """By the place of their picture, from 1."""
        return {
            place: self.cleaned_data[f"note-{picture}"]
            for place, picture in enumerate(self.pictures, start=1)
        }

    def on_all(self) -> str:
        """What is said to all of it, with what was written on pictures that the storyboard has no more."""
        gone = [
            text.strip().replace("\r\n", "\n")
            for name, text in self.data.items()
            if name.startswith("note-") and name not in self.fields
        ]
        return "\n\n".join(filter(None, [self.cleaned_data["overall"], *gone]))


class ChangesForm(ToAgentForm):
    """The message that notes became, as it will be sent. `revision` is the newest storyboard that its writer knows, by its
    position, `notes_on` the one that the notes were written on, by where it begins."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    notes_on = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    rows = 14


class NoteForm(forms.Form):
    """An internal note. `draft` names what is typed for the browser, which keeps it until it was saved."""

    body = forms.CharField(
        label=_("Note"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto", "placeholder": _("Only your team sees this")}),
    )

    def __init__(self, *args: Any, draft: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if draft:
            self.fields["body"].widget.attrs |= {"data-draft": draft, "data-draft-wins": True}


class NewSessionForm(WithFiles):
    """A new session: every field that HeyGen's create call has.

    Choices of the catalogue are HeyGen's ids; one that it no longer offers is refused by HeyGen, on its field. What the
    workspace and the person's role there allow is told to it by `belongs_to` before it is cleaned.
    """

    token = TokenField()
    workspace = forms.ModelChoiceField(
        label=_("Workspace"), queryset=Workspace.objects.none(), to_field_name="slug", empty_label=None
    )
    prompt = _TextField(
        label=_("What should the video be about?"),
        rows=6,
        help_text=_("Say who it is for, what it should achieve, how long and in which language."),
    )
    mode = forms.ChoiceField(label=_("How much do you want to steer?"), choices=Mode, initial=Mode.CHAT)
    orientation = forms.ChoiceField(
        label=_("Orientation"),
        required=False,
        choices=[("", _("Let HeyGen choose")), ("landscape", _("Landscape")), ("portrait", _("Portrait"))],
    )
    avatar_id = forms.CharField(label=_("Avatar look"), required=False, max_length=200)
    voice_id = forms.CharField(label=_("Voice"), required=False, max_length=200)
    style_id = forms.CharField(label=_("Style"), required=False, max_length=200)
    brand_kit_id = forms.CharField(label=_("Brand kit"), required=False, max_length=200)
    brand_glossary_id = forms.CharField(
        label=_("Brand glossary"),
        required=False,
        validators=[MaxLengthValidator(200)],
    )
    file_urls = forms.CharField(
        label=_("Files by address"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "ltr"}),
        help_text=_("Public https addresses of the files themselves, one on each line."),
    )
    incognito_mode = forms.BooleanField(
        label=_("Incognito: neither use nor feed the account's memory"), required=False
    )

    PICKS = ("avatar_id", "voice_id", "style_id", "brand_kit_id", "brand_glossary_id")
    # What the create call takes as it is, when it was chosen.
    PLAIN = ("prompt", "mode", "orientation", *PICKS, "incognito_mode")

    def __init__(
        self,
        workspaces: QuerySet[Workspace],
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=initial)
        self.fields["workspace"].queryset = workspaces  # type: ignore[attr-defined]
        self.needs_review = ""

    def belongs_to(self, workspace: Workspace, *, uploads: QuerySet[Upload], needs_review: str) -> None:
        """Whose uploads may be named, and why a session that renders without a review may not be started there."""
        self.offer(uploads)
        self.needs_review = needs_review

    @staticmethod
    def offers(name: str, workspace: Workspace) -> bool:
        """Whether the API that the workspace speaks knows the field."""
        return (
            name not in ("brand_kit_id", "brand_glossary_id")
            or Dialect(workspace.dialect).abilities.brand_kits
        )

    def clean_mode(self) -> str:
        mode: str = self.cleaned_data["mode"]
        if mode == Mode.GENERATE and self.needs_review:
            raise ValidationError(self.needs_review, code="review")
        return mode

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        picked = {name: cleaned[name] for name in self.PICKS if cleaned.get(name)}
        if picked and (workspace := cleaned.get("workspace")):
            for item in CatalogueItem.objects.filter(workspace=workspace, remote_id__in=picked.values()):
                name = next((name for name, value in picked.items() if value == item.remote_id), None)
                if name and not item.usable:
                    self.add_error(
                        name, _("“%(name)s” is not ready at HeyGen yet: pick another.") % {"name": item.name}
                    )
            for name in picked:
                if not self.offers(name, workspace):
                    self.add_error(name, _("The API that this workspace speaks has no such choice."))
        return cleaned

    def clean_file_urls(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["file_urls"].splitlines()]
        addresses = list(dict.fromkeys(line for line in lines if line))
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme != "https" or not parts.hostname or len(address) > 2000:
                raise ValidationError(
                    _("“%(address)s” is no https address of a file."),
                    code="address",
                    params={"address": address[:80]},
                )
        return addresses

    def values(self) -> dict[str, Any]:
        """The create call's fields, without those that were left empty."""
        return {name: self.cleaned_data[name] for name in self.PLAIN if self.cleaned_data[name]}

    def refuse(self, message: str, param: str) -> None:
        """Shows HeyGen's refusal on the field that it named ("voice_id", "files[1].url" …), or above the form."""
        name = re.split(r"[.\[]", param, maxsplit=1)[0]
        if name == "files":
            name = "file_urls" if self["file_urls"].value() else "attachments"
        self.add_error(name if name in self.fields else None, message)


class PersonField(forms.CharField):
    """A value of `people.choices`."""

    def clean(self, value: Any) -> str:
        said = super().clean(value)
        try:
            return said if said in ("", people.ME, people.NOBODY) else str(UUID(said))
        except ValueError:
            raise ValidationError(_("Nobody is called that."), code="invalid") from None


class TagsForm(forms.Form):
    """The tags of a session, as words between commas."""

    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        help_text=_("Words that your team finds it by, with commas between them."),
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )

    def clean_tags(self) -> list[str]:
        names = [" ".join(name.split()) for name in self.cleaned_data["tags"].split(",")]
        names = list({name.casefold(): name for name in names if name}.values())
        if long := next((name for name in names if len(name) > MAX_TAG), ""):
            raise ValidationError(
                _("“%(name)s” is too long for a tag: at most %(limit)s characters."),
                code="long",
                params={"name": long[:80], "limit": MAX_TAG},
            )
        if len(names) > MAX_TAGS:
            raise ValidationError(_("At most %(limit)s tags."), code="many", params={"limit": MAX_TAGS})
        return names


class HistoryFilter(forms.Form):
    """What the history shows, from its address. Anything that makes no sense is left out, not an error."""

    q = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(required=False, choices=[("", _("All")), *StatusGroup.choices])
    workspace = forms.SlugField(required=False)
    person = PersonField(required=False)
    tag = forms.CharField(required=False, max_length=40)
    archived = forms.BooleanField(required=False)
    after = forms.CharField(required=False, max_length=100)

    def chosen(self) -> dict[str, Any]:
        """The valid choices; every name is there."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class LibraryFilter(forms.Form):
    """What the library shows, from its address."""

    type = forms.CharField(required=False, max_length=64)
    source = forms.ChoiceField(
        required=False,
        choices=[("", _("Any source")), ("generated", _("Generated")), ("user_uploaded", _("Uploaded"))],
    )
    workspace = forms.SlugField(required=False)
    session = forms.UUIDField(required=False)
    person = PersonField(required=False)
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    after = forms.CharField(required=False, max_length=100)

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class ItemsField(forms.MultipleChoiceField):
    """Ids of resources and videos, each a UUID."""

    default_error_messages = {
        "required": _("Choose what you want to download first."),
        "invalid_choice": _("“%(value)s” is nothing that can be downloaded."),
    }

    def to_python(self, value: Any) -> list[Any]:
        found = []
        for text in super().to_python(value):
            try:
                found.append(UUID(text))
            except ValueError:
                raise ValidationError(
                    self.error_messages["invalid_choice"],
                    code="invalid_choice",
                    params={"value": text[:80]},
                ) from None
        return found

    def valid_value(self, value: Any) -> bool:
        """What may be seen is asked where the files are looked up."""
        return isinstance(value, UUID)


class DecisionForm(forms.Form):
    """How an unclear press ended. A start that happened needs HeyGen's id of the session."""

    remote_id = forms.CharField(label=_("HeyGen's id of the session"), max_length=255, required=False)


class ItemsForm(forms.Form):
    """What is chosen in the library, to take away."""

    items = ItemsField()


def upload_items(uploads: Sequence[Upload], addresses: Sequence[str] = ()) -> list[dict[str, str]]:
    """The `files` of a create or send call."""
    return [
        *({"type": "asset_id", "asset_id": upload.asset_id} for upload in uploads),
        *({"type": "url", "url": address} for address in addresses),
    ]


def own_uploads(user: User, workspace_id: UUID) -> QuerySet[Upload]:
    return Upload.objects.of(user, workspace_id)
