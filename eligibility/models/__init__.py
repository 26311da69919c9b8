"""What eligibility stores. Importing this package maps every table of it."""

from eligibility.models.decisions import AssessmentRun, Determination
from eligibility.models.enrolments import Enrolment, enrolment_lifecycle
from eligibility.models.schemes import RuleSet, Scheme, rule_set_lifecycle

__all__ = [
    "AssessmentRun",
    "Determination",
    "Enrolment",
    "RuleSet",
    "Scheme",
    "enrolment_lifecycle",
    "rule_set_lifecycle",
]
