"""Every setting of an installation, read once from the environment at start.

Addresses, secrets and switches only; the domain's numbers live with their rules, the brand's own choices in
the brand's settings. A missing or bad value stops the start with a sentence that names it.
"""

from __future__ import annotations

import logging
import os
import re
from difflib import get_close_matches
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,253}")
log = logging.getLogger(__name__)


class BadConfig(Exception):
    """One sentence: which setting, and what to do."""


class Config(BaseSettings):
    """Prefix `VOUCH_`: `database_url` is `VOUCH_DATABASE_URL`, and so on."""

    model_config = SettingsConfigDict(env_prefix="VOUCH_", frozen=True, extra="ignore")

    env: Literal["development", "production", "test"] = Field("development", description="production refuses seeds, the demo network and insecure defaults")
    data_dir: Path = Field(Path("data"), description="SQLite file, embedded Redis, pid files, generated keys")
    database_url: str = Field("", description="empty: SQLite at DATA_DIR/vouch.db; or postgresql://…")
    redis_url: str = Field("", description="empty: the embedded server whose address stands in DATA_DIR/redis.url")
    secret_key: SecretStr = Field(SecretStr(""), description="signs sessions and encrypts network tokens; in development one is made and kept in DATA_DIR")
    previous_secret_key: SecretStr = Field(
        SecretStr(""), description="the key before this one, while keys change: what it encrypted is still read until `flask channels renew-secrets` has run"
    )
    base_url: str = Field("http://127.0.0.1:5000", description="where people reach this installation; links in messages start with it")
    seed_password: SecretStr = Field(SecretStr(""), description="the demo people's password; empty: one is made and printed")
    allow_private_urls: bool = Field(False, description="let channels call loopback and private addresses")
    trusted_proxies: int = Field(0, ge=0, le=5, description="how many proxies in front may set X-Forwarded-For")
    hold_seconds: int = Field(
        60, ge=0, le=3600, description="seconds between approval and posting in which a reply can be pulled back; a brand may choose another number"
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="where e-mail is handed in: smtps://USER:PASSWORD@HOST (TLS), smtp+starttls://USER:PASSWORD@HOST:587, "
        "smtp://HOST:25 inside a private network; empty: nothing is mailed",
    )
    mail_from: str = Field("", description="the address e-mail comes from, as “Vouch <vouch@example.com>”; needed with VOUCH_SMTP_URL")
    meaning_model: str = Field(
        "",
        description="folder or zip of an English sentence encoder (config.json, tokenizer.json, model.safetensors, as all-MiniLM-L6-v2) "
        "that brands' classifiers learn with and answers are found by; empty: both do without",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severity written to standard error")
    rate_limits: bool = Field(True, description="throttle sign-in and writing; off only for load tests")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url.startswith("postgres://"):
            url = "postgresql://" + url.removeprefix("postgres://")
        if url and not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _known_smtp(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if not url.get_secret_value():
            return url
        try:
            good = parts.scheme in ("smtp", "smtp+starttls", "smtps") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("must start with smtps://, smtp+starttls:// or smtp:// and name a host")
        if parts.scheme == "smtp" and parts.password and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("would send its password in the clear: use smtps:// or smtp+starttls://")
        return url

    @field_validator("mail_from")
    @classmethod
    def _known_sender(cls, sender: str) -> str:
        if sender and (not sender.isprintable() or not _ADDRESS.fullmatch(parseaddr(sender)[1])):
            raise ValueError("must be an address, as “Vouch <vouch@example.com>”")
        return sender

    @field_validator("base_url")
    @classmethod
    def _known_base(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise ValueError("must start with http:// or https:// and name a host")
        return url

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Config:
        if self.smtp_url.get_secret_value() and not self.mail_from:
            raise ValueError("VOUCH_MAIL_FROM must be set where VOUCH_SMTP_URL is")
        return self

    @model_validator(mode="after")
    def _production_is_explicit(self) -> Config:
        if self.env == "production" and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("VOUCH_SECRET_KEY must be set to at least 32 characters in production")
        if self.env == "production" and self.redis_url.startswith("redis") and not urlsplit(self.redis_url).password:
            raise ValueError("VOUCH_REDIS_URL must carry a password in production, as redis://:PASSWORD@HOST:6379/0")
        return self

    @property
    def database(self) -> str:
        """The SQLAlchemy address in force."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'vouch.db'}"

    @property
    def redis(self) -> str:
        """The Redis address in force, or "" when no server is known (rows are kept, the sweep queues them later)."""
        if self.redis_url:
            return self.redis_url
        file = self.data_dir / "redis.url"
        return file.read_text().strip() if file.exists() else ""

    @property
    def secret(self) -> str:
        """The signing secret; outside production one is made on first use and kept readable only by its owner."""
        value = self.secret_key.get_secret_value()
        if value:
            return value
        file = self.data_dir / "secret.key"
        if not file.exists():
            try:
                self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                    out.write(os.urandom(32).hex())
            except FileExistsError:
                pass
            except OSError as error:
                raise BadConfig(f"VOUCH_DATA_DIR: {self.data_dir} cannot be written ({error.strerror}).") from None
        return file.read_text().strip()

    @classmethod
    def from_environment(cls) -> Config:
        """Read `VOUCH_*`. Raises BadConfig with one sentence; a name that looks like a slip of the hand is only warned of."""
        known = {name.upper() for name in cls.model_fields}
        for name in sorted(name.removeprefix("VOUCH_") for name in os.environ if name.startswith("VOUCH_")):
            if name not in known and (meant := get_close_matches(name, known, n=1, cutoff=0.9)):
                log.warning("VOUCH_%s is not a setting and changes nothing: was VOUCH_%s meant?", name, meant[0])
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = "VOUCH_" + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else ""
            raise BadConfig(f"{name + ': ' if name else ''}{first['msg'].removeprefix('Value error, ')}.") from None

    @classmethod
    def for_tests(cls, **overrides: Any) -> Config:
        """A configuration that reads nothing from the environment."""
        return cls.model_validate(
            {"env": "test", "secret_key": "test-secret-" + "0" * 32, "hold_seconds": 0, "allow_private_urls": True, "rate_limits": False, **overrides}
        )
