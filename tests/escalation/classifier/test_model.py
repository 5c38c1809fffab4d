"""An artefact is data: a damaged, foreign or hostile one is refused in a sentence and nothing of it runs."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from community.ports import Post
from escalation.classifier import store
from escalation.classifier.features import read
from escalation.classifier.model import ARRAYS, BadArtefact, load
from escalation.classifier.predict import predict


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(store.SHIPPED, tmp_path / "artefact")
    return tmp_path / "artefact"


def reseal(folder: Path, raw: bytes) -> None:
    """Put other arrays in place with a card that vouches for them, as somebody with a shell could."""
    (folder / "model.npz").write_bytes(raw)
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(raw).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def packed(folder: Path, **changes: object) -> bytes:
    with np.load(folder / "model.npz") as arrays:
        kept = {name: arrays[name] for name in ARRAYS}
    held = io.BytesIO()
    np.savez(held, **{name: value for name, value in {**kept, **changes}.items() if value is not None})
    return held.getvalue()


def test_the_shipped_artefact_loads_and_matches_its_card(copy: Path) -> None:
    model = load(copy)
    assert model.version == model.card["version"]
    assert len(model.vectoriser.names) == model.card["vocabulary"]
    assert sum(file.stat().st_size for file in copy.iterdir()) < 15_000_000


def test_a_changed_file_is_refused(copy: Path) -> None:
    raw = bytearray((copy / "model.npz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / "model.npz").write_bytes(raw)
    with pytest.raises(BadArtefact, match="does not match the hash"):
        load(copy)


class Trap:
    sprung: list[str] = []

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return Trap.sprung.append, ("code of the artefact ran",)


@pytest.mark.parametrize("kind", ["pickle", "object array", "npz with objects"])
def test_a_pickle_is_refused_and_never_run(copy: Path, kind: str) -> None:
    trap = np.array([Trap()], dtype=object)
    if kind == "pickle":
        raw = pickle.dumps(Trap())
    elif kind == "object array":
        held = io.BytesIO()
        np.save(held, trap, allow_pickle=True)
        raw = held.getvalue()
    else:
        raw = packed(copy, vocabulary=trap)
    reseal(copy, raw)
    with pytest.raises(BadArtefact):
        load(copy)
    assert Trap.sprung == []


@pytest.mark.parametrize(
    "change",
    [
        {"idf": None},
        {"idf": np.zeros(3, dtype=np.float32)},
        {"weights": np.zeros((2, 2), dtype=np.float32)},
        {"slopes": np.array([1, 1, 1, np.nan], dtype=np.float32)},
        {"intercepts": np.zeros(4, dtype=np.float64)},
        {"vocabulary": np.array(["a", "a"])},
        {"vocabulary": np.array([1, 2])},
    ],
)
def test_arrays_of_another_shape_or_kind_are_refused(copy: Path, change: dict[str, object]) -> None:
    reseal(copy, packed(copy, **change))
    with pytest.raises(BadArtefact):
        load(copy)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x93NUMPY", b"{}", b"\x00" * 1000])
def test_a_foreign_file_is_refused(copy: Path, raw: bytes) -> None:
    reseal(copy, raw)
    with pytest.raises(BadArtefact):
        load(copy)


def test_a_file_that_unpacks_to_gigabytes_is_refused_before_it_does(copy: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("vocabulary.npy", b"\x00" * (65 << 20))
    reseal(copy, held.getvalue())
    with pytest.raises(BadArtefact, match="unpacks"):
        load(copy)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "other/1"}', "[" * 100_000])
def test_a_foreign_card_is_refused(copy: Path, text: str) -> None:
    (copy / "card.json").write_text(text)
    with pytest.raises(BadArtefact):
        load(copy)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArtefact, match=r"card\.json cannot be read"):
        load(tmp_path)


def test_a_refused_artefact_leaves_the_old_one_live(copy: Path) -> None:
    before = store.live()
    (copy / "model.npz").write_bytes(b"nothing")
    with pytest.raises(BadArtefact):
        store.put_live(copy)
    assert store.live() is before
    assert predict([Post("hello", "en")])[0].classifier.startswith(before.version)


def test_the_arrays_alone_give_the_scores() -> None:
    """The sum the loaded model takes is the plain dot product over its vocabulary, whatever else is in the batch."""
    model = store.live()
    readings = [read("my router crashed, you useless lot!"), read(""), read("谢谢")]
    together = model.log_odds(readings)
    alone = np.vstack([model.log_odds([reading]) for reading in readings])
    assert np.allclose(together, alone, atol=1e-5)
    _, _, values = model.vectoriser.rows(readings[:1])
    assert np.isclose(float((values**2).sum()), 1.0, atol=1e-5)
