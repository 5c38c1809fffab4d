"""A run: labels in, a challenger out, measured, watched in shadow, and put live only if it is better or an admin says so.

`start` queues it, the job `perform` walks it, `keep` (by the clock) ends what died, watches shadows and puts live what has
proved itself. Nothing is computed inside a transaction that writes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import people
from app.accounts.choices import switch, whole
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, at_most, db
from app.kernel.errors import Conflict, Invalid
from app.kernel.queue import enqueue
from app.notices.actions import tell
from community.mentions.models import Decision, Mention
from community.ports import Post
from escalation.classifier import brands, meaning, store
from escalation.classifier.model import BadArtefact
from escalation.classifier.models import BrandModel
from escalation.classifier.predict import predict
from escalation.classifier.second import TooFewLabels, fit
from escalation.learning import drift
from escalation.learning.evidence import SAID, WEIGHTS, Given
from escalation.learning.examples import LabelledPost, Lesson, lesson
from escalation.learning.models import Label, LearningRun, ShadowDifference
from escalation.learning.states import RUN
from escalation.learning.trial import compare
from escalation.permissions import RULES
from escalation.routing.decide import decide
from escalation.routing.lines import policy_of

log = logging.getLogger(__name__)

MOST_LABELS = 20_000
"""Newest labels a run reads: a few seconds of work."""
MOST_WITH_MEANING = 5_000
"""…where an encoder reads each post too, at 25 ms a post: two to four minutes."""
DEAD = timedelta(minutes=10)
"""A run that has said nothing for so long is over."""
SHADOW_BATCH = 500
MOST_DIFFERENCES = 500
"""Posts kept as examples of what would change; the counts go on."""
MOST_CHANGED = 0.25
"""A challenger that would send more of the posts elsewhere than this waits for an admin's word."""
BY_ITSELF_AFTER, BY_ITSELF_FROM = timedelta(days=7), 50
"""By itself the brand learns at most so often, and from so many new labels on."""
HISTORY = 30
REASON = 300
SHADOW_DAYS = whole(
    "learning_shadow_days",
    3,
    least=0,
    most=30,
    unit="days",
    group="Learning",
    label="A better model is watched beside the live one for",
    help="Each post is decided by both, only the live one counts. 0: it goes live as soon as it is measured to be better.",
)
BY_ITSELF = switch(
    "learning_by_itself",
    True,
    group="Learning",
    label="Learn by itself once a week",
    help=f"When at least {BY_ITSELF_FROM} new labels have come, or an update brought another start model. What was learned still has to be better to go live.",
)


def start(brand: Brand, *, by: User | None) -> LearningRun:
    """Ask for a run; one at a time. Raises Forbidden, Conflict."""
    if by is not None:
        RULES.check(by, "learning.decide", brand)
    now = clock.now()
    run = LearningRun(
        brand_id=brand.id,
        state="queued",
        by_id=by.id if by else None,
        at=now,
        step="waiting for a worker",
        done=0,
        beat_at=now,
        shadow_seen=0,
        figures={},
        shadow={},
    )
    db.session.add(run)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("A run is under way already: one at a time.") from None
    audit("learning.start", run, by=by)
    _changed(brand.id)
    return run


def perform(run_id: int) -> None:
    """Walk a queued run to its end. Called twice, the second finds it taken."""
    with db.transaction() as session:
        run = session.get(LearningRun, run_id)
        if run is None or run.state != "queued":
            return
        RUN.move(run, "begin", step="reading labels", done=5, beat_at=clock.now())
        brand = session.get_one(Brand, run.brand_id)
        _changed(brand.id)
    try:
        _learn(run, brand)
    except TooFewLabels as error:
        _fail(run_id, str(error))
    except (BadArtefact, ValueError) as error:
        log.exception("Run %d failed", run_id)
        _fail(run_id, f"It broke: {error}")


def _learn(run: LearningRun, brand: Brand) -> None:
    encoder = meaning.live()
    learned = read(brand.id, MOST_LABELS if encoder is None else MOST_WITH_MEANING)
    _progress(run, "fitting", 30)
    stage = fit(store.live(), learned.teach, encoder, lambda share: _progress(run, "reading what the posts mean", 30 + round(30 * share)))
    _progress(run, "comparing with what is live", 70)
    policy, champion = policy_of(brand.id), brands.live(brand.id)
    trial = compare(learned.test, champion, stage, policy, strict=bool(learned.left_out))
    _progress(run, "looking at how posts are scored", 90)
    figures = {
        **trial.figures,
        **_counts(learned),
        "baseline": drift.scores(brand, stage, drift.SAMPLE if encoder is None else drift.SAMPLE_WITH_MEANING),
        "meaning": stage.deep is not None,
    }
    with db.transaction() as session:
        held = session.get_one(LearningRun, run.id, with_for_update={"key_share": True})
        if held.state != "fitting":
            return  # it was given up meanwhile
        brand = session.get_one(Brand, brand.id)
        row = brands.keep(brand, stage, by=session.get(User, held.by_id) if held.by_id else None, figures={"trial": trial.figures, "run": held.id})
        shadow_days = SHADOW_DAYS.of(brand)
        changes: dict[str, Any] = {"model_id": row.id, "figures": figures, "because": trial.because, "step": "measured", "done": 100, "beat_at": clock.now()}
        if not trial.better:
            RUN.move(held, "refuse", ended_at=clock.now(), **changes)
        else:
            _withdraw_older(brand.id, held.id)
            newest = session.scalar(select(func.max(Mention.id)).where(Mention.brand_id == brand.id)) or 0
            RUN.move(held, "watch", shadow_until=clock.now() + timedelta(days=shadow_days), shadow_seen=newest, **changes)
            if not shadow_days:
                _take(held, by=None, reason="better on the test set")
        _tell_admins(held, _outcome(held))
        _changed(brand.id)


def read(brand_id: int, most: int = MOST_LABELS) -> Lesson:
    """The brand's newest labels as a run takes them. Labels of people who are suspended teach nothing."""
    with db.transaction(read_only=True) as session:
        rows = session.execute(
            select(Label, Mention.text, Mention.lang)
            .join(Mention, Mention.id == Label.mention_id)
            .outerjoin(User, User.id == Label.user_id)
            .where(Label.brand_id == brand_id, among(Label.source, *WEIGHTS), Mention.gone_at.is_(None), User.suspended_at.is_(None))
            .order_by(Label.id.desc())
            .limit(at_most(most))
        ).all()
    texts = {label.mention_id: (text, lang) for label, text, lang in rows}
    plain = predict([Post(text, lang) for text, lang in texts.values()])
    posts = {
        mention_id: LabelledPost(text, lang, signals.anger, signals.technical) for (mention_id, (text, lang)), signals in zip(texts.items(), plain, strict=True)
    }
    given = [Given(label.mention_id, label.user_id, label.source, label.angry, label.technical, label.service_related) for label, _, _ in reversed(rows)]
    return lesson(given, posts)


def put_live(run: LearningRun, *, by: User, reason: str) -> None:
    """An admin's word, with a reason: this model decides from the next post on. Raises Forbidden, Invalid, Conflict."""
    RULES.check(by, "learning.decide", run)
    words = reason.strip()[:REASON]
    if not words:
        raise Invalid("Say in a sentence why it should go live.", field="reason")
    run = db.session.get_one(LearningRun, run.id, with_for_update={"key_share": True}, populate_existing=True)
    _take(run, by=by, reason=words)


def withdraw(run: LearningRun, *, by: User) -> None:
    """No longer watched; its model stays as it is. Raises Forbidden, Conflict."""
    RULES.check(by, "learning.decide", run)
    run = db.session.get_one(LearningRun, run.id, with_for_update={"key_share": True}, populate_existing=True)
    RUN.move(run, "withdraw", ended_at=clock.now(), because="withdrawn by an admin")
    audit("learning.withdraw", run, by=by)
    _changed(run.brand_id)


def back(brand: Brand, *, by: User, reason: str | None = None) -> BrandModel | None:
    """The model before decides again; before the first there was the start model alone (None). Raises Forbidden, Conflict."""
    RULES.check(by, "learning.decide", brand)
    now = db.session.scalars(select(BrandModel).where(BrandModel.brand_id == brand.id, among(BrandModel.state, "live"))).one_or_none()
    if now is None:
        raise Conflict("The start model decides alone: there is nothing to go back to.")
    before = db.session.scalars(
        select(BrandModel)
        .where(BrandModel.brand_id == brand.id, among(BrandModel.state, "former"), BrandModel.live_at < now.live_at)
        .order_by(BrandModel.live_at.desc())
        .limit(1)
    ).one_or_none()
    words = reason.strip()[:REASON] if reason and reason.strip() else "back to the one before"
    if before is None:
        brands.stand_down(brand, by=by, reason="back")
    else:
        kept = before.live_at
        brands.put_live(before, by=by, reason="back")
        # Its place in the line stays, so that a second step back goes further back and not to and fro.
        before.live_at = kept
    log.info("Brand %d went back: %s", brand.id, words)
    _changed(brand.id)
    return before


def runs(brand: Brand) -> Sequence[LearningRun]:
    """Newest first."""
    return db.session.scalars(select(LearningRun).where(LearningRun.brand_id == brand.id).order_by(LearningRun.id.desc()).limit(at_most(HISTORY))).all()


def models(brand: Brand) -> dict[int, BrandModel]:
    """The brand's newest models by id, without their bytes."""
    found = db.session.scalars(select(BrandModel).where(BrandModel.brand_id == brand.id).order_by(BrandModel.id.desc()).limit(at_most(2 * HISTORY)))
    return {row.id: row for row in found}


def outgrown(model: BrandModel) -> bool:
    """Whether this model was learned beside an earlier start model than the one that decides now."""
    return model.start != store.live().version


def queue(run: LearningRun, perform_job: Any) -> None:
    """Ask a worker for it once the row is there; without Redis the clock asks again."""
    db.after_commit(lambda: enqueue(perform_job, run.id, job_id=f"learn-{run.id}"))


def can_take(run: LearningRun) -> bool:
    """Whether an admin's word may put it live."""
    return run.model_id is not None and RUN.can(run.state, "take")


def names(run: LearningRun) -> dict[str, str]:
    """Names of the people its figures speak of, by the id as it stands there."""
    ids = {int(one) for part in ("left_out", "alone", "by_person") for one in run.figures.get(part, {})} | ({run.by_id} if run.by_id else set())
    if not ids:
        return {}
    return {str(row.id): row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def differences(run: LearningRun, limit: int = 20) -> Sequence[tuple[ShadowDifference, Mention]]:
    """Posts the challenger would have sent elsewhere, newest first."""
    found = select(ShadowDifference, Mention).join(Mention, Mention.id == ShadowDifference.mention_id).where(ShadowDifference.run_id == run.id)
    return [(row, mention) for row, mention in db.session.execute(found.order_by(ShadowDifference.id.desc()).limit(at_most(limit)))]


# By the clock


def keep(perform_job: Any) -> None:
    """Queue what waits, end what died, watch shadows, put live what has proved itself, learn by itself. Running twice changes nothing more."""
    with db.transaction(read_only=True) as session:
        alive = session.scalars(select(LearningRun).where(among(LearningRun.state, "queued", "fitting", "shadow")).order_by(LearningRun.id)).all()
    for run in alive:
        if run.state == "queued":
            enqueue(perform_job, run.id, job_id=f"learn-{run.id}")
        elif run.state == "fitting" and clock.now() - run.beat_at > DEAD:
            _fail(run.id, "Its worker died on the way. Nothing was changed: start another.")
        elif run.state == "shadow":
            watch(run.id)
    _learn_by_itself(perform_job)


def watch(run_id: int) -> None:
    """Let the challenger decide what has arrived since, and end the watch when its time is over."""
    while _watch_some(run_id) == SHADOW_BATCH:
        pass
    with db.transaction() as session:
        run = session.get_one(LearningRun, run_id, with_for_update={"key_share": True}, populate_existing=True)
        if run.state != "shadow" or run.shadow_until is None or run.shadow_until > clock.now():
            return
        posts, changed = run.shadow.get("posts", 0), run.shadow.get("changed", 0)
        if posts and changed / posts > MOST_CHANGED:
            if run.step != "waits":
                run.step = "waits"
                _tell_admins(run, f"The watched model would send {changed} of {posts} posts elsewhere: it waits for your word.")
            return
        _take(run, by=None, reason="better on the test set, and watched")
        _tell_admins(run, _outcome(run))


def _watch_some(run_id: int) -> int:
    with db.transaction(read_only=True) as session:
        run = session.get_one(LearningRun, run_id)
        if run.state != "shadow" or run.model_id is None:
            return 0
        first = (
            select(Decision.mention_id, func.min(Decision.id).label("id"))
            .join(Mention, Mention.id == Decision.mention_id)
            .where(Mention.brand_id == run.brand_id, Mention.id > run.shadow_seen)
            .group_by(Decision.mention_id)
            .order_by(Decision.mention_id)
            .limit(at_most(SHADOW_BATCH))
            .subquery()
        )
        rows = session.execute(
            select(Mention, Decision.audience).join(first, first.c.mention_id == Mention.id).join(Decision, Decision.id == first.c.id).order_by(Mention.id)
        ).all()
        if not rows:
            return 0
        stage = brands.read_stage(session.get_one(BrandModel, run.model_id))
    policy = policy_of(run.brand_id)
    posts = [Post(mention.text, mention.lang, mention.followers, mention.private, mention.kind) for mention, _ in rows]
    counts = Counter[str]()
    changed = []
    for (mention, was), post, signals in zip(rows, posts, predict(posts, stage=stage), strict=True):
        would = decide(policy, post, signals).audience
        counts.update([f"live_{was}", f"challenger_{would}"])
        if would != was:
            changed.append(
                {
                    "brand_id": run.brand_id,
                    "run_id": run.id,
                    "mention_id": mention.id,
                    "was": was,
                    "would": would,
                    "anger": signals.anger,
                    "technical": signals.technical,
                }
            )
    with db.transaction() as session:
        held = session.get_one(LearningRun, run_id, with_for_update={"key_share": True}, populate_existing=True)
        if held.state != "shadow" or held.shadow_seen != run.shadow_seen:
            return 0  # another worker was faster
        total = Counter(held.shadow)
        room = MOST_DIFFERENCES - total["changed"]
        total.update({"posts": len(rows), "changed": len(changed), **counts})
        held.shadow, held.shadow_seen = dict(total), rows[-1][0].id
        if room > 0 and changed:
            session.execute(insert(ShadowDifference), changed[:room])
    return len(rows)


def _learn_by_itself(perform_job: Any) -> None:
    since = clock.now() - BY_ITSELF_AFTER
    newest = select(func.max(LearningRun.at)).where(LearningRun.brand_id == Brand.id).scalar_subquery()
    with db.transaction(read_only=True) as session:
        for brand in session.scalars(select(Brand).where((newest < since) | newest.is_(None))).all():
            if not BY_ITSELF.of(brand):
                continue
            last = session.scalar(select(func.max(LearningRun.at)).where(LearningRun.brand_id == brand.id))
            fresh = select(Label.id).where(Label.brand_id == brand.id, among(Label.source, *SAID)).order_by(Label.id.desc()).limit(at_most(BY_ITSELF_FROM))
            if last is not None:
                fresh = fresh.where(Label.at > last)
            if len(session.scalars(fresh).all()) >= BY_ITSELF_FROM or _beside_an_earlier_start(brand):
                break
        else:
            return
    # One brand a tick: the next finds the next.
    with db.transaction() as session:
        queue(start(session.get_one(Brand, brand.id), by=None), perform_job)


def _beside_an_earlier_start(brand: Brand) -> bool:
    """Whether an update of the product brought another start model than the one the brand's live model corrects."""
    was = db.session.scalar(select(BrandModel.start).where(BrandModel.brand_id == brand.id, among(BrandModel.state, "live")))
    try:
        return was is not None and was != store.live().version
    except BadArtefact as error:
        log.error("Nothing can be learned: %s", error)
        return False


def _take(run: LearningRun, *, by: User | None, reason: str) -> None:
    if run.model_id is None:
        raise Conflict("This run made no model.")
    brands.put_live(db.session.get_one(BrandModel, run.model_id), by=by, reason="admin" if by else "better")
    RUN.move(run, "take", ended_at=clock.now(), because=reason)
    audit("learning.take", run, by=by)
    _changed(run.brand_id)


def _withdraw_older(brand_id: int, run_id: int) -> None:
    older = select(LearningRun).where(LearningRun.brand_id == brand_id, among(LearningRun.state, "shadow"), LearningRun.id != run_id)
    for run in db.session.scalars(older.with_for_update(key_share=True)).all():
        RUN.move(run, "withdraw", ended_at=clock.now(), because="a newer one is watched")


def _fail(run_id: int, because: str) -> None:
    with db.transaction() as session:
        run = session.get_one(LearningRun, run_id, with_for_update={"key_share": True}, populate_existing=True)
        if RUN.can(run.state, "fail"):
            RUN.move(run, "fail", ended_at=clock.now(), because=because[:500])
            _tell_admins(run, f"Learning from labels ended early. {because}")
            _changed(run.brand_id)


def _progress(run: LearningRun, step: str, done: int) -> None:
    with db.transaction() as session:
        session.execute(update(LearningRun).where(LearningRun.id == run.id).values(step=step, done=done, beat_at=clock.now()))
        _changed(run.brand_id)


def _counts(learned: Lesson) -> dict[str, Any]:
    return {
        "posts": learned.posts,
        "taught": len(learned.teach),
        "tested": len(learned.test),
        "contested": learned.contested,
        "left_out": {str(person): words for person, words in learned.left_out.items()},
        "alone": {str(person): count for person, count in learned.alone.items()},
        "by_person": {str(person): count for person, count in learned.by_person.items()},
    }


def _outcome(run: LearningRun) -> str:
    if run.state == "taken":
        return f"A model learned from your labels decides now. {run.because}"
    if run.state == "shadow":
        return f"A better model was learned and is watched beside the live one. {run.because}"
    return f"What was learned is not put live. {run.because}"


def _tell_admins(run: LearningRun, words: str) -> None:
    cause = {"shadow": 1, "taken": 2, "refused": 3, "failed": 4}.get(run.state, 0) + 10 * run.id
    for person in people.holders(run.brand_id, "admin", limit=50):
        tell(person.id, brand_id=run.brand_id, kind="learning", cause_id=cause, text=words, link=f"/learning/runs/{run.id}")


def _changed(brand_id: int) -> None:
    db.after_commit(lambda: live.bump(brand_id, "learning"), key=("learning", brand_id))
