"""The background work of the eligibility: importing this module makes its kinds of job known."""

from __future__ import annotations

from eligibility import assessment, enrolling

KINDS = (assessment.Assess, enrolling.Enrol)
