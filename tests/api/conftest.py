"""A small town behind the API: two brands, people of every role, each with a token of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.db import db
from community.channels.models import ChannelAccount
from community.ports import ports
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.fakes.triage import TellingTriage


class Program:
    """A program of one person: it sends their token, and JSON."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self._client, self._token = client, token

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if raw is not None:
            sent["Content-Type"] = "application/json"
        data = {"data": raw} if raw is not None else {"json": body} if body is not None else {}
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        return self._client.open(path, method=method, query_string=query or None, headers=sent | (headers or {}), **data)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.ask("GET", path, **query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
        return self.ask("POST", path, body, headers={"Idempotency-Key": key} if key else None)

    def put(self, path: str, body: Any = None) -> TestResponse:
        return self.ask("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> TestResponse:
        return self.ask("DELETE", path, body)


class Town:
    """northwind with its channel `wave` on a network, kestrel beside it."""

    def __init__(self, app: Flask, network: FakeNetwork) -> None:
        self.app, self.network = app, network
        self.northwind: Brand = factories.brand("northwind", "Northwind")
        self.kestrel: Brand = factories.brand("kestrel", "Kestrel")
        n, k = self.northwind, self.kestrel
        self.people: dict[str, User] = {
            "ada": factories.person("ada", n, "advocate", password=None),
            "ben": factories.person("ben", n, "advocate", password=None, trust=4),
            "cleo": factories.person("cleo", n, "moderator", password=None),
            "tim": factories.person("tim", n, "tier_1", password=None),
            "tess": factories.person("tess", n, "tier_2", password=None),
            "ann": factories.person("ann", n, "analyst", password=None),
            "max": factories.person("max", n, "admin", password=None),
            "kai": factories.person("kai", k, "advocate", password=None),
            "kim": factories.person("kim", k, "admin", "moderator", "tier_1", "tier_2", password=None),
        }
        self.wave: ChannelAccount = factories.account(n, "wave", reply_url=network.reply_url)
        self._tokens: dict[str, str] = {}

    def token(self, name: str) -> str:
        if name not in self._tokens:
            with db.transaction():
                self._tokens[name] = people.issue_token(self.people[name], "test", by=None)
        return self._tokens[name]

    def __call__(self, name: str | None) -> Program:
        """The program of a person; of nobody for None."""
        return Program(self.app.test_client(), self.token(name) if name else None)

    def task(self, text: str | None = None, **more: Any) -> Any:
        return factories.task(self.wave, text, **more)


@pytest.fixture
def town(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(ports, "triage", TellingTriage())
    with FakeNetwork(tmp_path / "network.log") as network:
        yield Town(app, network)


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """The answer's problem, checked for its form."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.content_type == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.text)
    assert found["status"] == status
    assert found["type"].startswith("urn:vouch:")
    assert found["title"]
    assert found["detail"]
    return found
