"""Registering and correcting persons and households; who belongs where from when to when."""

from datetime import date

import pytest
import sqlalchemy as sa

from mis.audit import AuditEntry
from mis.db import MisSession
from mis.errors import Conflict, Forbidden, Invalid
from registry import belonging, birth_dates, identification, population, registration, search
from registry.models import Area, Household, Membership, Person
from registry.references import reference
from registry.registration import NewMember, PersonFacts
from tests.conftest import acting_as
from tests.factories.registry import AT, AreaFactory, PersonFactory, household_of

DAY = date(2024, 1, 2)


def family(area: Area, **more: object) -> Household:
    members = [
        NewMember(
            PersonFacts("Awa", "Diallo", sex="female", birth=(date(1960, 1, 1), "year")), "head", "primary"
        ),
        NewMember(PersonFacts("Ibrahima", "Diallo", sex="male"), "child"),
    ]
    return registration.register_household(members, area_id=area.id, day=DAY, at=AT, **more)  # type: ignore[arg-type]


def test_a_household_is_registered_with_all_its_members(work: MisSession):
    household = family(AreaFactory(), attributes={"rooms": 2, "tv": True})
    members = belonging.members(household)
    assert [(one.person.name, one.relationship_to_head, one.collector) for one in members] == [
        ("Awa Diallo", "head", "primary"), ("Ibrahima Diallo", "child", None),
    ]  # fmt: skip
    assert {one.person.area_id for one in members} == {household.area_id}


@pytest.mark.parametrize("relationships", [[], ["child"], ["head", "head"]])
def test_a_household_has_exactly_one_head(work: MisSession, relationships: list[str]):
    members = [NewMember(PersonFacts("Awa"), relationship) for relationship in relationships]
    with pytest.raises(Invalid, match="head") as refused:
        registration.register_household(members, area_id=AreaFactory().id, day=DAY, at=AT)
    assert refused.value.field == "members"


def test_a_refusal_names_the_member_it_speaks_of(work: MisSession):
    members = [NewMember(PersonFacts("Awa"), "head"), NewMember(PersonFacts(None, None), "child")]
    with pytest.raises(Invalid, match="given name or a family name") as refused:
        registration.register_household(members, area_id=AreaFactory().id, day=DAY, at=AT)
    assert refused.value.field == "members-1-given_name"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (PersonFacts("Awa", sex="f"), "sex"),
        (PersonFacts("Awa", birth=(date(2024, 1, 3), "day")), "birth_date"),
        (PersonFacts("Awa", birth=(date(1850, 1, 1), "year")), "birth_date"),
        (PersonFacts("Awa", birth=(date(1990, 1, 1), "day"), death_date=date(1989, 1, 1)), "death_date"),
        (PersonFacts("Awa", death_date=date(2025, 1, 1)), "death_date"),
        (PersonFacts("A" * 201), "given_name"),
        (PersonFacts("Awa\x00"), "given_name"),
        (PersonFacts("Awa", attributes={"seeing": 5}), "person.seeing"),
        (PersonFacts("Awa", attributes={"seeing": True}), "person.seeing"),
        (PersonFacts("Awa", attributes={"shoe_size": 41}), "person.shoe_size"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(work: MisSession, said: PersonFacts, field: str):
    with pytest.raises(Invalid) as refused:
        registration.register_person(said, area_id=AreaFactory().id, day=DAY, at=AT)
    assert refused.value.field == field
    assert work.scalar(sa.select(sa.func.count(Person.id))) == 0


def test_an_identity_number_has_one_holder_who_is_named_only_to_those_who_may_see_her(work: MisSession):
    mine, other = AreaFactory(), AreaFactory()
    holder = PersonFactory(area=other)
    identification.give_number(holder, "national_id", "12.34-56 78")
    person = PersonFactory(area=mine)
    with pytest.raises(Conflict, match=reference("P", holder.id)):
        identification.give_number(person, "national_id", "12345678")
    with acting_as("clerk", "registry:person:edit", area_id=mine.id), pytest.raises(Conflict) as refused:
        identification.give_number(person, "national_id", "12345678")
    assert "outside the areas" in str(refused.value) and holder.name not in str(refused.value)


def test_a_number_that_was_taken_away_may_be_given_to_another(work: MisSession):
    first, second = PersonFactory(), PersonFactory()
    identification.take_away(identification.give_number(first, "passport", "AB123456"))
    assert identification.give_number(second, "passport", "ab 123456").number == "AB123456"


def test_the_audit_trail_never_holds_an_identity_number(work: MisSession):
    identification.give_number(PersonFactory(), "passport", "QX987654")
    entries = work.scalars(sa.select(AuditEntry).where(AuditEntry.subject_type == "identity_number")).all()
    assert entries and all("QX987654" not in str(entry.changes) for entry in entries)


@pytest.mark.parametrize("text", ["0712345678", "12", "+999123", "call me"])
def test_a_phone_without_its_country_is_refused_where_no_country_is_set(text: str, app: object):
    with pytest.raises(Invalid, match="telephone number"):
        identification.clean_phone(text)


def test_phones_are_kept_in_international_form(app: object):
    assert identification.clean_phone("+254 712-345 678") == "+254712345678"


def test_of_two_people_who_edit_the_second_is_told(work: MisSession):
    person = PersonFactory()
    seen = person.version
    registration.edit_person(person, PersonFacts("Aminata", "Ba"), day=DAY, at=AT, version=seen)
    with pytest.raises(Conflict, match="Somebody else"):
        registration.edit_person(person, PersonFacts("Aissatou", "Ba"), day=DAY, at=AT, version=seen)
    assert person.name == "Aminata Ba" and person.search_name == "aminata ba"


def test_facts_that_an_edit_does_not_name_are_kept(work: MisSession):
    person = PersonFactory(attributes={"seeing": 2, "farmer": True})
    registration.edit_person(person, PersonFacts("Awa", attributes={"farmer": None}), day=DAY, at=AT)
    assert person.attributes == {"seeing": 2}


def test_a_household_that_moves_takes_its_members_along(work: MisSession):
    head, there = PersonFactory(), AreaFactory()
    household = household_of(head)
    registration.edit_household(household, area_id=there.id, address=None, attributes={}, at=AT)
    assert head.area_id == household.area_id == there.id


def test_a_clerk_registers_only_in_her_own_areas(work: MisSession):
    mine, other = AreaFactory(), AreaFactory()
    with acting_as("clerk", "registry:household:edit", area_id=mine.id):
        family(mine)
        with pytest.raises(Forbidden):
            family(other)


def test_a_member_leaves_joins_and_moves_by_day(work: MisSession):
    head, son, other_head = PersonFactory(), PersonFactory(), PersonFactory()
    old, new = household_of(head, (son, "child")), household_of(other_head)
    belonging.move(son, new, relationship="spouse", day=DAY)
    assert [(one.household_id, one.valid_from, one.valid_to) for one in belonging.history(son)] == [
        (new.id, DAY, None), (old.id, date(2020, 1, 1), DAY),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="belongs to household"):
        belonging.join(old, son, relationship="child", day=DAY)


def test_the_head_leaves_last(work: MisSession):
    head, wife = PersonFactory(), PersonFactory()
    household = household_of(head, (wife, "spouse"))
    with pytest.raises(Conflict, match="head cannot leave") as refused:
        belonging.leave(head, day=DAY)
    assert refused.value.instead == "Name a new head first."
    belonging.change_head(household, wife, former_becomes="spouse", day=DAY)
    belonging.leave(head, day=date(2024, 2, 1))
    assert [one.person_id for one in belonging.members(household)] == [wife.id]


def test_a_new_primary_collector_takes_the_place_of_the_former(work: MisSession):
    head, wife = PersonFactory(), PersonFactory()
    household = household_of(head, (wife, "spouse"))
    belonging.set_collector(household, head, role="primary", day=DAY)
    belonging.set_collector(household, wife, role="primary", day=DAY)
    assert {one.person_id: one.collector for one in belonging.members(household)} == {
        head.id: None,
        wife.id: "primary",
    }


def test_the_database_itself_keeps_one_head(work: MisSession):
    household = household_of(PersonFactory())
    with pytest.raises(sa.exc.IntegrityError), work.begin_nested():
        work.add(Membership(household_id=household.id, person_id=PersonFactory().id, relationship_to_head="head",
                            valid_from=DAY))  # fmt: skip
        work.flush()


def test_people_are_found_by_the_beginnings_of_their_names_without_accents(work: MisSession):
    person = registration.register_person(
        PersonFacts("Nguyễn", "Đặng"), area_id=AreaFactory().id, day=DAY, at=AT
    )
    PersonFactory()
    for query in ("dang", "NGUYEN", "ngu da", "đặng ngu"):
        assert [found.id for found in search.persons(query)] == [person.id]
    assert search.persons("guyen") == []


def test_people_are_found_by_reference_identity_number_and_phone(work: MisSession):
    person = PersonFactory()
    identification.give_number(person, "national_id", "12345678")
    identification.give_phone(person, "+254712345678")
    for query in (reference("P", person.id), "12 34 56 78", "+254 712 345 678"):
        assert [found.id for found in search.persons(query)] == [person.id]
    assert search.persons("12345679") == []


def test_nobody_is_found_outside_the_areas_one_works_in(work: MisSession):
    mine, person = AreaFactory(), PersonFactory(family_name="Sow")
    with acting_as("clerk", "registry:person:read", area_id=mine.id):
        assert search.persons("sow") == [] and search.persons(reference("P", person.id)) == []


def test_only_the_living_members_of_the_day_are_counted(work: MisSession):
    head, dead, gone = PersonFactory(), PersonFactory(death_date=date(2023, 5, 1)), PersonFactory()
    household_of(head, (dead, "parent"), (gone, "child"))
    belonging.leave(gone, day=date(2023, 1, 1))
    counted = [row.id for row in work.execute(population.people_on(DAY))]
    before = [row.id for row in work.execute(population.people_on(date(2022, 1, 1)))]
    assert counted == [head.id] and sorted(before) == [head.id, dead.id, gone.id]


def test_a_birth_date_is_kept_as_far_as_it_is_known():
    assert birth_dates.parse("1933", day=DAY) == (date(1933, 1, 1), "year")
    assert birth_dates.parse("1933-05", day=DAY) == (date(1933, 5, 1), "month")
    assert birth_dates.written(date(1933, 5, 1), "month") == "1933-05"
    for wrong in ("33", "1933-13", "1933-02-30", "2024-01-03", "1850", "may 1933"):
        with pytest.raises(Invalid):
            birth_dates.parse(wrong, day=DAY)


@pytest.mark.parametrize("years", [0, 18, 65])
@pytest.mark.parametrize("on", [date(2024, 2, 29), date(2023, 2, 28), date(2023, 3, 1), date(2024, 7, 1)])
def test_the_last_birth_date_of_an_age_fits_the_age(years: int, on: date):
    last = birth_dates.born_by(years, on=on)
    next_day = date.fromordinal(last.toordinal() + 1)
    assert birth_dates.age(last, on=on) == years
    assert birth_dates.age(next_day, on=on) in (None, years - 1)
