"""Everything that people type into the pages of this app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.core.validators import MaxLengthValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from workspaces_app.approval_rule import MOST, ApprovalRule, people_who_may_approve
from workspaces_app.models import Dialect, Role, User, Workspace

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

    UserForm = forms.ModelForm[User]
    TeamForm = forms.ModelForm[Workspace]
else:
    UserForm = TeamForm = forms.ModelForm


def email_field(**attributes: str | bool) -> forms.EmailField:
    """An e-mail address that fits into a row; no counter is drawn for it, so no `max_length`."""
    return forms.EmailField(
        label=_("E-mail address"),
        max_length=None,
        validators=[MaxLengthValidator(254)],
        widget=forms.EmailInput(attrs=attributes),
    )


def password_field(
    label: StrOrPromise, *, autocomplete: str, help_text: StrOrPromise = ""
) -> forms.CharField:
    """A password as typed, blanks included. The bound keeps the hash from chewing on megabytes."""
    return forms.CharField(
        label=label,
        strip=False,
        validators=[MaxLengthValidator(1024)],
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class SignInForm(forms.Form):
    email = email_field(autocomplete="username", autofocus=True)
    password = password_field(_("Password"), autocomplete="current-password")


class PasswordForm(forms.Form):
    """A new password of one's own. `confirm` says whether the current one is right (and counts the tries)."""

    current = password_field(_("Current password"), autocomplete="current-password")
    password = password_field(
        _("New password"),
        autocomplete="new-password",
        help_text=_("A few words in a row are easy to keep in mind."),
    )
    again = password_field(_("New password, once more"), autocomplete="new-password")

    def __init__(self, user: User, confirm: Callable[[str], bool], data: QueryDict | None = None) -> None:
        self.user = user
        self.confirm = confirm
        super().__init__(data)

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.confirm(current):
            raise forms.ValidationError(
                _("This is not your current password, or it was tried too often just now."), code="wrong"
            )
        return current

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two new passwords differ."))
        if password and password == cleaned.get("current"):
            self.add_error("password", _("This is the old password."))
        elif password:
            try:
                password_validation.validate_password(password, self.user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class ProfileForm(UserForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [
            ("", _("That of the browser")),
            *((zone, zone.replace("_", " ")) for zone in time_zones()),
        ],
    )
    language = forms.ChoiceField(label=_("Language"), choices=lambda: settings.LANGUAGES)

    class Meta:
        model = User
        fields = ["name", "time_zone", "language", "single_keys"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}


def time_zones() -> list[str]:
    """Names of places that people recognise, by alphabet; the machine's aliases are left out."""
    return [
        "UTC",
        *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
    ]


class WorkspaceForm(TeamForm):
    """Name, dialect and who decides. To let creators approve has to be confirmed after a warning."""

    dialect = forms.ChoiceField(
        label=_("Dialect"),
        choices=Dialect.choices,
        help_text=_("Which session API new sessions use. Existing ones keep the one they were made with."),
    )
    approvals_needed = forms.IntegerField(
        label=_("Approvals that a storyboard needs"),
        min_value=1,
        max_value=MOST,
        help_text=_("By different people. The last one sends the approval to HeyGen."),
    )
    author_may_approve = forms.BooleanField(
        label=_("The approval of the person who started the session counts"), required=False
    )
    creators_may_approve = forms.BooleanField(label=_("Creators may approve, too"), required=False)
    understood = forms.BooleanField(label=_("I understand, let creators approve"), required=False)

    class Meta:
        model = Workspace
        fields = ["name", "dialect"]

    def __init__(self, data: QueryDict | None = None, *, instance: Workspace) -> None:
        super().__init__(data, instance=instance, initial=ApprovalRule.of(instance).as_settings())
        self.was = ApprovalRule.of(instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (
            cleaned.get("creators_may_approve")
            and not self.was.creators_may
            and not cleaned.get("understood")
        ):
            self.add_error(
                "understood",
                _(
                    "Every creator could then start the rendering of a video, which costs money: by approving, by any"
                    " message while a storyboard awaits its verdict, or by sessions that run through by themselves."
                ),
            )
        if "approvals_needed" in cleaned:
            able = people_who_may_approve(self.instance, self.rule())
            if cleaned["approvals_needed"] > max(able, 1):
                self.add_error(
                    "approvals_needed",
                    ngettext(
                        "Only %(able)d person here may approve, so nothing could be approved any more.",
                        "Only %(able)d people here may approve, so nothing could be approved any more.",
                        able,
                    )
                    % {"able": able},
                )
        return cleaned

    def rule(self) -> ApprovalRule:
        """What was chosen."""
        return ApprovalRule(
            needed=self.cleaned_data["approvals_needed"],
            author_counts=self.cleaned_data["author_may_approve"],
            creators_may=self.cleaned_data["creators_may_approve"],
        )

    @property
    def warns(self) -> bool:
        """Whether the warning stands on the page, with its box to tick."""
        return "understood" in self.errors or bool(self.is_bound and self.cleaned_data.get("understood"))


class KeyForm(forms.Form):
    """Write-only: what is entered here is never shown again, not even after an error."""

    api_key = forms.CharField(
        label=_("API key"),
        min_length=8,
        validators=[MaxLengthValidator(512)],
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}, render_value=False),
        help_text=_("From your HeyGen account's API settings. It is stored encrypted and never shown again."),
    )
    unchecked = forms.BooleanField(
        label=_("Save it also when HeyGen cannot be asked right now"),
        required=False,
    )
    # Where the page said that the key goes.
    address = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_api_key(self) -> str:
        api_key: str = self.cleaned_data["api_key"]
        if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
            raise forms.ValidationError(_("An API key has no spaces and no special characters."), code="form")
        return api_key


class InviteForm(forms.Form):
    email = email_field(autocomplete="off")
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.CREATOR)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
