"""Gathering: posts that tell the same story, by several people within hours, become one incident as they arrive.

It follows intake as news of a stored batch, so a post is never kept waiting for it. What is compared is each fresh
question with the incidents that live and the loose questions of the last hours; a fixed number of statements a batch. Two
batches of a brand are gathered one after the other, since both could found the same incident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, func, or_, select, text, update

from app.accounts.choices import whole
from app.accounts.models import Brand
from app.kernel import clock, live
from app.kernel.db import among, db, insert_many
from app.kernel.outbox import record
from community.events import IncidentFormed, IncidentGrew
from community.incidents.likeness import Pool, Sketch, common, joined, product, sketch
from community.incidents.models import Incident, IncidentAnswer, IncidentMention
from community.mentions.models import Decision, Mention
from community.tasks.models import LIVE, Task

AUTHORS = whole(
    "incident_authors", 3, least=2, most=50, group="Incidents", label="Authors that make an incident",
    help="So many people telling the same story within hours form an incident; fewer stay apart.",
)  # fmt: skip
HOURS = whole(
    "incident_hours", 6, least=1, most=72, unit="h", group="Incidents", label="Hours within which posts belong together",
    help="Late-comers attach while the latest post of the incident is not older than this.",
)  # fmt: skip
NEAR = 0.5
"""Likeness from which two loose posts tell the same story. Read off 14,000 real posts: at 0.4 "bad service" became an incident."""
JOIN = 0.45
"""Likeness to what an incident's posts have in common from which one more belongs to it: a little less, since that is known better."""
WINDOW = 2_000
"""Loose posts of the last hours that a fresh one is compared with; of a flood, the latest."""
REACH = 6_000
"""How far back, in posts of the brand, the window is looked for."""
MOST_LIVE = 300
TIERS = ("community", "tier_1", "tier_2")
WAITING = ("open", "claimed")
AT_WORK = (*WAITING, "in_review")
"""States of a leading task in which somebody can write, or has written, the answer the others wait for."""


@dataclass(slots=True)
class _Post:
    id: int
    at: datetime
    author: str
    words: Sketch
    conversation_id: int


@dataclass(slots=True)
class _Story:
    """An incident while a batch is gathered into it."""

    row: Incident | None
    words: dict[str, float]
    count: int
    last_at: datetime
    fresh: list[tuple[_Post, float]] = field(default_factory=list)


def gather(brand_id: int, mention_ids: Sequence[int]) -> list[int]:
    """Gather what was just stored. Idempotent: a post that is in an incident, or was taken out of one, stays as it is.

    Returns the incidents that were formed or have grown.
    """
    one_at_a_time(brand_id)
    brand = db.session.get_one(Brand, brand_id)
    hours, least = timedelta(hours=HOURS.of(brand)), AUTHORS.of(brand)
    own = frozenset(sketch(f"{brand.name} {brand.name} {brand.slug} told everywhere").keys())
    fresh = _loose(brand_id, Mention.id.in_(mention_ids), own, most=len(mention_ids))
    if not fresh:
        return []
    since, until = min(post.at for post in fresh) - hours, max(post.at for post in fresh) + hours
    beside = _beside(brand_id, min(mention_ids), since, until, own)
    stories = [_Story(row, {word: float(share) for word, share in row.words.items()}, row.mentions, row.last_at) for row in _living(brand_id, since)]
    pool, loose = Pool(), {}
    for post in beside:
        pool.add(post.id, post.words)
        loose[post.id] = post
    for post in sorted(fresh, key=lambda post: (post.at, post.id)):
        weighed = pool.weighed(post.words)
        likest = max(
            ((product(weighed, pool.weighed(story.words)), place) for place, story in enumerate(stories) if abs(post.at - story.last_at) <= hours),
            default=(0.0, 0),
        )
        if likest[0] >= JOIN:
            _join(stories[likest[1]], post, likest[0])
        else:
            near = [(alike, loose[key]) for alike, key in pool.near(post.words, NEAR) if key in loose and abs(loose[key].at - post.at) <= hours]
            if len({post.author, *(one.author for _, one in near)}) >= least:
                stories.append(_found(post, near))
                for _, one in near:
                    del loose[one.id]
            else:
                loose[post.id] = post
        pool.add(post.id, post.words)
    return [_written(brand_id, story) for story in stories if story.fresh]


def one_at_a_time(brand_id: int) -> None:
    """Until the transaction ends nobody else changes what belongs to which incident of the brand. SQLite has one writer anyway."""
    if db.is_postgres:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:room, :brand)"), {"room": 0x1DC, "brand": brand_id % 2**31})


def link_mention(mention_id: int) -> None:
    """A post of an open incident got its task only now: it comes under the leading one."""
    row = db.session.scalar(select(IncidentMention).where(IncidentMention.mention_id == mention_id, IncidentMention.left_at.is_(None)))
    incident = db.session.get(Incident, row.incident_id) if row is not None else None
    if incident is not None and incident.state == "open" and (led := link(incident)):
        record(IncidentGrew(incident.brand_id, incident.id, [mention_id], led, incident.authors))
        changed(incident)


def count_again(incident: Incident) -> None:
    """Its figures and its words, from the posts that are in it now."""
    db.session.flush()
    rows = db.session.execute(
        select(Mention.id, Mention.author_ext_id, Mention.author_handle, Mention.posted_at, Mention.text)
        .join(IncidentMention, IncidentMention.mention_id == Mention.id)
        .where(IncidentMention.incident_id == incident.id, IncidentMention.left_at.is_(None))
        .order_by(Mention.id.desc())
        .limit(WINDOW)
    ).all()
    incident.mentions = len(rows)
    incident.authors = len({_author(row.author_ext_id, row.author_handle, row.id) for row in rows})
    if rows:
        incident.first_at, incident.last_at = min(row.posted_at for row in rows), max(row.posted_at for row in rows)
        incident.words = common(sketch(row.text) for row in rows[:200])
    db.session.flush()


def link(incident: Incident) -> list[int]:
    """Put the live tasks of its posts under one leading task: that of the highest tier, there the oldest.

    Once its answer was handed in, the leading task stays while an answer is written or looked at. When it is answered or
    settled, another one that still waits leads: what stands under a task that nobody works on would never be seen again.
    Returns the tasks that came under it now; where the answer is there, also the one that leads from now on: a late-comer like the others.
    """
    was = incident.leading_task_id
    leading, others = _unled(incident)
    fresh = [task for task in others if was is None or task.led_by_id != was]
    kept = leading if leading is not None and leading.state in AT_WORK else None
    if kept is None or (kept.state == "open" and not _is_answered(incident)):
        waiting = [task for task in (*others, kept) if task is not None and task.state in WAITING]
        alive = [task for task in (leading, *fresh) if task is not None and task.state in LIVE]
        kept = min(waiting, key=_rank, default=None) or (alive[0] if alive else leading)
    if kept is None:
        return []
    if kept.id != was:
        incident.leading_task_id, kept.led_by_id = kept.id, None
        db.session.flush()
        if was is not None:
            db.session.execute(update(Task).where(or_(Task.led_by_id == was, Task.id == was), Task.id != kept.id).values(led_by_id=kept.id))
    led = [task.id for task in fresh if task.id != kept.id and task.id != was]
    if led:
        db.session.execute(update(Task).where(Task.id.in_(led)).values(led_by_id=kept.id))
    return [*led, kept.id] if was is not None and kept in fresh and _is_answered(incident) else led


def lead_on(task_id: int) -> None:
    """Something became of a task: where it leaves an incident without a leading task that is worked on, another one leads."""
    above = db.session.scalar(select(Task.led_by_id).where(Task.id == task_id)) or task_id
    found = db.session.execute(
        select(Incident.id, Incident.brand_id).where(Incident.leading_task_id.in_((task_id, above)), among(Incident.state, "open"))
    ).first()
    if found is None:
        return
    one_at_a_time(found.brand_id)
    fresh = select(Incident).where(Incident.id == found.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    incident = db.session.scalars(fresh).one()
    was = incident.leading_task_id
    if incident.state == "open":
        link(incident)
    if incident.leading_task_id != was:
        changed(incident)


def of_incidents(task_ids: Collection[int]) -> list[int]:
    """Those of these tasks that stand in an incident, the leading ones too."""
    leads = select(Incident.id).where(Incident.leading_task_id == Task.id).exists()
    return list(db.session.scalars(select(Task.id).where(Task.id.in_(task_ids), or_(Task.led_by_id.is_not(None), leads)).order_by(Task.id)))


def _rank(task: Task) -> tuple[int, datetime, int]:
    return -TIERS.index(task.audience), task.opened_at, task.id


# Reading


def _candidates() -> Any:
    """Questions people ask in public: the first of a conversation, wanted by somebody, not praise, in no incident and taken out of none."""
    return (
        select(Mention.id, Mention.posted_at, Mention.author_ext_id, Mention.author_handle, Mention.text, Mention.conversation_id)
        .join(Decision, (Decision.mention_id == Mention.id) & Decision.superseded_at.is_(None))
        .outerjoin(Task, Task.mention_id == Mention.id)
        .outerjoin(IncidentMention, IncidentMention.mention_id == Mention.id)
        .where(
            Decision.audience != "set_aside",
            Decision.kind == "answer",
            Mention.by_brand.is_(False),
            Mention.private.is_(False),
            Mention.gone_at.is_(None),
            Mention.kind != "article",
            or_(Task.id.is_not(None), Mention.parent_ext_id.is_(None)),
            IncidentMention.id.is_(None),
        )
    )


def _loose(brand_id: int, which: Any, own: Collection[str], *, most: int) -> list[_Post]:
    rows = db.session.execute(_candidates().where(Mention.brand_id == brand_id, which).order_by(Mention.id.desc()).limit(most)).all()
    found = []
    for row in rows:
        words = {word: count for word, count in sketch(row.text).items() if word not in own}
        if words:
            found.append(_Post(row.id, row.posted_at, _author(row.author_ext_id, row.author_handle, row.id), words, row.conversation_id))
    return found


def _beside(brand_id: int, before: int, since: datetime, until: datetime, own: Collection[str]) -> list[_Post]:
    latest = select(Mention.id).where(Mention.brand_id == brand_id, Mention.id < before).order_by(Mention.id.desc()).limit(REACH).subquery()
    floor = db.session.scalar(select(func.min(latest.c.id)))
    if floor is None:
        return []
    return _loose(brand_id, (Mention.id >= floor) & (Mention.id < before) & Mention.posted_at.between(since, until), own, most=WINDOW)


def _living(brand_id: int, since: datetime) -> Sequence[Incident]:
    wanted = select(Incident).where(Incident.brand_id == brand_id, among(Incident.state, "open"), Incident.last_at >= since)
    return db.session.scalars(wanted.order_by(Incident.last_at.desc()).limit(MOST_LIVE)).all()


def _unled(incident: Incident) -> tuple[Task | None, list[Task]]:
    """The leading task, and the live tasks of its conversations that do not stand under it; where it is not worked on also those that
    wait under it. All held, in one order."""
    conversations = (
        select(Mention.conversation_id)
        .join(IncidentMention, IncidentMention.mention_id == Mention.id)
        .where(IncidentMention.incident_id == incident.id, IncidentMention.left_at.is_(None))
    )
    leads = incident.leading_task_id or 0
    alone = Task.conversation_id.in_(conversations) & among(Task.state, *LIVE) & or_(Task.led_by_id.is_(None), Task.led_by_id != leads)
    at_work = db.session.scalar(select(Task.id).where(Task.id == leads, among(Task.state, *AT_WORK))) is not None
    under = () if at_work else ((Task.led_by_id == leads) & among(Task.state, *WAITING),)
    wanted = select(Task).where(or_(alone, Task.id == leads, *under)).order_by(Task.id).with_for_update(key_share=True)
    found = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    return next((task for task in found if task.id == leads), None), [task for task in found if task.id != leads]


def _is_answered(incident: Incident) -> bool:
    return (
        db.session.scalar(select(IncidentAnswer.id).where(IncidentAnswer.incident_id == incident.id, IncidentAnswer.handed_in_at.is_not(None)).limit(1))
        is not None
    )


def _author(ext_id: str | None, handle: str | None, mention_id: int) -> str:
    """Who wrote; nobody knows whom a nameless post is from, so each is somebody else."""
    return ext_id or handle or f"#{mention_id}"


# Writing


def _join(story: _Story, post: _Post, alike: float) -> None:
    story.words = joined(story.words, story.count, post.words)
    story.count += 1
    story.last_at = max(story.last_at, post.at)
    story.fresh.append((post, alike))


def _found(post: _Post, near: Iterable[tuple[float, _Post]]) -> _Story:
    members = [(one, alike) for alike, one in near] + [(post, 1.0)]
    return _Story(None, common(one.words for one, _ in members), len(members), max(one.at for one, _ in members), members)


def _written(brand_id: int, story: _Story) -> int:
    now = clock.now()
    incident = story.row
    formed = incident is None
    if incident is None:
        first = min(post.at for post, _ in story.fresh)
        incident = Incident(
            brand_id=brand_id,
            state="open",
            words=story.words,
            authors=0,
            mentions=0,
            opened_at=now,
            first_at=first,
            last_at=story.last_at,
            leading_task_id=None,
        )
        db.session.add(incident)
        db.session.flush()
    rows = [
        {
            "brand_id": brand_id,
            "incident_id": incident.id,
            "mention_id": post.id,
            "alike": round(alike, 3),
            "joined_at": now,
            "left_at": None,
            "left_by_id": None,
            "came_from_id": None,
        }
        for post, alike in story.fresh
    ]
    insert_many(IncidentMention, rows)
    incident.words, incident.mentions, incident.last_at = dict(story.words), story.count, story.last_at
    incident.authors = _authors(incident)
    led = link(incident)
    fact = IncidentFormed if formed else IncidentGrew
    record(fact(brand_id, incident.id, [post.id for post, _ in story.fresh], led, incident.authors))
    changed(incident)
    return incident.id


def _authors(incident: Incident) -> int:
    someone = func.coalesce(Mention.author_ext_id, Mention.author_handle, cast(Mention.id, String))
    return (
        db.session.scalar(
            select(func.count(func.distinct(someone)))
            .select_from(IncidentMention)
            .join(Mention, Mention.id == IncidentMention.mention_id)
            .where(IncidentMention.incident_id == incident.id, IncidentMention.left_at.is_(None))
        )
        or 0
    )


def changed(incident: Incident) -> None:
    """Tell open pages."""
    db.after_commit(lambda: live.bump(incident.brand_id, "incidents", "desk", "cases"), key=("incident", incident.id))
