"""Forms: what was typed wrongly says so at its field, and what the domain refuses is undone and told."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from mis.accounts.models import SignInAttempt
from mis.calendar import Month, now
from mis.db import MisSession, db
from mis.errors import Conflict, Forbidden, Invalid
from mis.money import Money
from mis.web.forms import (
    AreaField,
    DateField,
    Filled,
    Form,
    MoneyField,
    MonthField,
    PersonField,
    VersionField,
    optional,
)
from registry.models import Area
from tests.conftest import acting_as
from tests.mis.accounts.people import make_areas


def resolve(text: str) -> int:
    if not text.isdigit():
        raise Invalid(f"“{text}” is no reference number.", field="reference")
    return int(text)


class Everything(Form):
    """One field of each kind."""

    class Meta(FlaskForm.Meta):
        csrf = False

    day = DateField("Day", [optional()])
    month = MonthField("Month", [Filled()])
    amount = MoneyField("Amount", currency="KES")
    area = AreaField("Area")
    person = PersonField("Person", resolve=resolve)
    version = VersionField()


def sent(**fields: str) -> Everything:
    return Everything(formdata=MultiDict({"month": "2026-03"} | fields))


@pytest.fixture
def page(app: Flask, work: MisSession):
    with app.test_request_context("/", method="POST"):
        yield work


def test_each_field_reads_what_people_write(page: MisSession):
    areas = make_areas()
    form = sent(day="2026-03-02", amount="1234.50", area="XX1 (XX1)", person="77", version="3")
    assert form.validate(), form.errors
    assert (form.day.data, form.month.data) == (date(2026, 3, 2), Month(2026, 3))
    assert (form.amount.data, form.person.data) == (Money(123450, "KES"), 77)
    assert (form.area.data, form.version.data) == (areas["XX1"], 3)


def test_empty_fields_are_none_and_a_mandatory_one_says_so(page: MisSession):
    form = sent(month="", day="", amount=" ", area="", person="")
    assert not form.validate()
    assert set(form.errors) == {"month"}
    assert form.day.data is form.amount.data is form.area.data is form.person.data is None


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("day", "2/3/2026", "is not a date"),
        ("day", "2026-02-30", "is not a date"),
        ("month", "2026-13", "is not a month"),
        ("amount", "12.345", "too many decimals"),
        ("amount", "-1", "below zero"),
        ("amount", "many", "is not an amount"),
        ("area", "Atlantis", "There is no area"),
        ("person", "abc", "no reference number"),
        ("person", "1\x00", "cannot be stored"),
    ],
)
def test_a_wrong_value_says_so_once_and_stays_on_the_page(
    page: MisSession, field: str, text: str, sentence: str
):
    form = sent(**{field: text})
    assert not form.validate()
    (error,) = form.errors[field]
    assert sentence in error
    assert form[field]._value() == text


def test_values_are_written_as_they_are_read(page: MisSession):
    areas = make_areas()
    data = {"day": date(2026, 3, 2), "month": Month(2026, 3), "amount": Money(5, "KES"), "area": areas["XX2"]}
    form = Everything(formdata=None, data=data)
    assert 'value="2026-03-02"' in form.day()
    assert 'value="2026-03"' in form.month()
    assert 'value="0.05"' in form.amount()
    assert 'value="XX2 (XX2)"' in form.area()


def test_only_areas_in_scope_are_offered_and_taken(page: MisSession):
    areas = make_areas()
    with acting_as("officer", "registry:household:edit", area_id=areas["XX1"]):
        form = sent(area="XX2")
        assert "There is no area" in str(form.area.errors or form.area.process_errors)
        assert "XX2" not in Everything(formdata=None).area()
        assert "XX1" in Everything(formdata=None).area()


def test_an_area_name_that_two_share_needs_its_code(page: MisSession):
    make_areas()
    for area in page.scalars(sa.select(Area).where(Area.level == 1)):
        area.name = "Twin"
    page.flush()
    form = sent(area="twin")
    assert not form.validate()
    assert "Several areas" in form.errors["area"][0]
    assert sent(area="Twin (XX2)").validate()


def test_a_refusal_stands_at_its_field_and_undoes_what_was_begun(page: MisSession):
    form, done = sent(), []
    with form.catching():
        page.add(SignInAttempt(username="half done", at=now(), succeeded=False))
        page.flush()
        db.after_commit(lambda: done.append(True))
        raise Conflict("That day is taken.", field="day", instead="Choose another.")
    assert form.errors == {"day": ["That day is taken. Choose another."]}
    assert form.status == 409
    assert page.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 0
    page.commit()
    assert not page.info.get("after_commit")


@pytest.mark.parametrize("field", [None, "nowhere", "version"])
def test_a_refusal_without_a_visible_field_stands_on_top(page: MisSession, field: str | None):
    form = sent()
    with form.catching():
        raise Invalid("Not today.", field=field)
    assert form.form_errors == ["Not today."]
    assert form.status == 422


def test_what_is_forbidden_passes_through_to_its_own_page(page: MisSession):
    with pytest.raises(Forbidden), sent().catching():
        raise Forbidden("Not you.")


def test_what_is_done_without_a_refusal_stays(page: MisSession):
    form = sent()
    with form.catching():
        page.add(SignInAttempt(username="done", at=now(), succeeded=True))
    assert page.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 1
    assert form.status == 200


def test_another_persons_change_in_between_is_noticed(page: MisSession):
    class Record:
        version = 4

    form = sent(version="3")
    with form.catching():
        form.version.check(Record())
    assert form.status == 409
