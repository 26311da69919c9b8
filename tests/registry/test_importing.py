"""A list is read with a mapping, row by row; a second person lets it in; the same list again changes nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from mis import acting, jobs
from mis.db import db
from mis.errors import Conflict, Forbidden, Invalid
from mis.jobs import leases
from registry.importing import accepting, mapping, reporting, sheets, staging
from registry.models import (
    Area,
    AreaClosure,
    Household,
    IdentityNumber,
    ImportBatch,
    ImportRow,
    Membership,
    Person,
    Phone,
)
from tests.registry.lists import (
    ANNA,
    BOB,
    FEBRL_HEADER,
    MEMBERS,
    MEMBERS_HEADER,
    VLSS_HEADER,
    accept,
    bring,
    summary,
    vlss,
    vlss_row,
)

pytestmark = pytest.mark.usefixtures("app")


def count(model: type[Any]) -> int:
    with db.unit_of_work(read_only=True) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def counted() -> dict[str, int]:
    models = (Area, AreaClosure, Household, Person, Membership, IdentityNumber, Phone)
    return {model.__name__: count(model) for model in models}


def problems(number: int) -> dict[int, list[tuple[str, str]]]:
    with db.unit_of_work(read_only=True) as session:
        rows = session.scalars(
            sa.select(ImportRow).where(ImportRow.batch_id == number, ImportRow.outcome == "refused")
        )
        return {row.row_no: [(one["column"], one["code"]) for one in row.problems] for row in rows}


def refused_file(number: int) -> list[dict[str, str]]:
    with db.unit_of_work(read_only=True):
        text = "".join(reporting.refused(reporting.batch(number)))
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_household_list_becomes_households_heads_and_areas():
    staged = bring(vlss(*(vlss_row(no, commune=no % 3) for no in range(30))))
    assert staged["accepted"] == staged["read"] == 30 and staged["status"] == "staged"
    assert counted()["Person"] == 0, "nothing is registered before it is accepted"
    assert accept(staged["batch"])["status"] == "accepted"
    assert counted() == {"Area": 4, "AreaClosure": 7, "Household": 30, "Person": 30, "Membership": 30,
                         "IdentityNumber": 0, "Phone": 0}  # fmt: skip
    with db.unit_of_work(read_only=True) as session:
        person = session.scalars(sa.select(Person).order_by(Person.id)).first()
        assert person is not None
        assert (person.birth_date, person.birth_precision, person.sex) == (date(1930, 1, 1), "year", "female")
        assert person.attributes == {"schooling_years": 400, "farmer": False}
        household = session.scalars(sa.select(Household).order_by(Household.id)).first()
        assert household is not None and household.attributes["urban"] is True
        assert household.attributes["ln_food_expenditure"] == 86393390
        membership = session.scalars(sa.select(Membership)).first()
        assert membership is not None and membership.valid_from == date(1998, 7, 1)


def test_the_same_file_again_changes_nothing_and_says_so():
    content = vlss(*(vlss_row(no) for no in range(5)))
    first = bring(content)
    accept(first["batch"])
    before = counted()
    again = bring(content)
    assert again["again"] and again["batch"] == first["batch"] and counted() == before
    assert count(ImportBatch) == 1


def test_known_rows_of_a_new_file_are_unchanged_and_differing_ones_are_refused():
    accept(bring(vlss(vlss_row(1), vlss_row(2)))["batch"])
    second = bring(vlss(vlss_row(1), vlss_row(2, age=40), vlss_row(3)))
    assert (second["unchanged"], second["accepted"], second["refused"]) == (1, 1, {"known_otherwise": 1})
    accept(second["batch"])
    assert counted()["Person"] == 3


def test_a_batch_is_accepted_by_a_second_person():
    batch = bring(vlss(vlss_row(1)))["batch"]
    with pytest.raises(Forbidden, match="second person"):
        accept(batch, by=ANNA)
    assert summary(batch)["status"] == "staged" and counted()["Person"] == 0


def test_a_batch_is_accepted_once():
    batch = bring(vlss(vlss_row(1)))["batch"]
    accept(batch)
    with pytest.raises(Conflict, match="is accepted"):
        accept(batch)


def test_a_rejected_file_may_be_brought_again():
    content = vlss(vlss_row(1))
    first = bring(content)["batch"]
    with acting.acting(BOB), db.unit_of_work() as session:
        accepting.reject(session.get_one(ImportBatch, first), reason="the wrong year")
    assert bring(content)["batch"] != first


def test_of_two_lists_with_the_same_people_the_second_is_turned_down_and_nothing_of_it_is_registered():
    first, second = bring(vlss(vlss_row(1))), bring(vlss(vlss_row(1), vlss_row(2)))
    assert (first["accepted"], second["accepted"]) == (1, 2)
    accept(first["batch"])
    with pytest.raises(Conflict, match="1 rows of this list were registered otherwise"):
        accept(second["batch"])
    assert counted()["Person"] == 1
    with db.unit_of_work() as session, acting.acting(BOB):
        accepting.reject(session.get_one(ImportBatch, second["batch"]), reason="row 1 came with another list")
    again = bring(vlss(vlss_row(1), vlss_row(2)))
    assert (again["unchanged"], again["accepted"]) == (1, 1)
    accept(again["batch"])
    assert counted()["Person"] == 2


def test_an_acceptance_that_was_overtaken_registers_nothing_and_can_be_turned_down():
    first, second = bring(vlss(vlss_row(1))), bring(vlss(vlss_row(1), vlss_row(2)))
    with db.unit_of_work() as session, acting.acting(BOB):
        job_id = accepting.accept(session.get_one(ImportBatch, second["batch"])).id
    with db.unit_of_work() as session, acting.acting(BOB), pytest.raises(Conflict, match="Cancel the job"):
        accepting.reject(session.get_one(ImportBatch, second["batch"]), reason="too late")
    accept(first["batch"])
    job = jobs.run_now(job_id)
    assert job.status == jobs.FAILED and "registered otherwise" in str(job.error)
    assert counted()["Person"] == 1
    with db.unit_of_work() as session, acting.acting(BOB):
        accepting.reject(session.get_one(ImportBatch, second["batch"]), reason="overtaken")
    with (
        db.unit_of_work() as session,
        acting.acting(BOB),
        pytest.raises(Conflict, match="can only go on|accepted"),
    ):
        accepting.reject(session.get_one(ImportBatch, first["batch"]), reason="too late")


def test_rows_that_were_changed_behind_the_back_are_not_accepted():
    batch = bring(vlss(vlss_row(1), vlss_row(2)))["batch"]
    with db.unit_of_work() as session:
        session.execute(sa.update(ImportRow).where(ImportRow.row_no == 3).values(content_digest="other"))
    with pytest.raises(AssertionError, match="no longer what was read"):
        accept(batch)
    assert counted()["Person"] == 0


def febrl(*lines: str) -> dict[str, Any]:
    return bring("\n".join((FEBRL_HEADER, *lines)), "febrl_persons.yaml")


def test_a_messy_list_gives_a_reason_for_every_refused_row():
    staged = febrl(
        "r1,,waller,6,tullaroop street,,st james,4011,wa,19081209,6988048",
        "r2,lachlan,,,,,,,,,",
        "r3,,,1,high street,,,,nsw,19900101,1000001",
        "r4,ann,berry,,,,,,nsw,19900231,1000002",
        "r5,ann,berry,,,,,,nsw,1990213,1000003",
        "r6,ann,berry,,,,,,nzw,20990101,12",
        "r1,bob,waller,,,,,,wa,19081209,6988049",
        "r8,bob,waller,,,,,,wa,19081209,6988048",
    )
    assert problems(staged["batch"]) == {
        4: [("given_name, surname", "no_name")],
        5: [("date_of_birth", "bad_date")],
        6: [("date_of_birth", "bad_date")],
        7: [("state", "unknown_area"), ("date_of_birth", "impossible_date"), ("soc_sec_id", "bad_number")],
        8: [("rec_id", "duplicate_key")],
        9: [("soc_sec_id", "duplicate_number")],
    }
    assert staged["accepted"] == 2
    accept(staged["batch"])
    with db.unit_of_work(read_only=True) as session:
        codes = session.execute(
            sa.select(Person.external_key, Area.code).join(Area, Area.id == Person.area_id)
        )
        assert dict(codes.all()) == {"r1": "AU-wa", "r2": "AU"}
        number = session.scalars(sa.select(IdentityNumber)).one()
        assert number.number == "6988048"


def test_a_number_that_somebody_holds_already_is_refused():
    accept(febrl("r1,ann,berry,,,,,,nsw,,6988048")["batch"])
    assert febrl("r2,bob,berry,,,,,,nsw,,6988048")["refused"] == {"number_taken": 1}


def test_rows_as_stored_do_not_hold_identity_numbers():
    batch = febrl("r1,ann,berry,,,,,,nsw,,6988048")["batch"]
    with db.unit_of_work(read_only=True) as session:
        row = session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch)).one()
        assert "6988048" not in str((row.raw, row.person, row.problems))


def test_refused_rows_come_back_with_their_reasons_and_cannot_be_formulas():
    batch = febrl('r1,"=HYPERLINK(1)",x,,,,,,nzw,,', "r2,ok,x,,,,,,nsw,,")["batch"]
    (row,) = refused_file(batch)
    assert row["given_name"] == "'=HYPERLINK(1)" and row["row_number"] == "2" and row["columns"] == "state"
    assert row["reasons"] == "AU-nzw is none of the areas of this list."


def members(*lines: str) -> dict[str, Any]:
    return bring("\n".join((MEMBERS_HEADER, *lines)), MEMBERS)


def test_rows_of_members_become_households_even_when_the_head_stands_last():
    staged = members(
        "1,2,Ali,3,2015-05,1,,7,",
        "1,1,Awa,1,1980,2,3,7,+254712345678",
        "2,1,Bintou,1,,9,1,8,",
    )
    assert staged["accepted"] == 3, problems(staged["batch"])
    accept(staged["batch"])
    assert counted() == {"Area": 2, "AreaClosure": 2, "Household": 2, "Person": 3, "Membership": 3,
                         "IdentityNumber": 0, "Phone": 1}  # fmt: skip
    with db.unit_of_work(read_only=True) as session:
        found = session.execute(
            sa.select(Person.given_name, Household.external_key, Membership.relationship_to_head)
            .join(Membership, Membership.person_id == Person.id)
            .join(Household, Household.id == Membership.household_id)
        )
        assert {tuple(row) for row in found} == {
            ("Ali", "1", "child"),
            ("Awa", "1", "head"),
            ("Bintou", "2", "head"),
        }
        ali = session.scalars(sa.select(Person).where(Person.given_name == "Ali")).one()
        assert (ali.birth_date, ali.birth_precision, ali.attributes) == (
            date(2015, 5, 1),
            "month",
            {"seeing": 1},
        )
        assert session.scalars(sa.select(Phone)).one().number == "+254712345678"


def test_a_household_is_taken_as_a_whole_or_not_at_all():
    staged = members("1,1,Awa,1,1980,1,3,7,", "1,2,,3,2015,1,,7,", "2,1,Bintou,2,1980,1,1,8,", "3,1,C,1,,,1,8,",
                     "3,2,D,1,,,1,8,", "4,1,E,1,,,1,8,")  # fmt: skip
    codes = {row: [code for _column, code in told] for row, told in problems(staged["batch"]).items()}
    assert codes == {2: ["household_refused"], 3: ["missing_value", "no_name"], 4: ["head_count"], 5: ["head_count"],
                     6: ["head_count"]}  # fmt: skip
    assert staged["accepted"] == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf  \n", "The file is empty"),
        (b"\x00\x01\x02\x03" * 50, "neither a CSV file nor an XLSX"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "old Excel format"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (b"household_no,commune_no\n1,2\n", "lacks the columns that the mapping needs: head_age_years"),
        (f"{VLSS_HEADER},urban\n".encode(), "names a column twice: urban"),
        (b"\n\n", "The file is empty"),
    ],
)
def test_what_is_no_list_is_refused_at_once(content: bytes, sentence: str):
    with pytest.raises(Invalid, match=sentence) as refused:
        bring(content)
    assert refused.value.field == "file" and count(ImportBatch) == 0


def test_a_list_without_rows_is_not_readable_and_says_so():
    failed = bring(VLSS_HEADER + "\n")
    assert failed["status"] == "failed" and "no rows" in failed["failure"]


def test_a_quotation_mark_never_closed_makes_the_file_unreadable_in_a_sentence():
    failed = bring(vlss(vlss_row(1), '"' + "x" * 1_100_000))
    assert failed["status"] == "failed" and "quotation mark" in failed["failure"]
    assert refused_file(failed["batch"]) == []


def test_a_damaged_cell_is_left_to_its_row():
    lines = [
        vlss_row(1),
        vlss_row(2).replace("VN0002", "VN\x00"),
        vlss_row(3),
        vlss_row(4) + ",more",
        vlss_row(5),
    ]
    content = vlss(*lines).encode().replace(b"VN0003", b"VN\xff3") + b"VN6," + b"9" * 20_000 + b"\n"
    staged = bring(content)
    assert staged["refused"] == {"bad_text": 2, "too_long": 1, "too_many_cells": 1}
    assert staged["accepted"] == 2
    assert len(refused_file(staged["batch"])) == 4


def test_semicolons_tabs_and_sixteen_bits_are_recognised():
    for content in (
        vlss(vlss_row(1)).replace(",", ";").encode(),
        vlss(vlss_row(2)).replace(",", "\t").encode(),
        vlss(vlss_row(3)).encode("utf-16"),
        vlss(vlss_row(4)).replace("\n", "\r\n").encode("utf-8-sig"),
    ):
        assert bring(content)["accepted"] == 1


def workbook(*rows: list[Any]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, cells in enumerate(rows):
        sheet.write_row(number, 0, cells)
    book.close()
    return file.getvalue()


def test_a_workbook_is_read_like_a_list():
    header, row = VLSS_HEADER.split(","), vlss_row(1).split(",")
    numbers = [row[0], row[1], 68, 4.0, row[4], row[5], 6, *map(float, row[7:11]), 1]
    staged = bring(workbook(header, numbers, [], ["VN2", "male", 12.5]))
    assert staged["accepted"] == 1, problems(staged["batch"])
    assert {column for column, _code in problems(staged["batch"])[4]} >= {"head_age_years"}


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Any):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 20_000_000)
    with pytest.raises(Invalid, match="unpacks to far more"):
        sheets.header_of(path, mapping.Format(), wanted=[])


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("unit: member", "unit: clan", "unit: Input should be"),
        ("source: members", "", "source: Field required"),
        ("rooms: rooms", "roms: rooms", "household.facts.roms: the fact catalogue has no household.roms"),
        ("unit: member", "unit: member\nx: 1", "x: Extra inputs"),
        ("birth: born", "birth: { column: a, constant: b }", "exactly one of column"),
        ("birth: born", "birth: [", "is not YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_file_and_key(before: str, after: str, sentence: str):
    with pytest.raises(Invalid, match="m.yaml") as refused:
        mapping.read(MEMBERS.replace(before, after), name="m.yaml")
    assert sentence in str(refused.value) and refused.value.field == "mapping"


def test_every_shipped_mapping_can_be_read():
    assert {mapping.read(text, name=name).source for name, text in mapping.shipped().items()} >= {
        "febrl",
        "vlss",
    }


def test_an_officer_of_a_district_brings_no_people_of_others():
    accept(bring(vlss(vlss_row(1, commune=1), vlss_row(2, commune=2)))["batch"])
    with db.unit_of_work(read_only=True) as session:
        mine = session.scalars(sa.select(Area.id).where(Area.code == "VN-1")).one()
    clerk = acting.Actor(None, "clerk", "clerk", "test", (acting.Grant(("registry:import:create",), mine),))
    staged = bring(vlss(vlss_row(3, commune=1), vlss_row(4, commune=2), vlss_row(5, commune=9)), by=clerk)
    assert (staged["accepted"], staged["refused"]) == (1, {"unknown_area": 2})


def test_a_reading_or_accepting_that_is_killed_goes_on_to_the_same_totals(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("registry.importing.layout.CHUNK_ROWS", 10)
    content = vlss(*(vlss_row(no, commune=no % 4) for no in range(55)))
    calls = 0
    # The name of a process of this machine that is no more: nobody waits for its lease.
    dead_worker = f"{leases.this_worker().rsplit('/', 2)[0]}/999999/1".__str__

    class Killed(BaseException):
        pass

    def killed_at(times: int, original: Any) -> Any:
        def work(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            result = original(*args, **more)
            if calls == times:
                raise Killed
            return result

        return work

    with monkeypatch.context() as patch:
        patch.setattr(leases, "this_worker", dead_worker)
        patch.setattr(staging, "stage", killed_at(3, staging.stage))
        with pytest.raises(Killed):
            bring(content)
    staged = bring(content)
    assert staged["again"] and (staged["read"], staged["accepted"], staged["status"]) == (55, 55, "staged")
    calls = 0
    cut = jobs.cut
    monkeypatch.setattr(jobs, "cut", lambda numbers: cut(numbers, rows=10))
    with monkeypatch.context() as patch:
        patch.setattr(leases, "this_worker", dead_worker)
        patch.setattr(accepting, "register_persons", killed_at(3, accepting.register_persons))
        with pytest.raises(Killed):
            accept(staged["batch"])
    assert summary(staged["batch"])["status"] == "accepting" and 0 < counted()["Person"] < 55
    assert accept(staged["batch"])["status"] == "accepted"
    assert counted() == {"Area": 5, "AreaClosure": 9, "Household": 55, "Person": 55, "Membership": 55,
                         "IdentityNumber": 0, "Phone": 0}  # fmt: skip
