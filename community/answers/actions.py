"""The verbs of the library: add, revise, publish, decline, expire, keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from app.accounts.choices import switch, whole
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db, insert_many
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.outbox import record
from app.kernel.text import storable
from community.advocates import trust
from community.answers import search, words
from community.answers.models import Answer, Passage, Version
from community.answers.states import ANSWER
from community.events import AnswerDeclined, AnswerDue, AnswerExpired, AnswerProposed, AnswerPublished
from community.mentions.text import UNKNOWN, language
from community.permissions import RULES

TITLE_LIMIT, BODY_LIMIT, WHY_LIMIT = 200, 5_000, 500
"""Characters."""
TOPICS = ("question", "how_to", "complaint", "billing", "delivery", "account", "technical", "outage", "praise", "feature_request", "other")
WARNING = timedelta(days=14)
"""So long before the end of its shelf life an answer's owner is told."""
SHELF_LIFE = whole(
    "answer_shelf_days", 180, least=7, most=1095, unit="days", group="Answers", label="Shelf life of an answer",
    help="After so many days without a look an answer is stale: it is no longer suggested until somebody says that it still holds.",
)  # fmt: skip
PUBLIC = switch(
    "public_answers", False, group="Answers", label="Public answers",
    help="Answers marked public get a page that everybody can read without signing in.",
)  # fmt: skip

_LANG = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A brand's library as the thing a permission is asked about, for one person."""

    brand_id: int
    refusal: str | None
    """Why their trust doesn't let them propose answers, if it doesn't."""


def shelf(user: User, brand_id: int) -> Shelf:
    """The library as this person stands before it."""
    return Shelf(brand_id, trust.refusal(trust.advocate_row(user.id, brand_id), "propose"))


def add(
    brand: Brand,
    *,
    by: User,
    title: str,
    body: str,
    lang: str | None = None,
    topic: str = "other",
    original: Answer | None = None,
    public: bool = False,
    source: str | None = None,
    publish_now: bool = True,
) -> Answer:
    """A new answer: published at once by who may, else proposed for a moderator. `original`: it is that one in another language."""
    RULES.check(by, "answer.propose", shelf(by, brand.id))
    title, body = _title(title), _body(body)
    lang, topic = _lang(lang, f"{title}\n{body}"), _topic(topic)
    original_id = _original(original, brand.id, lang)
    now = clock.now()
    answer = Answer(
        brand_id=brand.id, owner_id=by.id, original_id=original_id, state="draft", lang=lang, topic=topic, version=1, public=public,
        source=storable(source)[:2000] if source else None, created_at=now,
    )  # fmt: skip
    db.session.add(answer)
    db.session.flush()
    version = _write(answer, 1, title, body, None, by)
    audit("answer.add", answer, by=by)
    _changed(answer)
    if publish_now and RULES.may(by, "answer.write", answer):
        _publish(answer, version, by=by)
    else:
        _propose(answer, version, by)
    return answer


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer to be added, each part as it will be stored."""

    title: str
    body: str
    lang: str
    topic: str
    public: bool = False

    @classmethod
    def of(cls, title: str, body: str, *, lang: str | None = None, topic: str = "other", public: bool = False) -> Entry:
        """Raises Invalid or Missing for what no answer can be."""
        title, body = _title(title), _body(body)
        return cls(title, body, _lang(lang, f"{title}\n{body}"), _topic(topic), public)


def add_many(brand: Brand, entries: Sequence[Entry], *, by: User, source: str | None = None) -> None:
    """Add and publish a batch, in a few statements for all of them; each is on record as if it had been added alone."""
    RULES.check(by, "answer.write", Shelf(brand.id, None))
    if not entries:
        return
    now = clock.now()
    until = now + timedelta(days=SHELF_LIFE.of(brand))
    source = storable(source)[:2000] if source else None
    common = {"brand_id": brand.id, "owner_id": by.id, "state": "published", "version": 1, "source": source, "created_at": now, "checked_at": now}
    ids = insert_many(Answer, [{**common, "lang": one.lang, "topic": one.topic, "public": one.public, "review_by": until} for one in entries])
    wordings = {"brand_id": brand.id, "number": 1, "by_id": by.id, "at": now, "published_at": now, "published_by_id": by.id}
    insert_many(Version, [{**wordings, "answer_id": id_, "title": one.title, "body": one.body} for id_, one in zip(ids, entries, strict=True)])
    search.put([
        Passage(
            brand_id=brand.id, answer_id=id_, lang=one.lang, at=now, good_until=until, uses=0, helped=0, failed=0,
            asked=" ".join(words.terms(one.title)), said=" ".join(words.terms(one.body)),
        )
        for id_, one in zip(ids, entries, strict=True)
    ])  # fmt: skip
    for id_ in ids:
        answer = Answer(id=id_, brand_id=brand.id)
        record(AnswerPublished(brand.id, id_, 1, by.id, by.id))
        audit("answer.add", answer, by=by)
        audit("answer.publish", answer, by=by, version=1)
    db.after_commit(lambda: live.bump(brand.id, "answers"), key=("answers", brand.id))


def revise(answer: Answer, *, by: User, title: str, body: str, why: str | None = None, based_on: int) -> Version:
    """Other words, a further version: published at once by who may, else proposed. Raises Conflict when it isn't based on the newest."""
    RULES.check(by, "answer.propose", shelf(by, answer.brand_id))
    answer = _held(answer)
    if answer.state == "declined":
        raise Conflict("This proposal was declined. Write a new answer instead.", state=answer.state)
    newest = newest_version(answer)
    if based_on != newest.number:
        raise Conflict("Somebody else changed this answer meanwhile. Look at the newer words first.", version=newest.number)
    title, body = _title(title), _body(body)
    may_publish = RULES.may(by, "answer.write", answer)
    if answer.proposed_at is not None and not may_publish and newest.by_id != by.id:
        raise Conflict("A change to this answer waits for a moderator already.", version=newest.number)
    if (title, body) == (newest.title, newest.body):
        return newest
    if answer.proposed_at is not None and newest.by_id != by.id:
        _set_aside(answer, newest, by)
    version = _write(answer, _highest(answer) + 1, title, body, why, by)
    audit("answer.revise", answer, by=by, version=version.number)
    if may_publish:
        _publish(answer, version, by=by)
    else:
        _propose(answer, version, by)
    return version


def publish(answer: Answer, *, by: User, version: int | None = None) -> Answer:
    """Publish what is proposed, a draft, or an expired answer again. `version`, where given, must be the one that was read."""
    RULES.check(by, "answer.write", answer)
    answer = _held(answer)
    newest = newest_version(answer)
    if version is not None and version != newest.number:
        raise Conflict("It was changed since you read it. Look again.", version=newest.number)
    if answer.state == "published" and answer.proposed_at is None:
        raise Conflict("It is published already.", state=answer.state)
    if answer.state == "expired" and answer.proposed_at is None:
        newest = version_of(answer, answer.version)
    _publish(answer, newest, by=by)
    return answer


def decline(answer: Answer, *, by: User, reason: str) -> Answer:
    """Not this wording; its writer hears why. A published answer stays as it was."""
    RULES.check(by, "answer.write", answer)
    answer = _held(answer)
    if answer.proposed_at is None:
        raise Conflict("Nothing of this answer waits for a decision.", state=answer.state)
    if not reason.strip():
        raise Missing("Say why: its writer reads this.", field="reason")
    newest = newest_version(answer)
    newest.declined_at, answer.proposed_at = clock.now(), None
    if answer.state == "draft":
        ANSWER.move(answer, "decline")
    record(AnswerDeclined(answer.brand_id, answer.id, newest.number, newest.by_id, by.id, storable(reason.strip())[:WHY_LIMIT]))
    audit("answer.decline", answer, by=by, version=newest.number)
    return answer


def expire(answer: Answer, *, by: User) -> Answer:
    """It is true no more: from the commit on it is not suggested. `publish` takes it back."""
    RULES.check(by, "answer.write", answer)
    answer = _held(answer)
    ANSWER.move(answer, "expire")
    search.drop(_passages_of(answer))
    record(AnswerExpired(answer.brand_id, answer.id, answer.owner_id, by.id))
    audit("answer.expire", answer, by=by, version=answer.version)
    return answer


def keep(answer: Answer, *, by: User) -> Answer:
    """Somebody looked: it still holds, for a whole shelf life."""
    RULES.check(by, "answer.write", answer)
    answer = _held(answer)
    if answer.state != "published":
        raise Conflict(f"This answer is {answer.state}: only a published one can be kept.", state=answer.state)
    _fresh(answer)
    _put_on_shelf(answer, version_of(answer, answer.version))
    audit("answer.keep", answer, by=by, version=answer.version)
    return answer


def hand_over(answer: Answer, *, by: User, to: User, public: bool | None = None, topic: str | None = None) -> Answer:
    """Another owner, another topic, public or not: what is said about an answer, not its words."""
    RULES.check(by, "answer.write", answer)
    answer = _held(answer)
    if reason := RULES.refusal(to, "answer.read", answer):
        raise Invalid(f"{to.name} can't own it. {reason}", field="owner")
    answer.owner_id = to.id
    answer.public = answer.public if public is None else public
    answer.topic = answer.topic if topic is None else _topic(topic)
    audit("answer.hand_over", answer, by=by, to=to.id, public=answer.public, topic=answer.topic)
    return answer


def tell_owners(limit: int = 500) -> int:
    """Say to each owner, once, whose answers end their shelf life soon; returns how many answers."""
    edge = clock.now() + WARNING
    with db.transaction(read_only=True) as session:
        due = (among(Answer.state, "published"), Answer.told_at.is_(None), Answer.review_by <= edge)
        ids = session.scalars(select(Answer.id).where(*due).order_by(Answer.review_by).limit(limit)).all()
    told = 0
    for id_ in ids:
        with db.transaction() as session:
            answer = _held(session.get_one(Answer, id_))
            if answer.state == "published" and answer.told_at is None and answer.review_by is not None and answer.review_by <= edge:
                answer.told_at = clock.now()
                record(AnswerDue(answer.brand_id, answer.id, answer.owner_id))
                told += 1
    return told


def newest_version(answer: Answer) -> Version:
    """The newest wording that was not declined, proposed or published."""
    wanted = select(Version).where(Version.answer_id == answer.id, Version.declined_at.is_(None)).order_by(Version.number.desc()).limit(1)
    found = db.session.scalars(wanted).one_or_none()
    return found if found is not None else version_of(answer, answer.version)


def version_of(answer: Answer, number: int) -> Version:
    """One wording."""
    return db.session.scalars(select(Version).where(Version.answer_id == answer.id, Version.number == number)).one()


def published_before(answer: Answer, number: int) -> Version | None:
    """The published wording before this one."""
    older = (Version.answer_id == answer.id, Version.number < number, Version.published_at.is_not(None))
    return db.session.scalars(select(Version).where(*older).order_by(Version.number.desc()).limit(1)).one_or_none()


# Helpers


def _publish(answer: Answer, version: Version, *, by: User) -> None:
    now = clock.now()
    if answer.state != "published":
        ANSWER.move(answer, "publish")
    answer.version, answer.proposed_at = version.number, None
    if version.published_at is None:
        version.published_at, version.published_by_id = now, by.id
        record(AnswerPublished(answer.brand_id, answer.id, version.number, version.by_id, by.id))
    _fresh(answer)
    _put_on_shelf(answer, version)
    audit("answer.publish", answer, by=by, version=version.number)


def _set_aside(answer: Answer, proposed: Version, by: User) -> None:
    """Other words are published in the place of a proposal; its writer hears of it."""
    proposed.declined_at = clock.now()
    record(AnswerDeclined(answer.brand_id, answer.id, proposed.number, proposed.by_id, by.id, "Other words were published instead; yours were read."))


def _highest(answer: Answer) -> int:
    return db.session.scalar(select(func.max(Version.number)).where(Version.answer_id == answer.id)) or 0


def _propose(answer: Answer, version: Version, by: User) -> None:
    answer.proposed_at = clock.now()
    record(AnswerProposed(answer.brand_id, answer.id, version.number, by.id))


def _write(answer: Answer, number: int, title: str, body: str, why: str | None, by: User) -> Version:
    version = Version(
        brand_id=answer.brand_id, answer_id=answer.id, number=number, title=title, body=body, by_id=by.id, at=clock.now(),
        why=storable(why.strip())[:WHY_LIMIT] if why and why.strip() else None,
    )  # fmt: skip
    db.session.add(version)
    db.session.flush()
    return version


def _fresh(answer: Answer) -> None:
    """A new shelf life begins."""
    now = clock.now()
    days = SHELF_LIFE.of(db.session.get_one(Brand, answer.brand_id))
    answer.checked_at, answer.review_by, answer.told_at = now, now + timedelta(days=days), None
    db.session.flush()


def _put_on_shelf(answer: Answer, version: Version) -> None:
    """Findable with these words from the commit on."""
    found = _passages_of(answer)
    passage = found[0] if found else Passage(brand_id=answer.brand_id, answer_id=answer.id, uses=0, helped=0, failed=0)
    passage.lang, passage.at, passage.good_until = answer.lang, answer.checked_at or clock.now(), answer.review_by
    passage.asked, passage.said = " ".join(words.terms(version.title)), " ".join(words.terms(version.body))
    search.put([passage])


def _passages_of(answer: Answer) -> list[Passage]:
    return list(db.session.scalars(select(Passage).where(Passage.answer_id == answer.id)))


def _held(answer: Answer) -> Answer:
    """As it is now, until the transaction ends; pages that show it hear of the change."""
    _changed(answer)
    return db.session.scalars(select(Answer).where(Answer.id == answer.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def _changed(answer: Answer) -> None:
    db.after_commit(lambda: live.bump(answer.brand_id, "answers", f"answer-{answer.id}"), key=("answer", answer.id))


def _title(title: str) -> str:
    title = " ".join(storable(title).split())
    if not title:
        raise Missing("An answer needs its question, as people ask it.", field="title")
    if len(title) > TITLE_LIMIT:
        raise Invalid(f"The question holds at most {TITLE_LIMIT} characters.", field="title")
    return title


def _body(body: str) -> str:
    body = storable(body).replace("\r\n", "\n").strip()
    if not body:
        raise Missing("There are no words yet.", field="body")
    if len(body) > BODY_LIMIT:
        raise Invalid(f"An answer holds at most {BODY_LIMIT:,} characters.", field="body")
    return body


def _lang(lang: str | None, text: str) -> str:
    if not lang:
        return language(text)
    if lang != UNKNOWN and not _LANG.fullmatch(lang):
        raise Invalid("A language is a code like en, de or zh-Hans.", field="lang")
    return lang


def _topic(topic: str) -> str:
    if topic not in TOPICS:
        raise Invalid(f"A topic is one of {', '.join(TOPICS)}.", field="topic")
    return topic


def _original(original: Answer | None, brand_id: int, lang: str) -> int | None:
    """The first of its group of translations, one a language."""
    if original is None:
        return None
    if original.brand_id != brand_id:
        raise Invalid("A translation belongs to the brand of its original.", field="original")
    first = original.original_id or original.id
    group = (Answer.id == first) | (Answer.original_id == first)
    if db.session.scalar(select(Answer.id).where(group, Answer.lang == lang, Answer.state.in_(("draft", "published"))).limit(1)):
        raise Conflict("This answer exists in that language already.", field="lang")
    return first
