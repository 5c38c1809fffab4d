"""Introducing the demo network to Vouch: the brand's webhook channel `demo`, and the file that tells the network its way back.

`DATA_DIR/demo-network.json`, readable by its owner only:
{"brand": "Northwind", "hook_url": "http://127.0.0.1:5000/api/v1/hooks/vch_…", "secret": "vcs_…"}
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from app.accounts.models import Brand
from app.config import Config
from app.kernel import crypto
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.channels import actions
from community.channels.models import ChannelAccount

CHANNEL = "demo"
FILE = "demo-network.json"
HOOKS = "/api/v1/hooks/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the network needs to speak with Vouch."""

    brand: str
    hook_url: str = field(repr=False)
    secret: str = field(repr=False)


def connect(config: Config, brand: Brand, reply_url: str) -> ChannelAccount:
    """Make sure that the brand has the channel, that it points at this network, and that the file fits it. Doing it
    again changes nothing; a lost file gets a new token and secret. Raises Invalid (a loopback address is not allowed)."""
    with db.transaction():
        try:
            account = actions.existing_channel(brand, CHANNEL)
        except NotFound:
            # Its look-up is exact at once, so nothing has to be waited out.
            account, once = actions.add_channel(brand, "webhook", CHANNEL, {"reply_url": reply_url, "read_back_lag": "0"})
            credentials = Credentials(brand.name, _hook_url(config, once["token"]), once["secret"])
        else:
            known = load(config.data_dir)
            token = known.hook_url.rpartition("/")[2] if known else ""
            if known is None or crypto.hash_token(token) != account.hook_token_hash:
                credentials = Credentials(brand.name, _hook_url(config, actions.rotate_token(account)), actions.rotate_secret(account))
            else:
                credentials = Credentials(brand.name, _hook_url(config, token), known.secret)
            if account.settings.get("reply_url") != reply_url:
                actions.change_settings(account, {"reply_url": reply_url})
        _save(config.data_dir, credentials)
    return account


def load(folder: Path) -> Credentials | None:
    """None while nobody has introduced the network."""
    try:
        found = json.loads((folder / FILE).read_text())
        return Credentials(found["brand"], found["hook_url"], found["secret"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hook_url(config: Config, token: str) -> str:
    return config.base_url.rstrip("/") + HOOKS + token


def _save(folder: Path, credentials: Credentials) -> None:
    fresh = folder / f"{FILE}.{os.getpid()}"
    content = {"brand": credentials.brand, "hook_url": credentials.hook_url, "secret": credentials.secret}
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(json.dumps(content))
    fresh.replace(folder / FILE)
