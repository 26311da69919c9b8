"""Settings: `config/default.toml`, overridden by environment variables that start with MIS_.

The embedded default needs nothing from anybody: its secrets are made on first use inside the instance folder and
readable by its owner alone. Production must be given every secret and refuses to start without.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from mis.paths import config_dir


class NotSettled(RuntimeError):
    """A setting is missing, or is not what it must be; the sentence names it."""


class Settings(BaseSettings):
    """Every setting, typed; `config/default.toml` says what each one is for."""

    model_config = SettingsConfigDict(env_prefix="MIS_", extra="forbid", frozen=True)

    environment: Literal["embedded", "production", "test"]
    instance_dir: Path
    database_url: str
    broker_url: str
    secret_key: str = Field(repr=False)
    sealing_key: str = Field(repr=False)
    retired_sealing_keys: tuple[str, ...] = Field(default=(), repr=False)
    database_role: str
    country: str
    weekend: tuple[int, ...]
    default_locale: str
    default_currency: str
    session_minutes: int
    lockout_failures: int
    lockout_minutes: int
    console_user_enabled: bool
    second_factor_required_for: tuple[str, ...]
    job_lease_seconds: int
    job_chunk_rows: int
    audit_seal_rows: int
    upload_megabytes: int
    trusted_proxies: int = Field(ge=0, le=10)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        defaults = TomlConfigSettingsSource(settings_cls, toml_file=config_dir() / "default.toml")
        return init_settings, env_settings, defaults

    @property
    def production(self) -> bool:
        """True where real people are paid: the strict rules apply."""
        return self.environment == "production"

    @cached_property
    def effective_database_url(self) -> str:
        """The database, by default SQLite in the instance folder."""
        if self.database_url:
            return self.database_url
        return f"sqlite:///{self._instance_file('mis.sqlite')}"

    @cached_property
    def effective_broker_url(self) -> str:
        """The message broker, by default a folder: no service to install."""
        return self.broker_url or "filesystem://localhost//"

    @cached_property
    def effective_secret_key(self) -> str:
        """Signs sessions and form tokens."""
        if self.production and 0 < len(self.secret_key) < 32:
            raise NotSettled("MIS_SECRET_KEY must have at least 32 characters in production.")
        return self.secret_key or self._made_once("secret_key")

    @cached_property
    def effective_sealing_keys(self) -> tuple[bytes, ...]:
        """The keys of the sealed columns, each 32 bytes; the first one seals, all of them open."""
        texts = (self.sealing_key or self._made_once("sealing_key"), *self.retired_sealing_keys)
        with contextlib.suppress(binascii.Error, ValueError):
            keys = tuple(base64.b64decode(text, validate=True) for text in texts)
            if all(len(key) == 32 for key in keys):
                return keys
        raise NotSettled(
            "MIS_SEALING_KEY and MIS_RETIRED_SEALING_KEYS must be base64 of exactly 32 bytes each."
        )

    def instance_path(self, *parts: str) -> Path:
        """A path inside the instance folder, whose folders are made."""
        path = self.instance_dir.resolve().joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _instance_file(self, name: str) -> Path:
        return self.instance_path(name)

    def _made_once(self, name: str) -> str:
        if self.production:
            raise NotSettled(f"MIS_{name.upper()} must be set in production.")
        path = self.instance_path(f"{name}.txt")
        if not path.exists():
            # Written aside, then linked: web and worker start together, and both must end with the same whole key.
            draft = path.with_name(f"{name}.{os.getpid()}.draft")
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()


def load(**overrides: object) -> Settings:
    """Read the settings once; the application keeps them. Raises NotSettled for what is no such setting or value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except SettingsError as error:
        raise NotSettled(f"{error}.") from None
    except ValidationError as error:
        # Without the value: it may be a secret.
        wrong = (f"MIS_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}." for one in error.errors())
        raise NotSettled(" ".join(wrong)) from None


_in_use: list[Settings] = []


def use(settings: Settings) -> None:
    """Make these the settings of this process."""
    _in_use[:] = [settings]


def current() -> Settings:
    """The settings of this process."""
    assert _in_use, "configure() has not run yet"
    return _in_use[0]
