"""Every lifecycle is a consistent table, refuses what it does not allow, and is drawn in docs/lifecycles."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import mis.schema  # noqa: F401  # every model, and so every lifecycle
from mis.db import MisSession
from mis.errors import Conflict
from mis.states import Lifecycle
from tests.architecture.drawing import FOLDER, page
from tests.architecture.permissions import PERMISSION, granted

lifecycles = pytest.mark.parametrize("lifecycle", Lifecycle.known.values(), ids=Lifecycle.known)


@lifecycles
def test_every_status_can_be_reached(lifecycle: Lifecycle) -> None:
    reached, before = {lifecycle.initial}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= {step.target for step in lifecycle.steps.values() if reached & set(step.sources)}
    assert reached == set(lifecycle.statuses)


@lifecycles
def test_every_step_needs_a_permission_that_some_role_grants(lifecycle: Lifecycle) -> None:
    for step in lifecycle.steps.values():
        assert PERMISSION.fullmatch(step.permission), step
        assert granted(step.permission), f"No role of config/roles.toml may take the step {step.name}"


@lifecycles
def test_the_steps_out_of_one_status_have_labels_of_their_own(lifecycle: Lifecycle) -> None:
    for status in lifecycle.statuses:
        labels = [step.label for step in lifecycle.steps.values() if status in step.sources]
        assert len(labels) == len(set(labels)), status


@lifecycles
def test_an_approval_binds_to_content_that_was_submitted(lifecycle: Lifecycle) -> None:
    if any(step.bound for step in lifecycle.steps.values()):
        assert any(step.submits for step in lifecycle.steps.values())


@lifecycles
def test_a_step_is_refused_in_every_status_but_its_own(lifecycle: Lifecycle, work: MisSession) -> None:
    for status in lifecycle.statuses:
        for step in lifecycle.steps.values():
            if status in step.sources:
                continue
            record = SimpleNamespace(status=status, lifecycle=lifecycle)
            with pytest.raises(Conflict) as refusal:
                lifecycle.take(record, step.name)
            assert step.label in refusal.value.sentence
            assert refusal.value.instead


@lifecycles
def test_a_lifecycle_is_drawn_as_it_is(lifecycle: Lifecycle) -> None:
    drawn = (FOLDER / f"{lifecycle.name}.md").read_text(encoding="utf-8")
    assert drawn == page(lifecycle), "Run: make docs"
