"""A brand's second stage: what its own people's labels add to the start model. Pure: labels in, numbers out.

    log-odds = the start model's + surface features · f + what the brand's own words say · w + b

What the words say is a small model on the brand's labels; how far it is trusted (w) is learned from what it says of posts
it never saw. Everything right of the start model is pulled towards zero, the harder the fewer labels there are: no label
leaves the start model as it is, fifty lean on it, three hundred speak for themselves, one odd label moves next to nothing.
The result is plain arrays and a JSON header; reading one runs no code of its maker.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community.mentions.text import language, readable
from community.ports import Post
from escalation.classifier.evaluation import auc
from escalation.classifier.features import SURFACE, Reading, Token, read, surface
from escalation.classifier.logistic import logistic, probability
from escalation.classifier.meaning import LANGUAGES as ENCODED
from escalation.classifier.meaning import Meaning
from escalation.classifier.model import BadArtefact, Model
from escalation.classifier.predict import CHINESE, READ_LANGUAGES, START, start_odds
from escalation.classifier.vectors import CACHE_WORDS, MAX_CACHED, Rows, Vectoriser, build_vocabulary

FORMAT = "vouch-second-stage/1"
HEADS = ("anger", "technical", "spam")
LABELS = {"anger": "angry", "technical": "technical", "spam": "service_related"}

LEAST_LABELS = 50
"""Below this nothing is learned: the start model knows more than so few posts can say."""
LEAST_OF_EACH = 8
"""A signal is learned from at least so many posts that have it and as many that don't."""
IN_EARNEST = 300
"""Up to here what is learned is held back by n / 300; from here on by its regularisation alone."""

# How firmly a coefficient is held at zero: one over the variance we would expect of it. Chosen by cross-validation
# on hand-labelled posts; the figures for other strengths stand in the card.
HOLD_TOLD, HOLD_BIAS = 10.0, 0.05
HOLD_FEATURE: Mapping[str, float] = {"anger": 20.0, "technical": 20.0, "spam": 1.0}
"""The start model already knows what the surface says of anger and technical matters; of noise it knows little."""
HOLD_WORD, HOLD_SENSE = 0.1, 0.3
FOLDS, SEED = 5, 20_261_122
CHANCE = 1.64
"""Standard errors by which a signal must be judged worse before that counts: one in twenty by chance."""

AT_ONCE = 256
"""Posts that an encoder reads before it says how far it is: some seconds."""
MOST_WORDS = 12_000
LEAST_SEEN = 2
MAX_BYTES, MAX_UNPACKED = 4 << 20, 32 << 20

_COUNTED = ("length", "links", "hashtags", "handles", "retweet", "chinese")
FEATURES = (*SURFACE, *_COUNTED, *(f"start_{name}" for name in START))

# What a route says of the post when it is the only label: each with half the weight of a label given by name.
_AUDIENCE_SAYS: Mapping[str, Mapping[str, int]] = {
    "community": {"angry": 0, "technical": 0, "service_related": 1},
    "tier_1": {"angry": 1, "technical": 0, "service_related": 1},
    "tier_2": {"technical": 1, "service_related": 1},
    "set_aside": {"service_related": 0},
}
_SAID_BY_AUDIENCE = 0.5

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class TooFewLabels(Exception):
    """One sentence: what is missing before anything can be learned."""


@dataclass(frozen=True, slots=True)
class Example:
    """A post and what people say of it; None is "not said". `audience` fills what is not said, at half the weight."""

    text: str
    angry: bool | None = None
    technical: bool | None = None
    service_related: bool | None = None
    audience: str | None = None
    weight: float = 1.0
    lang: str | None = None


@dataclass(frozen=True)
class Deep:
    """The same again beside an encoder's vectors, for which `sense` has a row each. `encoder` is the one it was learned with."""

    encoder: str
    features: Floats
    words: Floats
    bias: Floats
    sense: Floats


@dataclass(frozen=True)
class SecondStage:
    """`features` has a row for each of FEATURES, `words` one for each entry of the vocabulary, a column for each head.
    A head that had too few labels has zeros, so the start model speaks alone. `deep` is used where its encoder is at hand."""

    version: str
    header: Mapping[str, Any]
    vectoriser: Vectoriser
    features: Floats
    words: Floats
    bias: Floats
    deep: Deep | None = None
    _pulls: dict[tuple[str, str], tuple[float, float, float, float]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def learned(self) -> tuple[str, ...]:
        """The signals that had labels enough."""
        return tuple(self.header["learned"])

    def uses(self, encoder: Meaning | None) -> bool:
        """Whether this encoder is the one that the deep half was learned with."""
        return self.deep is not None and encoder is not None and self.deep.encoder == encoder.name

    def apply(self, posts: Sequence[Post], readings: Sequence[Reading], start: Floats, encoder: Meaning | None = None) -> Floats:
        """Log-odds of HEADS, a row for each post, from the start model's (as `start_odds` gives them).
        Posts in a language that nobody reads stay as they are."""
        return self.judge(posts, readings, start, senses(posts, encoder) if encoder is not None and self.uses(encoder) else None)

    def judge(self, posts: Sequence[Post], readings: Sequence[Reading], start: Floats, sense: Floats | None) -> Floats:
        """`apply` with the encoder's vectors at hand; a post without one has a row of zeros."""
        if not posts:
            return np.zeros((0, len(HEADS)), dtype=np.float32)
        rows, dense = self.vectoriser.rows(readings), _dense(posts, readings, start)
        added = _added(dense, rows, self)
        if sense is not None and self.deep is not None:
            known = np.abs(sense).sum(axis=1) > 0
            added[known] = (_added(dense, rows, self.deep) + sense.astype(np.float64) @ self.deep.sense)[known]
        added[[post.lang not in READ_LANGUAGES for post in posts]] = 0.0
        return np.asarray(start[:, : len(HEADS)] + added, dtype=np.float32)

    def pulls(self, reading: Reading) -> list[tuple[float, float, float]]:
        """What each token added to the log-odds of each head, by its own grams."""
        found = [self._pull(token) for token in reading.tokens]
        length = math.sqrt(sum(square for *_, square in found)) or 1.0
        return [(anger / length, technical / length, noise / length) for anger, technical, noise, _ in found]

    def _pull(self, token: Token) -> tuple[float, float, float, float]:
        key = (token.norm, token.kind)
        found = self._pulls.get(key)
        if found is None:
            picked = np.array(self.vectoriser.ids(token), dtype=np.intp)
            idf = self.vectoriser.idf[picked]
            anger, technical, noise = (idf[:, None] * self.words[picked]).sum(axis=0).tolist()
            found = (anger, technical, noise, float(idf @ idf))
            if len(self._pulls) >= CACHE_WORDS:
                self._pulls.clear()
            if len(token.norm) <= MAX_CACHED:
                self._pulls[key] = found
        return found

    @cached_property
    def sha256(self) -> str:
        """Of the bytes `to_bytes` gives."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The same stage always gives the same bytes."""
        held = io.BytesIO()
        parts = ("features", "words", "bias", "sense") if self.deep is not None else ()
        names = np.frombuffer(json.dumps(list(self.vectoriser.names), ensure_ascii=False).encode(), dtype=np.uint8)
        header = np.frombuffer(json.dumps(dict(self.header), ensure_ascii=False, sort_keys=True).encode(), dtype=np.uint8)
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, array in (
                ("header", header),
                ("names", names),
                ("idf", self.vectoriser.idf),
                ("features", self.features),
                ("words", self.words),
                ("bias", self.bias),
                *((f"deep_{name}", getattr(self.deep, name)) for name in parts),
            ):
                one = io.BytesIO()
                np.lib.format.write_array(one, array, allow_pickle=False)
                packed.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), one.getvalue(), zipfile.ZIP_DEFLATED)
        body = held.getvalue()
        return f"{FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def from_bytes(raw: bytes) -> SecondStage:
    """Rebuild a stage. Raises BadArtefact with one sentence if it is damaged, foreign or of another version of the product."""
    if len(raw) > MAX_BYTES:
        raise BadArtefact(f"The brand's model is larger than {MAX_BYTES >> 20} MB, so it is not used.")
    first, _, body = raw.partition(b"\n")
    made, _, digest = first.partition(b" ")
    if made != FORMAT.encode():
        raise BadArtefact(f"The brand's model is not of the format {FORMAT}, so it is not used.")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise BadArtefact("The brand's model does not match its own hash: it was changed or damaged, so it is not used.")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_UNPACKED:
                raise BadArtefact(f"The brand's model unpacks to more than {MAX_UNPACKED >> 20} MB, so it is not used.")
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            names = json.loads(arrays["names"].tobytes())
            found = {name: arrays[name] for name in ("idf", "features", "words", "bias")}
            deep = {name: arrays[f"deep_{name}"] for name in ("features", "words", "bias", "sense")} if header.get("encoder") else {}
    except (ValueError, KeyError, AttributeError, OSError, EOFError, zipfile.BadZipFile, MemoryError, RecursionError):
        raise BadArtefact("The brand's model is not a set of plain arrays as learning writes them, so it is not used.") from None
    if not isinstance(header, dict) or header.get("features") != list(FEATURES) or header.get("heads") != list(HEADS):
        raise BadArtefact("The brand's model was learned by another version of the product: learn again.")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise BadArtefact("The brand's model has a vocabulary that is not a list of different words, so it is not used.")
    shapes = {"idf": (len(names),), "features": (len(FEATURES), len(HEADS)), "words": (len(names), len(HEADS)), "bias": (len(HEADS),)}
    if deep:
        shapes["sense"] = (len(deep["sense"]), len(HEADS))
    for name, array in (*found.items(), *deep.items()):
        if array.dtype != np.float32 or array.shape != shapes[name] or not np.isfinite(array).all():
            raise BadArtefact(f"The brand's model has {name} that are not {' by '.join(map(str, shapes[name]))} finite numbers, so it is not used.")
    return _stage(header, names, **found, deep=Deep(str(header["encoder"]), **deep) if deep else None)


def fit(start: Model, examples: Sequence[Example], encoder: Meaning | None = None, progress: Callable[[float], None] = lambda share: None) -> SecondStage:
    """Learn from a brand's labels, in seconds (with an encoder, in some more: a post takes it 25 ms, and `progress` is told the share
    it has read). The same examples in the same order give the same stage. Raises TooFewLabels."""
    return _Read.of(start, examples, encoder, progress).fit(np.arange(len(examples)))


def example_of(row: Mapping[str, Any]) -> Example:
    """From a labelled row as `evaluation.parse_line` gives it."""
    labels = row["labels"]
    angry, technical, service_related = (None if labels.get(name) is None else bool(labels[name]) for name in LABELS.values())
    return Example(row["text"], angry, technical, service_related, labels.get("audience"), lang=row.get("lang"))


def labels_of(example: Example) -> dict[str, tuple[int, float]]:
    """Each head's label and its weight, as far as the example says."""
    said = {"angry": example.angry, "technical": example.technical, "service_related": example.service_related}
    found: dict[str, tuple[int, float]] = {}
    for head, label in LABELS.items():
        value: int | None = None if said[label] is None else int(bool(said[label]))
        weight = example.weight
        if value is None:
            value = _AUDIENCE_SAYS.get(example.audience or "", {}).get(label)
            weight *= _SAID_BY_AUDIENCE
        if value is not None:
            found[head] = (1 - value if head == "spam" else value, weight)
    return found


def out_of_fold(start: Model, examples: Sequence[Example], folds: int = FOLDS, seed: int = SEED, encoder: Meaning | None = None) -> tuple[Doubles, Doubles]:
    """Probabilities of HEADS by the start model, and by stages that never saw the post they judge: what learning is worth
    here, measured and then thrown away. Where a fold has too few labels the start model's stand. Equal texts share a fold."""
    known = _Read.of(start, examples, encoder)
    before = probability(known.start[:, : len(HEADS)])
    after = before.copy()
    for places, stage in known.folds(folds, seed):
        if stage is not None:
            after[places] = probability(
                stage.judge(
                    [known.posts[place] for place in places],
                    [known.readings[place] for place in places],
                    known.start[places],
                    None if known.sense is None else known.sense[places],
                )
            )
    return before, after


@dataclass(frozen=True, slots=True)
class Worth:
    """What learning is worth on posts it never saw. `better`: no signal is judged worse beyond chance, and all together better."""

    better: bool
    figures: dict[str, Any]


def measure(start: Model, examples: Sequence[Example], folds: int = FOLDS, encoder: Meaning | None = None) -> Worth:
    """Compare the start model with stages that learned from the other folds, on the labelled posts of each signal."""
    before, after = out_of_fold(start, examples, folds, encoder=encoder)
    figures: dict[str, Any] = {}
    total, worse = 0.0, False
    given = [labels_of(example) for example in examples]
    for at, head in enumerate(HEADS):
        places = [place for place, labels in enumerate(given) if head in labels]
        if not places:
            continue
        truth = np.array([given[place][head][0] for place in places], dtype=np.float64)
        gain = _surprise(truth, before[places, at]) - _surprise(truth, after[places, at])
        total += float(gain.sum())
        worse = worse or gain.mean() < -CHANCE * gain.std() / math.sqrt(len(gain))
        figures[head] = {"n": len(truth), "yes": int(truth.sum())} | {
            name: {"auc": _figure(auc(truth, value)), "brier": _figure(((value - truth) ** 2).mean()), "surprise": _figure(_surprise(truth, value).mean())}
            for name, value in (("start", before[places, at]), ("learned", after[places, at]))
        }
    return Worth(total > 0 and not worse, figures)


def fold_stages(
    start: Model, examples: Sequence[Example], folds: int = FOLDS, seed: int = SEED, encoder: Meaning | None = None
) -> list[tuple[list[int], SecondStage | None]]:
    """The same as stages: the places of a fold's examples, and what was learned from the other folds (None: too little)."""
    return [(places.tolist(), stage) for places, stage in _Read.of(start, examples, encoder).folds(folds, seed)]


@dataclass(frozen=True, slots=True)
class _Read:
    """Examples as numbers, read once however often they are learned from."""

    version: str
    posts: Sequence[Post]
    readings: Sequence[Reading]
    start: Floats
    truth: Doubles
    weight: Doubles
    encoder: str
    sense: Floats | None

    @classmethod
    def of(cls, start: Model, examples: Sequence[Example], encoder: Meaning | None, progress: Callable[[float], None] = lambda share: None) -> _Read:
        texts = [readable(example.text) for example in examples]
        posts = [Post(text, language(text, example.lang)) for text, example in zip(texts, examples, strict=True)]
        readings = [read(post.text) for post in posts]
        truth, weight = np.zeros((2, len(examples), len(HEADS)))
        for place, example in enumerate(examples):
            for head, (value, counts) in labels_of(example).items():
                truth[place, HEADS.index(head)], weight[place, HEADS.index(head)] = value, counts
        # A language that nobody reads is never guessed, so nothing is learned from it either.
        weight[[post.lang not in READ_LANGUAGES for post in posts]] = 0.0
        sense = None if encoder is None else senses(posts, encoder, progress)
        return cls(start.version, posts, readings, start_odds(posts, readings, start), truth, weight, encoder.name if encoder else "", sense)

    def folds(self, folds: int, seed: int) -> Iterator[tuple[NDArray[np.intp], SecondStage | None]]:
        texts: dict[str, int] = {}
        group = np.array([texts.setdefault(post.text.casefold().strip(), len(texts)) for post in self.posts], dtype=np.intp)
        fold = np.random.default_rng(seed).permutation(len(texts))[group] % folds
        for held in range(folds):
            try:
                yield np.flatnonzero(fold == held), self.fit(np.flatnonzero(fold != held))
            except TooFewLabels:
                yield np.flatnonzero(fold == held), None

    def fit(self, places: NDArray[np.intp]) -> SecondStage:
        from scipy.sparse import csr_matrix  # training alone needs it

        truth, weight = self.truth[places], self.weight[places]
        counts = {head: (int((weight[:, at] > 0).sum()), int(((weight[:, at] > 0) & (truth[:, at] > 0)).sum())) for at, head in enumerate(HEADS)}
        enough = [head for head, (n, positive) in counts.items() if n >= LEAST_LABELS and min(positive, n - positive) >= LEAST_OF_EACH]
        if not enough:
            raise TooFewLabels(
                f"Learning takes {LEAST_LABELS} labelled posts and {LEAST_OF_EACH} of each kind; here are "
                + ", ".join(f"{n} for {LABELS[head]} ({positive if head != 'spam' else n - positive} yes)" for head, (n, positive) in counts.items())
                + "."
            )
        posts, readings = [self.posts[place] for place in places], [self.readings[place] for place in places]
        names, idf = build_vocabulary(readings, MOST_WORDS, least=(LEAST_SEEN, LEAST_SEEN, LEAST_SEEN))
        vectoriser = Vectoriser(names, idf)
        row, column, values = vectoriser.rows(readings)
        said = csr_matrix((values.astype(np.float64), (row, column)), shape=(len(posts), len(names)))
        dense, start = _dense(posts, readings, self.start[places]), self.start[places].astype(np.float64)
        columns = [HEADS.index(head) for head in enough]
        fold = np.random.default_rng(SEED).permutation(len(posts)) % FOLDS
        caution = [max(1.0, IN_EARNEST / counts[head][0]) for head in enough]
        by_words, told = _inner(said, truth[:, columns], weight[:, columns], fold, HOLD_WORD)
        features, bias, words = _outer(dense, [(by_words, told)], truth, weight, start, columns, caution)
        deep = None
        if self.sense is not None:
            sense = self.sense[places].astype(np.float64)
            seen = weight * (np.abs(sense).sum(axis=1) > 0)[:, None]
            by_sense, told_by_sense = _inner(sense, truth[:, columns], seen[:, columns], fold, HOLD_SENSE)
            deeper = _outer(dense, [(by_words, told), (by_sense, told_by_sense)], truth, seen, start, columns, caution)
            deep = Deep(self.encoder, deeper[0], deeper[2], deeper[1], deeper[3])
        languages = sorted({post.lang for post in posts})
        header = {
            "format": FORMAT,
            "start": self.version,
            "heads": list(HEADS),
            "features": list(FEATURES),
            "learned": enough,
            "labels": {LABELS[head]: {"n": n, "yes": positive if head != "spam" else n - positive} for head, (n, positive) in counts.items()},
            "languages": {lang: sum(post.lang == lang for post in posts) for lang in languages},
            "words": len(names),
            "encoder": self.encoder,
        }
        return _stage(header, names, idf, features, words, bias, deep)


def senses(posts: Sequence[Post], encoder: Meaning, progress: Callable[[float], None] = lambda share: None) -> Floats:
    """A vector for each post; zeros where the encoder does not read its language."""
    found = np.zeros((len(posts), encoder.size), dtype=np.float32)
    known = [place for place, post in enumerate(posts) if post.lang in ENCODED and post.text]
    for first in range(0, len(known), AT_ONCE):
        some = known[first : first + AT_ONCE]
        found[some] = encoder.embed([posts[place].text for place in some])
        progress((first + len(some)) / len(known))
    return found


def _stage(header: dict[str, Any], names: Sequence[str], idf: Floats, features: Floats, words: Floats, bias: Floats, deep: Deep | None) -> SecondStage:
    digest = hashlib.sha256(json.dumps([header, list(names)], ensure_ascii=False, sort_keys=True).encode())
    for array in (idf, features, words, bias, *((deep.features, deep.words, deep.bias, deep.sense) if deep else ())):
        digest.update(array.tobytes())
    return SecondStage(f"b{digest.hexdigest()[:8]}", header, Vectoriser(list(names), idf), features, words, bias, deep)


def _added(dense: Floats, rows: Rows, by: SecondStage | Deep) -> Doubles:
    # In double width, so that a text's answer doesn't hang on the company it is judged in.
    added: Doubles = dense.astype(np.float64) @ by.features + by.bias
    row, column, values = rows
    for head in range(len(HEADS)):
        added[:, head] += np.bincount(row, weights=by.words[column, head] * values, minlength=len(dense))
    return added


def _inner(inputs: Any, truth: Doubles, weight: Doubles, fold: NDArray[np.int64], hold: float) -> tuple[Doubles, Doubles]:
    """A small model for each column: its coefficients with the bias last, for later use; and what it says of each post when
    it was learned from the others, for learning how far to trust it."""
    found, told = np.zeros((inputs.shape[1] + 1, truth.shape[1])), np.zeros(truth.shape)
    for at in range(truth.shape[1]):
        found[:, at] = _small(inputs, truth[:, at], weight[:, at], hold)
        for held in range(FOLDS):
            rest = fold != held
            one = _small(inputs[rest], truth[rest, at], weight[rest, at], hold)
            told[~rest, at] = inputs[~rest] @ one[:-1] + one[-1]
    return found, told


def _outer(
    dense: Floats, inner: Sequence[tuple[Doubles, Doubles]], truth: Doubles, weight: Doubles, start: Doubles, columns: Sequence[int], caution: Sequence[float]
) -> list[Floats]:
    """Coefficients of the features, the bias, and of each inner model's inputs. Both layers are linear, so they are kept as one."""
    inputs = np.hstack([dense, *(told for _, told in inner)]).astype(np.float64)
    width = len(columns)
    features, bias = np.zeros((len(FEATURES), len(HEADS))), np.zeros(len(HEADS))
    parts = [np.zeros((len(found) - 1, len(HEADS))) for found, _ in inner]
    for at, careful in zip(columns, caution, strict=True):
        hold = np.concatenate([np.full(len(FEATURES), HOLD_FEATURE[HEADS[at]]), np.full(width * len(inner), HOLD_TOLD), [HOLD_BIAS]])
        learned = logistic(inputs, truth[:, at], weight[:, at], start[:, at], hold * careful)
        features[:, at], bias[at] = learned[: len(FEATURES)], learned[-1]
        for place, (found, _) in enumerate(inner):
            trust = learned[len(FEATURES) + place * width : len(FEATURES) + (place + 1) * width]
            parts[place][:, at] = found[:-1] @ trust
            bias[at] += found[-1] @ trust
    return [array.astype(np.float32) for array in (features, bias, *parts)]


def _dense(posts: Sequence[Post], readings: Sequence[Reading], start: Floats) -> Floats:
    """One row of FEATURES for each post, each about 0…1."""
    counted = []
    for post, reading in zip(posts, readings, strict=True):
        counted.append(
            [
                *surface(reading),
                min(len(reading.tokens), 60) / 60,
                min(reading.links, 2) / 2,
                min(reading.hashtags, 4) / 4,
                min(reading.handles, 3) / 3,
                float(reading.retweet),
                float(post.lang in CHINESE),
            ]
        )
    return np.hstack([np.array(counted, dtype=np.float32), np.clip(start, -12, 12) / 4])


def _surprise(truth: Doubles, said: Doubles) -> Doubles:
    """The log loss of each post: what it costs to have said this of what turned out to be true."""
    kept = np.clip(said, 1e-6, 1 - 1e-6)
    return np.asarray(-np.log(np.where(truth > 0, kept, 1 - kept)))


def _figure(value: Any) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


def _small(inputs: Any, truth: Doubles, weight: Doubles, hold: float) -> Doubles:
    """Coefficients and a bias from the brand's labels alone, both kinds of post weighing alike."""
    yes, no = (weight * truth).sum(), (weight * (1 - truth)).sum()
    if not yes or not no:
        return np.zeros(inputs.shape[1] + 1)
    even = weight * np.where(truth > 0, 0.5 / yes, 0.5 / no) * (yes + no)
    return logistic(inputs, truth, even, np.zeros(len(truth)), np.append(np.full(inputs.shape[1], hold), 1e-6))
