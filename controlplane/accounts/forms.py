"""What people type about their account."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from controlplane.accounts.models import User

_PHONE = re.compile(r"\+?[0-9][0-9 ()\-]{6,28}")


class SignUpForm(forms.Form):
    """A seller's sign-up."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("Your own or your organisation's; other people see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        help_text=_("At least 10 characters. A few words in a row make a good one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        required=False,
        help_text=_("Only used when there is trouble with an event of yours."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
    )

    def clean_email(self) -> str:
        return User.objects.normalize_email(self.cleaned_data["email"])

    def clean_phone(self) -> str:
        return phone_or_error(self.cleaned_data["phone"])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        password = self.cleaned_data.get("password")
        if password:
            somebody = User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))
            try:
                password_validation.validate_password(password, somebody)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class LoginForm(auth_forms.AuthenticationForm):
    """Django's, in this product's words; django-axes counts the failures."""

    error_messages = {
        "invalid_login": _("E-mail address and password do not belong together. Check both and try again."),
        "inactive": _("E-mail address and password do not belong together. Check both and try again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "inputmode": "email", "type": "email"}
        self.fields["password"].label = _("Password")


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name", "phone"]
        labels = {"name": _("Name"), "phone": _("Phone")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "phone": forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True

    def clean_phone(self) -> str:
        return phone_or_error(self.cleaned_data["phone"])


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(label=_("What is it for?"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=lambda days: int(days) or None,
        empty_value=None,
        choices=[("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("0", _("Until revoked"))],
        initial="90",
    )


class CloseAccountForm(forms.Form):
    """Closing an account asks for the password again."""

    password = forms.CharField(
        label=_("Password"), strip=False, max_length=256, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        if not self.user.check_password(self.cleaned_data["password"]):
            raise ValidationError(_("The password is wrong."))
        return self.cleaned_data["password"]


def phone_or_error(phone: str) -> str:
    """PHONE without blanks around; empty stays empty."""
    phone = phone.strip()
    if phone and not _PHONE.fullmatch(phone):
        raise ValidationError(_("Write the number with digits, for example 010-1234-5678."))
    return phone
