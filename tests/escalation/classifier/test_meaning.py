"""An encoder is an optional input: read from plain numbers, refused in a sentence, and nothing depends on it."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from community.ports import Post
from escalation.classifier import meaning, store
from escalation.classifier.meaning import Meaning, load
from escalation.classifier.model import BadArtefact
from escalation.classifier.predict import predict
from escalation.classifier.second import SecondStage, fit, from_bytes
from tests.escalation.classifier.labels import labelled

WORDS = ("the", "tickets", "me", "fandango", "about", "tell", "parcel", "with", "gubbins", "my", "is", "##s", "gub", "##bins")
CROSS = Post("fandango, tell me about tickets", "en")


def written(folder: Path, *, seed: int = 1, layers: int = 2) -> Path:
    """An encoder of random numbers, small enough to be written in a moment."""
    chance, size, inner = np.random.default_rng(seed), 8, 16
    vocabulary = {piece: place for place, piece in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *"abcdefghijklmnopqrstuvwxyz,.!?"))}
    arrays = {
        "embeddings.word_embeddings.weight": (len(vocabulary), size),
        "embeddings.position_embeddings.weight": (32, size),
        "embeddings.token_type_embeddings.weight": (2, size),
        "embeddings.LayerNorm.weight": (size,),
        "embeddings.LayerNorm.bias": (size,),
    }
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        for name, shape in (("intermediate.dense", (inner, size)), ("output.dense", (size, inner)), ("attention.output.dense", (size, size))):
            arrays |= {f"{at}{name}.weight": shape, f"{at}{name}.bias": (shape[0],)}
        for name in ("query", "key", "value"):
            arrays |= {f"{at}attention.self.{name}.weight": (size, size), f"{at}attention.self.{name}.bias": (size,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            arrays |= {f"{at}{name}.weight": (size,), f"{at}{name}.bias": (size,)}
    header, body = {}, b""
    for name, shape in arrays.items():
        middle, spread = (1.0, 0.1) if name.endswith("LayerNorm.weight") else (0.0, 0.1 if name.endswith("bias") else 1.0)
        one = chance.normal(middle, spread, shape).astype(np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(body), len(body) + len(one)]}
        body += one
    head = json.dumps(header).encode()
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + body)
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    (folder / "config.json").write_text(json.dumps({"hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 2, "max_position_embeddings": 32}))
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Meaning:
    return load(written(tmp_path_factory.mktemp("encoder")))


@pytest.fixture(scope="module")
def stage(encoder: Meaning) -> SecondStage:
    return fit(store.live(), labelled(300), encoder)


def test_a_text_is_a_row_of_length_one_the_same_in_any_company(encoder: Meaning) -> None:
    texts = ["tell me about tickets", "fandango", "", "my parcel is with the gubbins " * 50, "\x00 😡 垃圾", "x" * 100_000]
    together = encoder.embed(texts)
    assert together.shape == (6, encoder.size)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    for text, row in zip(texts, together, strict=True):
        assert encoder.embed([text])[0] == pytest.approx(row, abs=1e-5)


def test_handles_and_links_say_nothing_and_words_are_cut_into_known_pieces(encoder: Meaning) -> None:
    one, other = encoder.embed(["@acme tell me https://t.co/x", "tell me"])
    assert one == pytest.approx(other, abs=1e-6)
    assert encoder._cut("gubbins") == [encoder._vocabulary["gubbins"]]
    assert encoder._cut("gubbinss") == [encoder._vocabulary["gubbins"], encoder._vocabulary["##s"]]
    assert encoder._cut("垃") == [encoder._vocabulary["[UNK]"]]


def test_without_layers_a_text_is_the_mean_of_its_evened_words(tmp_path: Path) -> None:
    bare = load(written(tmp_path, layers=0))
    arrays, known = bare._arrays, bare._vocabulary
    rows = []
    for place, piece in enumerate(("[CLS]", "tickets", "[SEP]")):
        row = arrays["embeddings.word_embeddings.weight"][known[piece]] + arrays["embeddings.position_embeddings.weight"][place]
        row = row + arrays["embeddings.token_type_embeddings.weight"][0]
        rows.append((row - row.mean()) / row.std() * arrays["embeddings.LayerNorm.weight"] + arrays["embeddings.LayerNorm.bias"])
    mean = np.mean(rows, axis=0)
    assert bare.embed(["tickets"])[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-4)


def test_a_zip_serves_as_well_as_a_folder(tmp_path: Path, encoder: Meaning) -> None:
    folder = written(tmp_path / "encoder")
    with zipfile.ZipFile(tmp_path / "encoder.zip", "w") as packed:
        for file in folder.iterdir():
            packed.write(file, file.name)
    assert load(tmp_path / "encoder.zip").name == encoder.name


def test_what_is_no_encoder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadArtefact, match="neither a folder nor a zip"):
        load(tmp_path / "nowhere")
    for name, content in (("model.safetensors", b"short"), ("config.json", b"{}"), ("tokenizer.json", b"[]"), ("config.json", b"\xff")):
        folder = written(tmp_path / f"bad-{name}-{len(content)}")
        (folder / name).write_bytes(content)
        with pytest.raises(BadArtefact, match="not a BERT-shaped encoder"):
            load(folder)


def test_a_stage_taught_with_an_encoder_uses_it_where_it_is_at_hand(stage: SecondStage, encoder: Meaning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "_live", [encoder])
    deep = predict([CROSS], stage=stage)[0]
    assert deep.classifier.endswith(f"+{stage.version}m") and deep.anger > 0.6
    monkeypatch.setattr(meaning, "_live", [None])
    plain = predict([CROSS], stage=stage)[0]
    assert plain.classifier.endswith(f"+{stage.version}") and plain.anger > 0.6
    assert plain.anger != deep.anger


def test_another_encoder_than_the_one_it_was_taught_with_is_left_out(stage: SecondStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "_live", [load(written(tmp_path, seed=2))])
    assert predict([CROSS], stage=stage)[0].classifier.endswith(f"+{stage.version}")


def test_chinese_has_no_vector_and_is_judged_without(stage: SecondStage, encoder: Meaning, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for live in ([encoder], [None]):
        monkeypatch.setattr(meaning, "_live", live)
        found.append(predict([Post("路由器坏了", "zh-Hans")], stage=stage)[0].technical)
    assert found[0] == found[1]


def test_both_halves_survive_the_way_to_the_database(stage: SecondStage, encoder: Meaning) -> None:
    again = from_bytes(stage.to_bytes())
    assert again.version == stage.version and again.uses(encoder) and again.deep is not None and stage.deep is not None
    assert (again.deep.sense == stage.deep.sense).all()


def test_an_installation_whose_encoder_is_broken_works_without_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(meaning, "_live", [])
    monkeypatch.setattr(meaning, "_path", [tmp_path / "nowhere"])
    assert meaning.live() is None and meaning.live() is None
    assert caplog.text.count("Everything goes on without it.") == 1
