"""The audit trail records what is done, refuses to be changed, and lets nothing be written past it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mis import acting, audit
from mis.acting import Actor
from mis.audit import AuditEntry, AuditUnsealed
from mis.audit.subjects import table_of
from mis.db import db
from mis.errors import Conflict
from tests.mis.tampering import Note, Ruling, rulings

pytestmark = pytest.mark.usefixtures("ground")

ROSE = Actor(user_id=7, name="rose", person="staff-7", via="web")


def trail(**criteria: object) -> list[AuditEntry]:
    with db.unit_of_work(read_only=True) as session:
        return list(session.scalars(sa.select(AuditEntry).filter_by(**criteria).order_by(AuditEntry.id)))


def test_a_new_record_leaves_an_entry_with_its_values_and_who_made_it():
    with acting.acting(ROSE), acting.because("new arrival"), db.unit_of_work() as session:
        session.add(note := Note(text="hello", weight=3))
    (entry,) = trail(subject_type="test_note")
    assert (entry.action, entry.subject_id) == ("test_note.insert", str(note.id))
    assert entry.changes == {"id": [None, note.id], "text": [None, "hello"], "weight": [None, 3]}
    assert (entry.user_id, entry.actor_name, entry.person, entry.via) == (7, "rose", "staff-7", "web")
    assert entry.reason == "new arrival"


def test_an_update_leaves_old_and_new_value_of_what_changed_alone():
    with db.unit_of_work() as session:
        session.add(note := Note(text="old", weight=1))
    with db.unit_of_work() as session:
        found = session.get_one(Note, note.id)
        found.text, found.weight = "new", 1
    entry = trail(action="test_note.update")[0]
    assert entry.changes == {"text": ["old", "new"]}


def test_a_record_that_is_touched_and_not_changed_leaves_no_entry():
    with db.unit_of_work() as session:
        session.add(note := Note(text="same"))
    with db.unit_of_work() as session:
        session.get_one(Note, note.id).text = "same"
    assert trail(action="test_note.update") == []


def test_a_deleted_record_leaves_its_last_values():
    with db.unit_of_work() as session:
        session.add(note := Note(text="gone"))
    with db.unit_of_work() as session:
        session.delete(session.get_one(Note, note.id))
    assert trail(action="test_note.delete")[0].changes == {"id": [note.id, None], "text": ["gone", None]}


def test_a_password_hash_is_never_copied_into_the_trail():
    with db.unit_of_work() as session:
        session.add(note := Note(password_hash="argon2-one"))
    with db.unit_of_work() as session:
        session.get_one(Note, note.id).password_hash = "argon2-two"
    assert trail(action="test_note.insert")[0].changes["password_hash"] == [None, "changed"]
    assert trail(action="test_note.update")[0].changes == {"password_hash": ["changed", "changed"]}


def _write_and_refuse() -> None:
    with db.unit_of_work() as session:
        session.add(Note(text="never"))
        session.flush()
        raise Conflict("No.")


def test_a_refusal_rolls_the_entries_back_with_the_work():
    with pytest.raises(Conflict):
        _write_and_refuse()
    assert trail() == []


def test_an_entry_aside_outlives_the_roll_back():
    with pytest.raises(Conflict):
        _write_and_refuse()
    audit.aside("refused", details={"path": "/payments"})
    assert [(entry.action, entry.details) for entry in trail()] == [("refused", {"path": "/payments"})]


def test_an_entry_aside_may_be_written_while_a_page_is_read():
    with db.unit_of_work(read_only=True) as session:
        session.scalar(sa.select(Note.id))
        audit.aside("refused")
    assert len(trail(action="refused")) == 1


def test_the_history_of_a_record_is_newest_first():
    with db.unit_of_work() as session:
        session.add(note := Note(text="a"))
        session.flush()
        note.text = "b"
        session.flush()
        audit.record("note.read", note, reason="asked")
    with db.unit_of_work(read_only=True) as session:
        actions = [entry.action for entry in session.scalars(audit.history("test_note", note.id))]
    assert actions == ["note.read", "test_note.update", "test_note.insert"]


def test_a_set_based_write_leaves_one_entry_with_count_and_digest():
    named = audit.bulk("ruled", table=Ruling, where={"run": 1}, subject_type="run", subject_id=1)
    with db.unit_of_work() as session, named:
        session.execute(sa.insert(Ruling), rulings(1, 30))
    (entry,) = trail()
    assert (entry.action, entry.subject_type, entry.subject_id, entry.row_count) == ("ruled", "run", "1", 30)
    assert (entry.rows["table"], entry.rows["where"]) == ("test_ruling", {"run": 1})
    assert entry.rows["columns"] == ["run", "person", "outcome"]
    assert len(entry.rows_digest or "") == 64


NAMELESS = [
    sa.insert(Note).values(text="x"),
    sa.update(Note).values(text="x"),
    sa.delete(Note),
    sa.text("UPDATE test_note SET text = 'x'"),
    sa.text("WITH found AS (SELECT 1 AS one) INSERT INTO test_note (text) SELECT 'x' FROM found"),
    sa.insert(table_of(Note)).from_select(["text"], sa.select(sa.literal("x"))),
]


@pytest.mark.parametrize("statement", NAMELESS, ids=lambda statement: str(statement)[:40])
def test_a_set_based_write_without_a_name_is_refused(statement):
    with pytest.raises(AssertionError, match="must name itself"), db.unit_of_work() as session:
        session.execute(statement)
    with pytest.raises(AssertionError, match="must name itself"), db.unit_of_work() as session:
        session.connection().execute(statement)


def test_a_bulk_name_for_one_table_is_no_name_for_another():
    named = audit.bulk("ruled", table=Ruling, where={"run": 1})
    with pytest.raises(AssertionError, match="test_note"), db.unit_of_work() as session, named:
        session.execute(sa.insert(Note).values(text="x"))


def test_old_bulk_methods_of_the_session_do_not_slip_past_the_trail():
    with pytest.raises(AssertionError, match="must name itself"), db.unit_of_work() as session:
        session.bulk_insert_mappings(sa.inspect(Note), [{"text": "x"}])


def test_a_write_that_fails_within_bulk_leaves_no_entry_and_no_licence():
    with db.unit_of_work() as session:
        with pytest.raises(Conflict), audit.bulk("ruled", table=Ruling, where={"run": 1}):
            raise Conflict("No.")
        with pytest.raises(AssertionError, match="must name itself"):
            session.execute(sa.update(Ruling).values(status="x"))
    assert trail() == []


def test_bulk_on_a_sealed_table_names_rows_by_what_cannot_change():
    named = audit.bulk("ruled", table=Ruling, where={"status": "new"})
    with pytest.raises(AssertionError, match="may change later"), db.unit_of_work(), named:
        pass


def test_sealed_columns_of_a_record_cannot_be_changed_and_others_can():
    with db.unit_of_work() as session:
        session.add(ruling := Ruling(run=1, person=1, outcome="eligible", status="new"))
    with db.unit_of_work() as session:
        session.get_one(Ruling, ruling.id).status = "read"
    with pytest.raises(AssertionError, match="outcome"), db.unit_of_work() as session:
        session.get_one(Ruling, ruling.id).outcome = "not_eligible"
    with pytest.raises(AssertionError, match="sealed"), db.unit_of_work() as session:
        session.delete(session.get_one(Ruling, ruling.id))


@pytest.mark.parametrize("table", ["audit_entry", "audit_leaves", "audit_seal"])
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_the_database_refuses_to_change_the_trail(table, verb):
    if verb == "truncate" and db.dialect == "sqlite":
        verb = "delete"  # SQLite knows no other way to empty a table.
    with db.unit_of_work() as session, audit.bulk("ruled", table=Ruling, where={"run": 1}):
        session.execute(sa.insert(Ruling), rulings(1, 2))
    with db.unit_of_work():
        audit.seal_pending()
    column = {"audit_entry": "via", "audit_leaves": "ordinal", "audit_seal": "entry_count"}[table]
    statement = {
        "update": f"UPDATE {table} SET {column} = {column}",
        "delete": f"DELETE FROM {table}",
        "truncate": f"TRUNCATE {table} CASCADE",
    }[verb]
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_the_database_keeps_immutable_columns():
    with db.unit_of_work() as session:
        session.add(Ruling(run=1, person=1, outcome="eligible", status="new"))
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE test_ruling SET status = 'read'")
    with pytest.raises(DBAPIError, match="cannot be changed"), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE test_ruling SET outcome = 'not_eligible'")


def test_every_entry_waits_for_its_seal_and_is_sealed_once():
    with db.unit_of_work():
        for number in range(5):
            audit.record("counted", details={"number": number})
    counts = []
    for _ in range(4):
        with db.unit_of_work():
            counts.append(audit.seal_pending(limit=2))
    assert counts == [2, 2, 1, 0]
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AuditUnsealed)) == 0


def test_an_entry_that_commits_late_is_sealed_too():
    """On PostgreSQL a lower number may become visible after a higher one was sealed."""
    if db.dialect == "sqlite":
        pytest.skip("SQLite has one writer: entries commit in order")
    with db.engine.connect() as late:
        # The number is drawn first, the row is committed last.
        number = late.scalar(sa.text("SELECT nextval(pg_get_serial_sequence('audit_entry', 'id'))"))
        with db.unit_of_work():
            audit.record("early")
        with db.unit_of_work():
            assert audit.seal_pending() == 1
        late.rollback()
    with db.unit_of_work() as session:
        (higher,) = session.scalars(sa.select(AuditEntry.id))
        assert number is not None and number < higher
        session.connection().execute(
            sa.text(
                "INSERT INTO audit_entry SELECT :number, at, user_id, actor_name, person, via, action, subject_type, "
                "subject_id, area_id, changes, reason, details, row_count, rows, rows_digest, mac FROM audit_entry"
            ),
            {"number": number},
        )
        session.connection().execute(sa.insert(table_of(AuditUnsealed)), [{"entry_id": number}])
    with db.unit_of_work():
        assert audit.seal_pending() == 1
    report = audit.verify()
    assert report.is_clean and (report.sealed, report.unsealed) == (2, 0)
