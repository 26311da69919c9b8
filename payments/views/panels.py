"""What the payments add to the page of a person: accounts, holds, the latest payments and what was withheld."""

from __future__ import annotations

import sqlalchemy as sa
from flask import render_template
from sqlalchemy.orm import joinedload

from mis import access
from mis.calendar import today
from mis.db import db
from mis.money import Money
from mis.web import i18n
from payments import accounts, holds
from payments.forms import KINDS
from payments.leaving_out import SENTENCES, is_live
from payments.models import Hold, NotPaid, Payment
from registry.models import Person

SHOWN = 12


def of_person(person: Person) -> str:
    """The section “Payments” of a person's page."""
    paid = db.session.scalars(
        sa.select(Payment)
        .options(joinedload(Payment.state), joinedload(Payment.entitlement))
        .where(Payment.person_id == person.id)
        .order_by(Payment.id.desc())
        .limit(SHOWN)
    ).all()
    left_out = db.session.scalars(
        sa.select(NotPaid)
        .options(joinedload(NotPaid.cycle))
        .where(NotPaid.person_id == person.id)
        .order_by(NotPaid.id.desc())
        .limit(SHOWN)
    ).all()
    live = sa.select(Hold).where(Hold.person_id == person.id, is_live(today())).order_by(Hold.id)
    return render_template(
        "payments/person_panel.html",
        person=person,
        payments=[(one, Money(one.amount_minor, one.currency)) for one in paid],
        left_out=[(one, i18n.words(SENTENCES.get(one.reason, one.reason))) for one in left_out],
        holds=db.session.scalars(live).all() if access.may("payments:hold:read") else [],
        accounts=accounts.of_person(person.id) if access.may("payments:account:read") else [],
        kinds=dict(KINDS),
        may_propose=access.may(accounts.PROPOSE),
        may_hold=access.may(holds.PLACE),
    )
