"""The background work of the registry: importing this module makes its kinds of job known."""

from __future__ import annotations

from registry.importing import accepting, staging

KINDS = (staging.Stage, accepting.Accept)
