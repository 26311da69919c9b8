"""Lifecycles: one table of steps per kind of record, and no other way to change a status.

A step names its sources, its target, its permission, whether it needs a second pair of eyes, what forbids it
(`unless`) and what it does (`then`). Buttons, refusals, tests and diagrams are read from the same table. A step is a
compare-and-set on (status, version): of two people who press the same button, one is told that the other was faster.

Four eyes are counted by person over the whole round: whoever created, edited or moved the record since the round began
may not approve it. An approval binds to the digest of the content that was submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Mapper, Session, UOWTransaction, mapped_column

from mis import access, acting, audit, calendar
from mis.acting import Actor
from mis.audit.subjects import table_of
from mis.db import Base, Key, MisSession, db, primary_key
from mis.errors import Conflict, Forbidden, Invalid

Record = Any

# Accounts stand above the ground; of them, lifecycles know who is whose second account.
_user = sa.table("app_user", sa.column("id", Key), sa.column("staff_number", sa.Text()))


@dataclass(frozen=True)
class Step:
    """One arrow of a lifecycle.

    `unless(record)` returns the sentence that forbids the step, or None. `then(record)` does what the step implies, in
    the same transaction. `stamps` names the column that receives the number of the user who took it. A step that
    `submits` stores the digest of the content; one that is `bound` refuses when the content has changed since.
    `new_round` clears the memory of four eyes: the record goes back to its makers.
    """

    name: str
    label: str
    sources: tuple[str, ...]
    target: str
    permission: str
    four_eyes: bool = False
    submits: bool = False
    bound: bool = False
    new_round: bool = False
    reason: Literal["no", "optional", "required"] = "no"
    stamps: str | None = None
    danger: bool = False
    unless: Callable[[Record], str | None] | None = None
    then: Callable[[Record], None] | None = None


@dataclass(frozen=True)
class Offer:
    """A step that a person may take now, or the sentence that says why not."""

    step: Step
    refusal: str | None


class Lifecycle:
    """The table of steps of one kind of record."""

    known: ClassVar[dict[str, Lifecycle]] = {}

    def __init__(
        self,
        name: str,
        *,
        noun: str,
        initial: str,
        steps: Sequence[Step],
        statuses: dict[str, str],
        digest: Callable[[Record], str] | None = None,
    ) -> None:
        self.name, self.noun, self.initial, self.statuses = name, noun, initial, statuses
        self.steps = {step.name: step for step in steps}
        self._digest = digest
        assert len(self.steps) == len(steps), f"{name} has two steps of one name"
        assert initial in statuses, f"{name} starts in an unknown status"
        for step in steps:
            assert {*step.sources, step.target} <= statuses.keys(), (
                f"{name}: {step.name} uses an unknown status"
            )
            assert not (step.submits or step.bound) or digest, f"{name}: {step.name} needs a digest"
        Lifecycle.known[name] = self

    def label(self, status: str) -> str:
        """The status in the users' words."""
        return self.statuses[status]

    def behave(self, step_name: str, **behaviour: Any) -> None:
        """Give a step its `unless`, `then` or digest from the process module that knows it (models know no process)."""
        self.steps[step_name] = replace(self.steps[step_name], **behaviour)

    def digest_with(self, digest: Callable[[Record], str]) -> None:
        """Say how the content of a record is digested, from the process module that knows it."""
        self._digest = digest

    def digest(self, record: Record) -> str:
        """The digest of the content that an approval binds to."""
        assert self._digest is not None, f"{self.name} has no digest"
        return self._digest(record)

    def offers(self, record: Record, *, content: bool = True) -> list[Offer]:
        """The steps that lead out of the record's status, each with the reason why it cannot be taken now, if any.

        Steps for which the one who acts lacks the permission are left out: they are other people's buttons. Where the
        digest of the content is dear (a million payments), `content=False` leaves its comparison to the step itself.
        """
        fitting = [step for step in self.steps.values() if record.status in step.sources]
        mine = [step for step in fitting if access.may(step.permission, on=record)]
        return [Offer(step, self._refusal(record, step, content=content)) for step in mine]

    def take(self, record: Record, step_name: str, *, reason: str | None = None) -> None:
        """Take a step, as the one who acts.

        Raises Forbidden (no permission, or not a second pair of eyes), Conflict (wrong status, content changed since it
        was submitted, or somebody was faster) and Invalid (a reason is missing).
        """
        step = self.steps[step_name]
        access.need(step.permission, on=record)
        session = db.session
        session.flush()
        if record.status not in step.sources:
            raise Conflict(
                f"“{step.label}” is not possible: this {self.noun} is {self.label(record.status).lower()}.",
                instead=self._instead(record),
            )
        if step.reason == "required" and not (reason or "").strip():
            raise Invalid(f"Say why: “{step.label}” needs a reason.", field="reason")
        self._need_second_person(record, step)
        self._need_same_content(record, step)
        if step.unless and (sentence := step.unless(record)):
            raise Conflict(sentence)
        actor, at = acting.current(), calendar.now()
        digest = self.digest(record) if step.submits or step.bound else None
        _remember(
            record, step.name, source=record.status, target=step.target, reason=reason, digest=digest, at=at
        )
        self._compare_and_set(record, step, actor, reason)
        if step.then:
            with acting.because(reason):
                step.then(record)

    def diagram(self) -> str:
        """The lifecycle as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for step in self.steps.values():
            mark = " (second person)" if step.four_eyes else ""
            lines += [f"    {source} --> {step.target}: {step.label}{mark}" for source in step.sources]
        return "\n".join(lines)

    def _refusal(self, record: Record, step: Step, *, content: bool) -> str | None:
        try:
            self._need_second_person(record, step)
            if content:
                self._need_same_content(record, step)
        except (Forbidden, Conflict) as refusal:
            return str(refusal)
        return step.unless(record) if step.unless else None

    def _instead(self, record: Record) -> str:
        ways = [step.label for step in self.steps.values() if record.status in step.sources]
        return f"From here: {', '.join(ways)}." if ways else "Nothing more can be done with it."

    def _need_second_person(self, record: Record, step: Step) -> None:
        if step.four_eyes and acting.current().person in touched_by(record) | _known_today(record):
            raise Forbidden(
                f"“{step.label}” needs a second person: you have worked on this {self.noun} in this round.",
                instead="Ask a colleague who has not touched it.",
            )

    def _need_same_content(self, record: Record, step: Step) -> None:
        if not step.bound:
            return
        submitted = db.session.scalar(
            _memories(record).where(StateChange.digest.is_not(None)).order_by(StateChange.id.desc()).limit(1)
        )
        if submitted is None or submitted.digest != self.digest(record):
            raise Conflict(
                f"The content of this {self.noun} is no longer what was submitted, so it cannot be approved.",
                instead="Send it back and submit it again.",
            )

    def _compare_and_set(self, record: Record, step: Step, actor: Actor, reason: str | None) -> None:
        table, source = type(record).__table__, record.status
        values: dict[str, Any] = {"status": step.target, "version": table.c.version + 1}
        if step.new_round:
            values["round"] = table.c.round + 1
        if step.stamps:
            values[step.stamps] = actor.user_id
        statement = (
            sa.update(table)
            .where(table.c.id == record.id, table.c.status == source, table.c.version == record.version)
            .values(values)
        )
        with audit.unaudited("the step itself is recorded below, with its reason"):
            changed = cast(Any, db.session.execute(statement)).rowcount
        if changed != 1:
            raise Conflict(
                f"Somebody else has just changed this {self.noun}.", instead="Look at it again, then decide."
            )
        db.session.refresh(record)
        audit.record(step.name, record, changes={"status": [source, step.target]}, reason=reason)


class HasLifecycle:
    """A record with a status that only its lifecycle changes."""

    lifecycle: ClassVar[Lifecycle]

    status: Mapped[str] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)
    round: Mapped[int] = mapped_column(default=1)

    @property
    def status_label(self) -> str:
        """The status in the users' words."""
        return self.lifecycle.label(self.status)


class StateChange(Base):
    """Who touched a record in which round: created or edited it, or took a step. Append-only."""

    __tablename__ = "state_change"
    __audit__ = (
        False  # It is itself an append-only record; the audit trail holds the same step with its reason.
    )

    id: Mapped[int] = primary_key()
    record_type: Mapped[str]
    record_id: Mapped[int]
    round: Mapped[int]
    step: Mapped[str]
    source: Mapped[str | None]
    target: Mapped[str | None]
    user_id: Mapped[int | None]
    user_name: Mapped[str]
    person: Mapped[str]
    reason: Mapped[str | None]
    digest: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (sa.Index("ix_state_change_record", "record_type", "record_id", "round"),)


audit.append_only(StateChange.__table__)


def touched_by(record: Record) -> set[str]:
    """Everybody who touched the record in its present round, by person."""
    return set(db.session.scalars(_memories(record).with_only_columns(StateChange.person)))


def _known_today(record: Record) -> set[str]:
    """The same people by what is known of them now: a staff number given since makes no other person of anybody."""
    users = _memories(record).with_only_columns(StateChange.user_id)
    return {
        acting.person_of(user_id, staff_number)
        for user_id, staff_number in db.session.execute(
            sa.select(_user.c.id, _user.c.staff_number).where(_user.c.id.in_(users))
        )
    }


def changes_of(record: Record) -> Sequence[StateChange]:
    """All that happened to the record, oldest first, for its page."""
    return db.session.scalars(
        sa.select(StateChange)
        .where(StateChange.record_type == record.__tablename__, StateChange.record_id == record.id)
        .order_by(StateChange.id)
    ).all()


def touch(record: Record, what: str) -> None:
    """Remember that the one who acts worked on the record by way of something that belongs to it."""
    db.session.flush()
    _remember(record, what, at=calendar.now())


def _memories(record: Record) -> sa.Select[StateChange]:
    return sa.select(StateChange).where(
        StateChange.record_type == record.__tablename__,
        StateChange.record_id == record.id,
        StateChange.round == record.round,
    )


def _remember(record: Record, step: str, *, at: datetime, **more: Any) -> None:
    db.session.execute(sa.insert(StateChange), [_memory(record, step, at=at, **more)])


def _memory(record: Record, step: str, *, at: datetime, **more: Any) -> dict[str, Any]:
    actor = acting.current()
    return {
        "record_type": record.__tablename__,
        "record_id": record.id,
        "round": record.round,
        "step": step,
        "user_id": actor.user_id,
        "user_name": actor.name,
        "person": actor.person,
        "at": at,
        "source": None,
        "target": None,
        "reason": None,
        "digest": None,
    } | more


@event.listens_for(Mapper, "mapper_configured")
def _guard_status(mapper: Mapper[Any], cls: type) -> None:
    if issubclass(cls, HasLifecycle):
        event.listen(cls.status, "set", _refuse_assignment, propagate=True)
        event.listen(cls, "init", _start, propagate=True)


def _start(record: HasLifecycle, _args: object, given: dict[str, Any]) -> None:
    given.setdefault("status", record.lifecycle.initial)
    given.setdefault("version", 1)
    given.setdefault("round", 1)


def _refuse_assignment(record: HasLifecycle, value: str, old: object, _initiator: object) -> None:
    starts = not sa.inspect(record).persistent and value == record.lifecycle.initial
    assert starts, (
        f"The status of a {record.lifecycle.noun} changes by lifecycle.take(), never by assignment."
    )


@event.listens_for(MisSession, "after_flush")
def _remember_makers(session: Session, _context: UOWTransaction) -> None:
    at = calendar.now()
    made = [(record, "created") for record in session.new if isinstance(record, HasLifecycle)]
    edited = [
        (record, "edited")
        for record in session.dirty
        if isinstance(record, HasLifecycle) and session.is_modified(record)
    ]
    if rows := [_memory(record, step, at=at) for record, step in made + edited]:
        session.connection().execute(sa.insert(table_of(StateChange)), rows)
