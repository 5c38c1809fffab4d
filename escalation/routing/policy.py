"""The routing policy as checked, frozen data: two lines for each signal, the terms of priority, ordered rules."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

from community.ports import Audience, TaskKind
from escalation.classifier.lexicon import TOPICS

DEFAULT = Path(__file__).parent / "policy.toml"

Level = Literal["above", "between", "below"]
SIGNALS = ("anger", "technical", "spam")
FACTS = ("private", "praise", "read", "empty")
TERMS = ("anger", "technical", "urgency", "both", "reach", "reach_from", "private", "praise")


class BadPolicy(Exception):
    """One sentence: where the policy is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Above `high` at once, between a person decides, below `low` not. `cost`: needless escalations one miss is worth."""

    low: float
    high: float
    cost: float
    reason: str

    def level(self, probability: float) -> Level:
        return "above" if probability >= self.high else "between" if probability >= self.low else "below"


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches when every condition does; an absent condition is no condition."""

    name: str
    says: str
    audience: Audience
    kind: TaskKind = "answer"
    tags: tuple[str, ...] = ()
    levels: tuple[tuple[str, Level], ...] = ()
    facts: tuple[tuple[str, bool], ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """`version` is the policy's date and the first eight digits of its content's hash."""

    version: str
    lines: Mapping[str, Lines]
    priority: Mapping[str, float]
    rules: tuple[Rule, ...]


def load(path: Path = DEFAULT) -> Policy:
    """Read a policy file. Raises BadPolicy with one sentence."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadPolicy(f"The policy {path.name} cannot be read: {error.strerror}.") from None
    return parse(raw)


def parse(raw: bytes) -> Policy:
    """A policy from its TOML text. Raises BadPolicy with one sentence."""
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPolicy(f"The policy is not valid TOML: {error}.") from None
    made = table.get("date")
    if not isinstance(made, date):
        raise BadPolicy("The policy needs a date such as 2026-11-22.")
    version = f"{made.isoformat()}-{hashlib.sha256(raw).hexdigest()[:8]}"
    lines = {signal: _lines(signal, _table(_table(table, "lines"), signal)) for signal in SIGNALS}
    priority = _table(table, "priority")
    for term in TERMS:
        if _number(priority.get(term)) is None:
            raise BadPolicy(f"priority.{term} must be a number.")
    rules = table.get("rules")
    if not isinstance(rules, list) or not rules:
        raise BadPolicy("The policy needs at least one rule.")
    parsed = tuple(_rule(rule, place) for place, rule in enumerate(rules, 1))
    names = [rule.name for rule in parsed]
    if len(set(names)) != len(names):
        raise BadPolicy("Two rules have the same name.")
    last = parsed[-1]
    if last.levels or last.facts or last.topics:
        raise BadPolicy(f"The last rule, {last.name}, must match everything: when = {{}}.")
    _keep_private_posts_with_staff(parsed)
    return Policy(version, lines, {term: float(priority[term]) for term in TERMS}, parsed)


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy that ships with the product."""
    return load(DEFAULT)


def _keep_private_posts_with_staff(rules: tuple[Rule, ...]) -> None:
    """However the rules are ordered, a private message ends at tier 1 or tier 2: refused here, not hoped for."""
    for rule in rules:
        facts = dict(rule.facts)
        if rule.audience in ("tier_1", "tier_2"):
            if facts == {"private": True} and not rule.levels and not rule.topics:
                return
        elif facts.get("private") is not False:
            raise BadPolicy(f"Rule {rule.name} would send a private message to {rule.audience}: put a rule for private messages before it.")
    raise BadPolicy("No rule sends private messages to staff.")


def _lines(signal: str, table: Mapping[str, Any]) -> Lines:
    low, high, cost = (_number(table.get(name)) for name in ("low", "high", "cost"))
    reason = table.get("reason")
    if low is None or high is None or not 0 <= low <= high <= 1:
        raise BadPolicy(f"lines.{signal} needs 0 <= low <= high <= 1.")
    if cost is None or cost <= 0 or not isinstance(reason, str) or not reason:
        raise BadPolicy(f"lines.{signal} needs a cost above 0 and its reason.")
    return Lines(low, high, cost, reason)


def _rule(table: object, place: int) -> Rule:
    if not isinstance(table, dict):
        raise BadPolicy(f"Rule {place} is not a table.")
    name, says = table.get("name"), table.get("says")
    if not (isinstance(name, str) and name and isinstance(says, str) and says):
        raise BadPolicy(f"Rule {place} needs a name and what it says.")
    if unknown := set(table) - {"name", "says", "when", "audience", "kind", "tags"}:
        raise BadPolicy(f"Rule {name} has an unknown part: {sorted(unknown)[0]}.")
    audience, kind, tags, when = table.get("audience"), table.get("kind", "answer"), table.get("tags", []), table.get("when")
    if audience not in get_args(Audience):
        raise BadPolicy(f"Rule {name} needs an audience out of {', '.join(get_args(Audience))}.")
    if kind not in get_args(TaskKind):
        raise BadPolicy(f"Rule {name} needs a kind out of {', '.join(get_args(TaskKind))}.")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadPolicy(f"Rule {name} needs a list of words as tags.")
    if not isinstance(when, dict):
        raise BadPolicy(f"Rule {name} needs a table `when`, empty to match everything.")
    levels: list[tuple[str, Level]] = []
    facts: list[tuple[str, bool]] = []
    topics: tuple[str, ...] = ()
    for key, value in when.items():
        if key in SIGNALS and value in get_args(Level):
            levels.append((key, value))
        elif key in FACTS and isinstance(value, bool):
            facts.append((key, value))
        elif key == "topics" and isinstance(value, list) and value and set(value) <= set(TOPICS):
            topics = tuple(value)
        else:
            raise BadPolicy(f"Rule {name} has a condition that nothing understands: {key} = {value!r}.")
    return Rule(name, says, cast(Audience, audience), cast(TaskKind, kind), tuple(tags), tuple(levels), tuple(facts), topics)


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    if not isinstance(found, dict):
        raise BadPolicy(f"The policy needs a table {name}.")
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None
