"""Signals and a policy make a route. Pure: the same three values always give the same answer."""

from __future__ import annotations

import math

from community.ports import Post, Reason, Route, Signals
from escalation.classifier.predict import READ_LANGUAGES
from escalation.routing.policy import Level, Policy, Rule

MOST_REACH = 3.0


def decide(policy: Policy, post: Post, signals: Signals) -> Route:
    """The first rule that matches gives audience, kind and tags; the priority is the sum of the reasons' points."""
    levels: dict[str, Level] = {name: lines.level(getattr(signals, name)) for name, lines in policy.lines.items()}
    facts = {
        "private": post.private,
        "praise": signals.praise,
        "read": signals.lang in READ_LANGUAGES,
        "empty": not any(character.isalnum() for character in post.text),
    }
    rule = next(rule for rule in policy.rules if _matches(rule, levels, facts, signals))
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


def _matches(rule: Rule, levels: dict[str, Level], facts: dict[str, bool], signals: Signals) -> bool:
    return (
        all(levels[signal] == level for signal, level in rule.levels)
        and all(facts[fact] == value for fact, value in rule.facts)
        and (not rule.topics or any(topic in signals.topics for topic in rule.topics))
    )


def _why(rule: Rule, policy: Policy, signals: Signals) -> Reason:
    details = []
    for signal, level in rule.levels:
        lines, value = policy.lines[signal], getattr(signals, signal)
        if level == "above":
            details.append(f"{signal} {value:.0%}, at or above {lines.high:.0%}")
        elif level == "between":
            details.append(f"{signal} {value:.0%}, between {lines.low:.0%} and {lines.high:.0%}: {lines.reason}")
    if rule.topics:
        details.append(", ".join(topic for topic in signals.topics if topic in rule.topics))
    return Reason(rule.says + (f" ({'; '.join(details)})" if details else ""), 0, rule.name)


def _priority(policy: Policy, post: Post, signals: Signals, levels: dict[str, Level]) -> list[Reason]:
    points = policy.priority
    terms = [
        (f"anger {signals.anger:.0%}", points["anger"] * signals.anger),
        (f"technical {signals.technical:.0%}", points["technical"] * signals.technical),
        (f"urgency {signals.urgency:.0%}" + (f": {', '.join(signals.topics)}" if signals.topics else ""), points["urgency"] * signals.urgency),
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
