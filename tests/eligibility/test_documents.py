"""A document says exactly what is written, and a mistake in it is told with its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from eligibility import documents, examples, strict_yaml
from eligibility.rules.compiling.recorded import JsonObject
from mis.db import MisSession
from mis.errors import Invalid
from mis.paths import config_dir

PENSION = (config_dir() / "schemes" / "old_age_pension.yaml").read_text(encoding="utf-8")
GRANT = (config_dir() / "schemes" / "child_grant.yaml").read_text(encoding="utf-8")


def test_words_stay_words_and_numbers_stay_exact() -> None:
    said = strict_yaml.read("a: no\non: 1.10\nb: 012\nc: true\nd: 2026-01-31\ne: 12:30\nf:\n").values
    assert said == {
        "a": "no", "on": Decimal("1.10"), "b": "012", "c": True, "d": date(2026, 1, 31), "e": "12:30", "f": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: *x", "not used in rules"),
        ("a: 1\nb: 2\na: 3", "Line 3: a stands here twice"),
        ("a: [1", "Line 1: this is not YAML"),
        ("", "empty"),
        ("a: 2026-02-30", "Line 1: 2026-02-30 is not a day"),
        ("a: !!python/object/apply:os.system [ls]", "Line 1"),
        ("a: " + "x" * strict_yaml.LONGEST, "longer than"),
        ("[" * 2_000, "not a YAML document"),
    ],
)
def test_what_a_legal_text_does_not_use_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        strict_yaml.read(text)


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (PENSION, "payee: self", "paye: self", "Line 32: rules.paye is not known here. Did you mean payee?"),
        (PENSION, "branch: old_age", "branch: oldage", "Line 6: scheme.branch is none of: child_and_family"),
        (PENSION, "  amount: param.monthly_pension\n", "", "Line 12: rules.amount is missing"),
        (PENSION, "code: OAP", "code: PENSION-OLD", "Line 4: scheme.code does not have the form"),
        (PENSION, "amount: param.monthly_pension", "amount: param.monthly", "Line 30, column 11 .amount."),
        (PENSION, "code: AGE", "code: AMOUNT", "kept for an amount that is not known"),
        (PENSION, "rounding: half_up", "rounding: upwards", "Line 31: rules.rounding is none of"),
        (PENSION, "days: 60", "days: soon", "Line 36: rules.appeal.days: input should be a valid integer"),
        (GRANT, "household.fridge", "household.frige", "Line 37, column 4 .household.pmt_score.: There is no fact"),
        (GRANT, "currency: XTS", "currency: XYZ", "Line 11: scheme.currency 'XYZ' is not an ISO 4217"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_was_meant(
    work: MisSession, text: str, old: str, new: str, said: str
) -> None:
    assert old in text
    with pytest.raises(Invalid, match=said) as refusal:
        documents.understand(text.replace(old, new, 1))
    assert refusal.value.field == "document"


def test_an_example_about_a_fact_that_does_not_exist_is_refused_with_its_line(work: MisSession) -> None:
    with pytest.raises(Invalid, match="Line 45: the fact catalogue has no person.gender"):
        examples.check(documents.understand(PENSION.replace("sex: female }", "gender: female }", 1)))


def test_a_scheme_in_another_currency_does_not_ask_about_money_of_the_register(work: MisSession) -> None:
    other = PENSION.replace("currency: XTS", "currency: KES")
    assert documents.understand(other).scheme.currency == "KES"
    with pytest.raises(Invalid, match="pays in KES, but the register keeps money in XTS"):
        documents.understand(
            other.replace("person.age >= param.pension_age", "person.monthly_income < 100.00", 1)
        )


def test_a_record_of_many_facts_is_one_object_on_both_databases(work: MisSession) -> None:
    pairs = [(f"fact {n}.'\"$", n) for n in range(130)]
    parts = [
        part for name, n in pairs for part in (sa.literal(name, sa.Text()), sa.literal(n, sa.BigInteger()))
    ]
    truth = (sa.literal("yes", sa.Text()), sa.literal(True), sa.literal("none", sa.Text()), sa.null())
    found = work.scalar(sa.select(JsonObject(*parts, *truth)))
    assert found == dict(pairs) | {"yes": True, "none": None}
