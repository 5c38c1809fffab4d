"""Outside posts: handing them in, reading them, saying who should answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Given, Listed, Paged, Shown, Words, door, listed
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound
from community.channels import actions as channels
from community.channels.base import Incoming
from community.channels.importing import TEXT_LIMIT, BadPost, channel_of, gone_id, incoming_from
from community.mentions import actions, intake, queries
from community.mentions.models import Decision, Mention

AT_ONCE = 1_000
"""Posts of one request: they are stored in one transaction, which nobody should have to wait for."""
Audience = Literal["set_aside", "community", "triage", "tier_1", "tier_2"]


class ReasonView(Shown):
    text: str
    points: int = 0
    rule: str | None = None


class WordView(Shown):
    """A stretch of the text that drove a signal."""

    signal: str
    start: int
    end: int
    weight: float


class DecisionView(Shown):
    """Who should answer, and the sum of reasons behind it."""

    audience: Audience
    priority: int
    kind: str
    anger: float
    technical: float
    spam: float
    urgency: float
    sentiment: float
    category: str
    tags: list[str]
    reasons: list[ReasonView]
    words: list[WordView]
    policy: str
    classifier: str


class StoredDecision(DecisionView):
    at: datetime
    by: int | None
    """The person who corrected the machine."""


class MentionView(Shown):
    """One outside post. `decision` is for the brand's own people."""

    id: int
    brand: str
    channel: str
    outside_id: str
    conversation_id: int
    in_reply_to: str | None
    author: str
    author_name: str | None
    followers: int | None
    text: str
    lang: str
    url: str | None
    kind: str
    private: bool
    by_brand: bool
    posted_at: datetime
    received_at: datetime
    deleted_at: datetime | None
    decision: StoredDecision | None


class ImportLine(Given):
    """One post, as in a line of `flask mentions import`; `"deleted": true` beside an `id` says that post is gone."""

    model_config = ConfigDict(extra="ignore")

    id: str | int
    text: Annotated[str | None, Field(max_length=TEXT_LIMIT, description="Required, unless the post is gone.")] = None
    author: str | int | None = None
    author_name: str | None = None
    followers: int | None = None
    posted_at: Annotated[str | None, Field(description="ISO 8601")] = None
    in_reply_to: str | int | None = None
    lang: str | None = None
    url: str | None = None
    channel: Annotated[str | None, Field(description="The name of one of the brand's channels; an unknown name becomes a listen-only one.")] = None
    by_brand: bool | None = None
    deleted: bool | None = None
    raw: dict[str, Any] | None = None


class ImportLines(RootModel[ImportLine | Annotated[list[ImportLine | Any], Field(max_length=AT_ONCE)]]):
    """One post, or a list of them. In a list each is looked at alone: a bad one is named in the answer and costs its neighbours nothing."""


class ItemView(Shown):
    """What became of one post. `index` counts from 0; `id` is the mention's, `outside_id` the network's."""

    index: int
    outcome: Literal["stored", "known", "gone", "bad"]
    id: int | None = None
    outside_id: str | None = None
    reason: str | None = None


class ImportView(Shown):
    read: int
    stored: int
    known: int
    bad: int
    routes: dict[str, int]
    items: list[ItemView]


@dataclass
class _Group:
    """What goes to one channel, by outside id, with the places it came from."""

    posts: dict[str, Incoming] = field(default_factory=dict)
    prepared: list[intake.Prepared] = field(default_factory=list)
    places: dict[int, str] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)


@dataclass
class _Parcel:
    brand: Brand
    count: int
    groups: dict[str | None, _Group]
    bad: dict[int, str]


def _unpack(*, by: User, slug: str, body: Any, **_: Any) -> _Parcel:
    """Read, name the language and decide, all before the transaction."""
    with db.transaction(read_only=True):
        brand = scope.brand_of(by, slug, "admin")
    alone = not isinstance(body, list)
    items = [body] if alone else body
    if len(items) > AT_ONCE:
        raise Invalid(f"One request holds at most {AT_ONCE:,} posts; this one holds {len(items):,}.")
    parcel = _Parcel(brand, len(items), {}, {})
    for place, item in enumerate(items):
        try:
            lost, channel = gone_id(item), channel_of(item)
            post = incoming_from(item) if lost is None else None
        except BadPost as error:
            if alone:
                raise Invalid(f"This post can't be used. {error}", field=error.field or None) from None
            parcel.bad[place] = str(error)
            continue
        group = parcel.groups.setdefault(channel, _Group())
        if post is None:
            group.gone[place] = lost or ""
        else:
            group.posts.setdefault(post.ext_id, post)
            group.places[place] = post.ext_id
    for name, group in parcel.groups.items():
        group.prepared = intake.prepare(brand.id, _new(brand, name, list(group.posts.values())))
    return parcel


@door("POST", "/brands/<slug>/mentions", takes=ImportLines, reads="json", gives=ImportView, status=201, also=(200,), think=_unpack)
def import_mentions(*, ready: _Parcel, **_: Any) -> tuple[ImportView, int]:
    """Hand in one post or a list: each is stored once, decided, and opens its task. 200 when nothing was new."""
    items = [ItemView(index=place, outcome="bad", reason=reason) for place, reason in ready.bad.items()]
    total = intake.Received()
    for name, group in ready.groups.items():
        try:
            account = channels.channel_named(ready.brand, name)
        except (Invalid, NotFound) as error:
            reason = error.message if isinstance(error, Invalid) else f"{ready.brand.name} has no channel yet: name one in “channel”."
            items += [ItemView(index=place, outcome="bad", reason=reason) for place in (*group.places, *group.gone)]
            continue
        got = intake.store(account, group.prepared, gone=list(group.gone.values()))
        total += got
        ids = {
            m.ext_id: m.id
            for m in db.session.execute(select(Mention.ext_id, Mention.id).where(Mention.account_id == account.id, Mention.ext_id.in_(list(group.posts))))
        }
        fresh = set(got.mention_ids)
        for place, ext_id in group.places.items():
            outcome: Literal["stored", "known"] = "stored" if ids.get(ext_id) in fresh else "known"
            fresh.discard(ids.get(ext_id, 0))
            items.append(ItemView(index=place, outcome=outcome, id=ids.get(ext_id), outside_id=ext_id))
        items += [ItemView(index=place, outcome="gone", outside_id=ext_id) for place, ext_id in group.gone.items()]
    items.sort(key=lambda item: item.index)
    counted = {outcome: sum(item.outcome == outcome for item in items) for outcome in ("stored", "known", "bad")}
    view = ImportView(read=ready.count, **counted, routes=dict(total.routes), items=items)
    return view, 201 if total.stored else 200


class MentionsAsked(Paged):
    audience: Audience | None = None
    id: Annotated[Words | None, Field(max_length=255, description="The post's id on its network.")] = None


@door("GET", "/mentions", asks=MentionsAsked, gives=Listed[MentionView])
def list_mentions(*, by: User, query: MentionsAsked) -> dict[str, Any]:
    """The brand's mentions, newest first; `audience=triage` is the triage list."""
    brand = scope.brand_of(by, query.brand)
    page = queries.mentions(by, brand, audience=query.audience, ext_id=query.id, limit=query.limit, cursor=query.cursor)
    return listed(page, lambda mention: mention_view(mention, staff=True))


@door("GET", "/mentions/<id:mention_id>", gives=MentionView)
def get_mention(*, by: User, mention_id: int) -> MentionView:
    """One mention with the decision about it."""
    return mention_view(queries.mention_of(by, mention_id), staff=True)


class RerouteGiven(Given):
    audience: Literal["set_aside", "community", "tier_1", "tier_2"]
    reason: Annotated[Words | None, Field(max_length=500)] = None


@door("POST", "/mentions/<id:mention_id>/reroute", takes=RerouteGiven, gives=MentionView)
def reroute_mention(*, by: User, body: RerouteGiven, mention_id: int) -> MentionView:
    """Say who should answer. The task follows, and the correction is kept as a label."""
    mention = queries.mention_of(by, mention_id)
    decision = actions.reroute(mention, body.audience, by=by, reason=body.reason)
    return mention_view(mention, staff=True, decision=decision)


def mention_view(mention: Mention, *, staff: bool, decision: Decision | None = None) -> MentionView:
    """A mention as it is shown: with its decision to the brand's own people only."""
    current = decision or (mention.decision if staff else None)
    return MentionView(
        id=mention.id,
        brand=scope.slug_of(mention.brand_id),
        channel=mention.account.name,
        outside_id=mention.ext_id,
        conversation_id=mention.conversation_id,
        in_reply_to=mention.parent_ext_id,
        author=mention.author,
        author_name=mention.author_name,
        followers=mention.followers,
        text=mention.text,
        lang=mention.lang,
        url=mention.url,
        kind=mention.kind,
        private=mention.private,
        by_brand=mention.by_brand,
        posted_at=mention.posted_at,
        received_at=mention.received_at,
        deleted_at=mention.gone_at,
        decision=_decision_view(current) if current is not None else None,
    )


def _decision_view(decision: Decision) -> StoredDecision:
    return StoredDecision(
        audience=decision.audience,
        priority=decision.priority,
        kind=decision.kind,
        anger=decision.anger,
        technical=decision.technical,
        spam=decision.spam,
        urgency=decision.urgency,
        sentiment=decision.sentiment,
        category=decision.category,
        tags=decision.tags,
        reasons=[ReasonView.model_validate(reason) for reason in decision.reasons],
        words=[WordView(signal=signal, start=start, end=end, weight=weight) for signal, start, end, weight in decision.words],
        policy=decision.policy,
        classifier=decision.classifier,
        at=decision.at,
        by=decision.by_id,
    )


def _new(brand: Brand, name: str | None, posts: list[Incoming]) -> list[Incoming]:
    """The posts worth deciding about: what is stored already need not be read again."""
    try:
        with db.transaction(read_only=True):
            account = channels.existing_channel(brand, name) if name is not None else channels.channel_named(brand, None)
    except NotFound:
        return posts
    return intake.unknown(account, posts)
