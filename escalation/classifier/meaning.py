"""What a text is about, as a vector: an optional input of a brand's second stage and of the search for answers. Everything works without it.

Any small BERT-shaped sentence encoder with mean pooling and an uncased WordPiece vocabulary serves, English ones such as
all-MiniLM-L6-v2 (Apache-2.0; 22 million numbers, 384 a text). It is read from a folder or a zip with `config.json`,
`tokenizer.json` and `model.safetensors`: plain numbers, no code of their maker runs. The sums are numpy's own, so
nothing is installed for it; a text takes some 25 ms of one core.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import struct
import threading
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.config import Config
from escalation.classifier.model import BadArtefact

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

MOST_PIECES = 128
"""Pieces of a text that are read; posts are shorter."""
MOST_CHARACTERS = 2_000
BATCH = 16
MAX_BYTES = 200 << 20
LANGUAGES = frozenset({"en", "und"})
"""What the encoder was trained on; other texts have no vector."""

_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_MASKED = re.compile(r"https?://\S+|www\.\S+|[@＠]\w+")
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")

_lock = threading.Lock()
_path: list[Path] = []
_live: list[Meaning | None] = []


class Meaning:
    """One encoder. `name` changes whenever its numbers do."""

    def __init__(self, config: Mapping[str, Any], vocabulary: Mapping[str, int], arrays: Mapping[str, Floats], name: str) -> None:
        self.name = name
        self.size = int(config["hidden_size"])
        self._layers, self._heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self._tiny = float(config.get("layer_norm_eps", 1e-12))
        self._vocabulary = vocabulary
        self._arrays = arrays
        self._longest = min(MOST_PIECES, int(config["max_position_embeddings"]))

    def reads(self, lang: str) -> bool:
        """Whether texts of this language have a vector."""
        return lang in LANGUAGES

    def embed(self, texts: Sequence[str]) -> Floats:
        """A row of length one for each text. Neighbours of a text in its batch change nothing beyond rounding."""
        from threadpoolctl import threadpool_limits  # only who has an encoder needs it

        found = np.zeros((len(texts), self.size), dtype=np.float32)
        pieces = [self._pieces(text) for text in texts]
        # Texts of like length together: little is computed for padding.
        order = sorted(range(len(texts)), key=lambda place: len(pieces[place]))
        # On one core: matrices this small gain little from a second, and lose eight times as much where others want it too.
        with threadpool_limits(1):
            for first in range(0, len(order), BATCH):
                batch = order[first : first + BATCH]
                found[batch] = self._encode([pieces[place] for place in batch])
        return found

    def _pieces(self, text: str) -> list[int]:
        plain = unicodedata.normalize("NFD", _MASKED.sub(" ", text[:MOST_CHARACTERS]).lower())
        plain = "".join(character for character in plain if unicodedata.category(character) != "Mn")
        known = self._vocabulary
        found = [known["[CLS]"]]
        for word in _WORD.findall(plain):
            if len(found) >= self._longest:
                break
            found.extend(self._cut(word))
        return [*found[: self._longest - 1], known["[SEP]"]]

    def _cut(self, word: str) -> list[int]:
        known, found, start = self._vocabulary, [], 0
        if len(word) > 100:
            return [known["[UNK]"]]
        while start < len(word):
            for end in range(len(word), start, -1):
                if (piece := known.get(("##" if start else "") + word[start:end])) is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                return [known["[UNK]"]]
        return found

    def _encode(self, batch: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), dtype=np.intp)
        there = np.zeros((len(batch), longest), dtype=np.float32)
        for row, pieces in enumerate(batch):
            ids[row, : len(pieces)], there[row, : len(pieces)] = pieces, 1
        arrays = self._arrays
        values = arrays["embeddings.word_embeddings.weight"][ids] + arrays["embeddings.position_embeddings.weight"][:longest]
        values = self._even(values + arrays["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = ((1 - there) * np.float32(-1e9))[:, None, None, :]
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}."
            query, key, value = (self._split(self._line(values, f"{at}attention.self.{part}")) for part in ("query", "key", "value"))
            weight = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(self.size // self._heads)) + hidden
            weight = np.exp(weight - weight.max(-1, keepdims=True))
            weight /= weight.sum(-1, keepdims=True)
            seen = (weight @ value).transpose(0, 2, 1, 3).reshape(values.shape)
            values = self._even(values + self._line(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm")
            inner = _gelu(self._line(values, f"{at}intermediate.dense"))
            values = self._even(values + self._line(inner, f"{at}output.dense"), f"{at}output.LayerNorm")
        mean = (values * there[:, :, None]).sum(1) / there.sum(1, keepdims=True)
        return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _split(self, values: Floats) -> Floats:
        return values.reshape(*values.shape[:2], self._heads, self.size // self._heads).transpose(0, 2, 1, 3)

    def _line(self, values: Floats, name: str) -> Floats:
        return np.asarray(values @ self._arrays[f"{name}.weight"].T + self._arrays[f"{name}.bias"])

    def _even(self, values: Floats, name: str) -> Floats:
        middle = values.mean(-1, keepdims=True)
        spread = values.var(-1, keepdims=True)
        return np.asarray((values - middle) / np.sqrt(spread + np.float32(self._tiny)) * self._arrays[f"{name}.weight"] + self._arrays[f"{name}.bias"])


def init(config: Config) -> None:
    """Remember where the installation's encoder is; it is read at first use."""
    _path[:] = [Path(config.meaning_model)] if config.meaning_model else []
    _live.clear()


def live() -> Meaning | None:
    """The installation's encoder, or None: there is none, or it can't be read, which is logged once."""
    if not _live:
        with _lock:
            if not _live:
                _live.append(_read_or_none())
    return _live[0]


def load(path: Path) -> Meaning:
    """Read an encoder from a folder or a zip. Raises BadArtefact with one sentence."""
    raw = {name: _part(path, name) for name in _FILES}
    try:
        config, tokenizer = json.loads(raw["config.json"]), json.loads(raw["tokenizer.json"])
        vocabulary = {str(piece): int(place) for piece, place in tokenizer["model"]["vocab"].items()}
        arrays = _safetensors(raw["model.safetensors"])
        found = Meaning(config, vocabulary, arrays, f"m{hashlib.sha256(raw['model.safetensors']).hexdigest()[:8]}")
        if not np.isfinite(found.embed(["a", "one more text to try it on"])).all():
            raise ValueError("not finite")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error, ZeroDivisionError) as error:
        raise BadArtefact(f"{path} is not a BERT-shaped encoder with a WordPiece vocabulary ({type(error).__name__}), so it is not used.") from None
    return found


def _read_or_none() -> Meaning | None:
    if not _path:
        return None
    try:
        return load(_path[0])
    except BadArtefact as error:
        log.error("%s Everything goes on without it.", error)
        return None


def _part(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            if (path / name).stat().st_size > MAX_BYTES:
                raise BadArtefact(f"{path / name} is larger than {MAX_BYTES >> 20} MB, so it is not used.")
            return (path / name).read_bytes()
        with zipfile.ZipFile(path) as packed:
            if packed.getinfo(name).file_size > MAX_BYTES:
                raise BadArtefact(f"{name} in {path} is larger than {MAX_BYTES >> 20} MB, so it is not used.")
            return packed.read(name)
    except (OSError, KeyError, zipfile.BadZipFile):
        raise BadArtefact(f"{path} is neither a folder nor a zip with {', '.join(_FILES)}, so it is not used.") from None


def _safetensors(raw: bytes) -> dict[str, Floats]:
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    found: dict[str, Floats] = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in ("F32", "F16"):
            continue
        begin, end = entry["data_offsets"]
        body = raw[8 + length + begin : 8 + length + end]
        found[name] = np.frombuffer(body, dtype=np.float32 if entry["dtype"] == "F32" else np.float16).reshape(entry["shape"]).astype(np.float32, copy=False)
    return found


def _gelu(values: Floats) -> Floats:
    # The error function by Abramowitz and Stegun 7.1.26, right to 1.5e-7.
    x = np.abs(values) / np.float32(math.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * x)
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * np.exp(-x * x)
    return np.asarray(values * (1 + np.sign(values) * (1 - tail)) / 2, dtype=np.float32)
