"""Who should answer a text, without storing it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Slug, Words, door
from app.api.mentions import DecisionView, ReasonView, WordView
from community.channels.importing import FOLLOWERS_LIMIT, TEXT_LIMIT
from community.mentions.text import languages, readable
from community.ports import Post, ports


class DecideGiven(Given):
    text: Annotated[Words, Field(min_length=1, max_length=TEXT_LIMIT)]
    lang: Annotated[Words | None, Field(max_length=16, description="Where it is known; else it is told from the text.")] = None
    followers: Annotated[int | None, Field(ge=0, le=FOLLOWERS_LIMIT)] = None
    private: bool = False
    brand: Annotated[Slug | None, Field(description="The brand's slug; one's only brand is the default.")] = None


class TriedView(DecisionView):
    lang: str
    topics: list[str]


@door("POST", "/decide", takes=DecideGiven, gives=TriedView, within="read", limit="decide")
def decide(*, by: User, body: DecideGiven) -> dict[str, Any]:
    """Route a text by the brand's policy as it stands; nothing is stored."""
    brand = scope.brand_of(by, body.brand, *scope.READS)
    lang = languages([readable(body.text)], [body.lang])[0]
    route = ports.triage.route(brand.id, [Post(text=body.text, lang=lang, followers=body.followers, private=body.private)])[0]
    signals = route.signals
    return {
        "audience": route.audience,
        "priority": route.priority,
        "kind": route.kind,
        "tags": list(route.tags),
        "reasons": [ReasonView.model_validate(reason) for reason in route.reasons],
        "words": [WordView.model_validate(word) for word in signals.words],
        "policy": route.policy,
        "lang": lang,
        "topics": list(signals.topics),
        **{name: getattr(signals, name) for name in ("anger", "technical", "spam", "urgency", "sentiment", "category", "classifier")},
    }
