"""Who may receive what: rules, assessment and enrolment."""
