"""P13: one bad post never costs its neighbours; the rest is stored, and the bad one is named with its place and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.kernel.db import db
from community.channels import actions as channels
from community.mentions.models import Mention
from tests import factories
from tests.community.channels.test_importing import BAD_ROWS
from tests.fakes.network import signed
from tests.harness.promises import dice, rounds
from tests.promises.conftest import Town

MORE = {
    "channel with an escape": b'{"id": "x", "text": "a", "channel": "a\\u001bb"}',
    "channel with a newline": b'{"id": "x", "text": "a", "channel": "a\\nb"}',
}
ROWS = {name: row for name, row in (BAD_ROWS | MORE).items() if name != "posted_at next week"}
"""Next week was when those rows were written."""


def good(n: int) -> bytes:
    return json.dumps({"id": f"good-{n}", "text": f"How do I do {n}?"}).encode()


def stored() -> set[str]:
    with db.transaction(read_only=True) as session:
        return set(session.scalars(select(Mention.ext_id)))


def test_p13_import_with_every_bad_line_between_good_ones(app: Flask, tmp_path: Path) -> None:
    """Red when a BadPost ends the reading, and when a channel's odd name ends the import."""
    factories.brand("northwind", "Northwind")
    chance = dice()
    rows = list(ROWS.items())
    for _ in range(rounds(1, 20)):
        chance.shuffle(rows)
        lines, bad_at = [], {}
        for number, (name, row) in enumerate(rows):
            lines.append(good(number))
            bad_at[len(lines) + 1] = name
            lines.append(row)
        file = tmp_path / "mixed.jsonl"
        file.write_bytes(b"\n".join(lines))

        result = app.test_cli_runner().invoke(args=["mentions", "import", str(file), "--brand", "northwind", "--channel", "wave"])

        assert result.exit_code == 0, result.output
        said = json.loads(result.stdout.splitlines()[-1])
        assert said["read"] == len(lines)
        assert said["bad"] == len(rows), {name for at, name in bad_at.items() if f"line {at}:" not in result.stderr}
        assert stored() == {f"good-{n}" for n in range(len(rows))}
        for at, name in bad_at.items():
            assert f"line {at}: " in result.stderr, name


def is_json(row: bytes) -> bool:
    """Whether it can stand in a delivery at all: else the whole body is unreadable, and the answer a 422."""
    try:
        json.loads(row.decode())
    except (ValueError, RecursionError):
        return False
    return True


ITEMS = {name: row for name, row in ROWS.items() if "channel" not in name and name != "long line" and is_json(row)}
UNREADABLE = ("key twice", "key twice inside", "NaN", "Infinity", "endless float", "deep raw", "number of 400 digits in raw", "id of 5,000 digits")
"""Faults of the whole JSON text: nothing of it can be trusted."""


@pytest.mark.parametrize("name", ITEMS)
def test_p13_a_delivery_with_one_bad_post_at_any_place(name: str, town: Town) -> None:
    """Red when `read_delivery` gives up at the first BadPost."""
    chance = dice()
    for number in range(rounds(2, 100)):
        place = chance.randrange(100) if number else 99
        rows = [json.dumps({"id": f"{number}-{n}", "text": f"How do I do {n}?"}).encode() for n in range(99)]
        rows.insert(place, ITEMS[name])
        body = b"[" + b",".join(rows) + b"]"
        try:
            taken = channels.receive_hook(town.account, signed(body), body)
        except channels.Invalid:
            assert name in UNREADABLE
            continue
        assert [at for at, _ in taken.bad] == [place + 1]
        assert taken.stored == 99
        assert {f"{number}-{n}" for n in range(99)} <= stored()
