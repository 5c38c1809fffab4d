"""The live model of this process: read once, at first use, by whichever thread comes first."""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from pathlib import Path

from escalation.classifier.model import Model, load

SHIPPED = Path(__file__).parent / "artefact"
# What a reading depends on beside the model: a change to any of these is another version of the classifier.
_RULES = ("lexicon.py", "features.py", "rules.py", "predict.py", "vectors.py", "simplified.txt")

_lock = threading.Lock()
_live: list[Model] = []


def live() -> Model:
    """The model in use. Raises BadArtefact if the shipped one is damaged."""
    if not _live:
        with _lock:
            if not _live:
                _live.append(load(SHIPPED))
    return _live[0]


def put_live(folder: Path) -> Model:
    """Use another artefact from now on in this process; a refused one leaves the old one in use. Raises BadArtefact."""
    model = load(folder)
    with _lock:
        _live[:] = [model]
    return model


@lru_cache(maxsize=1)
def rules_version() -> str:
    """Six digits that change whenever lexicon, features or rules do."""
    digest = hashlib.sha256()
    for name in _RULES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:6]
