"""`flask classifier train | evaluate | predict`: the classifier from the command line.

Data goes to standard output, everything for people (progress, bad lines, errors) to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from community.mentions.text import language, readable
from community.ports import Post, Route
from escalation.classifier import store
from escalation.classifier.evaluation import evaluate, parse_line
from escalation.classifier.model import BadArtefact
from escalation.routing.decide import decide
from escalation.routing.policy import BadPolicy, default_policy

BATCH = 512
MAX_TEXT = 100_000

BrandCheck = Callable[[str], int]


def classifier_group(find_brand: BrandCheck) -> click.Group:
    """The `classifier` commands. `find_brand` gives the id of a brand's slug or raises an exception whose text says why not."""

    @click.group("classifier")
    def group() -> None:
        """Train, measure and try the classifier."""

    @group.command("train")
    @click.option(
        "--data",
        "data_dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        required=True,
        help="Folder with the licensed sets (NAME.train.jsonl.gz, NAME.dev.jsonl.gz).",
    )
    @click.option(
        "--out", "out_dir", type=click.Path(file_okay=False, path_type=Path), default=None, help="Where the artefact goes; default: the one that ships."
    )
    def train_command(data_dir: Path, out_dir: Path | None) -> None:
        """Train the start model from the licensed sets and write its artefact; prints the card."""
        from escalation.classifier.training import BadData, train  # scikit-learn takes a second to import and only training needs it

        with _bar() as bar:
            steps: dict[str, Any] = {}

            def show(step: str, done: int, total: int) -> None:
                if step not in steps:
                    steps[step] = bar.add_task(step, total=total)
                bar.update(steps[step], completed=done)

            try:
                card = train(data_dir, out_dir or store.SHIPPED, show)
            except BadData as error:
                raise click.ClickException(str(error)) from None
        click.echo(json.dumps(card, ensure_ascii=False))

    @group.command("evaluate")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
    def evaluate_command(file: IO[str]) -> None:
        """Measure on labelled JSON lines (FILE or -): `text` and any of angry, technical, service_related, praise, sentiment. Prints JSON."""
        rows, bad = [], 0
        for number, line in _lines(file):
            try:
                rows.append(parse_line(line))
            except ValueError as error:
                bad += 1
                click.echo(f"line {number}: {error}; skipped", err=True)
        if not rows:
            raise click.ClickException("No line with a text and a label was found.")
        with _bar() as bar:
            task = bar.add_task("reading posts", total=len(rows))
            report = evaluate(rows, _route, lambda done: bar.update(task, completed=done))
        click.echo(json.dumps({"bad_lines": bad, **report}, ensure_ascii=False))

    @group.command("predict")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"), default="-")
    @click.option("--brand", "slug", default=None, help="The brand whose classifier and policy decide.")
    def predict_command(file: IO[str], slug: str | None) -> None:
        """Signals and route of each JSON line with a `text` (FILE or standard input), as JSON lines. Stores nothing."""
        if slug is not None:
            try:
                find_brand(slug)
            except Exception as error:
                raise click.ClickException(str(error)) from None
        good = bad = 0
        with _bar() as bar:
            task = bar.add_task("reading posts", total=None)
            for batch in _batches(_posts(file)):
                posts = [post for _, post, _ in batch if post is not None]
                routes = iter(_route(posts))
                for key, post, problem in batch:
                    if post is None:
                        bad += 1
                        click.echo(f"{problem}; skipped", err=True)
                        continue
                    good += 1
                    click.echo(json.dumps(_line(key, next(routes)), ensure_ascii=False))
                bar.update(task, completed=good)
        if bad and not good:
            raise click.ClickException("No line could be read.")

    return group


def _route(posts: list[Post] | Any) -> list[Route]:
    from escalation.classifier.predict import predict

    try:
        policy = default_policy()
        return [decide(policy, post, signals) for post, signals in zip(posts, predict(posts), strict=True)]
    except (BadArtefact, BadPolicy) as error:
        raise click.ClickException(str(error)) from None


def _line(key: Any, route: Route) -> dict[str, Any]:
    signals = route.signals
    return {
        "id": key,
        "lang": signals.lang,
        "anger": signals.anger,
        "technical": signals.technical,
        "spam": signals.spam,
        "urgency": signals.urgency,
        "sentiment": signals.sentiment,
        "category": signals.category,
        "audience": route.audience,
        "priority": route.priority,
        "why": [{"text": reason.text, "points": reason.points, "rule": reason.rule} for reason in route.reasons],
        "words": [{"signal": word.signal, "start": word.start, "end": word.end, "weight": word.weight} for word in signals.words],
        "classifier": signals.classifier,
        "policy": route.policy,
    }


def _posts(file: IO[str]) -> Iterator[tuple[Any, Post | None, str]]:
    for number, line in _lines(file):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield None, None, f"line {number}: not JSON"
            continue
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            yield None, None, f"line {number}: no text" if isinstance(row, dict) else f"line {number}: not an object"
            continue
        if len(row["text"]) > MAX_TEXT:
            yield None, None, f"line {number}: text is longer than {MAX_TEXT:,} characters"
            continue
        key = row.get("id")
        if key is not None and not isinstance(key, str | int):
            yield None, None, f"line {number}: id is neither a word nor a number"
            continue
        text = readable(row["text"])
        hint, followers = row.get("lang"), row.get("followers")
        yield (
            key,
            Post(text, language(text, hint if isinstance(hint, str) else None), followers if isinstance(followers, int) else None, row.get("private") is True),
            "",
        )


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line


def _batches(items: Iterator[tuple[Any, Post | None, str]]) -> Iterator[list[tuple[Any, Post | None, str]]]:
    batch: list[tuple[Any, Post | None, str]] = []
    for item in items:
        batch.append(item)
        # A person at a terminal gets an answer to each line; a pipe gets batches.
        if len(batch) >= (1 if sys.stdin.isatty() else BATCH):
            yield batch
            batch = []
    if batch:
        yield batch


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
