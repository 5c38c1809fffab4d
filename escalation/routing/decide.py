"""Signals and a policy make a route. Pure: the same three values always give the same answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from community.ports import Audience, Post, Reason, Route, Signals
from escalation.classifier.predict import READ_LANGUAGES
from escalation.routing.policy import Level, Policy, Rule

MOST_REACH = 3.0


def decide(policy: Policy, post: Post, signals: Signals) -> Route:
    """The first rule that matches gives audience, kind and tags; the priority is the sum of the reasons' points."""
    levels, facts = _levels(policy, signals), _facts(post, signals)
    rule = _rule(policy, levels, facts, signals.topics)
    reasons = (_why(rule, policy, signals), *_priority(policy, post, signals, levels))
    tags = tuple(dict.fromkeys((*rule.tags, *signals.topics)))
    return Route(
        audience=rule.audience,
        priority=sum(reason.points for reason in reasons),
        kind=rule.kind,
        reasons=reasons,
        signals=signals,
        tags=tags,
        policy=policy.version,
    )


def audience_by(policy: Policy) -> Callable[[Post, Signals], Audience]:
    """Where `decide` would send a post, without its reasons, for walking through many: what decides alike is decided once."""
    known: dict[tuple[Any, ...], Audience] = {}

    def audience(post: Post, signals: Signals) -> Audience:
        levels, facts = _levels(policy, signals), _facts(post, signals)
        key = (*levels.values(), *facts.values(), signals.topics)
        found = known.get(key)
        if found is None:
            found = known[key] = _rule(policy, levels, facts, signals.topics).audience
        return found

    return audience


def _levels(policy: Policy, signals: Signals) -> dict[str, Level]:
    return {name: lines.level(getattr(signals, name)) for name, lines in policy.lines.items()}


def _facts(post: Post, signals: Signals) -> dict[str, bool]:
    return {
        "private": post.private,
        "praise": signals.praise,
        "read": signals.lang in READ_LANGUAGES,
        "empty": not any(character.isalnum() for character in post.text),
    }


def _rule(policy: Policy, levels: dict[str, Level], facts: dict[str, bool], topics: tuple[str, ...]) -> Rule:
    return next(rule for rule in policy.rules if _matches(rule, levels, facts, topics))


def _matches(rule: Rule, levels: dict[str, Level], facts: dict[str, bool], topics: tuple[str, ...]) -> bool:
    return (
        all(levels[signal] == level for signal, level in rule.levels)
        and all(facts[fact] == value for fact, value in rule.facts)
        and (not rule.topics or any(topic in topics for topic in rule.topics))
    )


def _why(rule: Rule, policy: Policy, signals: Signals) -> Reason:
    details = []
    for signal, level in rule.levels:
        lines, value = policy.lines[signal], getattr(signals, signal)
        if level == "above":
            details.append(f"{signal} {_share(value)}, at or above {_share(lines.high)}")
        elif level == "between":
            details.append(f"{signal} {_share(value)}, between {_share(lines.low)} and {_share(lines.high)}: {lines.reason}")
    if rule.topics:
        details.append(", ".join(topic for topic in signals.topics if topic in rule.topics))
    return Reason(rule.says + (f" ({'; '.join(details)})" if details else ""), 0, rule.name)


def _priority(policy: Policy, post: Post, signals: Signals, levels: dict[str, Level]) -> list[Reason]:
    points = policy.priority
    terms = [
        (f"anger {_share(signals.anger)}", points["anger"] * signals.anger),
        (f"technical {_share(signals.technical)}", points["technical"] * signals.technical),
        (f"urgency {_share(signals.urgency)}" + (f": {', '.join(signals.topics)}" if signals.topics else ""), points["urgency"] * signals.urgency),
    ]
    if levels["anger"] == levels["technical"] == "above":
        terms.append(("angry and technical at once", points["both"]))
    if post.followers and post.followers >= points["reach_from"] > 0:
        powers = min(MOST_REACH, 1 + math.log10(post.followers / points["reach_from"]))
        terms.append((f"{post.followers:,} followers", points["reach"] * powers))
    if post.private:
        terms.append(("a private message", points["private"]))
    if signals.praise:
        terms.append(("praise can wait", points["praise"]))
    return [Reason(text, rounded) for text, value in terms if (rounded := round(value))]


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"
