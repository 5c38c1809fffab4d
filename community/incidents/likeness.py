"""How alike posts are: which words they share, weighed by how rare those are. Pure: no database, no clock.

A post is its content words, cut to their stems, with handles, links and numbers taken out, so that two people telling the
same story in other words, about another booking, still share most of what counts. What everybody says ("flight",
"please") counts little: how rare a word is comes from the posts beside it, and from a prior that a quiet hour
can't make everything look rare. Some words stand for a matter ("down", "offline", "not working"), and are counted as it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

READ = 600
"""Characters of a post that are read: a story is told at its beginning, and a novel must not cost more than a post."""
MOST_WORDS = 48
"""Content words kept of one post."""
LEAST_WORDS = 3
"""A post of fewer content words says too little to be told apart from any other."""
PRIOR = 400
"""Posts of an ordinary stream in which a word would be met once: how rare words look while few posts are beside them."""
HINT = 0.4
"""Of the likeness asked for, what a post must reach by shared words alone before its full likeness is computed."""
SHARED = 0.25
"""A word belongs to an incident while at least this share of its posts holds it: what one person alone wrote is not kept."""
KEPT_WORDS = 40
PAIR = 0.5
"""What two neighbouring words weigh beside each of them by itself."""

_MASK = re.compile(r"https?://\S+|www\.\S+|[@＠][\w.]+|&\w{1,6};")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:['’-][^\W_{_CJK}]+)*")
_DIGIT = re.compile(r"\d")

STOP = frozenset(
    """
    a about actually after again agent agents ago airline all almost already also although always am an and another any anyone anything anyway are aren't
    around as ask asked at away back be because been before being best better between but by came can can't cannot cant come company could couldn't
    customer customers cuz day days dear did didn't didnt do does doesn't doesnt doing don't done dont down each either else email end even ever every
    everyone everything experience experienced fact far few find first fix for from fuck fucking get gets getting give go goes going gonna good got gotta
    great guess guys had happen happened happening has have haven't having he hear heard hello help her here hey hi him his horrible hour hours how i i'd
    i'll i'm i've idea if im in instead into is isn't isnt it it's its ive just keep keeps kind know last later least less let like literally little long
    look looking lot made make makes making many may maybe me mean might min mins minute minutes month months more most much must my myself need needs
    never new next nice no nobody not nothing now of off ok okay old on once one only or other our out over own people please pls plz possible probably
    put question quite rather read really reason reply right rt said same saw say says see seem seems send sent service set she should shouldn't show
    since so some somehow someone something soon sorry still such sure take taken taking talk tell terrible than thank thanks that that's thats the their
    them then there there's these they they're thing things think this those though thought through thx time times to today told tomorrow tonight too took
    tried trouble try trying two u until up ur us use used using very via wait waiting want wanted was wasn't way we we're we've week weeks well went were
    what what's when where which while who whole why will wish with without won't wont word work works worse worst would wouldn't wtf year years yes
    yesterday yet you you'd you'll you're you've your yours
    services follow following dm dms dming tweet tweets tweeted tweeting info detail details email
    """.split()  # noqa: SIM905
)
"""Words that say nothing of what happened."""
SAME: Mapping[str, str] = {
    word: matter
    for matter, words in {
        "#down": "outage outages offline crash crashed crashes crashing dead unavailable unresponsive 宕机 瘫痪 閃退 闪退",
        "#internet": "internet wifi wi-fi broadband connection network router",
        "#login": "login log-in signin sign-in logon password 登录 登入",
        "#cancel": "cancel cancelled canceled cancelling canceling cancellation cancelation cancellations 取消",
        "#delay": "delay delayed delays delaying late 延误 延誤",
        "#pay": "pay payment payments charge charged charges charging billed bill billing invoice",
        "#refund": "refund refunds refunded reimburse reimbursement 退款",
        "#bag": "bag bags baggage luggage suitcase suitcases 行李",
        "#twice": "twice double doubled duplicate duplicated",
        "#app": "app apps application 应用 應用 软件 軟件 程序",
        "#phone": "phone call calls called calling hold",
    }.items()
    for word in words.split()
}
"""Words that stand for the same matter."""
HAN_STOP = (
    "之后 之後 一直 怎么 怎麼 什么 什麼 我们 我們 你们 你們 可以 一个 一個 请问 請問 为什么 為什麼 现在 現在 已经 已經 还是 還是 没有 沒有 就 的 了 吗 嗎 啊 呢"
)
"""The like in Chinese."""
_HAN_MATTER = re.compile("|".join(word for word in SAME if ord(word[0]) > 0x2E7F))
_HAN_APART = re.compile("|".join(sorted([*HAN_STOP.split(), *(word for word in SAME if ord(word[0]) > 0x2E7F)], key=len, reverse=True)))
_PHRASES = tuple(
    (re.compile(pattern), f" {matter} ")
    for pattern, matter in (
        (
            r"\b(?:not|n't|nt|isn't|stopped|won't|doesn't|don't)\s{1,3}(?:\w{1,12}\s{1,3}){0,1}(?:work|working|load|loading|open|opening|connect|connecting)\b",
            "outage",
        ),
        (
            r"\b(?:is|are|are you|been|went|gone|goes|site|app|server|servers|service|website|still)\s{1,3}down\b|\bdown\s{1,3}(?:again|right now)\b",
            "outage",
        ),
        (r"\b(?:log(?:s|ged|ging)?|sign(?:s|ed|ing)?)\s{1,3}(?:(?:me|us|you|everyone|everybody)\s{1,3})?(?:in|on|out)\b", "login"),
        (r"\bcall(?:ed|ing)?\s{1,3}back\b", "callback"),
    )
)

Sketch = Mapping[str, float]
"""The words of one post, each with how much it counts there before rarity: 1, or less for pairs. Of an incident, the share of its posts."""


class Pool:
    """Sketches beside each other: how rare each word is among them, and which of them are like a given one."""

    def __init__(self) -> None:
        self._sketches: dict[int, Sketch] = {}
        self._holding: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, key: int, words: Sketch) -> None:
        self._sketches[key] = words
        for word in words:
            self._holding[word].append(key)

    def rarity(self, word: str) -> float:
        """Log-odds-like weight: about 6 for a word nobody else uses, towards 0 for one that everybody does."""
        return math.log((len(self._sketches) + PRIOR) / (len(self._holding.get(word, ())) + 1))

    def weighed(self, words: Sketch) -> dict[str, float]:
        """The sketch weighed by rarity, of length one."""
        weights = {word: count * self.rarity(word) for word, count in words.items()}
        length = math.sqrt(sum(x * x for x in weights.values()))
        return {word: x / length for word, x in weights.items()} if length else {}

    def near(self, words: Sketch, least: float) -> list[tuple[float, int]]:
        """(likeness 0…1, key) of the sketches at least so like it, the likest first."""
        own = self.weighed(words)
        hints: defaultdict[int, float] = defaultdict(float)
        for word, weight in own.items():
            for key in self._holding.get(word, ()):
                hints[key] += weight
        found = []
        for key, hint in hints.items():
            # The sum of own weights bounds the likeness from above only for short posts: it sorts out the hopeless many.
            if hint >= HINT:
                likeness = product(own, self.weighed(self._sketches[key]))
                if likeness >= least:
                    found.append((likeness, key))
        return sorted(found, reverse=True)


def product(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How alike two weighed sketches are: 0 nothing in common, 1 the same words."""
    if len(other) < len(one):
        one, other = other, one
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())


def common(sketches: Iterable[Sketch]) -> dict[str, float]:
    """What posts have in common: each word with the share of them that holds it (pairs count less), the commonest first."""
    sums: Counter[str] = Counter()
    count = 0
    for words in sketches:
        count += 1
        sums.update(words)
    return _kept({word: total / count for word, total in sums.items()})


def joined(words: Sketch, count: int, more: Sketch) -> dict[str, float]:
    """What `count` posts had in common, after one more has joined them. Words that come later hardly enter: an incident stays the story it began as."""
    every = words.keys() | more.keys()
    return _kept({word: (words.get(word, 0.0) * count + more.get(word, 0.0)) / (count + 1) for word in every})


def _kept(shares: Mapping[str, float]) -> dict[str, float]:
    kept = [(word, round(share, 3)) for word, share in shares.items() if share >= SHARED]
    return dict(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:KEPT_WORDS])


def shown(words: Sketch, text: str, most: int = 5) -> list[str]:
    """Of the words in common, the weightiest as they stand in this text: stems are for counting, not for reading."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(_MASK.sub(" ", text[:READ])):
        for word in _words(match.group().lower().replace("’", "'")):
            if word in words and word not in found:
                found[word] = match.group() if ord(match.group()[0]) < 0x2E80 else word.lstrip("#")
    return [found[word] for word in words if word in found][:most]


@lru_cache(maxsize=4_000)
def sketch(text: str) -> dict[str, float]:
    """What a post says, word by word; nobody may change what is returned. Empty when it says too little."""
    plain = _MASK.sub(" ", text[:READ].lower().replace("’", "'"))
    for pattern, matter in _PHRASES:
        plain = pattern.sub(matter, plain)
    found: dict[str, float] = {}
    before, singles = "", 0
    for match in _WORD.finditer(plain):
        for word in _words(match.group()):
            if not word:
                before = ""
                continue
            if word not in found:
                singles += 1
                found[word] = 1.0
            if before:
                found.setdefault(f"{before} {word}", PAIR)
            before = word
        if singles >= MOST_WORDS:
            break
    return found if singles >= LEAST_WORDS else {}


@lru_cache(maxsize=20_000)
def _words(raw: str) -> tuple[str, ...]:
    """A run of letters as what is counted: nothing for a stop word or a number, a stem for a word, pairs of characters for Chinese."""
    if ord(raw[0]) > 0x2E7F:
        found = tuple(SAME[matter] for matter in _HAN_MATTER.findall(raw))
        rest = _HAN_APART.split(raw)
        return found + tuple(part[i : i + 2] for part in rest for i in range(len(part) - 1)) or ("",)
    if raw in SAME:
        return (SAME[raw],)
    if raw in STOP or len(raw) < 2:
        return ("",)
    if raw.endswith("'s"):
        raw = raw[:-2]
    masked = _DIGIT.sub("0", raw)
    if not any(c.isalpha() for c in masked) or masked in STOP:
        return ("",)
    return (_stem(masked),)


def _stem(word: str) -> str:
    """English endings off. Rough on purpose: it only has to cut two forms of one word alike."""
    for ending, least in (("ations", 4), ("ation", 4), ("ings", 4), ("ing", 4), ("edly", 4), ("ed", 4), ("ies", 3), ("es", 4), ("ly", 4), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
