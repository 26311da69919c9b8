"""The forms of the grievances: lodging, working, answering, appealing; and those that need no sign-in."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField

from grievances.catalogue import catalogue
from grievances.intake import LONGEST_NAME, LONGEST_TEXT
from grievances.remedies import Choice
from mis.web import i18n
from mis.web.forms import (
    AreaField,
    DateField,
    Filled,
    Form,
    PersonField,
    StringField,
    VersionField,
    at_most,
    choices,
)
from registry import references

_LONGEST_NOTE = 4_000


def _person_number(text: str) -> int:
    return references.parse(text, kind=references.PERSON, field="person")[1]


def _person_reference(number: int) -> str:
    return references.reference(references.PERSON, number)


def _text(label: Any, *, rows: int = 6, limit: int = LONGEST_TEXT, **more: Any) -> TextAreaField:
    return TextAreaField(
        label, [Filled(), at_most(limit)], render_kw={"rows": rows, "maxlength": limit}, **more
    )


def _categories(*, public: bool) -> Any:
    known = catalogue().categories.values()
    offered = [one for one in known if one.lodged_directly and (one.public or not public)]
    return choices(((one.code, _l(one.label)) for one in offered), empty=_l("Choose what it is about"))


class LodgeForm(Form):
    """A grievance as an officer takes it in."""

    category = SelectField(_l("What is it about?"), [Filled()])
    person = PersonField(
        _l("Person concerned"),
        resolve=_person_number,
        write=_person_reference,
        description=_l("The reference number, such as P-000-012-355. Empty: nobody in particular."),
    )
    area = AreaField(_l("Area"), description=_l("Only needed when no person is concerned."))
    description = _text(_l("What happened?"))
    channel = SelectField(_l("How did it reach us?"), [Filled()], default="office")
    received_on = DateField(_l("Received on"), [Filled()], description=_l("The deadlines run from this day."))
    anonymous = BooleanField(_l("The complainant wants to stay anonymous"))
    name = StringField(_l("Name of the complainant"), [at_most(LONGEST_NAME)])
    phone = StringField(
        _l("Telephone number"), [at_most(40)], render_kw={"type": "tel", "autocomplete": "off"}
    )

    groups = ((_l("Complainant"), ["anonymous", "name", "phone"]),)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.category.choices = _categories(public=False)
        self.channel.choices = choices(i18n.told(catalogue().channels))


class NoteForm(Form):
    """A note on a case."""

    text = _text(_l("Note"), rows=3, limit=_LONGEST_NOTE)


class AssignForm(Form):
    """To whom a case is given."""

    version = VersionField()
    user = SelectField(_l("Officer"), [Filled()], coerce=lambda value: int(value) if value else None)


class ResolveForm(Form):
    """The answer: finding, decision, remedy."""

    version = VersionField()
    finding = RadioField(_l("What was found?"), [Filled()])
    decision = _text(
        _l("Decision"),
        description=_l(
            "It is sent to the complainant as it stands: say what was found, what is done, and by when."
        ),
    )
    remedy = RadioField(_l("Remedy"), [Filled()], default="none")

    def __init__(self, offered: list[Choice], **given: Any) -> None:
        super().__init__(**given)
        self.finding.choices = choices(i18n.told(catalogue().findings))
        self.remedy.choices = choices(
            (one.code, f"{_l(one.label)}. {one.promise}") for one in offered if one.refusal is None
        )


class AppealForm(Form):
    """An appeal against an answer, as an officer takes it in."""

    version = VersionField()
    grounds = _text(_l("Why is the answer contested?"))
    channel = SelectField(_l("How did it reach us?"), [Filled()], default="office")
    received_on = DateField(_l("Received on"), [Filled()])
    late_because = TextAreaField(
        _l("If it came too late: why it is heard all the same"),
        [at_most(2000)],
        render_kw={"rows": 2, "maxlength": 2000},
    )

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.channel.choices = choices(i18n.told(catalogue().channels))


class PublicLodgeForm(Form):
    """A grievance as anybody may lodge it."""

    category = SelectField(_l("What is it about?"), [Filled()])
    area = AreaField(_l("Where do you live, or where did it happen?"), [Filled()])
    description = _text(_l("What happened?"))
    person = StringField(
        _l("Number on your card or letter"),
        [at_most(20)],
        description=_l("It begins with P. Leave it empty if you have none."),
    )
    anonymous = BooleanField(_l("I want to stay anonymous"))
    name = StringField(_l("Your name"), [at_most(LONGEST_NAME)], render_kw={"autocomplete": "name"})
    phone = StringField(
        _l("Your telephone number"),
        [at_most(40)],
        description=_l("So that we can reach you. It may stay empty."),
        render_kw={"type": "tel", "autocomplete": "tel"},
    )

    groups = ((_l("Who are you?"), ["anonymous", "name", "phone"]),)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.category.choices = _categories(public=True)


class LookUpForm(Form):
    """What is needed to ask about a case: the number and the word of the receipt."""

    reference = StringField(
        _l("Number of the grievance"),
        [Filled(), at_most(20)],
        description=_l("It begins with G and stands on your receipt."),
        render_kw={"autocomplete": "off"},
    )
    word = StringField(_l("Secret word"), [Filled(), at_most(20)], render_kw={"autocomplete": "off"})


class PublicAppealForm(LookUpForm):
    """An appeal by the author of a grievance."""

    grounds = _text(_l("Why do you contest the answer?"))
