"""Secrets at rest: encrypted with a key that is not in the database, or kept as a hash where they need never be read again.

An encrypted value names the key it was made with, so keys can be rotated: the first secret encrypts, the
others still decrypt, and `renew` moves a value from an old key to the present one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from app.config import Config

VERSION = "v1"
TOKEN_BYTES = 32


class WrongKey(Exception):
    """A stored secret cannot be read with the keys this process has; the message says what to do."""


class Vault:
    """Encrypts with the first of `keys`, decrypts with any."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._boxes: dict[str, Fernet] = {}
        self._present = ""
        for secret in keys:
            key_id, box = _derive(secret)
            self._boxes.setdefault(key_id, box)
            self._present = self._present or key_id

    def encrypt(self, text: str) -> str:
        """`v1.KEYID.TOKEN`, safe in any text column."""
        if not self._present:
            raise RuntimeError("no key is set: create_app does that")
        return f"{VERSION}.{self._present}.{self._boxes[self._present].encrypt(text.encode()).decode()}"

    def decrypt(self, value: str) -> str:
        """Raises WrongKey when the value was made with another secret, or was changed."""
        version, _, rest = value.partition(".")
        key_id, _, token = rest.partition(".")
        if version != VERSION or not token:
            raise WrongKey("A stored secret is not in a form this version knows. Connect the channel again.")
        box = self._boxes.get(key_id)
        if box is None:
            raise WrongKey(f"A stored secret was encrypted with another VOUCH_SECRET_KEY (key {key_id}). Start with that key, or connect the channel again.")
        try:
            return box.decrypt(token).decode()
        except InvalidToken:
            raise WrongKey("A stored secret was changed since it was encrypted. Connect the channel again.") from None

    def renew(self, value: str) -> str:
        """The same secret under the present key; unchanged if it is there already."""
        return value if value.split(".", 2)[1:2] == [self._present] else self.encrypt(self.decrypt(value))


_vault = Vault()
_lots = b""


def init(config: Config) -> None:
    """Bind to the installation's secret, and the one before while keys change."""
    global _vault, _lots
    previous = config.previous_secret_key.get_secret_value()
    _vault = Vault([config.secret, *([previous] if previous else [])])
    _lots = HKDF(algorithm=SHA256(), length=32, salt=b"vouch", info=b"drawing lots").derive(config.secret.encode())


def encrypt(text: str) -> str:
    """Encrypt under the installation's present key."""
    return _vault.encrypt(text)


def decrypt(value: str) -> str:
    """Raises WrongKey."""
    return _vault.decrypt(value)


def renew(value: str) -> str:
    """The same secret under the present key. Raises WrongKey."""
    return _vault.renew(value)


def lot(*about: object) -> float:
    """A number from 0 to below 1 that belongs to these words: the same each time it is asked, and nobody without the installation's secret can know it."""
    if not _lots:
        raise RuntimeError("no key is set: create_app does that")
    drawn = hmac.digest(_lots, "\x1f".join(map(str, about)).encode(), "sha256")
    return int.from_bytes(drawn[:6], "big") / 2**48


def new_token(prefix: str) -> str:
    """A fresh bearer word of 256 random bits, its kind readable: `vch_…`."""
    return f"{prefix}_{secrets.token_urlsafe(TOKEN_BYTES)}"


def hash_token(token: str) -> str:
    """What is stored of a bearer word. It is random and long, so a plain SHA-256 suffices and can be looked up."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _derive(secret: str) -> tuple[str, Fernet]:
    def key(info: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=b"vouch", info=info).derive(secret.encode())

    return key(b"key id", 4).hex(), Fernet(base64.urlsafe_b64encode(key(b"secrets at rest", 32)))
