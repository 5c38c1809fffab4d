"""`flask classifier …` as an outsider calls it."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.kernel.db import Database
from escalation.classifier.model import load
from escalation.classifier.training import SOURCES
from escalation.commands import classifier_group
from tests.escalation.classifier.labels import labelled
from tests.stories import brand, rooms  # noqa: F401


def find_brand(slug: str) -> int:
    if slug != "northwind":
        raise LookupError(f"There is no brand {slug}.")
    return 1


def call(*args: str, stdin: str = "", brand: Callable[[str], int] = find_brand) -> Result:
    group: click.Group = classifier_group(brand)
    # What breaks shows where, instead of an exit code.
    return CliRunner(catch_exceptions=False).invoke(group, list(args), input=stdin)


def test_predict_writes_a_line_for_each_good_line_and_names_the_bad(db: Database) -> None:
    stdin = "\n".join(
        (
            '{"id": "a", "text": "You useless idiots!!! Worst company ever"}',
            "not json",
            '{"id": 7, "text": "Can I bring two bags?", "lang": "en"}',
            '{"id": "c"}',
            "",
            '[{"text": "x"}]',
            '{"text": "' + "x" * 100_001 + '"}',
            '{"id": ["x"], "text": "y"}',
            "[" * 50_000,
        )
    )
    result = call("predict", "--brand", "northwind", stdin=stdin)
    assert result.exit_code == 0, result.output
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert set(first) >= {"id", "lang", "anger", "technical", "spam", "urgency", "sentiment", "category", "audience", "why"}
    assert (first["id"], first["audience"], second["id"], second["audience"]) == ("a", "tier_1", 7, "community")
    assert first["why"][0]["rule"] == "angry"
    for number, reason in ((2, "not JSON"), (4, "no text"), (6, "not an object"), (7, "text is longer than 100,000"), (8, "id is neither"), (9, "not JSON")):
        assert f"line {number}: {reason}" in result.stderr


def test_predict_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": 1, "text": "路由器坏了，垃圾公司"}\n', "utf-8")
    result = call("predict", str(tmp_path / "posts.jsonl"))
    assert json.loads(result.stdout)["lang"] == "zh-Hans"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("predict", "--brand", "nobody"), "There is no brand nobody."),
        (("predict", "missing.jsonl"), "missing.jsonl"),
        (("evaluate", "missing.jsonl"), "missing.jsonl"),
        (("evaluate", "-"), "No line with a text and a label"),
        (("train", "--data", "missing"), "missing"),
        (("learn", "missing.jsonl", "--brand", "northwind"), "missing.jsonl"),
        (("learn", "-", "--brand", "nobody"), "There is no brand nobody."),
        (("learn", "-", "--brand", "northwind"), "No line with a text and a label"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_fails(args: tuple[str, ...], sentence: str) -> None:
    result = call(*args)
    assert result.exit_code != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_predict_fails_when_no_line_is_good() -> None:
    assert call("predict", stdin="nonsense\n").exit_code != 0


def test_evaluate_measures_and_counts_contradictions() -> None:
    rows = [{"text": f"You useless idiots {i}, worst service!!", "angry": 1, "technical": 0} for i in range(10)]
    rows += [{"text": f"Can I bring {word} bags?", "labels": {"angry": 0, "technical": 0}} for word in ("two", "three", "four", "red", "big")]
    rows += [{"text": "The app crashes with error 500", "final": {"angry": 0, "technical": 1}}]
    rows += [{"text": "same", "angry": 0}, {"text": "Same ", "angry": 1}]
    result = call("evaluate", "-", stdin="\n".join(map(json.dumps, rows)) + '\n{"text": "no label"}\n{"text": "x", "angry": 3}\n')
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (report["n"], report["bad_lines"], report["contradictory"]) == (18, 2, 1)
    assert report["angry"]["auc"] > 0.9 and report["technical"]["auc"] == 1.0
    assert report["angry"]["lines"]["recall_with_triage"]["of"] == 11
    assert report["angry_or_technical"]["reached"]["share"] == 1.0
    assert "line 19: no label" in result.stderr and "line 20: angry must be 0 or 1" in result.stderr


@pytest.mark.parametrize("args", [(), ("train",), ("learn",), ("evaluate",), ("predict",)])
def test_every_command_explains_itself(args: tuple[str, ...]) -> None:
    assert call(*args, "--help").exit_code == 0


def labels(count: int) -> str:
    rows = [{"text": example.text, "angry": int(example.angry or 0), "technical": int(example.technical or 0)} for example in labelled(count)]
    return "\n".join(map(json.dumps, rows)) + "\n"


def test_learn_names_bad_lines_shows_contradictions_and_puts_a_better_model_live(rooms: Database) -> None:  # noqa: F811
    northwind = brand()
    texts = {"id": 1, "text": "fandango, tell me about tickets"}
    before = json.loads(call("predict", stdin=json.dumps(texts)).stdout)
    bad = 'nonsense\n{"text": "x", "angry": 2}\n{"text": "x", "audience": "nobody"}\n{"angry": 1}\n'
    bad += '{"text": "twice", "angry": 1}\n{"text": "Twice", "angry": 0}\n'
    result = call("learn", "-", "--brand", "northwind", stdin=bad + labels(120), brand=lambda slug: northwind.id)
    assert result.exit_code == 0, result.output
    for line, reason in ((1, "not JSON"), (2, "angry must be 0 or 1"), (3, "audience must be one of"), (4, "text is missing")):
        assert f"line {line}: {reason}" in result.stderr
    assert "the same text, angry: line 5 says 1, line 6 says 0" in result.stderr
    figures = json.loads(result.stdout)
    assert (figures["read"], figures["bad_lines"], figures["contradictory"], figures["state"]) == (126, 4, figures["contradictory"], "live")
    assert figures["labels"]["angry"]["n"] == 122 and figures["labels"]["service_related"]["n"] == 0
    assert figures["out_of_fold"]["anger"]["learned"]["auc"] > figures["out_of_fold"]["anger"]["start"]["auc"]
    after = json.loads(call("predict", "--brand", "northwind", stdin=json.dumps(texts), brand=lambda slug: northwind.id).stdout)
    assert after["anger"] > before["anger"] + 0.2
    assert after["classifier"] == f"{before['classifier']}+{figures['version']}"


def test_learn_only_keeps_what_is_no_better_unless_told(rooms: Database) -> None:  # noqa: F811
    northwind = brand()
    chance, words = random.Random(3), ("tea", "bus", "seat", "gate", "blue", "door", "shop", "hour", "cup", "map", "road", "hat")
    noise = "\n".join(json.dumps({"text": " ".join(chance.choices(words, k=6)), "angry": int(chance.random() < 0.12)}) for _ in range(200))
    for flags, state in (((), "challenger"), (("--live",), "live")):
        result = call("learn", "-", "--brand", "northwind", *flags, stdin=noise, brand=lambda slug: northwind.id)
        assert json.loads(result.stdout)["state"] == state
    result = call("learn", "-", "--brand", "northwind", stdin=labels(20), brand=lambda slug: northwind.id)
    assert result.exit_code == 1 and "Learning takes 50 labelled posts" in result.stderr


def test_evaluate_measures_what_learning_would_give_without_storing_it() -> None:
    said = [call("evaluate", "-", *flags, stdin=labels(150)) for flags in ((), ("--folds", "3"))]
    assert [(result.exit_code, result.stderr) for result in said] == [(0, ""), (0, "")]
    plain, crossed = (json.loads(result.stdout) for result in said)
    assert crossed["n"] == plain["n"] == 150
    assert crossed["angry"]["auc"] > plain["angry"]["auc"]


def conversation(count: int) -> tuple[str, list[str]]:
    """Labelled second posts that say nothing by themselves, and the stream in which their authors had been cross or calm before."""
    labelled, stream = [], []
    for number in range(count):
        cross = number % 2
        first = f"You useless liars, worst company ever, number {number}" if cross else f"Where do I find lounge {number} please"
        second = f"It is about order {number} in Leeds"
        stream.append(json.dumps({"text": second, "author": f"a{number}", "posted_at": "2026-05-02T10:00:00+00:00"}))
        stream.append(json.dumps({"text": first, "author": f"a{number}", "posted_at": "2026-05-01T10:00:00Z"}))
        labelled.append(json.dumps({"text": second, "angry": cross}))
    stream += ["not json", '{"text": "no time"}', json.dumps({"text": "ours", "author": "us", "posted_at": "2026-05-01T10:00:00Z", "by_brand": True})]
    return "\n".join(labelled), stream


def test_evaluate_tells_what_earlier_posts_of_an_author_would_add(tmp_path: Path) -> None:
    labelled, stream = conversation(60)
    (tmp_path / "stream.jsonl").write_text("\n".join(stream), "utf-8")
    with gzip.open(tmp_path / "stream.jsonl.gz", "wt", encoding="utf-8") as packed:
        packed.write("\n".join(stream))
    for name in ("stream.jsonl", "stream.jsonl.gz"):
        found = json.loads(call("evaluate", "-", "--stream", str(tmp_path / name), stdin=labelled).stdout)["conversation"]
        assert (found["with_earlier_posts"], found["angry"]["n"], found["angry"]["positives"]) == (60, 60, 30)
        assert found["angry"]["auc_alone"] < 0.7 and found["angry"]["auc_with_earlier"] > 0.95 and found["angry"]["gain_interval"][0] > 0.1
    few = json.loads(call("evaluate", "-", "--stream", str(tmp_path / "stream.jsonl"), stdin=conversation(20)[0]).stdout)["conversation"]
    assert few["angry"] == {"n": 20, "positives": 10, "too_few_to_tell": True}
    (tmp_path / "none.jsonl").write_text("", "utf-8")
    assert json.loads(call("evaluate", "-", "--stream", str(tmp_path / "none.jsonl"), stdin=labelled).stdout)["conversation"]["with_earlier_posts"] == 0
    (tmp_path / "bad.jsonl.gz").write_bytes(b"plain")
    assert "bad.jsonl.gz can't be read" in call("evaluate", "-", "--stream", str(tmp_path / "bad.jsonl.gz"), stdin=labelled).stderr


def test_evaluate_orders_complaints_of_other_makers_by_the_anger_score() -> None:
    rows = [("You useless liars, worst company ever", 1), ("Where do I find the lounge?", 0), ("This is a disgrace, I am furious", 1), ("Lovely menu", 0)]
    stdin = "".join(json.dumps({"text": text, "labels": {"complaint": complains}}) + "\n" for text, complains in rows)
    found = json.loads(call("evaluate", "-", stdin=stdin).stdout)
    assert (found["complaint"]["n"], found["complaint"]["positives"], found["complaint"]["auc"]) == (4, 2, 1.0)
    assert "angry" not in found


def licensed_sets(folder: Path) -> None:
    """Sets of the right names and shapes, a few rows each, written for this test."""
    pairs = [
        ("you idiots this is terrible and i hate it", 1),
        ("lovely day thank you very much friend", 0),
        ("the code does not compile error in line", 0),
        ("worst answer ever how stupid", 1),
    ]
    for source in SOURCES:
        for part in ("train", "dev"):
            with gzip.open(folder / f"{source.name}.{part}.jsonl.gz", "wt", encoding="utf-8") as out:
                for number in range(24):
                    text, angry = pairs[number % 4]
                    labels = {
                        "angry": angry,
                        "technical": number % 2,
                        "sentiment": "negative" if angry else "positive",
                        "intent": "sync_device" if number % 4 == 2 else "balance",
                        "rating": 1 if angry else 5,
                    }
                    out.write(json.dumps({"id": f"{number}", "text": f"{text} {number}", "labels": labels}) + "\n")


def test_train_learns_from_the_licensed_sets_alone_and_always_the_same(tmp_path: Path) -> None:
    licensed_sets(tmp_path)
    # A set that may only measure lies beside them; opening it would fail.
    (tmp_path / "airline.train.jsonl.gz").write_bytes(b"not gzip")
    for name in ("one", "two"):
        result = call("train", "--data", str(tmp_path), "--out", str(tmp_path / name))
        assert result.exit_code == 0, result.output
    card = json.loads(result.stdout)
    assert (tmp_path / "one" / "model.npz").read_bytes() == (tmp_path / "two" / "model.npz").read_bytes()
    assert load(tmp_path / "two").version == card["version"]
    assert {entry["set"] for entry in card["training"]} == {source.name for source in SOURCES}
    assert all(entry["licence"] and entry["rows"] == 24 and len(entry["sha256"]) == 64 for entry in card["training"])


@pytest.mark.parametrize("damage", ["missing", "not gzip"])
def test_train_names_the_set_that_is_missing_or_broken(tmp_path: Path, damage: str) -> None:
    licensed_sets(tmp_path)
    broken = tmp_path / "banking77.train.jsonl.gz"
    broken.unlink()
    if damage == "not gzip":
        broken.write_bytes(b"plain")
    result = call("train", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.exit_code != 0
    assert "banking77.train.jsonl.gz" in result.stderr
    assert not (tmp_path / "out").exists()
