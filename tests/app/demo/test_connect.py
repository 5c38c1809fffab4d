"""Introducing the demo network to Vouch, and the command that runs it."""

from __future__ import annotations

import stat
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import brands
from app.accounts.models import Brand
from app.config import Config
from app.demo import connect
from app.kernel.db import db
from community.channels import actions
from community.channels.models import ChannelAccount
from community.mentions.models import Mention
from tests.fakes.network import signed
from tests.harness.processes import Process, Processes

REPLY = "http://127.0.0.1:5001/reply"


@pytest.fixture
def brand(app: Flask) -> Brand:
    with db.transaction():
        return brands.found("northwind", "Northwind", by=None)


@pytest.fixture
def installation(app: Flask) -> Config:
    found: Config = app.config["VOUCH"]
    (found.data_dir / connect.FILE).unlink(missing_ok=True)
    return found


def introduced(config: Config) -> connect.Credentials:
    found = connect.load(config.data_dir)
    assert found is not None
    return found


def deliver(credentials: connect.Credentials) -> actions.Taken:
    """As the network would, by what the file says."""
    body = b'{"id": "dn-1", "text": "My hub blinks red"}'
    account = actions.account_by_token(credentials.hook_url.rpartition("/")[2])
    return actions.receive_hook(account, signed(body, secret=credentials.secret), body)


def test_the_two_can_speak_afterwards(installation: Config, brand: Brand) -> None:
    account = connect.connect(installation, brand, REPLY)
    assert (account.kind, account.name, account.settings["reply_url"]) == ("webhook", "demo", REPLY)
    assert introduced(installation).hook_url.startswith(f"{installation.base_url}/api/v1/hooks/vch_")
    assert stat.S_IMODE((installation.data_dir / connect.FILE).stat().st_mode) == 0o600
    assert deliver(introduced(installation)).stored == 1


def test_doing_it_again_changes_nothing_but_a_new_port(installation: Config, brand: Brand) -> None:
    connect.connect(installation, brand, REPLY)
    before = introduced(installation)
    account = connect.connect(installation, brand, "http://127.0.0.1:6001/reply")
    assert introduced(installation) == before
    assert account.settings["reply_url"] == "http://127.0.0.1:6001/reply"
    with db.transaction(read_only=True) as session:
        assert len(session.scalars(select(ChannelAccount)).all()) == 1


def test_a_lost_file_gets_a_new_token_and_secret(installation: Config, brand: Brand) -> None:
    connect.connect(installation, brand, REPLY)
    before = introduced(installation)
    (installation.data_dir / connect.FILE).write_text("{}")
    connect.connect(installation, brand, REPLY)
    after = introduced(installation)
    assert after.hook_url != before.hook_url
    assert after.secret != before.secret
    assert deliver(after).stored == 1


def test_no_production_no_brand_no_free_port_one_sentence_each(app: Flask, make_app: Callable[..., Flask]) -> None:
    done = app.test_cli_runner().invoke(args=["demo-network", "--brand", "nobody", "--port", "5997"])
    assert (done.exit_code, len(done.output.splitlines())) == (1, 1)
    assert "flask seed" in done.output
    production = make_app(env="production")
    done = production.test_cli_runner().invoke(args=["demo-network"])
    assert done.exit_code == 1
    assert "never part of a production start" in done.output


@pytest.mark.processes
def test_a_post_there_becomes_a_mention_here_even_if_the_web_was_down(processes: Processes, brand: Brand) -> None:
    web = processes.web()
    network = processes.flask("demo-network", "--port", "5995", VOUCH_BASE_URL=web.url)
    wait_for(lambda: "demo network on" in network.log, network)
    with urllib.request.urlopen("http://127.0.0.1:5995/", timeout=5) as page:
        assert b"Say something in public" in page.read()
    say("the web is up")
    wait_for(lambda: mentioned() == ["the web is up"], network)

    web.kill()
    say("the web is down")
    again = processes.web()
    connect.connect(processes.config.model_copy(update={"base_url": again.url}), brand, "http://127.0.0.1:5995/reply")
    wait_for(lambda: mentioned() == ["the web is down", "the web is up"], network)

    assert network.stop() == 0, network.log


def say(text: str) -> None:
    form = urllib.parse.urlencode({"handle": "kettle_and_cat", "text": text}).encode()
    urllib.request.urlopen("http://127.0.0.1:5995/posts", data=form, timeout=5).close()


def mentioned() -> list[str]:
    with db.transaction(read_only=True) as session:
        return sorted(session.scalars(select(Mention.text)))


def wait_for(condition: Callable[[], bool], process: Process) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.alive, process.log
        assert time.monotonic() < deadline, process.log
        time.sleep(0.05)
