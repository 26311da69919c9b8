"""All tables of the system in one place, for migrations: importing this module maps every package."""

from __future__ import annotations

import eligibility.models
import grievances.models
import mis.accounts.models
import mis.audit
import mis.jobs
import mis.states
import mis.web.models
import payments.models
import registry.models
from mis.db import Base

metadata = Base.metadata

__all__ = ["eligibility", "grievances", "metadata", "mis", "payments", "registry"]
