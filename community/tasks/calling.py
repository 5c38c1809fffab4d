"""A task that fits you: what nobody took for some minutes is put before a few who would suit, never more often than is kind.

Who was called least lately is asked first, so that a call costs the same in a brand of ten and of ten thousand.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from app.accounts.brands import all_brands
from app.accounts.choices import whole
from app.accounts.models import Brand, Role, SignIn, User
from app.kernel import clock
from app.kernel.db import among, at_most, db
from app.notices import mail
from app.notices.actions import tell
from app.notices.kinds import KINDS
from app.notices.models import Notice
from app.notices.preferences import wishes_of
from community.advocates.models import Advocate
from community.advocates.records import topic_records
from community.joining import guidelines
from community.mentions.models import Mention
from community.tasks.limits import lately
from community.tasks.models import Claim, Pass, Task
from community.tasks.offers import taste_of
from community.tasks.rules import standing, suit

CALL_AFTER = whole(
    "call_after_minutes", 5, least=1, most=240, unit="min", group="Advocates",
    label="After how long advocates are called for a post", help="Nobody took it by then: a few whom it suits are told, in the app and by mail as they chose.",
)  # fmt: skip
STILL_FRESH = timedelta(minutes=20)
"""After that much more, calling is over: the desk shows it first, and the team takes it soon."""
AT_MOST_EVERY = timedelta(hours=3)
"""Between two calls to one person."""
CALLED = 3
"""People called for one task."""
MOST_TASKS = 20
ASKED = 100
"""Advocates looked at in one run, those called longest ago first."""
SEEN_WITHIN = timedelta(days=30)
"""Who did not sign in for so long is not called."""
UNANSWERED = 3
"""Calls in a row after which nothing was taken: then we are quiet until the person takes something."""
WORD = "fits"


def call_all() -> int:
    """Call for what waits, in every brand; returns how many were told. Running twice calls nobody twice."""
    with db.transaction(read_only=True):
        brands = all_brands()
    return sum(call(brand) for brand in brands)


def call(brand: Brand) -> int:
    """Call for one brand, in a transaction of its own."""
    with db.transaction(read_only=True):
        if not _waiting(brand):
            return 0
    told = 0
    with db.transaction():
        tasks = _waiting(brand)
        callable_ = _callable(brand) if tasks else []
        for task in tasks:
            chosen = 0
            for advocate, user in callable_:
                if chosen == CALLED:
                    break
                if not _suits(task, advocate, user, brand):
                    continue
                _tell(task, user)
                advocate.called_at = clock.now()
                chosen += 1
            callable_ = [one for one in callable_ if one[0].called_at <= clock.now() - AT_MOST_EVERY]
            told += chosen
    return told


def still_open(notice: Notice) -> bool:
    """Whether the task of a call is still to be had: what somebody took meanwhile is not mailed."""
    return db.session.scalar(select(Task.state).where(Task.id == notice.cause_id)) == "open"


mail.only_while(WORD, still_open)


def _waiting(brand: Brand) -> list[Task]:
    """What nobody took for some minutes and nobody was called for, the newest first: the longer one waits, the nearer is the team."""
    now = clock.now()
    free = (Task.brand_id == brand.id, among(Task.audience, "community"), among(Task.state, "open", "claimed"), Task.state == "open")
    after = timedelta(minutes=CALL_AFTER.of(brand))
    waits = (Task.opened_at <= now - after, Task.opened_at > now - after - STILL_FRESH, Task.returned_to_id.is_(None), Task.lane != "hostile")
    called = select(Notice.id).where(among(Notice.kind, WORD), Notice.cause_id == Task.id, Notice.brand_id == brand.id).exists()
    return list(db.session.scalars(select(Task).where(*free, *waits, ~called).order_by(Task.opened_at.desc()).limit(at_most(MOST_TASKS))))


def _callable(brand: Brand) -> list[tuple[Advocate, User]]:
    now = clock.now()
    helps = select(Role.id).where(Role.user_id == User.id, Role.brand_id == brand.id, Role.name == "advocate").exists()
    busy = select(Claim.id).where(Claim.user_id == User.id, Claim.brand_id == brand.id, Claim.ended_at.is_(None)).exists()
    seen = select(SignIn.id).where(SignIn.user_id == User.id, SignIn.seen_at > now - SEEN_WITHIN).exists()
    wanted = (
        select(Advocate, User)
        .join(User, User.id == Advocate.user_id)
        .where(Advocate.brand_id == brand.id, Advocate.called_at <= now - AT_MOST_EVERY, User.suspended_at.is_(None), helps, ~busy, seen)
        .where((Advocate.paused_until.is_(None)) | (Advocate.paused_until <= now))
        .order_by(Advocate.called_at)
        .limit(at_most(ASKED))
    )
    return [(advocate, user) for advocate, user in db.session.execute(wanted) if _wishes_it(user)]


def _wishes_it(user: User) -> bool:
    """Not for who wants none, and not at night: in the morning the task is long answered."""
    wishes, now = wishes_of(user), clock.now()
    return wishes.of(KINDS[WORD]) != "never" and wishes.awake(now) == now


def _suits(task: Task, advocate: Advocate, user: User, brand: Brand) -> bool:
    recent = lately(advocate, brand)
    taste = taste_of(advocate, topic_records(user.id, brand.id), recent)
    known = task.category in taste.topics or standing(task.category, taste) == "proven"
    if recent.load.rests or not known or task.lang not in taste.languages or suit(task.lang, task.category, task.lane, bool(task.reopened), taste) <= 0:
        return False
    if db.session.scalar(select(Pass.id).where(Pass.task_id == task.id, Pass.user_id == user.id).limit(1)) is not None:
        return False
    return guidelines.owed(user, brand.id) is None and _answers_calls(user, brand)


def _answers_calls(user: User, brand: Brand) -> bool:
    last = db.session.scalar(select(func.max(Claim.started_at)).where(Claim.user_id == user.id, Claim.brand_id == brand.id))
    calls = select(Notice.at).where(Notice.user_id == user.id, Notice.kind == WORD, Notice.brand_id == brand.id).order_by(Notice.id.desc()).limit(UNANSWERED)
    lately_called = db.session.scalars(calls).all()
    return len(lately_called) < UNANSWERED or (last is not None and last > lately_called[-1])


def _tell(task: Task, user: User) -> None:
    mention = db.session.get_one(Mention, task.mention_id)
    waited = int((clock.now() - task.opened_at).total_seconds() // 60)
    words = f"{mention.author} has waited {waited} min, and it is one of your topics."
    tell(user.id, brand_id=task.brand_id, kind=WORD, cause_id=task.id, text=words, link=f"/tasks/{task.id}", quote=mention.text[:300])
