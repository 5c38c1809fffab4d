"""Policy packs: each network's rules as a dated data file, `pack.toml` in the channel's folder.

Rules change without asking us, so a pack says when it was last read and when it is stale, and everything that
depends on a network's rule (who may reply and how, length, rewards, disclosure) asks the pack, not code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from community.channels.base import Incoming, Sender, Verdict, Voice

Way = Literal["api", "by_hand", "no"]
Counting = Literal["characters"]
COUNTERS: dict[Counting, Callable[[str], int]] = {"characters": len}
"""How networks count: `characters` are Unicode code points."""

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Pack:
    """One network's rules. Sentences named `…_rule` are quoted to people as the reason."""

    kind: str
    name: str
    mark: str
    """One or two letters in a box stand for the channel."""
    as_of: date
    stale_after: timedelta
    source: str
    """Where the rules were read."""
    max_length: int
    counting: Counting
    ways: dict[Voice, Way]
    """How each voice's reply gets out."""
    reply_rule: str
    window: timedelta | None
    """After a post, how long it may be answered."""
    folds_after: int | None
    """Characters after which the network hides the rest of a text behind a press; none where it shows all."""
    rewards: Literal["points", "recognition", "nothing"]
    """The most that may be given for posting a reply there."""
    rewards_rule: str
    links: bool
    disclosure: Literal["plain", "rewarded"]
    disclosure_field: str | None
    ai_drafts: bool
    redact_within: timedelta
    """How soon after a post was deleted there its text must be gone here."""
    read_back_lag: timedelta


@cache
def load(folder: str) -> Pack:
    """The pack of one channel folder. Raises ValueError naming the file and the field that is wrong."""
    path = _HERE / folder / "pack.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        pack = _pack(folder, data)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if pack.counting not in COUNTERS or pack.max_length < 1 or {*pack.ways.values()} - {"api", "by_hand", "no"}:
        raise ValueError(f"{path}: an unknown counting, length or way to reply")
    return pack


def stale(pack: Pack, today: date) -> bool:
    """Should somebody read the network's rules again?"""
    return today > pack.as_of + pack.stale_after


def length(pack: Pack, text: str) -> int:
    """As the network counts."""
    return COUNTERS[pack.counting](text)


def verdict(pack: Pack, m: Incoming, sender: Sender, now: datetime, *, connected: bool) -> Verdict:
    """May this sender answer this post, and how? `connected`: we hold a way to post there. Pure."""
    if m.author.is_ours:
        return Verdict("no", "This post is the brand's own.")
    if m.private and sender.voice == "own":
        return Verdict("no", "A private message is answered by the brand only.")
    if pack.window is not None and m.created_at is not None and now > m.created_at + pack.window:
        return Verdict("no", f"{pack.name} takes replies within {_span(pack.window)} of a post. {pack.reply_rule}".strip())
    way = pack.ways[sender.voice]
    if way == "no":
        return Verdict("no", pack.reply_rule)
    if way == "api" and connected:
        return Verdict("allowed")
    return Verdict("by_hand", pack.reply_rule if way == "by_hand" else "No way to post by ourselves is set up here.", m.url)


def disclosure(pack: Pack, sender: Sender, lang: str | None) -> str | None:
    """The sentence that an own-voice reply must carry; none in the brand's voice."""
    if sender.voice != "own":
        return None
    sentences = _sentences()[pack.disclosure]
    return sentences[_nearest(lang, sentences)].format(brand=sender.brand_name)


def receipt_line(address: str, lang: str | None) -> str:
    """The sentence that leads to a reply's receipt, on a line of its own."""
    sentences = _sentences()["receipt"]
    return sentences[_nearest(lang, sentences)].format(address=address)


def with_disclosure(text: str, sentence: str | None, folds_after: int | None = None) -> str:
    """The text with the sentence on a line of its own, once: the last, or the first where the network shows only the
    beginning of a text this long. An author who wrote the line already is not made to say it twice; words that only end
    in it ("it is not true that …") are no disclosure."""
    if sentence is None:
        return text
    said = "\n".join(line for line in text.split("\n") if line.strip() != sentence).strip()
    whole = f"{said}\n{sentence}" if said else sentence
    return whole if folds_after is None or len(whole) <= folds_after else f"{sentence}\n{said}"


def _pack(kind: str, data: dict[str, Any]) -> Pack:
    reply, length_, rewards = data["reply"], data["length"], data["rewards"]
    window = reply.get("window_hours")
    return Pack(
        kind=kind,
        name=str(data["name"]),
        mark=str(data["mark"]),
        as_of=date.fromisoformat(str(data["as_of"])),
        stale_after=timedelta(days=data["stale_after_days"]),
        source=str(data["source"]),
        max_length=int(length_["max"]),
        counting=length_["counting"],
        ways={"brand": reply["brand"], "own": reply["own"]},
        reply_rule=str(reply["rule"]),
        window=None if window is None else timedelta(hours=window),
        folds_after=length_.get("folds_after"),
        rewards=rewards["posting"],
        rewards_rule=str(rewards["rule"]),
        links=bool(data["links"]["allowed"]),
        disclosure=data["disclosure"]["own"],
        disclosure_field=data["disclosure"].get("field"),
        ai_drafts=bool(data["ai_drafts"]["allowed"]),
        redact_within=timedelta(hours=data["deletion"]["redact_within_hours"]),
        read_back_lag=timedelta(seconds=reply["read_back_lag_seconds"]),
    )


@cache
def _sentences() -> dict[str, dict[str, str]]:
    return tomllib.loads((_HERE / "disclosure.toml").read_text(encoding="utf-8"))


def _nearest(lang: str | None, known: dict[str, str]) -> str:
    if lang in known:
        return str(lang)
    main = (lang or "").split("-")[0].lower()
    if main == "zh":
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(str(lang).lower().split("-")) else "zh-Hans"
    return main if main in known else "en"


def _span(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"
