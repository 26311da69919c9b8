"""The pages of the payments."""

from __future__ import annotations

from flask import Blueprint

import payments.answers
import payments.disbursement
import payments.payroll  # noqa: F401  # the kinds of background work, known wherever the pages are

blueprint = Blueprint("payments", __name__, template_folder="../templates", url_prefix="/payments")
