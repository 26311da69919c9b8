"""What the page of a cycle says is what is stored."""

from __future__ import annotations

from payments.exceptions import EXPLAINED
from payments.leaving_out import SENTENCES
from payments.matching import NEEDS_PERSON
from payments.models.answers import MATCHES
from payments.views.choices import CLASSES, REASONS


def test_every_reason_and_every_class_has_its_words() -> None:
    assert set(REASONS) == set(SENTENCES)
    assert set(CLASSES) == set(EXPLAINED) == set(MATCHES)
    assert set(NEEDS_PERSON) < set(MATCHES)
