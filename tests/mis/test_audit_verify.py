"""Verification finds, and names, what was changed behind the application's back."""

from __future__ import annotations

from threading import Thread

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mis import audit, sealed
from mis.audit import AuditEntry, AuditSeal, Report
from mis.audit.findings import FINDINGS_KEPT
from mis.db import db
from tests.mis.tampering import Note, Ruling, rulings, tamper

pytestmark = pytest.mark.usefixtures("ground")


def seal_all(*, limit: int = 1000) -> None:
    while True:
        with db.unit_of_work():
            if not audit.seal_pending(limit=limit):
                return


def rule(run: int, count: int) -> None:
    with db.unit_of_work() as session, audit.bulk("ruled", table=Ruling, where={"run": run}):
        session.execute(sa.insert(Ruling), rulings(run, count))


def sentences(report: Report) -> str:
    return "\n".join(finding.sentence for finding in report.findings)


@pytest.fixture
def five(ground: None) -> None:
    """Five entries: one of an act, one of a record, one of a sealed record, two of sets; all sealed, two in a seal."""
    with db.unit_of_work() as session:
        audit.record(
            "act", details={"amount": 1e22, "name": "Zoë", "list": [1, None, {"b": 1, "a": 2.5}]}, reason="so"
        )
        session.add(Note(text="hello", weight=3))
        session.flush()
        session.add(Ruling(run=9, person=1, outcome="eligible", status="new"))
    rule(1, 20)
    rule(2, 20)
    seal_all(limit=2)


@pytest.mark.usefixtures("five")
def test_an_untouched_trail_is_clean():
    report = audit.verify()
    assert report.is_clean, sentences(report)
    assert (report.entries, report.sealed, report.unsealed, report.seals, report.rows_checked) == (
        5,
        5,
        0,
        3,
        41,
    )


def test_an_empty_trail_is_clean():
    assert audit.verify().is_clean


EDITS = {
    "at": "'2001-01-01 00:00:00.000000'",
    "user_id": "99",
    "actor_name": "'mallory'",
    "person": "'mallory'",
    "via": "'cli'",
    "action": "'other'",
    "subject_type": "'person'",
    "subject_id": "'77'",
    "area_id": "5",
    "changes": """'{"x": [1, 2]}'""",
    "reason": "'another'",
    "details": """'{"x": 1}'""",
    "row_count": "5",
    "rows": """'{"x": 1}'""",
    "rows_digest": "'00'",
    "mac": "'00'",
}


def test_every_column_of_an_entry_has_its_edit_in_these_tests():
    assert {column.name for column in AuditEntry.__table__.columns} == {"id", *EDITS}


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("entry_id", [1, 4])
def test_an_edit_of_a_sealed_entry_is_named(column, entry_id):
    tamper(f"UPDATE audit_entry SET {column} = {EDITS[column]} WHERE id = {entry_id}")
    report = audit.verify()
    named = [finding for finding in report.findings if finding.kind == "entry-changed"]
    assert [finding.entry_id for finding in named] == [entry_id]
    assert (
        f"Audit entry {entry_id} (" in named[0].sentence and "is not what was sealed on" in named[0].sentence
    )


@pytest.mark.parametrize("column", EDITS)
def test_an_edit_of_an_entry_that_waits_for_its_seal_is_named(column):
    with db.unit_of_work():
        audit.record("act", details={"amount": 5})
    tamper(f"UPDATE audit_entry SET {column} = {EDITS[column]}")
    assert "Audit entry 1 (" in sentences(audit.verify())
    seal_all()
    assert "Audit entry 1 (" in sentences(audit.verify()), "a seal does not wash an edit clean"


@pytest.mark.usefixtures("five")
def test_a_deleted_entry_is_named():
    tamper("DELETE FROM audit_entry WHERE id = 2")
    (finding,) = audit.verify().findings
    assert (finding.kind, finding.entry_id) == ("entry-deleted", 2)


@pytest.mark.usefixtures("five")
def test_a_renumbered_entry_is_named_by_both_numbers():
    tamper("UPDATE audit_entry SET id = 50 WHERE id = 2")
    report = audit.verify()
    assert {(finding.kind, finding.entry_id) for finding in report.findings} == {
        ("entry-deleted", 2),
        ("entry-unlisted", 50),
    }


@pytest.mark.usefixtures("five")
def test_an_entry_written_by_hand_is_named():
    columns = ", ".join(column.name for column in AuditEntry.__table__.columns if column.name != "id")
    tamper(
        f"INSERT INTO audit_entry (id, {columns}) SELECT 60, {columns.replace('action', chr(39) + 'x' + chr(39))} "
        "FROM audit_entry WHERE id = 1"
    )
    assert [(f.kind, f.entry_id) for f in audit.verify().findings] == [("entry-unlisted", 60)]
    tamper("INSERT INTO audit_unsealed (entry_id) VALUES (60)")
    assert [(f.kind, f.entry_id) for f in audit.verify().findings] == [("entry-changed", 60)]


def test_an_entry_deleted_while_it_waits_is_named():
    with db.unit_of_work():
        audit.record("act")
        audit.record("another")
    tamper("DELETE FROM audit_entry WHERE id = 2")
    assert [(f.kind, f.entry_id) for f in audit.verify().findings] == [("entry-deleted", 2)]


def test_an_entry_taken_out_of_the_queue_is_named():
    with db.unit_of_work():
        audit.record("act")
        audit.record("another")
    tamper("DELETE FROM audit_unsealed WHERE entry_id = 1")
    assert [(f.kind, f.entry_id) for f in audit.verify().findings] == [("entry-unlisted", 1)]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "column", [column.name for column in AuditSeal.__table__.columns if column.name != "id"]
)
def test_an_edit_of_a_seal_is_named(column):
    with db.unit_of_work(read_only=True) as session:
        value = getattr(session.get_one(AuditSeal, 2), column)
    if isinstance(value, bytes):
        changed = "decode(:new, 'hex')" if db.dialect == "postgresql" else "unhex(:new)"
        new = bytes([*value[:-1], value[-1] ^ 1]).hex()
        if db.dialect == "sqlite":
            changed, new = f"x'{new}'", ""
        tamper(f"UPDATE audit_seal SET {column} = {changed} WHERE id = 2", **({"new": new} if new else {}))
    else:
        other = "'2001-01-01 00:00:00.000000'" if column == "at" else "99"
        tamper(f"UPDATE audit_seal SET {column} = {other} WHERE id = 2")
    report = audit.verify()
    assert 2 in {finding.seal_id for finding in report.findings}, sentences(report)


@pytest.mark.usefixtures("five")
def test_a_seal_taken_out_of_the_chain_is_missed():
    tamper("DELETE FROM audit_seal WHERE id = 2")
    report = audit.verify()
    assert "Seal 3 does not follow the seal before it" in sentences(report)
    assert {f.entry_id for f in report.findings if f.kind == "entry-unlisted"} == {3, 4}


@pytest.mark.usefixtures("five")
def test_a_trail_that_was_cut_off_at_its_end_lacks_the_head_that_was_noted_down():
    head = audit.verify().head
    tamper("DELETE FROM audit_seal WHERE id = 3")
    tamper("DELETE FROM audit_leaves WHERE entry_id = 5")
    tamper("DELETE FROM test_ruling WHERE run = 2")
    tamper("DELETE FROM audit_entry WHERE id = 5")
    assert audit.verify().is_clean
    assert f"No seal has the head {head}" in sentences(audit.verify(expected_head=head))


@pytest.mark.usefixtures("five")
def test_a_trail_sealed_anew_with_another_key_is_not_ours():
    tamper("DELETE FROM audit_seal")
    tamper("INSERT INTO audit_unsealed SELECT id FROM audit_entry")
    try:
        sealed.configure((b"x" * 32,))
        seal_all()
    finally:
        sealed.configure((b"k" * 32,))
    assert "signed with a key that is not one of this deployment's" in sentences(audit.verify())


@pytest.mark.usefixtures("five")
def test_seals_of_a_retired_key_still_verify():
    try:
        sealed.configure((b"n" * 32, b"k" * 32))
        with db.unit_of_work():
            audit.record("act")
        seal_all()
        report = audit.verify()
        assert report.is_clean and report.seals == 4, sentences(report)
    finally:
        sealed.configure((b"k" * 32,))
    assert not audit.verify().is_clean


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("row", [1, 2, 21, 22, 41])
def test_a_changed_decision_is_named_with_the_entry_that_recorded_it(row):
    tamper(f"UPDATE test_ruling SET outcome = 'not_eligible' WHERE id = {row}")
    (finding,) = audit.verify().findings
    entry = 3 if row == 1 else 4 if row <= 21 else 5
    assert finding.sentence == f"test_ruling {row} was changed after it was recorded by entry {entry}."
    assert (finding.table, finding.row_id, finding.entry_id) == ("test_ruling", row, entry)


@pytest.mark.usefixtures("five")
def test_a_decision_made_unreadable_is_named():
    tamper("UPDATE test_ruling SET person = -1, outcome = '' WHERE id = 5")
    assert "test_ruling 5 was changed" in sentences(audit.verify())


@pytest.mark.usefixtures("five")
def test_what_is_not_sealed_may_change():
    with db.unit_of_work() as session, audit.bulk("read", table=Ruling, where={"run": 1}):
        session.execute(sa.update(Ruling).where(Ruling.run == 1).values(status="read"))
    assert audit.verify().is_clean


@pytest.mark.usefixtures("five")
def test_a_later_write_over_the_same_rows_does_not_wash_a_change_clean():
    tamper("UPDATE test_ruling SET outcome = 'not_eligible' WHERE id = 5")
    with db.unit_of_work() as session, audit.bulk("read", table=Ruling, where={"run": 1}):
        session.execute(sa.update(Ruling).where(Ruling.run == 1).values(status="read"))
    assert "test_ruling 5 was changed after it was recorded by entry 4" in sentences(audit.verify())


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("row", [1, 2, 12, 21])
def test_a_deleted_decision_is_named(row):
    tamper(f"DELETE FROM test_ruling WHERE id = {row}")
    (finding,) = audit.verify().findings
    assert (finding.kind, finding.row_id) == ("row-deleted", row)


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("run", [1, 77])
def test_a_decision_added_by_hand_is_named(run):
    tamper(
        f"INSERT INTO test_ruling (id, run, person, outcome, status) VALUES (900, {run}, 900, 'eligible', 'new')"
    )
    (finding,) = audit.verify().findings
    assert finding.sentence == "test_ruling 900 was added without an audit entry."


@pytest.mark.usefixtures("five")
def test_changed_fingerprints_are_told_from_changed_rows():
    zeros = "decode(repeat('00', 320), 'hex')" if db.dialect == "postgresql" else "zeroblob(320)"
    tamper(f"UPDATE audit_leaves SET hashes = {zeros} WHERE entry_id = 4")
    (finding,) = audit.verify().findings
    assert finding.kind == "fingerprints" and finding.entry_id == 4
    tamper("UPDATE test_ruling SET outcome = 'not_eligible' WHERE id = 5")
    (finding,) = audit.verify().findings
    assert finding.kind == "rows-changed" and finding.entry_id == 4
    tamper("DELETE FROM audit_leaves WHERE entry_id = 4")
    (finding,) = audit.verify().findings
    assert finding.kind == "rows-changed"


def test_a_draft_that_is_discarded_and_computed_again_is_clean():
    for count in (10, 7):
        with db.unit_of_work() as session, audit.bulk("discarded", table=Ruling, where={"run": 1}):
            session.execute(sa.delete(Ruling).where(Ruling.run == 1))
        with db.unit_of_work() as session:
            for low in (1, 6):
                chunk = {"run": 1, "person": [low, low + 4]}
                with audit.bulk("ruled", table=Ruling, where=chunk):
                    session.execute(sa.insert(Ruling), rulings(1, min(5, count - low + 1), first=low))
    report = audit.verify()
    assert report.is_clean and report.rows_checked == 7, sentences(report)


def test_a_chunk_that_is_written_twice_is_clean():
    for _ in range(2):
        with db.unit_of_work() as session, audit.bulk("ruled", table=Ruling, where={"run": 1}):
            if not session.scalar(sa.select(Ruling.id).limit(1)):
                session.execute(sa.insert(Ruling), rulings(1, 3))
    assert audit.verify().is_clean


def test_more_findings_than_can_be_read_are_counted():
    rule(1, FINDINGS_KEPT + 50)
    tamper("UPDATE test_ruling SET outcome = 'not_eligible'")
    report = audit.verify()
    assert len(report.findings) == FINDINGS_KEPT and report.more_findings == 50


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.usefixtures("five")
def test_any_single_byte_edit_of_any_column_of_any_entry_is_found_and_named(data):
    """On SQLite, where bytes are what is stored; the edit is taken back for the next example."""
    if db.dialect == "postgresql":
        pytest.skip("PostgreSQL stores values, not their spelling; each column is edited above")
    entry_id = data.draw(st.integers(1, 5))
    column = data.draw(st.sampled_from(sorted(EDITS)))
    with db.engine.connect() as connection:
        stored = connection.execute(
            sa.text(f"SELECT CAST({column} AS BLOB), typeof({column}) FROM audit_entry WHERE id = {entry_id}")
        ).one()
    if not stored[0]:
        return
    place = data.draw(st.integers(0, len(stored[0]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != stored[0][place]))
    edited = stored[0][:place] + bytes([byte]) + stored[0][place + 1 :]
    write = f"UPDATE audit_entry SET {column} = CAST(:value AS TEXT) WHERE id = {entry_id}"
    tamper(write, value=edited)
    try:
        with db.engine.connect() as connection:
            now = connection.execute(
                sa.text(f"SELECT CAST({column} AS BLOB) FROM audit_entry WHERE id = {entry_id}")
            ).scalar_one()
        found = {f.entry_id for f in audit.verify().findings}
        # A number that SQLite stores as the same number ("07") is not an edit.
        assert now == stored[0] or found - {None} == {entry_id}, (entry_id, column, stored[0], now)
    finally:
        tamper(write, value=stored[0])
    assert audit.verify().is_clean


def test_two_who_seal_at_once_make_one_chain(ground: None):
    with db.unit_of_work():
        for _ in range(40):
            audit.record("act")
    threads = [Thread(target=seal_all, kwargs={"limit": 3}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = audit.verify()
    assert report.is_clean and (report.sealed, report.unsealed) == (40, 0), sentences(report)
