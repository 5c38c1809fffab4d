"""The verbs of learning: keep a label, take it back."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from community.mentions.models import Mention
from escalation.learning.evidence import VERDICTS, WEIGHTS, Signal
from escalation.learning.models import Label
from escalation.permissions import RULES

SKIPPED = "skipped"
DRAWN = ("unsure", "random", "second")


def label(mention: Mention, verdict: str, *, by: User, drawn: str | None = None) -> Label:
    """A person's word on a post, or `skip`; the later word of the same person holds. Raises Invalid, Forbidden."""
    RULES.check(by, "label.give", mention)
    if verdict not in VERDICTS and verdict != "skip":
        raise Invalid(f"A label is one of {', '.join(VERDICTS)}, or skip.", field="verdict")
    if drawn is not None and drawn not in DRAWN:
        raise Invalid(f"Drawn is one of {', '.join(DRAWN)}.", field="drawn")
    if mention.by_brand:
        raise Invalid("This is the brand's own post: there is nothing to label.")
    if mention.gone_at is not None:
        raise Conflict("Its author deleted this post: the words are gone.")
    if verdict == "skip":
        row = keep(mention, SKIPPED, {}, by=by, drawn=drawn)
    else:
        angry, technical, service = VERDICTS[verdict]
        row = keep(mention, "labelling", {"angry": angry, "technical": technical, "service_related": service}, by=by, drawn=drawn)
    audit("mention.label", mention, by=by, reason=verdict)
    return row


def take_back(mention: Mention, *, by: User) -> None:
    """The person's own label is gone, and the post may be asked about again. Raises Conflict when there is none."""
    RULES.check(by, "label.give", mention)
    done = db.session.execute(delete(Label).where(Label.mention_id == mention.id, Label.user_id == by.id))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict("You have not labelled this post, or took it back already.")
    audit("mention.unlabel", mention, by=by)
    _changed(mention.brand_id)


def keep(mention: Mention, source: str, signals: Mapping[Signal, bool], *, by: User | None, audience: str | None = None, drawn: str | None = None) -> Label:
    """Write down what a person said, in passing or asked. What somebody thought about is not undone by what they do in passing:
    a lighter source only adds what a heavier one left open."""
    found = select(Label).where(Label.mention_id == mention.id, Label.user_id == by.id if by else Label.user_id.is_(None))
    row = db.session.scalars(found.with_for_update(key_share=True)).one_or_none()
    if row is None:
        row = Label(brand_id=mention.brand_id, mention_id=mention.id, user_id=by.id if by else None, source=source, audience=audience, drawn=drawn)
        row.angry, row.technical, row.service_related, row.at = signals.get("angry"), signals.get("technical"), signals.get("service_related"), clock.now()
        db.session.add(row)
        try:
            db.session.flush()
        except IntegrityError:
            raise Conflict("You labelled this a moment ago in another window.") from None
    elif WEIGHTS.get(source, 0.0) >= WEIGHTS.get(row.source, 0.0):
        row.source, row.at, row.drawn = source, clock.now(), drawn or row.drawn
        row.audience = audience or row.audience
        row.angry, row.technical, row.service_related = signals.get("angry"), signals.get("technical"), signals.get("service_related")
    else:
        row.audience = audience or row.audience
        for signal, value in signals.items():
            if getattr(row, signal) is None:
                setattr(row, signal, value)
    _changed(mention.brand_id)
    return row


def _changed(brand_id: int) -> None:
    db.after_commit(lambda: live.bump(brand_id, "labels"), key=("labels", brand_id))
