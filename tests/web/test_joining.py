"""Coming and going by page: an admin invites, a stranger applies, guidelines are read, roles change, somebody leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts import choices
from app.accounts.models import User
from app.config import Config
from app.kernel.db import db
from app.notices import mail
from community.joining import guidelines
from community.joining.models import Application, Invitation
from tests.fakes.mailbox import Mailbox, mailing, plain
from tests.harness.visitor import PASSWORD, Visitor
from tests.stories import fresh, news, told
from tests.web.conftest import Town, words

NEW = "nine blue kettles under the stairs"


@pytest.fixture
def mailbox(town: Town, emptied: Config) -> Iterator[Mailbox]:
    with db.transaction():
        choices.choose(town.brand, {"applications": True}, by=town.max)
    with mailing(emptied) as box:
        yield box


def link(letter: object) -> str:
    found = re.search(r"http://127\.0\.0\.1:5000(/\S+)", plain(letter))  # type: ignore[arg-type]
    assert found
    return found[1]


def test_an_admin_invites_and_somebody_comes(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    admin = town.browser("max")
    sent = admin.post(
        "/members/invitations", data={"email": "eve@wild.example", "role": "advocate", "name": "Eve Marsh", "languages": ["en"], "topics": ["billing"]}
    )
    assert sent.status_code == 303
    assert "eve@wild.example" in words(admin.get("/members"))
    mail.send_due()
    there = link(mailbox.letters[0])
    opened = client.get(there)
    assert "Join Northwind" in words(opened)
    assert opened.headers["Cache-Control"] == "no-store"
    refused = client.post(there, data={"name": "Eve Marsh", "password": "short"})
    assert refused.status_code == 422
    assert "at least 15 characters" in words(refused)
    assert client.post(there, data={"name": "Eve Marsh", "password": NEW}).status_code == 303
    assert client.get(there).status_code == 404
    client.login("eve@wild.example", NEW)
    assert client.get("/desk").status_code == 200


def test_without_mail_the_admin_hands_the_link_over(town: Town, client: Visitor) -> None:
    shown = town.browser("max").post("/members/invitations", data={"email": "eve@wild.example", "role": "moderator"})
    there = re.search(r'value="http://127\.0\.0\.1:5000(/invitations/[^"]+)"', shown.text)
    assert there
    assert client.get(there[1]).status_code == 200
    assert there[1] not in town.browser("max").get("/members").text, "it is shown once"


def test_an_invitation_is_sent_again_and_taken_back(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    admin = town.browser("max")
    admin.post("/members/invitations", data={"email": "eve@wild.example", "role": "advocate"})
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(Invitation)).one()
    assert admin.post(f"/members/invitations/{row.id}/resend").status_code == 303
    mail.send_due()
    first, second = (link(letter) for letter in mailbox.letters)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    assert admin.post(f"/members/invitations/{row.id}/revoke").status_code == 303
    assert client.get(second).status_code == 404


def test_a_link_that_leads_no_further_says_what_became_of_it_and_what_to_do(
    town: Town, mailbox: Mailbox, client: Visitor, clock: time_machine.Coordinates
) -> None:
    """Red when somebody who said yes is told to ask for a new invitation."""
    admin = town.browser("max")
    for who in ("eve", "finn", "gil"):
        admin.post("/members/invitations", data={"email": f"{who}@wild.example", "role": "moderator"})
    mail.send_due()
    eve, finn, gil = (link(next(letter for letter in mailbox.letters if who in str(letter))) for who in ("eve@", "finn@", "gil@"))
    client.post(eve, data={"name": "Eve Marsh", "password": NEW})
    again = client.get(eve)
    assert "You are in already" in words(again) and 'href="/login"' in again.text
    assert "You are in already" in words(client.post(eve, data={"name": "Eve Marsh", "password": NEW}))
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(Invitation).where(Invitation.email == "finn@wild.example")).one()
    admin.post(f"/members/invitations/{row.id}/revoke")
    assert "This invitation was taken back" in words(client.get(finn)) and "Max Adeyemi can invite you again" in words(client.get(finn))
    clock.shift(timedelta(days=8))
    assert "Max Adeyemi can send it again" in words(client.get(gil))
    assert "This link leads nowhere any more" in words(client.get("/invitations/vi_nobody-ever-made-this-one"))
    stale = client.get("/welcome/vl_nobody-ever-made-this-one")
    assert stale.status_code == 404 and 'href="/forgotten"' in stale.text


def test_who_was_declined_reads_why_and_may_apply_again(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    """Red when a no is a dead end."""
    given = {"name": "Eve Marsh", "email": "eve@wild.example", "languages": ["en"], "topics": ["billing"], "answer-0": "Daily", "answer-1": "I like to."}
    client.post("/join/northwind", data=given)
    mail.send_due()
    there = link(mailbox.letters[-1])
    client.post(there)
    assert "Thank you" in words(client.get(there)), "opened once more it says where things stand"
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(Application)).one()
    town.browser("cleo").post(f"/applications/{row.id}/decision", data={"decision": "decline", "words": "We look for people who own a hub."})
    mail.send_due()
    letter = plain(mailbox.letters[-1])
    assert "We look for people who own a hub." in letter and "/join/northwind\r\n" in letter
    ended = client.get(there)
    assert "It was a no for now" in words(ended) and 'href="/join/northwind"' in ended.text
    client.post("/join/northwind", data={**given, "answer-0": "I bought one."})
    mail.send_due()
    assert "This mailbox is yours" in words(client.get(link(mailbox.letters[-1])))
    assert 'href="/join/northwind"' in client.get("/join/northwind/va_nobody-ever-made-this-one").text


def test_a_stranger_applies_and_a_moderator_welcomes_them(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    assert client.get("/join/kestrel").status_code == client.get("/join/nowhere").status_code == 404
    assert "Help Northwind’s customers" in words(client.get("/join/northwind"))
    given = {
        "name": "Eve Marsh",
        "email": "eve@wild.example",
        "languages": ["en", "ja"],
        "topics": ["billing"],
        "answer-0": "Daily <b>use</b>",
        "answer-1": "I like to.",
    }
    assert "Look into your mail" in words(client.post("/join/northwind", data=given))
    cleo = town.browser("cleo")
    assert "Eve Marsh" not in words(cleo.get("/applications"))
    mail.send_due()
    there = link(mailbox.letters[0])
    assert "This mailbox is yours" in words(client.get(there))
    assert "Thank you" in words(client.post(there))
    waiting = cleo.get("/applications")
    assert "Daily <b>use</b>" in words(waiting)
    assert "&lt;b&gt;use" in waiting.text
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(Application)).one()
    assert cleo.post(f"/applications/{row.id}/decision", data={"decision": "approve"}).status_code == 303
    mail.send_due()
    assert client.get(link(mailbox.letters[-1])).status_code == 200
    assert cleo.post(f"/applications/{row.id}/decision", data={"decision": "approve"}).status_code == 409


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    with db.transaction():
        guidelines.publish(town.brand, "Be kind.", by=town.max)
    answer = client.post("/join/northwind", data={"name": "Eve <i>", "email": "no address", "answer-0": "kept words"})
    assert answer.status_code == 422
    assert "This is not an e-mail address." in words(answer)
    assert "kept words" in answer.text
    assert "<i>" not in answer.text
    without = client.post("/join/northwind", data={"name": "Eve", "email": "eve@wild.example"})
    assert without.status_code == 422
    assert "Read the guidelines" in words(without)


def test_new_guidelines_are_read_before_the_next_task(town: Town) -> None:
    task = told(town.brand)
    ada, admin = town.browser("ada"), town.browser("max")
    assert admin.post("/guidelines", data={"text": "Be kind.\n\nBe short."}).status_code == 303
    assert "guidelines wait for your yes" in words(ada.get("/desk"))
    refused = ada.post(f"/tasks/{task.id}/claim")
    assert refused.status_code == 409
    assert "/guidelines" in refused.text
    assert "Be kind." in words(ada.get("/guidelines"))
    assert ada.post("/guidelines/yes", data={"accepted": "1"}).status_code == 303
    assert "guidelines wait for your yes" not in words(ada.get("/desk"))
    assert ada.post(f"/tasks/{task.id}/claim").status_code == 303
    assert town.browser("ben").post("/guidelines", data={"text": "x"}).status_code == 403


def test_roles_are_given_and_taken_and_felt_at_once(town: Town) -> None:
    admin, ben = town.browser("max"), town.browser("ben")
    assert ben.get("/reviews").status_code == 403
    assert admin.post(f"/members/{town.ben.id}/roles", data={"role": "moderator", "give": "1"}).status_code == 303
    assert ben.get("/reviews").status_code == 200
    news()
    assert "Max Adeyemi made you a moderator." in words(ben.get("/notices"))
    assert admin.post(f"/members/{town.ben.id}/roles", data={"role": "moderator", "give": "0"}).status_code == 303
    assert ben.get("/reviews").status_code == 403
    assert f'action="/members/{town.ben.id}/roles?role=moderator&amp;give=1"' in admin.get("/members").text, "a slip of the hand is taken back"
    assert admin.post(f"/members/{town.ben.id}/roles?role=moderator&give=1").status_code == 303
    assert "moderator" in fresh(town.ben).roles_in(town.brand.id)
    assert admin.post(f"/members/{town.ben.id}/roles", data={"role": "no such role", "give": "0"}).status_code == 422
    assert admin.post(f"/members/{town.kai.id}/roles", data={"role": "moderator", "give": "1"}).status_code == 404, "nobody of another brand"
    assert admin.post(f"/members/{town.ben.id}/roles", data={"role": "owner", "give": "1"}).status_code == 422


def test_people_are_found_by_role_and_name(town: Town) -> None:
    admin = town.browser("max")
    every = words(admin.get("/members"))
    assert "Ada Okafor" in every
    assert "Kai Stone" not in every
    assert "Ada Okafor" not in words(admin.get("/members?role=moderator"))
    found = words(admin.get("/members?q=OKAFOR"))
    assert "Ada Okafor" in found
    assert "Ben Castillo" not in found
    assert "Nobody like that" in words(admin.get("/members?q=%25_"))


def test_a_new_password_by_mail(town: Town, mailbox: Mailbox, client: Visitor) -> None:
    assert "Forgotten your password?" in words(client.get("/login"))
    known = client.post("/forgotten", data={"email": town.ada.email})
    unknown = client.post("/forgotten", data={"email": "nobody@wild.example"})
    assert words(known).replace(town.ada.email, "X") == words(unknown).replace("nobody@wild.example", "X")
    assert mail.send_due() == 1
    assert client.post(link(mailbox.letters[0]), data={"password": NEW}).status_code == 303
    client.login(town.ada.email, NEW)


def test_somebody_takes_everything_along_and_leaves(town: Town) -> None:
    ada = town.browser("ada")
    assert "Take everything along" in words(ada.get("/me/leave"))
    assert ada.post("/me/export").get_json()["person"]["name"] == "Ada Okafor"
    assert ada.post("/me/leave", data={"password": "wrong"}).status_code == 422
    assert "Goodbye" in words(ada.post("/me/leave", data={"password": PASSWORD}))
    assert ada.get("/desk").status_code == 303
    with db.transaction(read_only=True) as session:
        assert session.get_one(User, town.ada.id).name == "Former advocate"
    assert "Ada Okafor" not in words(town.browser("max").get("/members"))
    assert fresh(town.ben).erased_at is None
