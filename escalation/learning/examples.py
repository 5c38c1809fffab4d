"""Which labels may teach, and which posts only judge. Pure.

Entitled people alone give labels; here it is decided how far one of them may move what is learned (P25):

* The shipped model is nobody's to poison. Where its reading of a post is clear, a label that contradicts it *overturns* it.
* Who contradicts most of the clear cases of a signal is not heard on it, unless people above suspicion back them on the same posts.
* Everybody may overturn, alone, 1 % of a run's posts; beyond that a second person has to agree.
* A fifth of all posts, chosen by a hash of their words, never teaches: champion and challenger are compared on it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from escalation.classifier.evaluation import interval
from escalation.classifier.second import Example
from escalation.learning.evidence import SAID, Answer, Given, answers
from escalation.learning.sampling import CLEARLY, CLEARLY_NOT, overturns

TEST_SHARE = 20
"""Percent of the posts that judge and never teach."""
ALONE = 0.01
"""Share of a run's posts that one person may overturn without a second."""
LEAST_CLEAR = 5
"""Clear cases from which a person's labels can be told to contradict them."""
MOST_CONTRARY = 0.5
"""Who surely agrees with fewer of the clear cases than this is left out."""

Signal = Literal["angry", "technical"]
SIGNALS: tuple[Signal, ...] = ("angry", "technical")


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """What was written, and what the shipped model alone says of it."""

    text: str
    lang: str
    angry: float
    technical: float

    def says(self, signal: Signal) -> float:
        return self.angry if signal == "angry" else self.technical


@dataclass(frozen=True)
class Lesson:
    """What a run learns from and is judged by; and what was left out, by person."""

    teach: tuple[Example, ...]
    test: tuple[Example, ...]
    posts: int
    contested: int
    """Posts on which people differ evenly, so that nothing is learned of them."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """Persons who are not heard on a signal, and why."""
    alone: Mapping[int, int] = field(default_factory=dict)
    """Labels of a person that overturn a clear reading beyond their allowance, and wait for a second look."""
    by_person: Mapping[int, int] = field(default_factory=dict)
    """Labels taken from each person."""


def is_test(text: str) -> bool:
    """Whether a post only judges. The same words always stand on the same side, whoever posted them and whenever."""
    return int(hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % 100 < TEST_SHARE


def lesson(labels: Sequence[Given], posts: Mapping[int, LabelledPost]) -> Lesson:
    """Labels oldest first, and their posts."""
    labels = [label for label in labels if label.mention_id in posts]
    suspected = _contrary(labels, posts)
    left_out: dict[int, str] = {}
    for (person, _), words in suspected.items():
        left_out[person] = f"{left_out[person]}; {words}" if person in left_out else words
    kept = [_without(label, suspected) for label in labels]
    kept, alone = _within_allowance(kept, posts)
    teach: list[Example] = []
    test: list[Example] = []
    contested = 0
    for mention_id, answer in sorted(answers(kept).items()):
        example = _example(posts[mention_id], answer)
        contested += any(answer.of(signal) is None for signal in answer.contested)
        if example is None:
            continue
        if not is_test(example.text):
            teach.append(example)
        elif answer.people:
            test.append(example)
    by_person = Counter(label.user_id for label in kept if label.user_id is not None and not (label.angry is None and label.technical is None))
    return Lesson(tuple(teach), tuple(test), len({label.mention_id for label in labels}), contested, left_out, alone, dict(by_person))


def _without(label: Given, suspected: Mapping[tuple[int, Signal], str]) -> Given:
    """What a suspected person says of that signal is not heard."""
    if (label.user_id or 0, "angry") in suspected:
        label = replace(label, angry=None)
    if (label.user_id or 0, "technical") in suspected:
        label = replace(label, technical=None)
    return label


def _example(post: LabelledPost, answer: Answer) -> Example | None:
    if answer.angry is None and answer.technical is None and answer.service_related is None:
        return None
    return Example(post.text, answer.angry, answer.technical, answer.service_related, weight=answer.weight, lang=post.lang)


def _contrary(labels: Sequence[Given], posts: Mapping[int, LabelledPost]) -> dict[tuple[int, Signal], str]:
    """Who contradicts the clear cases of a signal, each with the sentence that says so. Those who have labelled too few of them to tell
    are judged together: twenty accounts with three lies each lie sixty times. Only people who are not suspected themselves can back somebody."""
    suspected = _suspected(labels, posts, frozenset())
    if not suspected:
        return {}
    trusted = [label for label in labels if not any((label.user_id, signal) in suspected for signal in SIGNALS)]
    voices: dict[tuple[int, Signal, bool], set[int]] = defaultdict(set)
    for label in trusted:
        for signal in SIGNALS:
            said: bool | None = getattr(label, signal)
            if said is not None and label.user_id is not None:
                voices[label.mention_id, signal, said].add(label.user_id)
    return _suspected(labels, posts, frozenset(voices))


def _suspected(labels: Sequence[Given], posts: Mapping[int, LabelledPost], backed: frozenset[tuple[int, Signal, bool]]) -> dict[tuple[int, Signal], str]:
    clear: dict[tuple[int, Signal], dict[bool, list[bool]]] = defaultdict(lambda: {True: [], False: []})
    for label in labels:
        for signal in SIGNALS:
            said: bool | None = getattr(label, signal)
            if label.user_id is None or said is None:
                continue
            p = posts[label.mention_id].says(signal)
            if p >= CLEARLY or p <= CLEARLY_NOT:
                clear[label.user_id, signal][p >= CLEARLY].append(not overturns(said, p) or (label.mention_id, signal, said) in backed)
    found: dict[tuple[int, Signal], str] = {}
    for signal in SIGNALS:
        for yes in (True, False):
            few: list[int] = []
            together: list[bool] = []
            for (person, about), sides in sorted(clear.items()):
                if about != signal:
                    continue
                if _contradicts(sides[yes]):
                    found.setdefault((person, signal), _words(sides[yes], signal, yes))
                elif _contradicts(sides[True] + sides[False]):
                    found.setdefault((person, signal), _words(sides[True] + sides[False], signal, None))
                elif 0 < len(sides[yes]) < LEAST_CLEAR:
                    few.append(person)
                    together += sides[yes]
            if _contradicts(together):
                for person in few:
                    found.setdefault((person, signal), f"together with others who gave few labels {_words(together, signal, yes)}")
    return found


def _contradicts(same: Sequence[bool]) -> bool:
    return len(same) >= LEAST_CLEAR and interval(sum(same), len(same))[1] < MOST_CONTRARY


def _words(same: Sequence[bool], signal: Signal, yes: bool | None) -> str:
    what = f"are clearly {'' if yes else 'not '}{signal}" if yes is not None else f"are clearly {signal} or clearly not"
    return f"agrees with {sum(same)} of {len(same)} posts that {what}"


def _within_allowance(labels: Sequence[Given], posts: Mapping[int, LabelledPost]) -> tuple[list[Given], dict[int, int]]:
    """Without what one person overturns alone beyond their share; a label keeps what it says of the other signal."""
    backed = _backed(labels)
    allowed = max(1, int(ALONE * len({label.mention_id for label in labels})))
    moved: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    kept = []
    for label in labels:
        for signal in SIGNALS:
            said: bool | None = getattr(label, signal)
            if label.user_id is None or not overturns(said, posts[label.mention_id].says(signal)) or (label.mention_id, signal, bool(said)) in backed:
                continue
            if moved[label.user_id] < allowed:
                moved[label.user_id] += 1
            else:
                waiting[label.user_id] += 1
                label = replace(label, angry=None) if signal == "angry" else replace(label, technical=None)
        kept.append(label)
    return kept, dict(waiting)


def _backed(labels: Sequence[Given]) -> set[tuple[int, Signal, bool]]:
    """What two different persons said of the same post."""
    voices: dict[tuple[int, Signal, bool], set[int]] = defaultdict(set)
    for label in labels:
        for signal in SIGNALS:
            said: bool | None = getattr(label, signal)
            if label.user_id is not None and said is not None and label.source in SAID:
                voices[label.mention_id, signal, said].add(label.user_id)
    return {key for key, people in voices.items() if len(people) > 1}
