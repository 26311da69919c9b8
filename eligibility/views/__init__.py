"""The pages of the eligibility: what each module shows is its name."""

from __future__ import annotations

from eligibility import assessment, enrolling  # noqa: F401 - the job kinds, for web and worker
from eligibility.views.blueprint import blueprint

__all__ = ["blueprint"]
