"""The desk: what a person is offered, in which order, and why.

However much waits, the same few indexed windows are read: for each language the person reads one a lane, one for each
topic of theirs, the oldest, the most pressing of all, and what is kept for them. What is found there is ranked for the person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select, union_all
from sqlalchemy.orm import joinedload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import at_most, db
from app.kernel.pagination import bounded
from community.advocates.models import Advocate
from community.advocates.queries import known_as
from community.advocates.records import Record, advocate_and_records
from community.mentions.models import Mention
from community.mentions.queries import in_lists
from community.moderation.models import Flag
from community.tasks import finding, rules
from community.tasks.limits import Lately, lately
from community.tasks.models import Claim, Pass, Task, Watch, lasts
from community.tasks.queries import Holder
from community.tasks.rules import LANES, Load, Taste
from community.tasks.waiting import patience_of

LANE_WINDOW, TOPIC_WINDOW, OLDEST_WINDOW, OVERALL_WINDOW, KEPT_WINDOW = 16, 16, 16, 64, 16
"""Rows read through one window each; what lies below them rises as those are taken."""
WIDE_WINDOW, ONE_TOPIC_WINDOW = 500, 150
"""Rows read where a channel is asked for, the most pressing ones, and where one topic is."""
OVERALL = 0
"""The window over everything comes first."""
MOST_LANGUAGES, MOST_TOPICS = 5, 6
"""Windows for more of these would cost more than they find; the others are found through the rest."""
SHOWN, HELD_SHOWN = 20, 2
"""Tasks on one page of the desk; so many places at its end are for what others hold."""
ORDERS = ("fit", "oldest")
SOON = timedelta(minutes=15)
"""So long before a task goes to the team, the desk says so."""
LONGEST_SEARCH = 100


class Candidate(NamedTuple):
    """One row of a window, as it is read: plain, since hundreds are weighed to show a dozen."""

    arm: int
    id: int
    mention_id: int
    state: str
    kind: str
    category: str
    lang: str
    lane: str
    priority: int
    opened_at: datetime
    reopened: int


@dataclass(frozen=True)
class DeskTask:
    """One task as a person sees it on the desk."""

    task: Task
    mention: Mention
    holder: Holder | None
    watched: bool
    because: str
    flagged: str | None
    """A flag its peers may agree with just now, by kind."""


@dataclass(frozen=True)
class DeskPage:
    items: Sequence[DeskTask] = ()
    topics: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    total: int = 0
    """What fits and is free, as far as it was read."""
    more: bool = False
    """Whether more wait than were read."""
    advocate: Advocate | None = None
    """The person as an advocate of the brand, whom the ranking is for."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """Their record by topic."""
    load: Load | None = None
    """How much they had lately; none for those who don't advocate."""
    paused: bool = False


def desk(
    user: User,
    brand: Brand,
    *,
    topic: str | None = None,
    lang: str | None = None,
    kind: str | None = None,
    channel: int | None = None,
    words: str | None = None,
    order: str = "fit",
    limit: int | None = None,
) -> DeskPage:
    """The community's tasks a person may take now, best fit first, and a few that others hold. A fixed number of statements."""
    now = clock.now()
    advocate, records = advocate_and_records(user.id, brand.id)
    recent = lately(advocate, brand) if advocate is not None else None
    load = recent.load if recent is not None else None
    paused = advocate is not None and advocate.paused_until is not None and advocate.paused_until > now
    if paused or (load is not None and load.rests):
        return DeskPage(advocate=advocate, records=records, load=load, paused=paused)
    taste = taste_of(advocate, records, recent) if advocate is not None and recent is not None else None
    # What fits the person is among what the words find: no windows of their own are read for it.
    rows, more = _read(user, brand, None if words else taste, now, topic=topic, lang=lang, wide=bool(channel), spared=load is not None and load.spared)
    if words:
        rows, more = _holding(user, brand, rows, channel, words, now, spared=load is not None and load.spared)
    elif channel:
        rows = _matching(rows, channel, None)
    facets = rows
    rows = [row for row in rows if topic in (None, row.category) and lang in (None, row.lang) and kind in (None, row.kind)]
    holders, watched = _held(user, [row.id for row in rows if row.state == "claimed"], now)
    # What the person holds stands before the desk, not on it.
    rows = [row for row in rows if row.id not in holders or holders[row.id].id != user.id]
    holders = {row.id: holders[row.id] for row in rows if row.id in holders}
    patience = patience_of(brand)
    if order == "fit":
        rows = rules.mixed(rules.ranked(rows, taste, now, patience), holders)
    else:
        rows.sort(key=lambda row: (row.id in holders, row.opened_at, row.id))
    free = len(rows) - len(holders)
    size = bounded(limit, SHOWN)
    places = max(size - min(HELD_SHOWN, len(holders)), 0)
    shown = [row.id for row in (*rows[: min(free, places)], *rows[free : free + HELD_SHOWN])][:size]
    loaded = {task.id: (task, flagged) for task, flagged in db.session.execute(_shown(), {"ids": shown, "user": user.id})}
    return DeskPage(
        items=[
            DeskTask(task, task.mention, holder, id_ in watched, why_offered(task, taste, now, patience), flagged)
            for id_ in shown
            if id_ in loaded
            for (task, flagged), holder in ((loaded[id_], holders.get(id_)),)
        ],
        topics=dict(Counter(row.category for row in facets).most_common(8)),
        languages=dict(Counter(row.lang for row in facets).most_common(6)),
        kinds=dict(Counter(row.kind for row in facets)),
        total=free,
        more=more,
        advocate=advocate,
        records=records,
        load=load,
    )


def taste_of(advocate: Advocate, records: dict[str, Record], recent: Lately) -> Taste:
    """What is known of an advocate's skills: chosen, earned, learned."""
    return Taste(advocate.trust_level, frozenset(advocate.languages), frozenset(advocate.topics), records, recent.passed)


def why_offered(task: Task, taste: Taste | None, now: datetime, patience: timedelta) -> str:
    """The sentence that says why a person is offered a task: what its place rests on, and what the task is."""
    why = []
    if task.returned_to_id is not None and task.kept_until is not None and task.kept_until > now:
        why.append("kept for you: you answered this author before")
    elif task.kind == "correct":
        why.append("what we said there holds no longer")
    elif task.reopened:
        why.append("its author came back and isn't helped yet")
    if taste is not None:
        why += _suits(task, taste)
    if task.lane == "thank":
        why.append("praise: a short thank-you, about a minute")
    elif task.lane == "hostile":
        why.append("its author is upset")
    left = patience - (now - task.opened_at)
    if task.kind != "thank" and timedelta(0) < left <= SOON:
        why.append(f"the team gets it in {max(1, round(left.total_seconds() / 60))} min")
    sentence = ", and ".join(why[:3]) or ("nobody has taken it yet" if taste is not None else "it waits for anybody who answers for this brand")
    return sentence[0].upper() + sentence[1:] + "."


def why(task: Task, user: User, brand: Brand) -> str:
    """The same sentence for one task, as its page says it."""
    advocate, records = advocate_and_records(user.id, brand.id)
    taste = taste_of(advocate, records, lately(advocate, brand)) if advocate is not None else None
    return why_offered(task, taste, clock.now(), patience_of(brand))


# Helpers


def _suits(task: Task, taste: Taste) -> list[str]:
    topic = task.category.replace("_", " ")
    why = []
    if task.lang in taste.languages:
        if task.lang != "en":
            why.append("you read its language")
    elif task.lang != "und" and taste.languages:
        why.append("it is in a language you did not name")
    record = taste.records.get(task.category)
    if record is not None and rules.standing(task.category, taste) == "proven":
        why.append(f"{record.good} of your {record.good + record.bad} answers about {topic} were good")
    elif task.category in taste.topics:
        why.append(f"{topic} is one of your topics")
    if task.lane == "easy" and taste.trust == 0:
        why.append("it is a good one to begin with")
    return why


def _read(
    user: User, brand: Brand, taste: Taste | None, now: datetime, *, topic: str | None, lang: str | None, wide: bool, spared: bool
) -> tuple[list[Candidate], bool]:
    """The rows of all windows, each once, and whether more wait than the widest of them shows."""
    languages = [lang] if lang else [*sorted(taste.languages)[:MOST_LANGUAGES], "und"] if taste is not None and taste.languages else []
    topics = [topic] if topic else _good_at(taste) if taste is not None else []
    asked = {"brand": brand.id, "user": user.id, "now": now}
    asked |= {f"lang{n}": one for n, one in enumerate(languages)} | {f"topic{n}": one for n, one in enumerate(topics)}
    lanes = tuple(lane for lane in LANES if lane != "hostile" or not spared)
    overall = WIDE_WINDOW if wide else OVERALL_WINDOW
    found = db.session.execute(_windows(len(languages), len(topics), lanes, overall, ONE_TOPIC_WINDOW if topic else TOPIC_WINDOW), asked).all()
    read = map(Candidate._make, found)
    rows = {row.id: row for row in read if row.lane != "hostile" or not spared}
    return list(rows.values()), sum(row[0] == OVERALL for row in found) >= overall


def _good_at(taste: Taste) -> list[str]:
    """Topics with a window of their own: those the person chose, then those they proved to be good at."""
    proven = {topic for topic in taste.records if topic and rules.standing(topic, taste) == "proven"}
    return [*sorted(taste.topics), *sorted(proven - taste.topics)][:MOST_TOPICS]


def _matching(rows: Sequence[Candidate], channel: int | None, words: str | None) -> list[Candidate]:
    """Those on the channel whose post, or its author, has all the words."""
    sought = words.casefold().split() if words else []
    fitting = set()
    for id_, account_id, text, handle, name in db.session.execute(_POSTS, {"ids": [row.mention_id for row in rows]}):
        said = f"{text} {handle or ''} {name or ''}".casefold() if sought else ""
        if channel in (None, account_id) and all(word in said for word in sought):
            fitting.add(id_)
    return [row for row in rows if row.mention_id in fitting]


def _holding(
    user: User, brand: Brand, read: Sequence[Candidate], channel: int | None, words: str, now: datetime, *, spared: bool
) -> tuple[list[Candidate], bool]:
    """Of all that waits, what holds the words, and whether more does. What was opened this very moment is in the windows alone."""
    rows = {row.id: row for row in _matching(read, channel, words)}
    ids, more = finding.holding(brand.id, words)
    if ids:
        asked = {"brand": brand.id, "user": user.id, "now": now, "ids": ids}
        on_channel = {"channel": channel} if channel else {}
        for row in map(Candidate._make, db.session.execute(_found(bool(channel)), asked | on_channel)):
            if not (spared and row.lane == "hostile"):
                rows.setdefault(row.id, row)
    return list(rows.values()), more


def _held(user: User, claimed: Sequence[int], now: datetime) -> tuple[dict[int, Holder], set[int]]:
    """Who holds each of these tasks now, and which of them the person asked to hear of."""
    rows = db.session.execute(_HELD, {"ids": list(claimed), "user": user.id}).all() if claimed else []
    holders = {row.task_id: Holder(row.id, row.name, row.ends_at) for row in rows if lasts(row.ends_at, row.cap_at, now)}
    return holders, {row.task_id for row in rows if row.watch is not None}


# What every desk asks is made once: making such a statement costs more than running it.

_POSTS = select(Mention.id, Mention.account_id, Mention.text, Mention.author_handle, Mention.author_name).where(
    Mention.id.in_(bindparam("ids", expanding=True))
)
_HELD = (
    select(Claim.task_id, User.id, known_as(Claim.brand_id).label("name"), Claim.ends_at, Claim.cap_at, Watch.id.label("watch"))
    .join(User, User.id == Claim.user_id)
    .outerjoin(Watch, (Watch.task_id == Claim.task_id) & (Watch.user_id == bindparam("user")))
    .where(Claim.task_id.in_(bindparam("ids", expanding=True)), Claim.ended_at.is_(None))
)


@cache
def _shown() -> Any:
    about = joinedload(Task.mention).options(*in_lists())
    flagged = select(func.min(Flag.kind)).where(Flag.task_id == Task.id, Flag.state == literal_column("'open'"), Flag.window_until.is_not(None))
    flagged = flagged.where(Flag.by_id != bindparam("user"))
    return select(Task, flagged.correlate(Task).scalar_subquery()).where(Task.id.in_(bindparam("ids", expanding=True))).options(about)


@cache
def _windows(languages: int, topics: int, lanes: tuple[str, ...], overall: int, topical: int) -> Any:
    """All windows in one statement. Its conditions are written out, so that the partial indexes serve it on both databases.

    Of an incident only the leading task is offered: its answer is varied for the others.
    """
    community = (Task.audience == literal_column("'community'")) & Task.led_by_id.is_(None)
    free = Task.state == literal_column("'open'")
    present = Task.state.in_((literal_column("'open'"), literal_column("'claimed'")))
    pressing = (Task.priority.desc(), Task.opened_at)
    arms: list[Select[Any]] = []

    def arm(size: int, order: Sequence[Any], *where: ColumnElement[bool]) -> None:
        arms.append(_arm(len(arms), size, order, community, *where))

    arm(overall, pressing, present)
    arm(OLDEST_WINDOW, (Task.opened_at,), present)
    arm(KEPT_WINDOW, pressing, free, Task.returned_to_id == bindparam("user"))
    for n in range(languages):
        for lane in lanes:
            arm(LANE_WINDOW, pressing, free, Task.lang == bindparam(f"lang{n}"), Task.lane == literal_column(f"'{lane}'"))
    for n in range(topics):
        arm(topical, pressing, free, Task.category == bindparam(f"topic{n}"))
    return union_all(*arms)


@cache
def _found(on_channel: bool) -> Any:
    """What the index named, as far as the person may take it."""
    columns = [getattr(Task, name) for name in Candidate._fields[1:]]
    named = (Task.id.in_(bindparam("ids", expanding=True)), Task.brand_id == bindparam("brand"), Task.led_by_id.is_(None))
    on_desk = (Task.audience == "community", Task.state.in_(("open", "claimed")))
    found = select(literal_column(str(OVERALL)).label("arm"), *columns).where(*named, *on_desk, *_theirs())
    return found.join(Mention, Mention.id == Task.mention_id).where(Mention.account_id == bindparam("channel")) if on_channel else found


def _arm(number: int, size: int, order: Sequence[Any], *where: ColumnElement[bool]) -> Select[Any]:
    columns = [getattr(Task, name) for name in Candidate._fields[1:]]
    window = select(*columns).where(Task.brand_id == bindparam("brand"), *where, *_theirs()).order_by(*order).limit(at_most(size)).subquery()
    return select(literal_column(str(number)).label("arm"), *window.c)


def _theirs() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Not kept for somebody else, and not passed on by the person."""
    now = bindparam("now", type_=Task.opened_at.type)
    mine_or_free = or_(Task.returned_to_id.is_(None), Task.returned_to_id == bindparam("user"), Task.kept_until.is_(None), Task.kept_until <= now)
    passed = select(Pass.id).where(Pass.user_id == bindparam("user"), Pass.task_id == Task.id).correlate(Task).exists()
    return mine_or_free, ~passed
