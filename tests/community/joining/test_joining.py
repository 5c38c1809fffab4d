"""Coming to a brand: invited or by oneself, with a link that is good once, and words that were read."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from app.accounts import choices, passwords, people
from app.accounts.models import Brand, PasswordLink, User
from app.kernel import limits
from app.kernel.db import Database, db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from app.notices import mail
from app.notices.models import Mail, Notice
from community.advocates.actions import advocate_of
from community.joining import actions, guidelines, queries
from community.joining.models import Acceptance, Application, Invitation
from community.tasks import actions as tasks
from tests.fakes.mailbox import Mailbox, html, plain
from tests.harness.statements import statements
from tests.stories import FixedTriage, brand, fresh, news, person, told

PASSWORD = "seven green lamps upon a wall"


@pytest.fixture
def northwind(rooms: Database) -> Brand:
    return brand("northwind")


@pytest.fixture
def max_(northwind: Brand) -> User:
    return person(northwind, "admin", name="Max Adeyemi")


@pytest.fixture
def opened(northwind: Brand, max_: User) -> Brand:
    """Applications are on."""
    with db.transaction():
        choices.choose(northwind, {"applications": True}, by=max_)
    return fresh(northwind)


def invited(by: User, of: Brand, email: str = "Eve@wild.example", role: str = "advocate", **more: object) -> tuple[Invitation, str]:
    with db.transaction():
        return actions.invite(of, email, role, by=by, **more)  # type: ignore[arg-type]


def accepted(secret: str, name: str = "Eve Marsh", **more: object) -> User:
    with db.transaction():
        return actions.accept(secret, name=name, password=PASSWORD, **more)  # type: ignore[arg-type]


def link_in(letter_words: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:5000\S*/([\w-]+)\s", letter_words)
    assert found, letter_words
    return found[1]


# Invitations


def test_an_invitation_brings_somebody_with_role_skills_and_languages(mailbox: Mailbox, northwind: Brand, max_: User) -> None:
    invited(max_, northwind, languages=["ja", "en", "xx"], topics=["billing"])
    assert mail.send_due() == 1
    (letter,) = mailbox.letters
    assert (letter["To"], letter["Subject"]) == ("Eve@wild.example", "Northwind would like you to join")
    assert "Max Adeyemi would like you to join Northwind on Vouch as an advocate." in plain(letter)
    secret = link_in(plain(letter))
    assert f'href="http://127.0.0.1:5000/invitations/{secret}"' in html(letter)
    eve = accepted(secret)
    assert passwords.matches(fresh(eve).password_hash, PASSWORD)
    with db.transaction(read_only=True):
        row = advocate_of(eve, northwind)
    assert row is not None
    assert (row.languages, row.topics, row.pseudonym, row.trust_level) == (["en", "ja"], ["billing"], "Eve", 0)
    news()
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Notice.text).where(Notice.user_id == max_.id)).all() == ["Eve Marsh has joined as an advocate."]


def test_a_link_is_good_once(northwind: Brand, max_: User) -> None:
    _, secret = invited(max_, northwind)
    accepted(secret)
    with pytest.raises(NotFound):
        accepted(secret, "Mallory")
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(User).where(User.email_key == "eve@wild.example")) == 1


def test_fifty_who_open_one_link_at_once_are_one_person(northwind: Brand, max_: User) -> None:
    """P22. Red when the invitation is looked at and then written."""
    _, secret = invited(max_, northwind)
    outcomes: list[str] = []

    def open_it() -> None:
        try:
            accepted(secret)
            outcomes.append("in")
        except (NotFound, Conflict):
            outcomes.append("no")

    threads = [threading.Thread(target=open_it) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["no"] * 11


def test_a_link_ends_is_revoked_and_replaced(clock: time_machine.Coordinates, northwind: Brand, max_: User) -> None:
    row, first = invited(max_, northwind)
    with db.transaction():
        second = actions.resend(row, by=max_)
    with pytest.raises(NotFound):
        accepted(first)
    third_row, third = invited(max_, northwind, "eve+again@wild.example")
    with pytest.raises(NotFound):
        accepted(second)
    with db.transaction():
        actions.revoke(third_row, by=max_)
    with pytest.raises(NotFound):
        accepted(third)
    _, fourth = invited(max_, northwind)
    clock.shift(actions.INVITED_FOR)
    with pytest.raises(NotFound):
        accepted(fourth)
    with db.transaction(), pytest.raises(Conflict):
        actions.resend(fresh(row), by=max_)


def test_one_mailbox_is_one_person_whatever_it_is_called(northwind: Brand, max_: User) -> None:
    kestrel = brand("kestrel")
    eve = person(kestrel, "advocate", name="Eve Marsh", email="eve@wild.example")
    before = fresh(eve).password_hash
    _, secret = invited(max_, northwind, "EVE+vouch@wild.example", "moderator")
    with db.transaction(read_only=True):
        assert not actions.needs_password(actions.invitation_of(secret))
    joined = accepted(secret, "Somebody Else")
    assert joined.id == eve.id
    assert fresh(eve).roles_in(northwind.id) == {"moderator"}
    assert fresh(eve).roles_in(kestrel.id) == {"advocate"}
    assert (fresh(eve).name, fresh(eve).password_hash) == ("Eve Marsh", before), "an invitation sets nobody's password anew"


def test_a_weak_password_leaves_the_link_good(northwind: Brand, max_: User) -> None:
    _, secret = invited(max_, northwind)
    with pytest.raises(Invalid), db.transaction():
        actions.accept(secret, name="Eve", password="short")
    with pytest.raises(Invalid), db.transaction():
        actions.accept(secret, name="\n\t ", password=PASSWORD)
    assert accepted(secret).name == "Eve Marsh"


@pytest.mark.parametrize("role", ["advocate", "moderator", "tier_1", "tier_2", "analyst"])
def test_only_an_admin_invites_and_gives_roles(role: str, northwind: Brand) -> None:
    who = person(northwind, role)
    other = person(northwind, "advocate")
    for verb in (
        lambda: actions.invite(northwind, "x@wild.example", "admin", by=who),
        lambda: actions.give_role(other, northwind, "admin", by=who),
        lambda: actions.take_role(other, northwind, "advocate", by=who),
        lambda: guidelines.publish(northwind, "Be kind.", by=who),
    ):
        with db.transaction(), pytest.raises(Forbidden):
            verb()


def test_nobody_is_invited_as_owner_and_no_address_is_a_header(northwind: Brand, max_: User) -> None:
    for email, role in (("x@wild.example", "owner"), ("x@wild.example\r\nBcc: y@evil.example", "advocate"), ("no address", "advocate"), ("", "advocate")):
        with pytest.raises(Invalid), db.transaction():
            actions.invite(northwind, email, role, by=max_)


def test_letters_have_a_bound(northwind: Brand, max_: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_on", True)
    monkeypatch.setitem(limits.LIMITS, "letter", limits.Limit(2, 3600))
    invited(max_, northwind)
    row, _ = invited(max_, northwind)
    with pytest.raises(TooMany), db.transaction():
        actions.resend(row, by=max_)


# Roles


def test_a_role_given_or_taken_is_told(mailbox: Mailbox, northwind: Brand, max_: User) -> None:
    ada = person(northwind, "advocate", name="Ada", email="ada@northwind.example")
    with db.transaction():
        actions.give_role(fresh(ada), northwind, "moderator", by=max_)
        actions.give_role(fresh(ada), northwind, "moderator", by=max_)
    with db.transaction():
        actions.take_role(fresh(ada), northwind, "moderator", by=max_)
    news()
    with db.transaction(read_only=True) as session:
        said = session.scalars(select(Notice.text).where(Notice.user_id == ada.id).order_by(Notice.id)).all()
    assert said == ["Max Adeyemi made you a moderator.", "Max Adeyemi ended your part as a moderator."]
    with db.transaction():
        actions.take_role(fresh(ada), northwind, "advocate", by=max_)
    assert mail.send_due() == 1
    assert mailbox.letters[0]["Subject"] == "Your part in Northwind has ended"
    with db.transaction(), pytest.raises(Conflict):
        actions.take_role(max_, northwind, "admin", by=max_)


# Applications


def applied(of: Brand, email: str = "eve@wild.example", **more: object) -> None:
    with db.transaction():
        given = {"name": "Eve Marsh", "languages": ["ja"], "topics": ["billing"], "answers": ["Daily."], "accepted": None, **more}
        actions.apply(of, email=email, **given)  # type: ignore[arg-type]


def test_a_stranger_applies_proves_the_mailbox_is_welcomed_and_helps(mailbox: Mailbox, opened: Brand, max_: User) -> None:
    cleo = person(opened, "moderator", name="Cleo")
    applied(opened)
    with db.transaction(read_only=True):
        assert queries.applications(opened) == [], "nobody sees it before the mailbox is proved"
    mail.send_due()
    with db.transaction():
        assert actions.prove(opened, link_in(plain(mailbox.letters[0]))) == "waiting"
    news()
    with db.transaction(read_only=True) as session:
        (waiting,) = queries.applications(opened)
        assert waiting.answers[0] == ["How do you use our products?", "Daily."]
        assert set(session.scalars(select(Notice.user_id).where(Notice.kind == "application"))) == {cleo.id, max_.id}
    with db.transaction():
        actions.approve(fresh(waiting), by=cleo)
    mail.send_due()
    assert "Northwind read your application" in plain(mailbox.letters[1])
    eve = accepted(link_in(plain(mailbox.letters[1])))
    with db.transaction(read_only=True):
        row = advocate_of(eve, opened)
    assert row is not None
    assert (row.languages, row.topics) == (["ja"], ["billing"])


def test_a_no_is_told_in_words(mailbox: Mailbox, opened: Brand, max_: User) -> None:
    applied(opened)
    mail.send_due()
    with db.transaction():
        actions.prove(opened, link_in(plain(mailbox.letters[0])))
    with db.transaction(read_only=True):
        (waiting,) = queries.applications(opened)
    with pytest.raises(Invalid), db.transaction():
        actions.decline(fresh(waiting), by=max_, words=" ")
    with db.transaction():
        actions.decline(fresh(waiting), by=max_, words="We look for Japanese just now.\r\nBcc: x@evil.example")
    mail.send_due()
    assert "We look for Japanese just now." in plain(mailbox.letters[1])
    assert mailbox.letters[1]["Bcc"] is None
    with pytest.raises(Conflict), db.transaction():
        actions.approve(fresh(waiting), by=max_)


def test_nothing_tells_whether_an_address_is_known(mailbox: Mailbox, opened: Brand) -> None:
    """The same rows for somebody who is in already; their mailbox alone learns it."""
    person(opened, "advocate", name="Ada", email="ada@northwind.example")
    asked: list[list[str]] = []
    for email in ("ada@northwind.example", "nobody@wild.example"):
        asked.append(said(lambda email=email: applied(opened, email)))  # type: ignore[misc]
    assert asked[0] == asked[1]
    mail.send_due()
    assert [str(letter["Subject"]) for letter in mailbox.letters] == ["One step more to join Northwind"] * 2
    with db.transaction():
        assert actions.prove(opened, link_in(plain(mailbox.letters[0]))) == "member"
    with db.transaction(read_only=True):
        assert queries.applications(opened) == []


def test_nobodys_mailbox_is_flooded(mailbox: Mailbox, opened: Brand) -> None:
    for _ in range(10):
        applied(opened, "victim@wild.example")
    mail.send_due()
    assert len(mailbox.letters) == actions.MOST_LETTERS


def test_a_closed_door_is_not_there(mailbox: Mailbox, northwind: Brand) -> None:
    with pytest.raises(NotFound):
        applied(northwind)


def test_without_mail_no_mailbox_can_be_proved(opened: Brand) -> None:
    with pytest.raises(NotFound):
        applied(opened)


def test_strangers_are_forgotten(clock: time_machine.Coordinates, mailbox: Mailbox, opened: Brand, max_: User) -> None:
    applied(opened)
    mail.send_due()
    secret = link_in(plain(mailbox.letters[0]))
    clock.shift(timedelta(hours=25))
    with pytest.raises(NotFound), db.transaction():
        actions.prove(opened, secret)
    with db.transaction():
        actions.prune()
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Application)) == 0


def test_the_link_of_an_application_proves_once_and_for_its_brand(mailbox: Mailbox, opened: Brand) -> None:
    kestrel = brand("kestrel")
    applied(opened)
    mail.send_due()
    secret = link_in(plain(mailbox.letters[0]))
    with pytest.raises(NotFound), db.transaction():
        actions.prove(kestrel, secret)
    with db.transaction():
        actions.prove(opened, secret)
    with pytest.raises(NotFound), db.transaction():
        actions.prove(opened, secret)


# Guidelines


def test_guidelines_are_accepted_in_their_version_and_asked_for_again(triage: FixedTriage, northwind: Brand, max_: User) -> None:
    with db.transaction():
        guidelines.publish(northwind, "Be kind.", by=max_)
    _, secret = invited(max_, northwind)
    for wrong in (None, 2):
        with pytest.raises(Invalid), db.transaction():
            actions.accept(secret, name="Eve", password=PASSWORD, accepted=wrong)
    eve = accepted(secret, accepted=1)
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=eve)
        tasks.release(fresh(task), by=eve)
        assert guidelines.publish(northwind, "Be kind.", by=max_).version == 1, "the same words are the same version"
    with db.transaction():
        guidelines.publish(northwind, "Be kind, and short.", by=max_)
    with pytest.raises(Conflict, match="Read the brand’s guidelines"), db.transaction():
        tasks.claim(fresh(task), by=eve)
    with db.transaction(), pytest.raises(Conflict):
        guidelines.accept(eve, northwind, 1)
    with db.transaction():
        guidelines.accept(eve, northwind, 2)
        guidelines.accept(eve, northwind, 2)
    with db.transaction():
        tasks.claim(fresh(task), by=eve)
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Acceptance.version).where(Acceptance.user_id == eve.id).order_by(Acceptance.version)).all() == [1, 2]


def test_staff_is_not_asked(triage: FixedTriage, northwind: Brand, max_: User) -> None:
    tim = person(northwind, "tier_1")
    with db.transaction():
        guidelines.publish(northwind, "Be kind.", by=max_)
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=tim)


# A new password


def test_a_new_password_is_mailed_and_nothing_tells_whose_it_is(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, max_: User) -> None:
    asked = [said(lambda email=email: forgot(email)) for email in (max_.email, "nobody@wild.example")]  # type: ignore[misc]
    assert asked[0] == asked[1]
    clock.shift(timedelta(minutes=1))
    assert mail.send_due() == 1
    secret = link_in(plain(mailbox.letters[0]))
    with db.transaction():
        assert people.set_password(secret, PASSWORD).id == max_.id
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(PasswordLink)) == 2, "one of being added, one asked for"
        assert sorted(session.scalars(select(Mail.state))) == ["dropped", "sent"]


def test_the_link_for_a_password_begins_to_age_when_it_leaves(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, max_: User) -> None:
    forgot(max_.email)
    clock.shift(timedelta(hours=2))
    mail.send_due()
    with db.transaction():
        people.set_password(link_in(plain(mailbox.letters[0])), PASSWORD)


def test_a_suspended_person_is_sent_nothing(mailbox: Mailbox, northwind: Brand, max_: User) -> None:
    with db.transaction() as session:
        session.execute(update(User).where(User.id == max_.id).values(suspended_at=func.current_timestamp()))
    forgot(max_.email)
    assert mail.send_due() == 0


def forgot(email: str) -> None:
    with db.transaction():
        actions.forgotten(email)


def said(do: object) -> list[str]:
    """What the database is asked while this is done: equal lists take equal time."""
    with statements() as asked:
        do()  # type: ignore[operator]
    return asked
