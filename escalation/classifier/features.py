"""From a text to what can be counted: tokens with their place, phrases that mean something, and the surface.

One pass over the text serves every model and every rule. Handles, links and digits are masked, so that no
model learns a name; emoji, ! and ? stay. Places are offsets into the text as it was handed in.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from escalation.classifier.lexicon import ANGRY_EMOJI, BY_FIRST_CHARACTER, HAPPY_EMOJI, LAUGHING_EMOJI, SAD_EMOJI, Entry, entries_for, hints_for

# The order is part of a trained artefact: a model's coefficients for these follow those of its vocabulary.
SURFACE = ("shouting", "shouted_words", "exclamation", "question", "stretched", "angry_emoji", "happy_emoji", "sad_emoji", "laughing_emoji",
           "anger_words", "swearing", "technical_words", "praise_words", "polite", "stuck", "disappointed", "negation", "sarcasm")  # fmt: skip

NEGATIONS = frozenset(
    {
        "no", "not", "never", "cannot", "can't", "cant", "won't", "wont", "don't", "dont", "doesn't", "doesnt", "didn't", "didnt", "isn't",
        "isnt", "wasn't", "aren't", "couldn't", "wouldn't", "nothing", "nobody", "without", "不", "没", "沒", "無", "唔", "冇",
    }
)  # fmt: skip

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebef"
_HIDDEN = "\u00ad\u200b-\u200d\u2060\ufeff"
_LETTER = f"[^\\W\\d_{_CJK}]"
_IN_WORD = f"(?:[^\\W{_CJK}]|[{_HIDDEN}\u0300-\u036f])"
_EMOJI = "[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
# Every repetition is bounded or runs over one class, so no text makes this slow.
_TOKEN = re.compile(
    "|".join(
        (
            r"(?P<link>https?://\S+|www\.\S+)",
            r"(?P<handle>[@＠][\w.]{1,60})",
            r"(?P<spaced>(?<!\w)[A-Za-z](?:[ .\-*_][A-Za-z]){3,29}(?!\w))",
            f"(?P<airy>(?<![{_CJK}])[{_CJK}](?: [{_CJK}]){{2,29}}(?![{_CJK}]))",
            f"(?P<word>{_LETTER}(?:{_IN_WORD}|[-'’`$](?={_LETTER})|\\*{{1,4}}(?={_LETTER}))*)",
            f"(?P<han>[{_CJK}]+)",
            r"(?P<number>\d[\d.,:/]{0,40}[^\W\d_]{0,4})",
            r"(?P<mark>[!?！？]{1,40})",
            f"(?P<emoji>{_EMOJI})",
        )
    )
)
_STRETCH = re.compile(r"(.)\1{2,}")
_NOT_A_LETTER = re.compile(f"[{_HIDDEN}\u0300-\u036f]")
_SARCASM = re.compile(
    r"\b(?:thanks|thank you|thx|congrats|great|nice|good|love|awesome|bravo|well done)\b[^.!?\n]{0,60}"
    r"\b(?:for (?:nothing|the delay|delaying|cancell?ing|losing|ruining|wasting|charging|ignoring|making me|not|another)|when you)\b"
    # A cheer that opens a sentence and ends in a mishap: of such posts to airlines four in five were meant badly.
    r"|(?:^|[.!?]\s+|@\w+[,:]?\s+)(?:oh|ah|wow|well|yay|great|brilliant|fantastic|wonderful|lovely|nice|awesome|perfect|congrat\w*|bravo|cool|good)\b"
    r"[,.! ]+[^\n?.!]{0,70}?\b(?:delay\w*|late|cancel\w*|lost|los(?:e|ing)|waiting|on hold|hours?|hrs|broken|charge\w*|hung up|again|wrong|stuck|crash\w*"
    r"|without|never|nobody|no one|twice|yet another|rude|fail\w*|missed|missing|closed|empty|cold|dirty|queu\w*|ignored|refus\w*|damaged|smashed|dead"
    r"|fr[eo]+z\w*|vanish\w*|nothing|useless|worse|slow\w*|burn\w*)\b(?![^\n.!?]{0,200}\?)",
    re.I,
)
# Three parts or more name a software version, unless they read as a date.
_VERSION = re.compile(r"(?!\d{1,2}\.\d{1,2}\.(?:19|20)?\d\d$)\d{1,3}(?:\.\d{1,5}){2,4}")
_QUOTED = re.compile(r"^\s*RT @")

# Letters of another width, and digits that stand for letters inside a word ("1d10t").
_WIDE = {code: code - 0xFEE0 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_PLAIN = str.maketrans("013457$", "oieastss"[:7])
_DISGUISED = re.compile(r"[^\W\d_][0134570$]+[^\W\d_]|^[^\W\d_]+\d+[^\W\d_]")
# Small words that join what is spelled out letter by letter.
_SMALL = frozenset(
    {
        "a", "i", "u", "r", "you", "your", "are", "is", "it", "its", "this", "that", "the", "so", "my", "me", "we", "they", "to", "and", "not",
        "no", "am", "be", "at", "of", "in", "on", "for", "what", "how",
    }
)  # fmt: skip

STRONGEST = 3
"""The strength of a phrase that leaves no doubt."""
NEAR = 90
"""Characters within which a mishap follows mock praise, and a thing stands beside what it does."""

MASK_LINK, MASK_HANDLE, MASK_NUMBER = "://", "@", "0"


@dataclass(frozen=True, slots=True)
class Token:
    """One counted thing. `norm` is what models know it by, `kind` one of the groups of the pattern."""

    norm: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of the lexicon at its place in the text."""

    signal: str
    strength: int
    start: int
    end: int


@dataclass(slots=True)
class Reading:
    """What one pass over a text found. `sums` adds the strengths of each signal's phrases."""

    text: str
    tokens: list[Token]
    hits: list[Hit] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)
    words: int = 0
    shouted: int = 0
    shoutable: int = 0
    exclamations: int = 0
    questions: int = 0
    stretched: int = 0
    links: int = 0
    hashtags: int = 0
    handles: int = 0
    negations: int = 0
    emoji: dict[str, int] = field(default_factory=dict)
    sarcastic: bool = False
    retweet: bool = False


def read(text: str) -> Reading:
    """Tokenise, look up phrases, count the surface. Linear in the length of the text."""
    reading = Reading(text, [])
    tokens = reading.tokens
    phrase_words: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        start, end = match.span()
        raw = match.group()
        if kind == "word":
            norm, stretched = _normal(raw)
            reading.words += 1
            reading.stretched += stretched
            if end - start > 2:
                reading.shoutable += 1
                reading.shouted += raw.isupper()
            if norm in NEGATIONS:
                reading.negations += 1
            phrase_words.append((norm, start, end))
        elif kind == "han":
            norm = raw.translate(to_simplified())
            reading.words += 1 + (end - start) // 2
            reading.negations += sum(character in NEGATIONS for character in norm)
            _find_chinese(reading, norm, start)
        elif kind == "number":
            norm = MASK_NUMBER
            phrase_words.append((raw.lower(), start, end))
            if _VERSION.fullmatch(raw):
                reading.hits.append(Hit("technical", 3, start, end))
        elif kind == "handle":
            norm = MASK_HANDLE
            reading.handles += 1
        elif kind == "link":
            norm = MASK_LINK
            reading.links += 1
        elif kind == "spaced":
            norm = re.sub("[^a-z]", "", raw.lower())
            reading.words += 1
            phrase_words.extend((piece, start, end) for piece in _pieces(norm))
        elif kind == "airy":
            kind = "han"
            norm = raw.replace(" ", "").translate(to_simplified())
            reading.words += 1 + len(norm) // 2
            before = len(reading.hits)
            _find_chinese(reading, norm, start)
            reading.hits[before:] = [Hit(hit.signal, hit.strength, start, end) for hit in reading.hits[before:]]
        elif kind == "mark":
            plain = raw.replace("！", "!").replace("？", "?")
            reading.exclamations += plain.count("!")
            reading.questions += plain.count("?")
            norm = plain if len(plain) == 1 else "!?" if "!" in plain and "?" in plain else plain[0] * 2
        else:
            norm = raw
            if mood := _MOODS.get(raw):
                reading.emoji[mood] = reading.emoji.get(mood, 0) + 1
        tokens.append(Token(norm, start, end, kind))
    reading.hits.extend(_find_english(phrase_words, entries_for))
    _conclude(reading, _find_english(phrase_words, hints_for))
    reading.hashtags = text.count("#")
    reading.retweet = bool(_QUOTED.match(text))
    for hit in reading.hits:
        reading.sums[hit.signal] = reading.sums.get(hit.signal, 0) + hit.strength
    reading.sarcastic = reading.sarcastic or ("praise" in reading.sums and (bool(reading.emoji.get("angry")) or bool(_SARCASM.search(text))))
    return reading


def surface(reading: Reading) -> list[float]:
    """The features of SURFACE, each about 0…1."""
    sums, emoji = reading.sums, reading.emoji
    shouting = reading.shouted / reading.shoutable if reading.shoutable >= 3 else 0.0
    return [
        shouting if shouting > 0.3 else 0.0,
        min(reading.shouted, 4) / 4,
        min(math.log1p(reading.exclamations) / 2, 1.0),
        min(math.log1p(reading.questions) / 2, 1.0),
        min(reading.stretched, 2) / 2,
        min(emoji.get("angry", 0), 2) / 2,
        min(emoji.get("happy", 0), 2) / 2,
        min(emoji.get("sad", 0), 2) / 2,
        min(emoji.get("laughing", 0), 2) / 2,
        _squash(sums.get("anger", 0)),
        _squash(sums.get("swearing", 0)),
        _squash(sums.get("technical", 0)),
        0.0 if reading.sarcastic else _squash(sums.get("praise", 0)),
        _squash(sums.get("polite", 0)),
        _squash(sums.get("stuck", 0)),
        _squash(sums.get("disappointed", 0)),
        min(reading.negations, 3) / 3,
        float(reading.sarcastic),
    ]


def grams(token: Token) -> Iterator[str]:
    """The vocabulary entries a token stands for by itself: the word and its pieces, or Han characters by one to three."""
    norm = token.norm
    if token.kind == "han":
        for size in (1, 2, 3):
            for place in range(len(norm) - size + 1):
                yield norm[place : place + size]
        return
    yield norm
    if token.kind in ("word", "spaced") and len(norm) > 2:
        padded = f"_{norm[:40]}_"
        for size in (3, 4):
            for place in range(len(padded) - size + 1):
                yield "~" + padded[place : place + size]


@lru_cache(maxsize=1)
def to_simplified() -> dict[int, int]:
    """Traditional to simplified, one character for one, so that places in the text stay right."""
    lines = [line for line in (Path(__file__).parent / "simplified.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    return {ord(old): ord(new) for olds, news in zip(lines[::2], lines[1::2], strict=True) for old, new in zip(olds, news, strict=True)}


_MOODS = {
    **dict.fromkeys(HAPPY_EMOJI, "happy"),
    **dict.fromkeys(SAD_EMOJI, "sad"),
    **dict.fromkeys(LAUGHING_EMOJI, "laughing"),
    **dict.fromkeys(ANGRY_EMOJI, "angry"),
}


@lru_cache(maxsize=20_000)
def _normal(raw: str) -> tuple[str, bool]:
    """Lower case, one kind of apostrophe, nothing hidden, no letter more than twice ("sooo" is "so" where that is known)."""
    norm = _NOT_A_LETTER.sub("", raw.translate(_WIDE).lower()).replace("’", "'").replace("`", "'")[:60]
    if _DISGUISED.search(norm):
        plain = norm.translate(_PLAIN)
        if entries_for(plain) and not entries_for(norm):
            norm = plain
    if not _STRETCH.search(norm):
        return norm, False
    single = _STRETCH.sub(r"\1", norm)
    double = _STRETCH.sub(r"\1\1", norm)
    return (single if entries_for(single) and not entries_for(double) else double), True


@lru_cache(maxsize=2_000)
def _pieces(joined: str) -> tuple[str, ...]:
    """Letters that stood apart, cut into the fewest words that mean something; whole where that is not possible."""
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(joined) + 1):
        found: tuple[str, ...] | None = None
        for begin in range(max(0, end - 14), end):
            head, word = best[begin], joined[begin:end]
            if head is not None and (word in _SMALL or (len(word) > 2 and entries_for(word))) and (found is None or len(head) + 1 < len(found)):
                found = (*head, word)
        best.append(found)
    return best[-1] or (joined,)


def _squash(strength: int) -> float:
    return min(math.log1p(strength) / 2.5, 1.2)


def _find_english(words: list[tuple[str, int, int]], lookup: Callable[[str], tuple[Entry, ...]]) -> list[Hit]:
    hits: list[Hit] = []
    place, count = 0, len(words)
    while place < count:
        word, start, end = words[place]
        step = 1
        for entry in lookup(word):
            size = len(entry.rest)
            if size == 0 or (place + size < count and _follows(words, place, entry)):
                end = words[place + size][2]
                hits.extend(Hit(signal, strength, start, end) for signal, strength in entry.says)
                # What a wildcard stood for may speak for itself.
                step = 1 if "*" in entry.rest else size + 1
                break
        place += step
    return hits


def _conclude(reading: Reading, hints: list[Hit]) -> None:
    """What hints say together: mockery, reproach, and a thing that misbehaves."""
    mishaps = [hit.start for hit in hints if hit.signal == "mishap"]
    gadgets = [hit.start for hit in hints if hit.signal == "gadget"]
    for hit in hints:
        sure = hit.strength == STRONGEST
        if hit.signal == "reproach":
            reading.hits.append(Hit("anger", hit.strength - 1, hit.start, hit.end))
        elif hit.signal == "mock" and (sure or _stands_within(mishaps, hit.end + 1, hit.end + NEAR - 1)):
            reading.sarcastic = True
            reading.hits.append(Hit("anger", 1, hit.start, hit.end))
        elif hit.signal == "symptom" and (sure or _stands_within(gadgets, hit.start - NEAR + 1, hit.start + NEAR - 1)):
            reading.hits.append(Hit("technical", hit.strength, hit.start, hit.end))


def _stands_within(places: list[int], first: int, last: int) -> bool:
    """Whether one of these, in order, lies between the two."""
    at = bisect_left(places, first)
    return at < len(places) and places[at] <= last


def _follows(words: list[tuple[str, int, int]], place: int, entry: Entry) -> bool:
    for offset, wanted in enumerate(entry.rest, 1):
        word = words[place + offset][0]
        if word != wanted and not (wanted[-1] == "*" and word.startswith(wanted[:-1])):
            return False
    return True


def _find_chinese(reading: Reading, run: str, start: int) -> None:
    place = 0
    while place < len(run):
        step = 1
        for entry in BY_FIRST_CHARACTER.get(run[place], ()):
            rest = entry.rest[0]
            if run.startswith(rest, place + 1):
                end = place + 1 + len(rest)
                reading.hits.extend(Hit(signal, strength, start + place, start + end) for signal, strength in entry.says)
                step = end - place
                break
        place += step
