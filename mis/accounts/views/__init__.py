"""The pages of the accounts."""

from __future__ import annotations

from mis.accounts.views import own as own
from mis.accounts.views import signing as signing
from mis.accounts.views import users as users
from mis.accounts.views.blueprint import blueprint

__all__ = ["blueprint"]
