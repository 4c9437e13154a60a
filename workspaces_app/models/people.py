"""People, and how often somebody may try to sign in."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uuid6
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail addresses are kept in lower case, so that one person is one row."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a hashed password; without one nobody can sign in as them."""
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An operator of the whole installation: Django's command and `bootstrap` call this."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_staff` makes them an operator of the whole installation, who sees every workspace in the admin.

    `sign_in_epoch` is part of what every session is checked against: counting it up ends all of them.
    """

    # For addresses, such as those of filtered lists.
    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Empty: the one of the browser.")
    )
    language = models.CharField(_("language"), max_length=16, default="en")
    # Of the person, not of the browser: who dictates or types by switch does so on every machine.
    single_keys = models.BooleanField(
        _("single-key shortcuts"),
        default=True,
        help_text=_("Such as “a” for approve. “?” lists them on every page."),
    )
    must_change_password = models.BooleanField(_("must change password"), default=False)
    sign_in_epoch = models.PositiveIntegerField(default=0, editable=False)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone for what the server reckons; UTC where only the browser knows it."""
        try:
            return ZoneInfo(self.time_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's own hook of get_session_auth_hash and of its fallback for rotated SECRET_KEYs.
        by_password = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{by_password}.{self.sign_in_epoch}"

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.partition("@")[0]


class SignInBucket(models.Model):
    """How much of the sign-in allowance an account or an address has used (`workspaces_app.throttle`).

    `key` is a keyed hash: the table tells nobody which addresses were tried. `spent_until` is the moment at
    which the bucket is empty again: one number is all that the GCRA needs, and one UPDATE changes it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    spent_until = models.FloatField(help_text="seconds since 1970")

    class Meta:
        indexes = [models.Index(fields=["spent_until"], name="sign_in_bucket_age")]

    def __str__(self) -> str:
        return self.key
