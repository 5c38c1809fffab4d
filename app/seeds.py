"""A small believable town to develop in: two brands, people of every role, and a history made through the real verbs.

Nothing here writes a row that a verb would write: posts are received, claimed, answered, vetted, placed by hand and
thanked for, each as if it had happened its `ago` minutes before. The network of this history is one that is only
listened to, so nothing is posted anywhere.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from app.accounts import brands, passwords, people
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import clock, outbox
from app.kernel.db import db
from app.notices import mail
from community.advocates import actions as advocates
from community.advocates import trust
from community.answers import actions as answers
from community.answers import uses
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.feedback import links, receipts
from community.incidents import answers as shared
from community.incidents.models import Incident, IncidentMention
from community.joining import actions as joining
from community.joining import guidelines
from community.mentions import actions as mention_actions
from community.mentions.intake import receive
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import appeals, first_week, flags
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import LIVE, Task
from community.tasks.waiting import PATIENCE
from community.texts import actions as texts
from escalation.cases import actions as cases
from escalation.cases.models import Case
from escalation.cases.queries import case_of_task
from escalation.learning import actions as learning
from escalation.sla import actions as sla
from escalation.sla.due import DEFAULTS

TOWN = Path(__file__).with_name("town.toml")
CHANNEL = "forum"
"""The brands' default channel: listened to, answered by hand."""
MOST_ROUNDS = 20
"""News causes news; a delivery that was put off is left to the workers."""
PASSWORD_FILE = "seed-password"  # noqa: S105  # nosec B105
SYLLABLES = [a + b for a in "bdfghjklmnprstvz" for b in "aeiou"]


@dataclass(frozen=True)
class Resident:
    """One log-in, as it is printed."""

    email: str
    name: str
    says: str
    brand: str


@dataclass(frozen=True)
class _Story:
    """One post with the people and rows of its brand."""

    post: Mapping[str, Any]
    number: int
    brand: Brand
    account: ChannelAccount
    who: Mapping[str, User]

    @property
    def ext_id(self) -> str:
        return f"{self.brand.slug}-{self.number}"

    @property
    def url(self) -> str:
        return f"https://forum.{self.brand.slug}.example/t/{self.number}"


class AlreadySeeded(Exception):
    """One of the demo brands is there."""


def seed(password: str) -> list[Resident]:
    """Build the town, mailing nobody. Raises AlreadySeeded, changing nothing."""
    with mail.silence():
        return _build(password)


def _build(password: str) -> list[Resident]:
    town = tomllib.loads(TOWN.read_text("utf-8"))
    with db.transaction():
        if db.session.scalar(select(Brand.id).where(Brand.slug.in_([brand["slug"] for brand in town["brands"]]))):
            raise AlreadySeeded
        founded = {brand["slug"]: brands.found(brand["slug"], brand["name"], by=None) for brand in town["brands"]}
        residents = {person["email"]: _settle_in(person, founded, password) for person in town["people"]}
        accounts = {slug: channel_named(brand, CHANNEL) for slug, brand in founded.items()}
        for brand in founded.values():
            # Two advocates who are not there can't keep up with a clock: what waits on a demo's desk waits for whoever tries it.
            brand.settings = {**brand.settings, PATIENCE.name: PATIENCE.bounds[1] if PATIENCE.bounds else PATIENCE.default, answers.PUBLIC.name: True}
            _promise(brand, next(user for user in residents.values() if user.has(brand.id, "admin")))
        _trust(town["people"], founded, residents)
        for text in town["texts"]:
            brand = founded[text["brand"]]
            keeper = next(user for user in residents.values() if user.has(brand.id, "moderator", "admin"))
            texts.keep(brand, by=keeper, name=text["name"], lang=text["lang"], body=text["body"])
        for brand in town["brands"]:
            _welcome(brand, founded[brand["slug"]], residents)
    who = {email.partition("@")[0]: user for email, user in residents.items()}
    stories = [
        _Story(post, number, founded[post["brand"]], accounts[post["brand"]], who)
        for number, post in enumerate(sorted(town["posts"], key=lambda post: -post["ago"]), 1)
    ]
    known = _stock_library(town["answers"], founded, who)
    together = sorted(town["incidents"], key=lambda one: -one["ago"])
    for story in stories:
        while together and together[0]["ago"] > story.post["ago"]:
            _answer_together(together.pop(0), stories)
        _tell(story, known.get(story.post["handle"]))
    _teach([story for story in stories if story.brand.slug == town["brands"][0]["slug"]])
    return _roll(town)


@click.command("seed")
@click.option("--if-empty", is_flag=True, help="Say nothing is to be done, instead of refusing, when the demo brands are there.")
@with_appcontext
def seed_command(if_empty: bool) -> None:
    """Make two demo brands with people of every role and a believable history, and print their log-ins. Not in production."""
    config: Config = current_app.config["VOUCH"]
    if config.env == "production":
        raise click.ClickException("Demo people have a shared password: seeds are refused in production.")
    kept = config.data_dir / PASSWORD_FILE
    password = config.seed_password.get_secret_value() or _new_password()
    try:
        residents = seed(password)
        _keep(kept, password)
    except AlreadySeeded:
        if not if_empty:
            raise click.ClickException("The demo brands are here already: nothing was changed.") from None
        residents = _roll(tomllib.loads(TOWN.read_text("utf-8")))
        password = kept.read_text().strip() if kept.exists() else "as it was set"
    width = max(len(one.email) for one in residents)
    for one in residents:
        click.echo(f"{one.email:<{width}}  {one.says}{f', {one.brand}' if one.brand else ''}")
    click.echo(f"Password of all of them: {password}")


def _settle_in(person: Mapping[str, Any], founded: Mapping[str, Brand], password: str) -> User:
    brand = founded.get(person.get("brand", ""))
    user, _ = people.add_person(person["email"], name=person["name"], role=person["role"], brand=brand, by=None)
    # Whatever the developer chose is taken: what passwords must be like is for people, not for a demo.
    user.password_hash = passwords.hashed(password)
    if person["role"] == "advocate" and brand is not None:
        row = advocates.join(user, brand)
        row.languages, row.topics, row.pseudonym = person["languages"], person["topics"], person["name"].split()[0]
    return user


def _trust(given: Sequence[Mapping[str, Any]], founded: Mapping[str, Brand], residents: Mapping[str, User]) -> None:
    for person in given:
        if not person.get("trust"):
            continue
        brand = founded[person["brand"]]
        row = advocates.advocate_of(residents[person["email"]], brand)
        judge = next(user for user in residents.values() if user.has(brand.id, "moderator", "admin"))
        if row is not None:
            trust.set_level(row, person["trust"], by=judge, reason="Known from before")


def _welcome(told: Mapping[str, Any], brand: Brand, residents: Mapping[str, User]) -> None:
    """What the brand asks of its advocates, read by all of them, and somebody who was invited."""
    admin = next(user for user in residents.values() if user.has(brand.id, "admin"))
    held = guidelines.publish(brand, told["guidelines"], by=admin)
    for user in residents.values():
        if user.has(brand.id, "advocate"):
            guidelines.accept(user, brand, held.version)
    joining.invite(brand, f"nora@{brand.slug}.example", "advocate", by=admin, name="Nora Lindholm", languages=["en", "de"], topics=["how_to"])


def _promise(brand: Brand, admin: User) -> None:
    for (tier, _), times in DEFAULTS.items():
        sla.set_promise(brand, tier, minutes=times.minutes, urgent_minutes=times.urgent_minutes, by=admin)


def _stock_library(given: Sequence[Mapping[str, Any]], founded: Mapping[str, Brand], who: Mapping[str, User]) -> dict[str, str]:
    """What the brands know; returns, by the handle of an author, the code of the answer their reply was made of."""
    used: dict[str, str] = {}
    for one in sorted(given, key=lambda one: -one["days"]):
        with _ago(one["days"] * 1440):
            with db.transaction():
                made = answers.add(
                    founded[one["brand"]],
                    by=who[one["by"]],
                    title=one["title"],
                    body=one["body"],
                    lang="en",
                    topic=one["topic"],
                    public=one.get("public", False),
                )
            _spread_news()
        used |= dict.fromkeys(one.get("used_by", ()), f"a{made.id}.1")
    return used


# One post's story


def _tell(story: _Story, used: str | None) -> None:
    post, ago = story.post, story.post["ago"]
    with _ago(ago):
        receive(story.account, [_incoming(story, story.ext_id, post["text"], post["handle"], post["author"])])
        _spread_news()
    then = post.get("then")
    if then is None and "incident" not in post:
        return
    with _ago(ago - 0.5):
        _make_sure(story, post.get("tier", "community"))
    if then is None:
        return
    if then == "case":
        _work_on_case(story, ago)
        return
    writer = story.who[post["by"]]
    if then == "flagged":
        with _ago(ago * 0.4), db.transaction():
            flags.flag(_task(story), by=writer, kind=post["kind"])
        return
    with _ago(ago - min(4, ago * 0.2)), db.transaction():
        tasks.claim(_task(story), by=writer)
    with _ago(ago - min(7, ago * 0.4)), db.transaction():
        reply = replies.draft(_task(story), by=writer, text=post["reply"])
        uses.note(reply, [used] if used else [])
        if then != "claimed":
            replies.submit(reply, by=writer, revision=reply.revision)
    if then in ("answered", "rejected"):
        _vet(story, ago, reply)
    with _ago(ago * 0.3):
        with db.transaction():
            for number, (verdict, words) in enumerate(post.get("readers", ()), 1):
                receipts.say(links.receipt_for(reply).token, verdict, words=words, address=f"192.0.2.{number}")
            if "appeal" in post:
                appeals.appeal(db.session.get_one(Reply, reply.id), by=writer, words=post["appeal"])
        _spread_news()


def _vet(story: _Story, ago: float, reply: Reply) -> None:
    post, moderator = story.post, story.who["cleo"]
    with _ago(ago - min(11, ago * 0.5)), db.transaction():
        if post["then"] == "rejected":
            moderation.reject(reply, by=moderator, revision=reply.revision, reason=post["reason"], note=post["note"])
            return
        posting = moderation.approve(reply, by=moderator, revision=reply.revision, note=post.get("note"))
        if post.get("example"):
            first_week.show_as_example(db.session.get_one(Reply, posting.reply_id), by=moderator)
    with _ago(ago - min(14, ago * 0.6)):
        with db.transaction():
            replies.confirm_by_hand(posting, by=story.who[post["by"]], url=f"{story.url}/2")
        _spread_news()
    if "back" in post:
        with _ago(ago - min(32, ago * 0.8)):
            _come_back(story)


def _come_back(story: _Story) -> None:
    """The author's next post under ours."""
    receive(story.account, [_incoming(story, f"{story.ext_id}-back", story.post["back"], story.post["handle"], story.post["author"], parent=story.ext_id)])
    _spread_news()


def _answer_together(given: Mapping[str, Any], stories: Sequence[_Story]) -> None:
    """Several posts that tell one story: one answer, varied, vetted and placed for each; who comes later gets a variant that waits for its look."""
    told = [story for story in stories if story.post.get("incident") == given["name"] and story.post["ago"] > given["ago"]]
    writer, moderator, ago = told[0].who[given["by"]], told[0].who["cleo"], given["ago"]
    with _ago(ago):
        with db.transaction():
            place = db.session.scalars(select(IncidentMention).where(IncidentMention.mention_id == _mention(told[0]).id)).one()
            incident = db.session.get_one(Incident, place.incident_id)
            tasks.claim(db.session.get_one(Task, incident.leading_task_id), by=writer)
            shared.write(incident, by=writer, body=given["body"], openings=given["openings"], closings=given["closings"])
        handed = shared.hand_in(incident.id, by=writer)
    with _ago(ago - 9):
        shared.approve(incident.id, by=moderator, chosen=[(one.reply_id, 1) for one in handed if one.reply_id is not None])
    with _ago(ago - 12):
        for story in told:
            with db.transaction():
                posting = db.session.scalars(select(Posting).where(Posting.mention_id == _mention(story).id)).one()
                replies.confirm_by_hand(posting, by=writer, url=f"{story.url}/2")
        _spread_news()
    with _ago(ago - 30):
        for story in told:
            if "back" in story.post:
                _come_back(story)


def _work_on_case(story: _Story, ago: float) -> None:
    with _ago(ago - 1):
        _spread_news()
    if "by" not in story.post:
        return
    employee = story.who[story.post["by"]]
    with _ago(ago - 5), db.transaction():
        cases.assign(_case(story), by=employee)
    with _ago(ago - 6):
        with db.transaction():
            cases.note(_case(story), by=employee, text=story.post["note"])
        _spread_news()


def _teach(stories: Sequence[_Story]) -> None:
    """Two of the team have labelled most posts, some of them both, so that what they say can be seen beside what the machine said."""
    verdicts = {"tier_1": "angry", "tier_2": "technical"}
    with db.transaction():
        for place, story in enumerate(stories):
            mention = _mention(story)
            verdict = verdicts.get(story.post.get("tier", ""), "neither")
            for who in ("cleo", "tim") if place % 4 == 0 else ("cleo" if place % 2 else "tim",):
                if place % 5 != 4:
                    learning.label(mention, verdict, by=story.who[who], drawn="random")


def _make_sure(story: _Story, audience: str) -> None:
    """The story needs this audience: where the classifier saw it otherwise, an employee corrects it, as they would."""
    with db.transaction():
        mention = _mention(story)
        decision = mention_actions.current_decision(mention.id)
        if decision is not None and decision.audience != audience:
            corrector = next(user for user in story.who.values() if any(role.name == "admin" and role.brand_id == story.brand.id for role in user.roles))
            mention_actions.reroute(mention, audience, by=corrector)
    _spread_news()


def _incoming(story: _Story, ext_id: str, text: str, handle: str, name: str, parent: str | None = None) -> Incoming:
    return Incoming(
        ext_id=ext_id,
        text=text,
        author=Author(ext_id=handle, handle=handle, name=name, followers=story.post.get("followers")),
        created_at=clock.now(),
        parent_ext_id=parent,
        lang=story.post.get("lang"),
        url=story.url,
    )


def _mention(story: _Story) -> Mention:
    return db.session.scalars(select(Mention).where(Mention.account_id == story.account.id, Mention.ext_id == story.ext_id)).one()


def _task(story: _Story) -> Task:
    return db.session.scalars(select(Task).where(Task.conversation_id == _mention(story).conversation_id, Task.state.in_(LIVE))).one()


def _case(story: _Story) -> Case:
    case = case_of_task(_task(story).id)
    if case is None:
        raise RuntimeError(f"no case was opened for {story.ext_id}")
    return case


def _spread_news() -> None:
    """Make every open delivery here and now: seeds run without workers."""
    for _ in range(MOST_ROUNDS):
        with db.transaction(read_only=True) as session:
            waiting = session.scalars(select(outbox.Delivery.subscriber).where(outbox.Delivery.done_at.is_(None)).distinct()).all()
        if not waiting:
            return
        for subscriber in waiting:
            outbox.deliver(subscriber, 0)


def _ago(minutes: float) -> AbstractContextManager[None]:
    return clock.ago(timedelta(minutes=minutes))


# Log-ins


def _roll(town: Mapping[str, Any]) -> list[Resident]:
    return [Resident(person["email"], person["name"], person["says"], person.get("brand", "")) for person in town["people"]]


def _new_password() -> str:
    words = ["".join(secrets.choice(SYLLABLES) for _ in range(2)) for _ in range(4)]
    return "-".join(words)


def _keep(file: Path, password: str) -> None:
    """For the next start to print; readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(password)
