"""P37: model files cannot run code: neither a pickle nor a changed artefact is read, and the model in use stays in use."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from escalation.classifier import store
from escalation.classifier.model import BadArtefact, load


class Bomb:
    """What runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def pickled(mark: Path) -> bytes:
    return pickle.dumps(Bomb(mark))


def objects(mark: Path) -> bytes:
    """An artefact like the shipped one, with a bomb in the place of each array."""
    with np.load(store.SHIPPED / "model.npz", allow_pickle=False) as shipped:
        names = shipped.files
    held = io.BytesIO()
    np.savez(held, **{name: np.array([Bomb(mark)], dtype=object) for name in names})
    return held.getvalue()


def lone_array(mark: Path) -> bytes:
    held = io.BytesIO()
    np.save(held, np.array([Bomb(mark)], dtype=object), allow_pickle=True)
    return held.getvalue()


@pytest.mark.parametrize("make", [pickled, objects, lone_array])
@pytest.mark.parametrize("known", [True, False])
def test_p37_a_pickle_is_refused_and_never_run(make: object, known: bool, tmp_path: Path) -> None:
    """Red with `allow_pickle=True`. `known`: the forger wrote the fitting hash into the card, too."""
    import hashlib

    folder, mark = tmp_path / "artefact", tmp_path / "ran"
    shutil.copytree(store.SHIPPED, folder)
    raw = make(mark)  # type: ignore[operator]
    (folder / "model.npz").write_bytes(raw)
    if known:
        card = json.loads((folder / "card.json").read_text())
        card["sha256"] = hashlib.sha256(raw).hexdigest()
        (folder / "card.json").write_text(json.dumps(card))
    before = store.live()

    with pytest.raises(BadArtefact):
        store.put_live(folder)

    assert not mark.exists()
    assert store.live() is before


@pytest.mark.parametrize("place", [0, 100, -1, -1000])
def test_p37_a_changed_artefact_is_refused(place: int, tmp_path: Path) -> None:
    """Red without the comparison of the hash in `load`."""
    folder = tmp_path / "artefact"
    shutil.copytree(store.SHIPPED, folder)
    raw = bytearray((folder / "model.npz").read_bytes())
    raw[place] ^= 1
    (folder / "model.npz").write_bytes(raw)
    with pytest.raises(BadArtefact):
        load(folder)


def test_p37_the_shipped_one_is_read() -> None:
    load(store.SHIPPED)
