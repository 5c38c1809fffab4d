"""The trained part of the classifier: one vocabulary, one column of coefficients for each head.

An artefact is a folder with `model.npz` (read without pickle) and `card.json`, which says what it is and carries
the hash of the arrays. Loading one runs no code of its maker; whatever is damaged or foreign is refused in a sentence.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escalation.classifier.features import SURFACE, Reading, Token, surface
from escalation.classifier.vectors import CACHE_WORDS, MAX_CACHED, Vectoriser

FORMAT = "vouch-classifier/1"
HEADS = ("anger", "technical", "negative", "positive", "service")
ARRAYS = ("vocabulary", "idf", "weights", "intercepts", "slopes", "offsets")
# Far above what training makes (1 MB, 7 MB unpacked), far below what could hurt a process.
MAX_FILE, MAX_UNPACKED = 16 << 20, 64 << 20

Floats = NDArray[np.float32]


class BadArtefact(Exception):
    """One sentence: why this artefact is not used."""


@dataclass(frozen=True)
class Model:
    """`weights` has a row for each entry of the vocabulary and each surface feature, a column for each head.
    `slopes` and `offsets` turn a head's score into a calibrated log-odds."""

    version: str
    card: dict[str, Any]
    vectoriser: Vectoriser
    weights: Floats
    intercepts: Floats
    slopes: Floats
    offsets: Floats
    _pulls: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    def log_odds(self, readings: Sequence[Reading]) -> Floats:
        """Calibrated log-odds, one row per reading, one column per head. One pass for all heads."""
        return self.scores(readings) * self.slopes + self.offsets

    def scores(self, readings: Sequence[Reading]) -> Floats:
        """What the linear models say before calibration."""
        if not readings:
            return np.zeros((0, len(HEADS)), dtype=np.float32)
        row, column, values = self.vectoriser.rows(readings)
        known = len(self.vectoriser.names)
        # In double width, so that a text's answer doesn't hang on the company it is judged in.
        scores = np.array([surface(reading) for reading in readings]) @ self.weights[known:] + self.intercepts
        for head in range(len(HEADS)):
            scores[:, head] += np.bincount(row, weights=self.weights[column, head] * values, minlength=len(readings))
        return np.asarray(scores, dtype=np.float32)

    def pull(self, token: Token) -> tuple[float, float]:
        """How strongly a token's own grams pull towards anger and technical, before the text's length is taken out."""
        key = (token.norm, token.kind)
        found = self._pulls.get(key)
        if found is None:
            picked = np.array(self.vectoriser.ids(token), dtype=np.intp)
            anger, technical = (self.vectoriser.idf[picked, None] * self.weights[picked, :2]).sum(axis=0).tolist()
            found = (anger, technical)
            if len(self._pulls) >= CACHE_WORDS:
                self._pulls.clear()
            if len(token.norm) <= MAX_CACHED:
                self._pulls[key] = found
        return found


def save(
    folder: Path, card: dict[str, Any], *, vocabulary: Sequence[str], idf: Floats, weights: Floats, intercepts: Floats, slopes: Floats, offsets: Floats
) -> dict[str, Any]:
    """Write an artefact and return its card, completed with hash and version."""
    folder.mkdir(parents=True, exist_ok=True)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, array in (
            ("vocabulary", np.array(vocabulary, dtype=np.str_)),
            ("idf", idf.astype(np.float32)),
            ("weights", weights.astype(np.float32)),
            ("intercepts", intercepts.astype(np.float32)),
            ("slopes", slopes.astype(np.float32)),
            ("offsets", offsets.astype(np.float32)),
        ):
            one = io.BytesIO()
            np.lib.format.write_array(one, array, allow_pickle=False)
            # A fixed time stamp: the same training gives the same bytes.
            packed.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), one.getvalue(), zipfile.ZIP_DEFLATED)
    raw = held.getvalue()
    digest = hashlib.sha256(raw).hexdigest()
    card = {"format": FORMAT, "version": f"{card['created']}-{digest[:8]}", "sha256": digest, "heads": list(HEADS), "surface": list(SURFACE), **card}
    (folder / "model.npz").write_bytes(raw)
    (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    return card


def load(folder: Path) -> Model:
    """Rebuild a model from its artefact. Raises BadArtefact."""
    card = _card(folder / "card.json")
    raw = _bytes(folder / "model.npz")
    digest = hashlib.sha256(raw).hexdigest()
    if card.get("sha256") != digest:
        raise BadArtefact("The model file does not match the hash on its card: it was changed or damaged, so it is not used.")
    arrays = _arrays(raw)
    names = arrays["vocabulary"].tolist()
    known = len(names)
    shapes = {"idf": (known,), "weights": (known + len(SURFACE), len(HEADS)), "intercepts": (len(HEADS),), "slopes": (len(HEADS),), "offsets": (len(HEADS),)}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
            raise BadArtefact(f"The model file's {name} are not {' by '.join(map(str, shape))} finite numbers, so it is not used.")
    if arrays["vocabulary"].ndim != 1 or arrays["vocabulary"].dtype.kind != "U" or len(set(names)) != known:
        raise BadArtefact("The model file's vocabulary is not a list of different words, so it is not used.")
    vectoriser = Vectoriser(names, arrays["idf"])
    return Model(str(card["version"]), card, vectoriser, arrays["weights"], arrays["intercepts"], arrays["slopes"], arrays["offsets"])


def _card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadArtefact("The model card is not JSON, so the model is not used.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BadArtefact(f"The model card is not of the format {FORMAT}, so the model is not used.")
    if card.get("heads") != list(HEADS) or card.get("surface") != list(SURFACE) or not isinstance(card.get("version"), str):
        raise BadArtefact("The model was trained for another version of the product: train it again.")
    return card


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadArtefact(f"{path.name} is larger than {MAX_FILE >> 20} MB, so the model is not used.")
        return path.read_bytes()
    except OSError as error:
        raise BadArtefact(f"{path.name} cannot be read ({error.strerror}), so the model is not used.") from None


def _arrays(raw: bytes) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_UNPACKED:
                raise BadArtefact(f"The model file unpacks to more than {MAX_UNPACKED >> 20} MB, so it is not used.")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ARRAYS}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, MemoryError):
        raise BadArtefact("The model file is not a set of plain arrays as training writes them, so it is not used.") from None
