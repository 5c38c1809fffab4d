"""What pages show, made of what the rooms know: plain small values, so that templates only place them.

Nothing here asks the database, and nothing is ever markup: a marked word is a piece of text with a name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.kernel import clock
from app.web.zone import here, reader_zone
from community.channels.models import ChannelAccount
from community.channels.registry import kinds, name_of
from community.mentions.models import Mention
from escalation.sla import due
from escalation.sla.due import ClockView, span

MARKS = {"anger": "", "technical": "t", "spam": "p", "stop": "p"}
"""How a word that drove a signal is underlined: solid, dotted, dashed."""
COUNTS = 0.4
"""From here a probability is worth a mark; the policy's own lines decide where the post goes."""
STRONG = 0.02
"""Words that weighed less than this share are not marked: underlining everything says nothing."""
LANGUAGES = {
    "en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文", "ja": "日本語", "ko": "한국어", "de": "Deutsch", "fr": "Français",
    "es": "Español", "pt": "Português", "it": "Italiano", "nl": "Nederlands", "und": "language unknown",
}  # fmt: skip
NAMES_OF_OTHERS = {
    "af": "Afrikaans", "am": "አማርኛ", "ar": "العربية", "be": "Беларуская", "bg": "Български", "bn": "বাংলা", "ca": "Català", "cs": "Čeština",
    "da": "Dansk", "el": "Ελληνικά", "et": "Eesti", "fa": "فارسی", "fi": "Suomi", "gu": "ગુજરાતી", "he": "עברית", "hi": "हिन्दी", "hr": "Hrvatski",
    "hu": "Magyar", "hy": "Հայերեն", "id": "Bahasa Indonesia", "ka": "ქართული", "kk": "Қазақша", "km": "ខ្មែរ", "kn": "ಕನ್ನಡ", "lo": "ລາວ",
    "lt": "Lietuvių", "lv": "Latviešu", "mk": "Македонски", "ml": "മലയാളം", "mn": "Монгол", "mr": "मराठी", "ms": "Bahasa Melayu", "my": "မြန်မာ",
    "ne": "नेपाली", "no": "Norsk", "or": "ଓଡ଼ିଆ", "pa": "ਪੰਜਾਬੀ", "pl": "Polski", "ro": "Română", "ru": "Русский", "si": "සිංහල", "sk": "Slovenčina",
    "sl": "Slovenščina", "sq": "Shqip", "sr": "Српски", "sv": "Svenska", "sw": "Kiswahili", "ta": "தமிழ்", "te": "తెలుగు", "th": "ไทย",
    "tl": "Filipino", "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt",
}  # fmt: skip
"""What else posts are found to be written in."""
CATEGORIES = {
    "question": "Question", "how_to": "How to", "complaint": "Complaint", "billing": "Billing", "delivery": "Delivery", "account": "Account",
    "technical": "Technical", "outage": "Outage", "praise": "Thank-you", "feature_request": "Wish", "other": "Other",
}  # fmt: skip
AUDIENCES = {"set_aside": "set aside", "community": "the community", "triage": "a person decides", "tier_1": "tier 1", "tier_2": "tier 2"}
SOURCES = {
    "labelling": "labelled", "triage": "decided in triage", "reroute": "sent elsewhere", "flag": "decided a flag", "case": "closed the case",
    "outcome": "the author came back angrier",
}  # fmt: skip
"""Where a label comes from."""
ROLE_WORDS = {
    "advocate": "Advocate", "moderator": "Moderator", "tier_1": "Tier 1", "tier_2": "Tier 2", "analyst": "Analyst", "admin": "Brand admin", "owner": "Owner",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """The network as a letter in a box with its name."""

    mark: str
    name: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `mark` is None for plain words, else the class of its underline."""

    text: str
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of a revision: `same`, `ins` or `del`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Post:
    """One outside post (or, `ours`, a reply of ours in the thread) as a bubble shows it."""

    id: int
    who: str
    handle: str
    initials: str
    at: datetime
    pieces: tuple[Piece, ...]
    lang: str
    url: str | None
    channel: Channel
    private: bool
    gone: bool
    ours: bool
    followers: int | None


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise as the lists show it. `share` is what is left, in percent."""

    state: str
    tone: str
    icon: str
    words: str
    share: int
    due_at: datetime
    sum: tuple[tuple[str, str], ...]


def channel(account: ChannelAccount) -> Channel:
    """Its letter is the network's own; a channel we only listen to, or of an unknown kind, shows its first."""
    kind = kinds().get(account.kind) if account.kind != "by_hand" else None
    return Channel(kind.pack.mark if kind else account.name[:1].upper(), name_of(account))


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a post's story."""

    at: datetime
    icon: str
    what: str
    details: tuple[str, ...] = ()


def post(mention: Mention, *, marked: bool = False, faint: bool = False) -> Post:
    """`marked`: underline the words that drove the decision (needs the decision loaded); `faint`: also those of signals that did not count."""
    decision = mention.decision if marked else None
    name = "Our answer" if mention.by_brand else mention.author_name or mention.author_handle or "Somebody"
    return Post(
        id=mention.id,
        who=name,
        handle=mention.author if mention.author_handle and mention.author_name and not mention.by_brand else "",
        initials="✓" if mention.by_brand else initials(name),
        at=mention.posted_at,
        pieces=pieces(mention.text, decision.words if decision and faint else driving(decision) if decision else ()),
        lang=mention.lang,
        url=link(mention.url),
        channel=channel(mention.account),
        private=mention.private,
        gone=mention.gone_at is not None,
        ours=mention.by_brand,
        followers=mention.followers,
    )


def driving(decision: Any) -> list[Sequence[Any]]:
    """The words of the signals that counted: marks on a calm post would accuse it of nothing."""
    strength = {"anger": decision.anger, "technical": decision.technical, "spam": decision.spam}
    return [word for word in decision.words if strength.get(word[0], 0) >= COUNTS]


def piece(text: str, most: int = 160) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def story_of(mention: Mention, decisions: Sequence[Any], voices: Sequence[Any]) -> list[Step]:
    """What was seen and said of a post, in order: the machine's decision, each later one, and every label."""
    first, *later = decisions
    steps = [Step(mention.received_at, "inbox", "It came in"), Step(first.at, "route", f"The machine sent it to {AUDIENCES[first.audience]}", _why(first))]
    for decision in later:
        last = decision.reasons[-1]["text"] if decision.reasons else ""
        steps.append(Step(decision.at, "undo-2" if decision.by_id else "clock", f"It went to {AUDIENCES[decision.audience]}", (last,) if last else ()))
    for voice in voices:
        words = [name for name, value in (("angry", voice.angry), ("technical", voice.technical)) if value]
        words += [f"not {name}" for name, value in (("angry", voice.angry), ("technical", voice.technical)) if value is False]
        words += ["not for us"] if voice.service_related is False else []
        steps.append(
            Step(voice.at, "user-round", f"{voice.name}: {', '.join(words) or 'for us'}", (SOURCES.get(voice.source, voice.source).capitalize() + ".",))
        )
    return sorted(steps, key=lambda step: step.at)


def _why(decision: Any) -> tuple[str, ...]:
    return tuple(reason["text"] for reason in decision.reasons)


def drove(decision: Any, text: str, most: int = 3) -> str:
    """Why a post is where it is, in a line with the words that weighed most: `Angry 0.94: “third”, “a joke”.`"""
    parts = []
    for signal, name, strength in (("anger", "Angry", decision.anger), ("technical", "Technical", decision.technical)):
        if strength < COUNTS:
            continue
        weighed = sorted((word for word in decision.words if word[0] == signal and 0 <= word[1] < word[2] <= len(text)), key=lambda word: -word[3])
        quoted = ", ".join(f"“{text[start:end]}”" for _, start, end, _ in weighed[:most] if any(c.isalnum() for c in text[start:end]))
        parts.append(f"{name} {strength:.2f}{': ' + quoted if quoted else ''}.")
    return " ".join(parts)


def pieces(text: str, words: Iterable[Sequence[Any]] = ()) -> tuple[Piece, ...]:
    """Cut a text at the offsets `[signal, start, end, weight]`; where marks overlap the first stands."""
    out: list[Piece] = []
    at = 0
    for signal, start, end, weight in sorted(words, key=lambda word: (word[1], -word[2])):
        if not at <= start < end <= len(text) or weight < STRONG or signal not in MARKS or not any(c.isalnum() for c in text[start:end]):
            continue
        if start > at:
            out.append(Piece(text[at:start]))
        out.append(Piece(text[start:end], MARKS[signal]))
        at = end
    if at < len(text) or not out:
        out.append(Piece(text[at:]))
    return tuple(out)


def changes(before: str, after: str) -> tuple[Change, ...]:
    """What was taken out and put in, word by word (character by character where a script has no spaces)."""
    old, new = _words(before), _words(after)
    out: list[Change] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            out.append(Change("same", "".join(new[c:d])))
            continue
        if b > a:
            out.append(Change("del", "".join(old[a:b])))
        if d > c:
            out.append(Change("ins", "".join(new[c:d])))
    return tuple(out)


def clock_of(view: ClockView | None) -> Clock | None:
    """A promise in words and a tone."""
    if view is None:
        return None
    total = (view.due_at - view.started_at).total_seconds() or 1
    share = max(0, min(100, round(100 * view.left.total_seconds() / total)))
    met = here(view.met_at) if view.met_at else None
    sum_ = due.view(started_at=here(view.started_at), minutes=view.minutes, due_at=here(view.due_at), now=clock.now(), met_at=met).sum
    if view.state == "met":
        words = f"met, {span(view.met_at - view.started_at)} of {view.minutes} min" if view.met_at else "met"
        return Clock("met", "ok", "check", words, 100, view.due_at, sum_)
    if view.state == "missed":
        return Clock("missed", "bad", "octagon-alert", f"missed by {span(abs(view.left))}", 100, view.due_at, sum_)
    tone, icon = ("warn", "triangle-alert") if view.state == "at_risk" else ("ok", "clock")
    return Clock(view.state, tone, icon, f"{span(view.left)} left", share, view.due_at, sum_)


def priority(points: int) -> tuple[str, str, str]:
    """(word, tone, icon) of a priority sum."""
    if points >= 60:
        return "Urgent", "bad", "chevrons-up"
    if points >= 30:
        return "High", "warn", "chevron-up"
    return "Normal", "", "minus"


def ago(at: datetime, now: datetime | None = None) -> str:
    """`just now`, `12 min`, `1 h 38`, then the day; moments to come as `in 12 min`."""
    length = (now or clock.now()) - at
    if length < timedelta(0):
        return f"in {span(-length)}" if length > timedelta(days=-1) else time_of_day(at)
    if length < timedelta(seconds=45):
        return "just now"
    if length < timedelta(hours=24):
        minutes = max(1, int(length.total_seconds() // 60))
        return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} ago" if minutes % 60 else f"{minutes // 60} h ago"
    if length < timedelta(hours=48):
        return "yesterday"
    at = here(at)
    return f"{at.day} {at:%b}" if length < timedelta(days=300) else f"{at.day} {at:%b %Y}"


def exact(at: datetime) -> str:
    """For the tooltip and screen readers."""
    at = here(at)
    return f"{at.day} {at:%B %Y, %H:%M:%S %Z}"


def time_of_day(at: datetime) -> str:
    """By the reader's clock, with its date where it isn't today's; says that it is UTC where nobody told us theirs."""
    at = here(at)
    words = f"{at:%H:%M}" if at.date() == here(clock.now()).date() else f"{at.day} {at:%b %H:%M}"
    return words if reader_zone() else f"{words} UTC"


def seconds_left(at: datetime | None) -> int:
    return max(0, int((at - clock.now()).total_seconds())) if at else 0


def initials(name: str) -> str:
    """Two letters, or one where the script has no words."""
    parts = [part for part in re.split(r"[\s._-]+", name.lstrip("@")) if part]
    if not parts:
        return "?"
    if ord(parts[0][0]) > 0x2E7F:
        return parts[0][0]
    return (parts[0][:1] + parts[-1][:1]).upper() if len(parts) > 1 else parts[0][:2].upper()


def link(url: str | None) -> str | None:
    """An outside address that may be linked: http or https with a host; anything else stays text."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def signed(points: int) -> str:
    """`+14`, `−14` with a real minus."""
    return f"+{points:,}" if points >= 0 else f"−{-points:,}"


def weight(value: float) -> str:
    """`+0.42`, `−1.30` with a real minus: how much something spoke for or against."""
    return f"{value:+.2f}".replace("-", "−")


def counted(n: int, one: str, many: str | None = None) -> str:
    """`1 post`, `2 posts`, `1,204 posts`; `many` where an s does not make it."""
    return f"{number(n)} {one if n == 1 else many or f'{one}s'}"


def word(code: str) -> str:
    """A stored code as a word: `how_to` is "how to"."""
    return code.replace("_", " ")


def category(code: str) -> str:
    return CATEGORIES.get(code, word(code).capitalize())


def language(code: str) -> str:
    return LANGUAGES.get(code) or NAMES_OF_OTHERS.get(code, code)


FILTERS = {
    "ago": ago, "exact": exact, "clock_time": time_of_day, "seconds_left": seconds_left, "initials": initials,
    "number": number, "signed": signed, "weight": weight, "counted": counted,
    "word": word, "category": category, "language": language, "span": span, "audience": lambda code: AUDIENCES.get(code, word(code)),
    "role": lambda code: ROLE_WORDS.get(code, word(code)), "source": lambda code: SOURCES.get(code, word(code)),
}  # fmt: skip


def _words(text: str) -> list[str]:
    return re.findall(r"[⺀-鿿가-힯぀-ヿ]|[^\s⺀-鿿가-힯぀-ヿ]+\s*|\s+", text)
