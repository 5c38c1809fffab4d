"""Secrets at rest."""

from __future__ import annotations

import pytest

from app.config import Config
from app.kernel import crypto
from app.kernel.crypto import Vault, WrongKey, hash_token, new_token

OLD, NEW = "old-secret-" + "0" * 32, "new-secret-" + "1" * 32


def test_what_is_encrypted_comes_back_and_is_not_readable() -> None:
    value = Vault([OLD]).encrypt("Grüße, token 🔑")

    assert "token" not in value
    assert Vault([OLD]).decrypt(value) == "Grüße, token 🔑"
    assert Vault([OLD]).encrypt("same") != Vault([OLD]).encrypt("same")


def test_another_key_says_so() -> None:
    with pytest.raises(WrongKey, match="another VOUCH_SECRET_KEY"):
        Vault([NEW]).decrypt(Vault([OLD]).encrypt("word"))


@pytest.mark.parametrize("value", ["", "word", "v1", "v1.abc", "v2.00000000.x", "."])
def test_what_is_no_secret_of_ours_says_so(value: str) -> None:
    with pytest.raises(WrongKey):
        Vault([OLD]).decrypt(value)


def test_a_changed_value_says_so() -> None:
    value = Vault([OLD]).encrypt("word")
    middle = len(value) // 2
    with pytest.raises(WrongKey, match="changed"):
        Vault([OLD]).decrypt(value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :])


def test_keys_rotate() -> None:
    before = Vault([OLD]).encrypt("word")
    both = Vault([NEW, OLD])

    after = both.renew(before)

    assert both.decrypt(before) == "word"
    assert Vault([NEW]).decrypt(after) == "word"
    assert both.renew(after) == after


def test_the_installation_has_one() -> None:
    crypto.init(Config.for_tests())
    assert crypto.decrypt(crypto.encrypt("word")) == "word"


def test_tokens_name_their_kind_and_are_stored_hashed() -> None:
    first, second = new_token("vch"), new_token("vch")
    assert first.startswith("vch_")
    assert first != second
    assert len(hash_token(first)) == 64
    assert hash_token("\ud800") != hash_token("?")
