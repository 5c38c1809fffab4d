"""What a person chooses to be told by mail, on the page, by the API, and from inside a mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.accounts import people
from app.config import Config
from app.kernel.db import db
from app.notices import mail
from app.notices.kinds import KINDS
from app.notices.preferences import wishes_of
from tests.fakes.mailbox import Mailbox, mailing
from tests.harness.visitor import Visitor
from tests.stories import fresh
from tests.web.conftest import Town, words

FORM = {"when-thanks": "digest", "when-decided": "never", "hour": "7", "zone": "Europe/Berlin", "quiet": "on", "quiet_from": "21", "quiet_to": "6"}


@pytest.fixture
def mailbox(town: Town, emptied: Config) -> Iterator[Mailbox]:
    with mailing(emptied) as box:
        yield box


def test_one_chooses_what_is_mailed_and_when(town: Town) -> None:
    ada = town.browser("ada")
    shown = ada.get("/preferences")
    assert "No mail server is connected here" in words(shown)
    assert "Waits for your look" not in words(shown), "an advocate is never told of the team's work"
    assert "Waits for your look" in words(town.browser("cleo").get("/preferences"))
    assert "The classifier" not in words(shown), "what only admins hear of is no choice of others"
    assert "The classifier" in words(town.browser("max").get("/preferences"))
    assert ada.post("/preferences", data=FORM).status_code == 303
    wishes = wishes_of(fresh(town.ada))
    assert (wishes.of(KINDS["thanks"]), wishes.of(KINDS["decided"]), wishes.of(KINDS["yours"])) == ("digest", "never", "now")
    assert (wishes.hour, wishes.zone, wishes.quiet, wishes.urgent) == (7, "Europe/Berlin", (21, 6), False)
    assert ada.post("/me/preferences", data={"theme": "dark"}).status_code == 303
    assert wishes_of(fresh(town.ada)) == wishes, "another choice leaves these alone"


@pytest.mark.parametrize(
    "bad", [{"hour": "24"}, {"hour": "²"}, {"hour": ""}, {"zone": "Mars/Olympus"}, {"zone": "../etc/passwd"}, {"quiet_from": "-1"}, {"quiet_to": "99"}]
)
def test_what_cant_be_is_refused_in_words(town: Town, bad: dict[str, str]) -> None:
    assert town.browser("ada").post("/preferences", data=FORM | bad).status_code == 422
    assert wishes_of(fresh(town.ada)).zone == "UTC"


def test_the_api_keeps_what_it_is_not_told(town: Town) -> None:
    with db.transaction():
        token = people.issue_token(town.ada, "test", by=town.ada)
    ask = town.visit(town.ada.email).application.test_client()
    head = {"Authorization": f"Bearer {token}"}
    put = ask.put("/api/v1/me/preferences", json={"when": {"thanks": "never"}, "quiet_from": 20}, headers=head)
    assert put.status_code == 200
    got = ask.get("/api/v1/me/preferences", headers=head).get_json()
    assert (got["when"]["thanks"], got["when"]["yours"], got["quiet_from"], got["quiet_to"], got["mail_on"]) == ("never", "now", 20, 7, False)
    assert ask.put("/api/v1/me/preferences", json={"when": {"fits": "digest"}}, headers=head).status_code == 422
    assert ask.put("/api/v1/me/preferences", json={"when": {"nothing": "now"}}, headers=head).status_code == 422
    assert ask.put("/api/v1/me/preferences", json={"digest_hour": 24}, headers=head).status_code == 422


def test_a_mail_program_stops_mails_with_one_click_and_looking_stops_nothing(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    """RFC 8058: a POST without cookies or anything of a page's; GET says what it would do."""
    token = mail.unsubscribe_token(town.ada.id, ["thanks", "game"])
    asked = client.get(f"/unsubscribe/{token}")
    assert asked.status_code == 200
    assert "Thanks" in words(asked)
    assert town.ada.email not in asked.text
    assert wishes_of(fresh(town.ada)).of(KINDS["thanks"]) == "now"
    done = client.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"}, csrf=False)
    assert done.status_code == 200
    wishes = wishes_of(fresh(town.ada))
    assert [wishes.of(KINDS[name]) for name in ("thanks", "game", "decided")] == ["never", "never", "digest"]
    assert client.post(f"/unsubscribe/{token}", csrf=False).status_code == 200, "twice is no mistake"
    assert wishes_of(fresh(town.ben)).of(KINDS["thanks"]) == "now"


@pytest.mark.parametrize("token", ["x", "", "WzEsInRoYW5rcyJd", "WzEsInRoYW5rcyJd.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "%00", "a" * 3000])
def test_a_token_nobody_signed_opens_nothing(town: Town, client: Visitor, token: str) -> None:
    assert client.post(f"/unsubscribe/{token}", csrf=False).status_code in (400, 404, 405)
    assert client.get(f"/unsubscribe/{token}").status_code == 404
    assert wishes_of(fresh(town.ada)).of(KINDS["thanks"]) == "now"
