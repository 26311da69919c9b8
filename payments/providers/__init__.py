"""The languages payment providers speak, as pure functions: a frozen list out, an answer in; no database, no clock."""
