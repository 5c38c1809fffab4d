"""Texts as sparse rows: one vocabulary of words, word pairs, pieces of words and Han characters, for every model.

The same code turns a text into numbers when a model is trained and when it is used, so the two cannot differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from escalation.classifier.features import Reading, Token, grams

# Pieces of a word depend on the word alone, and a stream repeats its words: bounded, dropped whole when full.
CACHE_WORDS = 20_000
MAX_CACHED = 40
LEAST_WORDS, LEAST_PAIRS, LEAST_PIECES = 4, 6, 25

Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def build_vocabulary(
    readings: Iterable[Reading], most: int, least: tuple[int, int, int] = (LEAST_WORDS, LEAST_PAIRS, LEAST_PIECES)
) -> tuple[list[str], NDArray[np.float32]]:
    """The `most` commonest grams that occur often enough (words, pairs, pieces), sorted, with their inverse document frequency."""
    words, pairs, pieces = least
    seen: Counter[str] = Counter()
    count = 0
    for reading in readings:
        count += 1
        seen.update(set(_all_grams(reading)))
    kept = [(gram, times) for gram, times in seen.items() if times >= (pieces if gram[0] == "~" else pairs if " " in gram else words)]
    kept = sorted(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:most])
    names = [gram for gram, _ in kept]
    idf = np.log((1 + count) / (1 + np.array([times for _, times in kept], dtype=np.float64))) + 1
    return names, idf.astype(np.float32)


class Vectoriser:
    """Counts of known grams, damped, weighed by rarity, each row of length one."""

    def __init__(self, names: Sequence[str], idf: NDArray[np.float32]) -> None:
        self.names = names
        self.idf = idf
        self._index = {name: place for place, name in enumerate(names)}
        self._cache: dict[tuple[str, str], tuple[int, ...]] = {}

    def ids(self, token: Token) -> tuple[int, ...]:
        """Places of the token's own grams in the vocabulary."""
        key = (token.norm, token.kind)
        found = self._cache.get(key)
        if found is None:
            get = self._index.get
            found = tuple(place for gram in grams(token) if (place := get(gram)) is not None)
            if len(token.norm) <= MAX_CACHED:
                if len(self._cache) >= CACHE_WORDS:
                    self._cache.clear()
                self._cache[key] = found
        return found

    def rows(self, readings: Sequence[Reading]) -> Rows:
        """Coordinates and values of the batch's sparse matrix, ordered by row."""
        flat: list[int] = []
        lengths: list[int] = []
        get = self._index.get
        for reading in readings:
            before = len(flat)
            last = ""
            for token in reading.tokens:
                flat.extend(self.ids(token))
                if token.kind == "han":
                    last = ""
                    continue
                if last and (pair := get(f"{last} {token.norm}")) is not None:
                    flat.append(pair)
                last = token.norm
            lengths.append(len(flat) - before)
        size = max(len(self.names), 1)
        keys = np.asarray(flat, dtype=np.int64) + np.repeat(np.arange(len(readings), dtype=np.int64) * size, lengths)
        unique, counts = np.unique(keys, return_counts=True)
        row, column = np.divmod(unique, size)
        values = (1 + np.log(counts)).astype(np.float32) * self.idf[column]
        length = np.sqrt(np.bincount(row, weights=values * values, minlength=len(readings))).astype(np.float32)
        length[length == 0] = 1
        return row, column, values / length[row]


def _all_grams(reading: Reading) -> Iterable[str]:
    last = ""
    for token in reading.tokens:
        yield from grams(token)
        if token.kind == "han":
            last = ""
            continue
        if last:
            yield f"{last} {token.norm}"
        last = token.norm
