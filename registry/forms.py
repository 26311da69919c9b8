"""The forms of the registry: persons, households with several members at once, numbers, memberships, lists, areas."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import FieldList, FormField, SelectField, StringField
from wtforms import Form as PlainForm

from mis import calendar
from mis.errors import Refusal
from mis.web.forms import (
    AreaField,
    DateField,
    Filled,
    Form,
    ParsedField,
    PersonField,
    VersionField,
    choices,
    optional,
)
from registry import birth_dates, facts, identification, names, references, registration
from registry.birth_dates import BirthDate
from registry.facts import Fact
from registry.importing import mapping
from registry.models import Household, Person
from registry.registration import NewMember, PersonFacts

SEXES = [("female", _l("Female")), ("male", _l("Male")), ("unknown", _l("Not known"))]
RELATIONSHIPS = [
    ("head", _l("Head")),
    ("spouse", _l("Spouse")),
    ("child", _l("Child")),
    ("parent", _l("Parent")),
    ("grandchild", _l("Grandchild")),
    ("sibling", _l("Brother or sister")),
    ("other_relative", _l("Other relative")),
    ("not_related", _l("Not related")),
]
COLLECTORS = [("primary", _l("Primary collector")), ("alternate", _l("Alternate collector"))]
NUMBER_KINDS = [
    ("national_id", _l("National identity number")),
    ("social_security", _l("Social security number")),
    ("birth_certificate", _l("Birth certificate number")),
    ("passport", _l("Passport number")),
    ("refugee", _l("Refugee registration number")),
    ("other", _l("Other number")),
]
_NAME = {"maxlength": str(names.LONGEST), "autocomplete": "off"}
_SHORT = {"maxlength": "20", "autocomplete": "off"}
FIRST_ROWS = 4
MOST_ROWS = 60


class BirthDateField(ParsedField):
    """A birth date as far as it is known: 1933, 1933-05 or 1933-05-12."""

    def parse(self, text: str) -> BirthDate:
        """First day and precision."""
        return birth_dates.parse(text, day=calendar.today())

    def written(self, value: BirthDate) -> str:
        """What is known."""
        return birth_dates.written(*value)


class FactField(ParsedField):
    """A number or date of the fact catalogue, as its stored value."""

    def __init__(self, label: Any = None, validators: Any = None, *, fact: Fact, **more: Any) -> None:
        super().__init__(label, validators, **more)
        self._fact = fact
        self.render_kw = {"inputmode": "decimal", **_SHORT}

    def parse(self, text: str) -> Any:
        """The stored value."""
        return self._fact.parse(text)

    def written(self, value: Any) -> str:
        """As a person writes it."""
        return self._fact.written(value)


def fact_fields(subject: str) -> dict[str, Any]:
    """A field for each fact of a `person` or `household`, called fact_<key>."""
    return {f"fact_{key}": _fact_field(fact) for key, fact in facts.attributes_of(subject).items()}


def fact_values(form: Any, subject: str) -> dict[str, Any]:
    """What a form says of the facts, as stored values; None for what is not known."""
    return {
        key: _fact_value(fact, form[f"fact_{key}"].data) for key, fact in facts.attributes_of(subject).items()
    }


def fact_data(subject: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """The data of the fact fields for stored attributes."""
    return {
        f"fact_{key}": fact.written(attributes.get(key)) if _is_chosen(fact) else attributes.get(key)
        for key, fact in facts.attributes_of(subject).items()
    }


class _PersonFields(PlainForm):
    given_name = StringField(_l("Given name"), render_kw=_NAME)
    other_names = StringField(_l("Other names"), render_kw=_NAME)
    family_name = StringField(_l("Family name"), render_kw=_NAME)
    sex = SelectField(_l("Sex"), choices=lambda: choices(SEXES), default="unknown")
    birth_date = BirthDateField(
        _l("Birth date"),
        description=_l("As far as it is known: 1933, 1933-05 or 1933-05-12."),
        render_kw=_SHORT,
    )
    death_date = DateField(_l("Date of death"))
    address = StringField(_l("Address"), render_kw=_NAME)

    def said(self, attributes: dict[str, Any]) -> PersonFacts:
        """What the form says of the person."""
        return PersonFacts(
            given_name=self.given_name.data,
            other_names=self.other_names.data,
            family_name=self.family_name.data,
            sex=self.sex.data,
            birth=self.birth_date.data,
            death_date=self.death_date.data,
            address=self.address.data,
            attributes=attributes,
        )


class PersonForm(_PersonFields, Form):
    """A person; its subclass of the day has the facts of the catalogue (`person_form`)."""

    area_id = AreaField(_l("Area"), [Filled()])
    version = VersionField()


def person_form(person: Person | None = None, **more: Any) -> Any:
    """The form of a person, new or on record; the area of a member of a household is that of the household."""
    made = type("PersonFormWithFacts", (PersonForm,), fact_fields("person"))
    if person is None:
        return made(**more)
    birth = (person.birth_date, person.birth_precision) if person.birth_date else None
    data = {
        name: getattr(person, name)
        for name in ("given_name", "other_names", "family_name", "sex", "death_date")
    }
    data |= {
        "birth_date": birth,
        "address": person.address,
        "area_id": person.area_id,
        "version": person.version,
    }
    return made(data=data | fact_data("person", person.attributes))


class MemberForm(PlainForm):
    """One member in the form of a household; a row in which nothing is written is no member."""

    given_name = StringField(_l("Given name"), render_kw=_NAME)
    family_name = StringField(_l("Family name"), render_kw=_NAME)
    sex = SelectField(_l("Sex"), choices=lambda: choices(SEXES), default="unknown")
    birth_date = BirthDateField(_l("Birth date"), render_kw=_SHORT)
    relationship = SelectField(_l("Relationship"), choices=lambda: choices(RELATIONSHIPS, empty="–"))
    identity_number = StringField(_l("National number"), render_kw=_SHORT)
    phone = StringField(_l("Telephone"), render_kw=_SHORT)
    collector = SelectField(_l("Collects the money"), choices=lambda: choices(COLLECTORS, empty=_("No")))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written into this row."""
        typed = (self.given_name, self.family_name, self.birth_date, self.identity_number, self.phone)
        return not any(
            (field.raw_data or [""])[0].strip() if field.raw_data else field.data for field in typed
        )

    def member(self) -> NewMember:
        """The member that the row describes."""
        number = (self.identity_number.data or "").strip()
        phone = (self.phone.data or "").strip()
        return NewMember(
            PersonFacts(
                self.given_name.data, self.family_name.data, sex=self.sex.data, birth=self.birth_date.data
            ),
            relationship=self.relationship.data or "",
            collector=self.collector.data or None,
            identity_numbers=[("national_id", number)] if number else (),
            phones=[phone] if phone else (),
        )


class HouseholdForm(Form):
    """A household; its subclass of the day has the facts of the catalogue (`household_form`)."""

    area_id = AreaField(_l("Area"), [Filled()])
    address = StringField(_l("Address"), render_kw=_NAME)
    version = VersionField()


class NewHouseholdForm(Form):
    """A household with its members, all on one page."""

    area_id = AreaField(_l("Area"), [Filled()])
    address = StringField(_l("Address"), render_kw=_NAME)
    members = FieldList(
        FormField(MemberForm), label=_l("Members"), min_entries=FIRST_ROWS, max_entries=MOST_ROWS
    )

    @property
    def rows(self) -> list[Any]:
        """The rows that describe a member."""
        return [entry for entry in self.members if not entry.form.is_empty]

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal at the field of the member that it names."""
        place, _dash, name = (refusal.field or "").removeprefix("members-").partition("-")
        if place.isdigit() and int(place) < len(self.rows):
            field = self.rows[int(place)].form._fields.get(name)
            if field is not None:
                self.refused_with = refusal.status
                field.errors = [*field.errors, str(refusal)]
                return
        super().refuse(refusal)


def household_form(household: Household | None = None) -> Any:
    """The form of a household: with rows for its members if it is new, else with its version."""
    if household is None:
        return type("NewHouseholdFormWithFacts", (NewHouseholdForm,), fact_fields("household"))()
    made = type("HouseholdFormWithFacts", (HouseholdForm,), fact_fields("household"))
    data = {"area_id": household.area_id, "address": household.address, "version": household.version}
    return made(data=data | fact_data("household", household.attributes))


class NumberForm(Form):
    """An identity number."""

    kind = SelectField(_l("Kind"), choices=lambda: choices(NUMBER_KINDS))
    identity_number = StringField(
        _l("Number"), [Filled()], render_kw={"maxlength": "60", "autocomplete": "off"}
    )


class PhoneForm(Form):
    """A telephone number."""

    phone = StringField(
        _l("Telephone"), [Filled()], description=_l("With + and the country code."), render_kw=_SHORT
    )


class JoinForm(Form):
    """A person who joins a household."""

    person = PersonField(
        _l("Person"),
        [Filled()],
        resolve=registration.person_by_reference,
        write=lambda person: references.reference("P", person.id),
        description=_l("The reference number, such as P-000-012-345."),
    )
    relationship = SelectField(
        _l("Relationship to the head"), choices=lambda: choices(RELATIONSHIPS, empty="–")
    )
    day = DateField(_l("Since"), [Filled()], default=calendar.today)


class MembershipForm(Form):
    """What changes with a member: leaves, becomes the head, collects the money."""

    change = SelectField(
        _l("What changes"),
        choices=lambda: choices(
            [
                ("leave", _("Leaves the household")),
                ("head", _("Becomes the head")),
                ("primary", _("Collects the money")),
                ("alternate", _("Collects the money as alternate")),
                ("none", _("Collects the money no longer")),
            ]
        ),
    )
    former_becomes = SelectField(
        _l("The former head is then"), choices=lambda: choices(RELATIONSHIPS[1:], empty=_("(does not apply)"))
    )
    day = DateField(_l("From this day on"), [Filled()], default=calendar.today)


class AreaListForm(Form):
    """A list of areas."""

    file = FileField(
        _l("List of areas"),
        [FileRequired(_l("Choose a file."))],
        description=_l("CSV with the columns code, name, kind, parent_code."),
    )


class ImportForm(Form):
    """A list of people, and the mapping to read it with."""

    file = FileField(
        _l("List"), [FileRequired(_l("Choose a file."))], description=_l("A CSV file or an XLSX workbook.")
    )
    mapping = SelectField(
        _l("Mapping"),
        choices=lambda: choices(
            [
                (name, f"{mapping.read(text, name=name).title} ({name})")
                for name, text in mapping.shipped().items()
            ],
            empty=_("A mapping file of my own"),
        ),
    )
    mapping_file = FileField(
        _l("Mapping file"), [optional()], description=_l("Only for a mapping of your own.")
    )
    area_id = AreaField(
        _l("Area"), description=_l("Only where the mapping does not say in which area a row lies.")
    )


def _fact_field(fact: Fact) -> Any:
    label = f"{fact.label} ({fact.unit})" if fact.unit else fact.label
    if fact.type == "boolean":
        return SelectField(
            label, choices=lambda: choices([("yes", _("Yes")), ("no", _("No"))], empty=_("Not known"))
        )
    if fact.type == "choice":
        return SelectField(label, choices=lambda: choices(fact.choices.items(), empty=_("Not known")))
    if fact.labels:
        answers = [(code, f"{code} – {words}") for code, words in fact.labels.items()]
        return SelectField(label, choices=lambda: choices(answers, empty=_("Not known")))
    return FactField(label, fact=fact)


def _is_chosen(fact: Fact) -> bool:
    return fact.type in ("boolean", "choice") or bool(fact.labels)


def _fact_value(fact: Fact, data: Any) -> Any:
    if _is_chosen(fact):
        return fact.parse(data) if data else None
    return data


assert {kind for kind, _label in NUMBER_KINDS} == set(identification.KINDS)
