"""The forms of the accounts: signing in, the own account, users and their roles."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField, SelectField

from mis.accounts import roles
from mis.accounts.passwords import LONGEST, SHORTEST
from mis.web import i18n
from mis.web.forms import AreaField, DateField, Filled, Form, StringField, at_most, choices

_CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}


def _password(label: Any, autocomplete: str, **more: Any) -> PasswordField:
    return PasswordField(
        label, [Filled(), at_most(LONGEST)], render_kw={"autocomplete": autocomplete}, **more
    )


class SignInForm(Form):
    """Name and password."""

    username = StringField(
        _l("User name"),
        [Filled(), at_most(200)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "autofocus": True},
    )
    password = _password(_l("Password"), "current-password")
    next = HiddenField()


class CodeForm(Form):
    """The code of the second factor."""

    code = StringField(_l("Code"), [Filled(), at_most(20)], render_kw=_CODE)


class PasswordForm(Form):
    """A new password, typed twice, and the present one."""

    current = _password(_l("Present password"), "current-password")
    new = _password(
        _l("New password"),
        "new-password",
        description=_l(
            "At least %(count)s characters. Three or four words in a row are easy to keep in mind.",
            count=SHORTEST,
        ),
    )
    again = _password(_l("New password again"), "new-password")

    def validate_again(self, field: PasswordField) -> None:
        """Both must be the same."""
        if field.data != self.new.data:
            raise ValueError(str(_l("This is not the same as the new password.")))


class PresentPasswordForm(Form):
    """The present password, before something that weakens the account."""

    current = _password(_l("Present password"), "current-password")


class LanguageForm(Form):
    """The language that the user keeps."""

    locale = SelectField(_l("Language"))

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.locale.choices = choices(i18n.LANGUAGES.items(), empty=_l("As the browser says"))


class UserForm(Form):
    """Who the person behind an account is."""

    name = StringField(_l("Name"), [Filled(), at_most(200)])
    email = EmailField(_l("E-mail address"), [at_most(200)])
    staff_number = StringField(
        _l("Staff number"),
        [at_most(20)],
        description=_l(
            "Two accounts with the same number are one person: they never approve each other's work."
        ),
    )


class NewUserForm(UserForm):
    """A new account."""

    username = StringField(
        _l("User name"),
        [Filled()],
        description=_l(
            "Small letters, digits, dots and dashes, such as a.mwangi. It cannot be changed later."
        ),
        render_kw={"autocapitalize": "none", "autocomplete": "off"},
    )


class RoleForm(Form):
    """A role to be assigned."""

    role = SelectField(_l("Role"), [Filled()])
    area = AreaField(_l("Area"), description=_l("The role holds there and below. Empty: the whole country."))
    expires_on = DateField(_l("Last day"), description=_l("Empty: until further notice."))

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.role.choices = choices(
            ((role.code, _l(role.label)) for role in roles.assignable()), empty=_l("Choose a role")
        )
