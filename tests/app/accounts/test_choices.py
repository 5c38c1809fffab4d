"""What a brand chooses for itself: kept whole or not at all, within its bounds, on record, by its admins only."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.accounts import choices
from app.accounts.models import Brand
from app.kernel.audit import AuditEntry
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from community.moderation.checks import ALLOWED_LINKS
from community.replies.actions import hold_seconds
from community.tasks.actions import LEASE
from tests.stories import brand, person


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("lease_minutes", "25", 25),
        ("lease_minutes", 60, 60),
        ("hold_seconds", " 90 ", 90),
        ("allowed_links", "help.example.com\r\n\n a.example \nhelp.example.com", ["help.example.com", "a.example"]),
        ("allowed_links", ["a.example"], ["a.example"]),
        (
            "allowed_links",
            ["https://Help.Example.com/start?a=1", "*.b.example", "http://*.b.example/", "münchen.example"],
            ["help.example.com", "b.example", "xn--mnchen-3ya.example"],
        ),
        ("public_contacts", "0800 1\x0023", ["0800 123"]),
        ("public_contacts", ["0800 \ud800 123"], ["0800 \ufffd 123"]),
        ("review_old_minutes", 16, 16),
    ],
)
def test_a_choice_is_kept_as_it_is_meant(app: object, name: str, given: object, kept: object) -> None:
    northwind = brand("northwind")
    max_ = person(northwind, "admin")

    with db.transaction():
        changed = choices.choose(northwind, {name: given}, by=max_)

    assert changed == [name]
    with db.transaction(read_only=True) as session:
        assert choices.CHOICES[name].of(session.get_one(Brand, northwind.id)) == kept


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("lease_minutes", "4"),
        ("lease_minutes", "61"),
        ("lease_minutes", "20.5"),
        ("lease_minutes", "twenty"),
        ("lease_minutes", True),
        ("lease_minutes", "²"),
        ("lease_minutes", "9" * 5000),
        ("allowed_links", [1]),
        ("allowed_links", {"a": 1}),
        ("allowed_links", ["our shop"]),
        ("allowed_links", ["com"]),
        ("allowed_links", ["ftp://a.example"]),
        ("allowed_links", ["help.example.com", "*"]),
        ("review_old_minutes", 15),
        ("review_alert_minutes", 45),
        ("mentor", "Ben"),
        ("mentor", "nobody@northwind.example"),
        ("allowed_links", ["x" * 301]),
        ("allowed_links", [str(n) for n in range(201)]),
        ("points", 9),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_else_is_kept_either(app: object, name: str, given: object) -> None:
    northwind = brand("northwind")
    max_ = person(northwind, "admin")

    with pytest.raises(Invalid), db.transaction():
        choices.choose(northwind, {"hold_seconds": 90, name: given}, by=max_)

    with db.transaction(read_only=True) as session:
        assert session.get_one(Brand, northwind.id).settings == {}


def test_a_mark_stays_before_the_next_one_whichever_of_them_is_moved(app: object) -> None:
    northwind = brand("northwind")
    max_ = person(northwind, "admin")
    with db.transaction():
        choices.choose(northwind, {"review_alert_minutes": 60, "review_old_minutes": 90}, by=max_)

    with pytest.raises(Invalid, match=r"“A reply waits too long” has to be more than “A reply waits” \(60 min\)"), db.transaction():
        choices.choose(northwind, {"review_old_minutes": None}, by=max_)


def test_a_mentor_is_somebody_who_answers_for_this_brand(app: object) -> None:
    northwind, kestrel = brand("northwind"), brand("kestrel")
    max_, ben, kai = person(northwind, "admin"), person(northwind, "advocate"), person(kestrel, "advocate")
    with pytest.raises(Invalid, match="somebody who answers for this brand"), db.transaction():
        choices.choose(northwind, {"mentor": kai.email}, by=max_)

    with db.transaction():
        choices.choose(northwind, {"mentor": ben.email.upper()}, by=max_)
        choices.choose(northwind, {"mentor": None}, by=max_)


def test_the_default_is_never_written_down_so_that_a_better_one_reaches_everybody(app: object) -> None:
    northwind = brand("northwind")
    max_ = person(northwind, "admin")

    with db.transaction():
        choices.choose(northwind, {"lease_minutes": 30, "allowed_links": ["a.example"]}, by=max_)
    with db.transaction():
        choices.choose(northwind, {"lease_minutes": None, "allowed_links": []}, by=max_)

    with db.transaction(read_only=True) as session:
        row = session.get_one(Brand, northwind.id)
        assert row.settings == {}
        assert LEASE.of(row) == 20
        assert ALLOWED_LINKS.of(row) == []


def test_each_change_is_on_record_without_anybodys_words(app: object) -> None:
    northwind = brand("northwind")
    max_ = person(northwind, "admin")

    with db.transaction():
        choices.choose(northwind, {"lease_minutes": 30, "hold_seconds": hold_seconds(northwind.id), "allowed_links": ["secret.example"]}, by=max_)

    with db.transaction(read_only=True) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.choose").order_by(AuditEntry.id)).all()
        assert [(entry.reason, entry.details, entry.actor_id) for entry in entries] == [
            ("lease_minutes", {"was": 20, "now": 30}, max_.id),
            ("allowed_links", {}, max_.id),
        ]


def test_only_an_admin_of_the_brand_chooses(app: object) -> None:
    northwind, kestrel = brand("northwind"), brand("kestrel")

    for somebody in (person(northwind, "moderator"), person(northwind, "tier_2"), person(kestrel, "admin")):
        with pytest.raises(Forbidden), db.transaction():
            choices.choose(northwind, {"lease_minutes": 30}, by=somebody)
