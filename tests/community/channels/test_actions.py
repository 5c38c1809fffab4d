"""Connecting channels and taking in what they deliver, on real rows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, select

from app.accounts import brands
from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.audit import AuditEntry
from app.kernel.crypto import WrongKey
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound, SignedOut
from community.channels import actions, registry
from community.channels.models import ChannelAccount, InboundEvent
from community.channels.registry import adapter_for, pack_of
from community.mentions.models import Mention
from tests.fakes.network import signed


@dataclass
class Hook:
    account: ChannelAccount
    secret: str
    token: str

    def deliver(self, *posts: object, event_id: str | None = None, **how: object) -> actions.Taken:
        body = json.dumps(list(posts)).encode()
        return actions.receive_hook(self.account, signed(body, secret=self.secret, event_id=event_id, **how), body)  # type: ignore[arg-type]


@pytest.fixture
def hook(brand: Brand) -> Hook:
    with db.transaction():
        account, once = actions.add_channel(brand, "webhook", "demo", {"reply_url": "http://127.0.0.1:9/reply"})
    return Hook(account, once["secret"], once["token"])


def stored() -> list[str]:
    with db.transaction(read_only=True) as session:
        return sorted(session.scalars(select(Mention.ext_id)))


def line(name: str, text: str = "My hub blinks red, how do I reset it?") -> dict[str, str]:
    return {"id": name, "text": text, "author": "kettle"}


# Connecting


def test_a_webhook_shows_its_token_and_secret_once(hook: Hook, brand: Brand) -> None:
    with db.transaction(read_only=True) as session:
        row = session.get_one(ChannelAccount, hook.account.id)
        everything = json.dumps([str(value) for value in (row.settings, row.secrets, row.hook_token_hash, repr(row))])
    assert hook.secret not in everything
    assert hook.token not in everything
    assert row.is_default, "the first channel is where unnamed lines go"
    assert actions.account_by_token(hook.token).id == hook.account.id
    with pytest.raises(NotFound):
        actions.account_by_token(hook.token + "x")


@pytest.mark.parametrize(
    ("kind", "name", "settings", "words"),
    [
        ("webhook", "demo2", {"reply_url": "ftp://x/"}, "http://"),
        ("webhook", "demo2", {"reply_url": "http://169.254.169.254/"}, "not a public address"),
        ("webhook", "demo2", {"max_length": "many"}, "whole number"),
        ("webhook", "demo2", {"colour": "red"}, "no setting"),
        ("webhook", "", {}, "1 to 80"),
        ("webhook", "a\nb", {}, "visible"),
        ("pigeon", "demo2", {}, "no kind of channel"),
    ],
)
def test_a_wrong_setting_says_which_and_why(brand: Brand, kind: str, name: str, settings: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid, match=words), db.transaction():
        actions.add_channel(brand, kind, name, settings)


def test_a_name_stands_once_in_a_brand(hook: Hook, brand: Brand) -> None:
    with pytest.raises(Conflict), db.transaction():
        actions.add_channel(brand, "by_hand", "demo", {})
    with db.transaction():
        other = brands.found("kestrel", "Kestrel", by=None)
        actions.add_channel(other, "by_hand", "demo", {})


def test_an_unknown_name_on_import_becomes_a_listen_only_channel(brand: Brand) -> None:
    with db.transaction():
        with pytest.raises(NotFound, match="--channel"):
            actions.channel_named(brand, None)
        account = actions.channel_named(brand, "twitter")
    assert (account.kind, account.listen_only) == ("by_hand", True)
    with db.transaction():
        assert actions.channel_named(brand, "twitter").id == account.id
        assert actions.channel_named(brand, None).id == account.id
    assert adapter_for(account).capabilities().reply == "by_hand"
    assert pack_of(account).kind == "by_hand"


def test_imports_of_one_name_at_once_make_one_channel(brand: Brand) -> None:
    def name_it(_: int) -> int:
        with db.transaction():
            return actions.channel_named(brand, "twitter").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(name_it, range(16)))) == 1


def test_changes_are_on_record(hook: Hook) -> None:
    with db.transaction() as session:
        account = session.get_one(ChannelAccount, hook.account.id)
        actions.rotate_secret(account)
        actions.change_settings(account, {"max_length": "280"})
    with db.transaction(read_only=True) as session:
        assert {"channel.added", "channel.secret_rotated", "channel.changed"} <= set(session.scalars(select(AuditEntry.action)))
        assert account.settings["max_length"] == 280


def test_keys_change_without_losing_a_channel(hook: Hook, make_app: Callable[..., Flask], app: Flask) -> None:
    old = app.config["VOUCH"].secret_key
    changed = make_app(secret_key=SecretStr("another-secret-" + "1" * 32), previous_secret_key=old)
    done = changed.test_cli_runner().invoke(args=["channels", "renew-secrets"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("1 channel moved")
    with db.transaction(read_only=True) as session:
        hook.account = session.get_one(ChannelAccount, hook.account.id)
    assert hook.deliver(line("a")).stored == 1
    make_app(secret_key=old)
    registry._open.clear()
    with pytest.raises(WrongKey, match="VOUCH_SECRET_KEY"):
        hook.deliver(line("b"))


def test_a_resting_channel_goes_on_when_told_or_mended(hook: Hook, app: Flask) -> None:
    def rest() -> ChannelAccount:
        with db.transaction() as session:
            account = session.get_one(ChannelAccount, hook.account.id)
            account.paused_reason = "The token was revoked."
        return account

    rest()
    done = app.test_cli_runner().invoke(args=["channels", "resume", "--brand", "northwind", "--name", "demo"])
    assert "The token was revoked." in done.output
    rest()
    with db.transaction() as session:
        actions.change_settings(session.get_one(ChannelAccount, hook.account.id), {"reply_url": "http://127.0.0.1:9/new"})
    with db.transaction(read_only=True) as session:
        assert session.get_one(ChannelAccount, hook.account.id).paused_reason is None


# Taking in


def test_a_delivery_is_stored_and_routed(hook: Hook) -> None:
    taken = hook.deliver(line("a"), line("b"), event_id="e-1")
    assert (taken.stored, taken.known, taken.replayed) == (2, 0, False)
    assert sum(taken.routes.values()) == 2
    assert stored() == ["a", "b"]


def test_a_replayed_event_stores_nothing_new(hook: Hook) -> None:
    hook.deliver(line("a"), event_id="e-1")
    assert hook.deliver(line("a"), line("b"), event_id="e-1").replayed
    assert stored() == ["a"]


def test_the_same_post_under_another_event_is_known(hook: Hook) -> None:
    hook.deliver(line("a"), event_id="e-1")
    taken = hook.deliver(line("a", "changed words"), event_id="e-2")
    assert (taken.stored, taken.known) == (0, 1)
    assert hook.deliver(line("a")).known == 1, "an event id is not required"


@pytest.mark.parametrize("ago", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_an_old_or_early_signature_stores_nothing(hook: Hook, ago: timedelta) -> None:
    with pytest.raises(SignedOut):
        hook.deliver(line("a"), at=datetime.now(UTC) - ago)
    assert stored() == []


def test_a_wrong_or_missing_signature_stores_nothing(hook: Hook) -> None:
    body = json.dumps(line("a")).encode()
    for headers in ({}, signed(body, secret="another"), signed(body + b" ", secret=hook.secret)):
        with pytest.raises(SignedOut):
            actions.receive_hook(hook.account, headers, body)
    assert stored() == []
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(InboundEvent)) == 0


def test_old_and_new_secret_are_valid_until_the_old_one_is_retired(hook: Hook) -> None:
    with db.transaction() as session:
        account = session.get_one(ChannelAccount, hook.account.id)
        fresh = actions.rotate_secret(account)
    old, new = Hook(account, hook.secret, hook.token), Hook(account, fresh, hook.token)
    assert old.deliver(line("a")).stored == new.deliver(line("b")).stored == 1
    with db.transaction() as session:
        actions.retire_secret(session.get_one(ChannelAccount, account.id))
        new.account = old.account = session.get_one(ChannelAccount, account.id)
    assert new.deliver(line("c")).stored == 1
    with pytest.raises(SignedOut):
        old.deliver(line("d"))


def test_one_bad_post_costs_the_others_nothing(hook: Hook) -> None:
    taken = hook.deliver(line("a"), {"id": "b"}, line("c"), event_id="e-1")
    assert taken.bad == ((2, "text: is missing"),)
    assert stored() == ["a", "c"]


def test_a_delivery_without_a_usable_post_may_be_sent_again(hook: Hook) -> None:
    with pytest.raises(Invalid, match="text: is missing"):
        hook.deliver({"id": "a"}, event_id="e-1")
    assert hook.deliver(line("a"), event_id="e-1").stored == 1


def test_a_deletion_redacts_the_post(hook: Hook) -> None:
    hook.deliver(line("a", "my address is 5 Elm Street"))
    assert hook.deliver({"id": "a", "deleted": True}).gone == 1
    with db.transaction(read_only=True) as session:
        mention = session.scalars(select(Mention)).one()
        assert mention.gone_at is not None
        assert "Elm" not in mention.text


def test_one_delivery_many_times_at_once_is_stored_once(hook: Hook) -> None:
    start = threading.Barrier(8)

    def deliver(_: int) -> actions.Taken:
        start.wait()
        return hook.deliver(line("a"), line("b"), event_id="e-1")

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(deliver, range(8)))

    assert sum(one.stored for one in taken) == 2
    assert sum(not one.replayed for one in taken) == 1
    assert stored() == ["a", "b"]


def test_shuffled_and_doubled_deliveries_store_each_post_once(hook: Hook) -> None:
    names = [f"p-{n}" for n in range(60)]
    deliveries = [names[n : n + 15] for n in range(0, 60, 10)] * 2

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda part: hook.deliver(*[line(name) for name in part]), reversed(deliveries)))

    assert stored() == sorted(names)


def test_old_event_ids_are_forgotten(hook: Hook) -> None:
    hook.deliver(line("a"), event_id="e-1")
    with db.transaction() as session:
        session.scalars(select(InboundEvent)).one().at = clock.now() - timedelta(days=31)
    assert actions.forget_events() == 1
    assert not hook.deliver(line("a"), event_id="e-1").replayed


# Commands


def test_the_command_prints_token_and_secret_on_its_last_line(app: Flask, brand: Brand) -> None:
    done = app.test_cli_runner().invoke(args=["channels", "add", "webhook", "--brand", "northwind", "--name", "shop", "--reply-url", "http://127.0.0.1:9/r"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.output.splitlines()[-1])
    assert set(shown) == {"token", "secret"}
    assert actions.account_by_token(shown["token"]).name == "shop"

    rotated = app.test_cli_runner().invoke(args=["channels", "rotate-secret", "--brand", "northwind", "--name", "shop"])
    assert rotated.exit_code == 0, rotated.output
    assert json.loads(rotated.output.splitlines()[-1])["secret"] != shown["secret"]
    assert app.test_cli_runner().invoke(args=["channels", "rotate-secret", "--brand", "northwind", "--name", "shop", "--retire"]).exit_code == 0


@pytest.mark.parametrize(
    "args",
    [
        ["webhook", "--brand", "nobody", "--name", "a"],
        ["pigeon", "--brand", "northwind", "--name", "a"],
        ["webhook", "--brand", "northwind", "--name", "a", "--set", "colour"],
        ["webhook", "--brand", "northwind", "--name", "a", "--reply-url", "nonsense"],
    ],
)
def test_a_wrong_command_says_so_in_a_sentence(app: Flask, brand: Brand, args: list[str]) -> None:
    done = app.test_cli_runner().invoke(args=["channels", "add", *args])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1


def test_private_addresses_need_the_setting(make_app: Callable[..., Flask]) -> None:
    app = make_app(allow_private_urls=False)
    with db.transaction():
        brands.found("northwind", "Northwind", by=None)
    done = app.test_cli_runner().invoke(args=["channels", "add", "webhook", "--brand", "northwind", "--name", "a", "--reply-url", "http://127.0.0.1:9/"])
    assert done.exit_code == 1
    assert "VOUCH_ALLOW_PRIVATE_URLS=1" in done.output
