"""Who somebody is, what they may, and how that ends."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from sqlalchemy import func, select

from app.accounts import people, throttle
from app.accounts.models import Brand, FailedSignIn, Role, SignIn, Token, User
from app.kernel.audit import AuditEntry
from app.kernel.db import Database
from app.kernel.errors import Conflict, Invalid, NotFound, TooMany
from tests.harness.visitor import PASSWORD
from tests.stories import brand, person

GOOD = "seven green kettles whistle"


@pytest.fixture
def northwind(rooms: Database) -> Brand:
    return brand()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@northwind.example", "Ada@NORTHWIND.example"),
        ("ada@northwind.example", " ada+tasks@northwind.example "),
        ("ada.x@gmail.com", "adax+1@googlemail.com"),
        ("ａｄａ@northwind.example", "ada@northwind.example"),
    ],
)
def test_one_mailbox_is_one_person(one: str, other: str) -> None:
    assert people.fold(one) == people.fold(other)


def test_dots_count_elsewhere_and_odd_addresses_fold_without_failing() -> None:
    assert people.fold("a.da@northwind.example") != people.fold("ada@northwind.example")
    for odd in ("", "@", "no at sign", "\ud800@x", "+@x", "a@b@c"):
        people.fold(odd)


def test_a_second_address_of_the_same_mailbox_gets_the_role_and_no_second_account(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate", email="ada@northwind.example")
    again = person(northwind, "moderator", email="Ada+mod@northwind.example")
    assert again.id == ada.id
    assert again.roles_in(northwind.id) == {"advocate", "moderator"}


@pytest.mark.parametrize("address", ["", "ada", "@x", "a@", "a b@c.example", "a@b@c.example", "ada@x\n.example", "a" * 250 + "@x.example"])
def test_what_is_no_address_is_refused(northwind: Brand, db: Database, address: str) -> None:
    with pytest.raises(Invalid), db.transaction():
        people.add_person(address, role="advocate", brand=northwind, by=None)


def test_a_role_needs_its_brand_and_the_owner_none(northwind: Brand, db: Database) -> None:
    for role, of in (("owner", northwind), ("advocate", None), ("king", northwind)):
        with pytest.raises(Invalid), db.transaction():
            people.add_person("x@northwind.example", role=role, brand=of, by=None)


def test_an_advocate_has_their_place_on_the_desk_at_once(northwind: Brand, db: Database) -> None:
    from community.advocates.queries import advocate_of

    ada = person(northwind, "advocate")
    with db.transaction(read_only=True):
        row = advocate_of(ada, northwind)
    assert row is not None and row.trust_level == 0


# Signing in and out


def test_a_session_is_known_by_its_secret_until_it_is_ended(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    begun, secret = people.sign_in(ada.email.upper(), PASSWORD, address="1.2.3.4", device="Firefox\non a laptop")
    found = people.person_of_session(secret)
    assert found is not None and found[0].id == ada.id and begun.device == "Firefox on a laptop" and begun.brand_id == northwind.id
    with db.transaction(read_only=True) as session:
        assert secret not in str(session.scalars(select(SignIn.secret_hash)).all())
    with db.transaction():
        people.sign_out(begun)
    assert people.person_of_session(secret) is None
    assert people.person_of_session("") is None


def test_each_sign_in_is_a_new_session(northwind: Brand) -> None:
    ada = person(northwind, "advocate")
    _, one = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    _, two = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    assert one != two


def test_a_session_ends_by_itself(northwind: Brand, clock: time_machine.Coordinates) -> None:
    ada = person(northwind, "advocate")
    _, secret = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    clock.shift(people.SESSION_LASTS - timedelta(seconds=1))
    assert people.person_of_session(secret) is not None
    clock.shift(timedelta(seconds=2))
    assert people.person_of_session(secret) is None


def test_being_seen_is_written_down_every_few_minutes_only(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    ada = person(northwind, "advocate")
    begun, secret = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")

    def seen() -> object:
        people.person_of_session(secret)
        with db.transaction(read_only=True) as session:
            return session.scalar(select(SignIn.seen_at).where(SignIn.id == begun.id))

    clock.shift(timedelta(minutes=4))
    assert seen() == begun.seen_at
    clock.shift(timedelta(minutes=2))
    assert seen() == begun.seen_at + timedelta(minutes=6)


@pytest.mark.parametrize("who", ["wrong word", "unknown", "suspended", "without a password"])
def test_every_failure_gets_the_same_answer(northwind: Brand, db: Database, who: str) -> None:
    ada = person(northwind, "advocate")
    email, word = ada.email, PASSWORD
    with db.transaction():
        if who == "wrong word":
            word = "another long word"
        elif who == "unknown":
            email = "nobody@northwind.example"
        elif who == "suspended":
            people.suspend(ada, ada)
        else:
            db.session.get_one(User, ada.id).password_hash = None
    with pytest.raises(Invalid) as refused:
        people.sign_in(email, word, address="1.2.3.4")
    assert refused.value.message == people.WRONG


@pytest.mark.parametrize("end", ["suspension", "password", "log-out"])
def test_what_ends_a_session_ends_it_on_the_next_request(northwind: Brand, db: Database, end: str) -> None:
    ada = person(northwind, "advocate")
    _, elsewhere = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    here, secret = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    with db.transaction():
        token = people.issue_token(ada, "script", by=ada)
    with db.transaction():
        if end == "suspension":
            people.suspend(ada, ada)
        elif end == "password":
            people.choose_password(db.session.get_one(User, ada.id), GOOD)
        else:
            people.sign_out(here)
    assert people.person_of_session(secret) is None
    still = end == "log-out"
    assert (people.person_of_session(elsewhere) is not None) == still
    assert (people.person_of_token(token) is not None) == still


def test_a_right_taken_away_is_gone_with_the_next_question(northwind: Brand, db: Database) -> None:
    cleo = person(northwind, "moderator", "advocate")
    _, secret = people.sign_in(cleo.email, PASSWORD, address="1.2.3.4")
    with db.transaction():
        people.revoke(cleo, "moderator", northwind, cleo)
    found = people.person_of_session(secret)
    assert found is not None and found[0].roles_in(northwind.id) == {"advocate"}


def test_the_last_owner_stays(northwind: Brand, db: Database) -> None:
    olga = person(None, "owner")
    with pytest.raises(Conflict), db.transaction():
        people.revoke(olga, "owner", None, olga)
    person(None, "owner")
    with db.transaction():
        people.revoke(olga, "owner", None, olga)


def test_the_owner_works_in_every_brand_the_rest_in_their_own(northwind: Brand, db: Database) -> None:
    kestrel = brand("kestrel")
    olga, ada = person(None, "owner"), person(northwind, "advocate")
    with db.transaction(read_only=True):
        assert [b.slug for b in people.brands_of(olga)] == ["kestrel", "northwind"]
        assert [b.slug for b in people.brands_of(ada)] == ["northwind"]
    assert olga.has(kestrel.id, "admin") and not ada.roles_in(kestrel.id)


# Guessing


@pytest.fixture
def throttled(rooms: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_on", True)


def test_ten_wrong_words_an_account_known_or_not_then_wait(northwind: Brand, throttled: None, clock: time_machine.Coordinates) -> None:
    ada = person(northwind, "advocate")
    for email in (ada.email, "nobody@northwind.example"):
        answers = [_try(email, address=f"10.0.0.{n}") for n in range(40)]
        assert answers == ["wrong"] * 10 + [f"wait {15 * 60 + 1}"] * 30
    clock.shift(timedelta(minutes=15, seconds=1))
    people.sign_in(ada.email, PASSWORD, address="10.0.0.1")


def test_sixty_wrong_words_an_address_whatever_the_account(northwind: Brand, throttled: None, clock: time_machine.Coordinates) -> None:
    answers = [_try(f"a{n % 20}@northwind.example", address="10.0.0.1") for n in range(200)]
    assert answers.count("wrong") == 60
    assert _try("b@northwind.example", address="10.0.0.2") == "wrong"
    # A household has one /64, however many addresses it uses of it.
    assert [_try(f"c{n}@northwind.example", address=f"2001:db8::{n:x}") for n in range(80)].count("wrong") == 60


def test_the_right_word_does_not_use_tries_up(northwind: Brand, db: Database, throttled: None) -> None:
    ada = person(northwind, "advocate")
    for _ in range(15):
        people.sign_in(ada.email, PASSWORD, address="10.0.0.1")
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(FailedSignIn)) == 0


def test_tries_sent_together_do_not_slip_through(northwind: Brand, throttled: None) -> None:
    ada = person(northwind, "advocate")
    answers: list[str] = []
    threads = [Thread(target=lambda: answers.append(_try(ada.email))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("wrong") == 10 and len(answers) == 20


def test_no_address_is_kept_readable(northwind: Brand, db: Database) -> None:
    _try("ada@northwind.example", address="203.0.113.9")
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(FailedSignIn)).one()
    assert "203.0.113.9" not in row.address_key and "ada" not in row.account_key


def _try(email: str, address: str = "10.0.0.1") -> str:
    try:
        people.sign_in(email, "a wrong but long word", address=address)
    except Invalid:
        return "wrong"
    except TooMany as error:
        return f"wait {error.retry_after}"
    return "in"


# Links and tokens


def test_a_link_sets_a_password_once_and_for_an_hour(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    with db.transaction():
        ada, secret = people.add_person("ada@northwind.example", role="advocate", brand=northwind, by=None)
    assert secret
    with pytest.raises(Invalid), db.transaction():
        people.set_password(secret, "too short")
    with db.transaction():
        people.set_password(secret, GOOD)
    people.sign_in(ada.email, GOOD, address="1.2.3.4")
    with pytest.raises(NotFound), db.transaction():
        people.set_password(secret, GOOD + " again")
    with db.transaction():
        late = people.new_link(ada, by=None)
    clock.shift(timedelta(hours=1, seconds=1))
    with pytest.raises(NotFound), db.transaction():
        people.set_password(late, GOOD + " again")


def test_a_newer_link_voids_the_older_one(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    with db.transaction():
        old, new = people.new_link(ada, by=None), people.new_link(ada, by=None)
    with db.transaction(read_only=True):
        assert people.person_of_link(new).id == ada.id
        with pytest.raises(NotFound):
            people.person_of_link(old)


def test_a_token_is_its_person_until_revoked_and_is_stored_hashed(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    with db.transaction():
        token = people.issue_token(ada, "script", by=ada)
    found = people.person_of_token(token)
    assert found is not None and found.id == ada.id
    assert people.person_of_token(token + "x") is None
    with db.transaction(read_only=True) as session:
        row = session.scalars(select(Token)).one()
    assert token not in (row.secret_hash, row.name)
    with db.transaction():
        people.revoke_token(row, by=ada)
    assert people.person_of_token(token) is None


def test_rights_and_log_ins_stand_in_the_audit_log_without_names(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate", name="Ada Okafor")
    begun, _ = people.sign_in(ada.email, PASSWORD, address="1.2.3.4")
    with db.transaction():
        people.sign_out(begun)
        people.grant(ada, "moderator", northwind, ada)
        people.revoke(ada, "moderator", northwind, ada)
        people.suspend(ada, ada)
        people.reinstate(ada, ada)
    with db.transaction(read_only=True) as session:
        entries = session.scalars(select(AuditEntry)).all()
        roles = session.scalars(select(Role.name).where(Role.user_id == ada.id)).all()
    assert {"person_added", "role_granted", "role_revoked", "signed_in", "signed_out", "suspended", "reinstated"} <= {entry.action for entry in entries}
    assert "Okafor" not in str([(entry.details, entry.reason, entry.subject) for entry in entries])
    assert roles == ["advocate"]
