"""`flask classifier train | learn | evaluate | predict`: the classifier from the command line.

Data goes to standard output, everything for people (progress, bad lines, errors) to standard error.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.accounts.models import Brand
from app.kernel.db import db
from community.mentions.text import language, readable
from community.ports import Post, Route
from escalation.classifier import brands, meaning, store
from escalation.classifier.conversation import stream_of, worth
from escalation.classifier.evaluation import MAX_TEXT, Router, contradictions, evaluate, parse_line, report, routes_of
from escalation.classifier.model import BadArtefact
from escalation.classifier.predict import predict
from escalation.classifier.second import SecondStage, TooFewLabels, example_of, fit, fold_stages, measure
from escalation.routing.decide import decide
from escalation.routing.lines import policy_of
from escalation.routing.policy import BadPolicy, default_policy

BATCH = 512
MOST_SHOWN = 20
"""Contradictions that are written out."""

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

    @group.command("learn")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
    @click.option("--brand", "slug", required=True, help="The brand whose people gave the labels.")
    @click.option("--live/--keep", "put_live", default=None, help="Put it live, or only keep it; default: live if it judges unseen posts better.")
    def learn_command(file: IO[str], slug: str, put_live: bool | None) -> None:
        """Learn from a brand's labelled JSON lines (FILE or -): `text` and any of angry, technical, service_related, audience. Prints JSON."""
        brand_id = _find(find_brand, slug)
        rows, bad = _labelled(file)
        examples = [example_of(row) for row in rows]
        try:
            start = store.live()
            with _bar() as bar:
                task = bar.add_task("learning", total=2)
                encoder = meaning.live()
                stage = fit(start, examples, encoder)
                bar.update(task, completed=1)
                worth = measure(start, examples, encoder=encoder)
                bar.update(task, completed=2)
        except (TooFewLabels, BadArtefact) as error:
            raise click.ClickException(str(error)) from None
        figures = {"out_of_fold": worth.figures}
        with db.transaction() as session:
            row = brands.keep(session.get_one(Brand, brand_id), stage, figures=figures)
            if worth.better if put_live is None else put_live:
                brands.put_live(row)
        found = {"read": len(rows) + bad, "bad_lines": bad, "contradictory": len(contradictions(rows)), "version": row.version, "state": row.state}
        click.echo(json.dumps({**found, **row.figures}, ensure_ascii=False))

    @group.command("evaluate")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
    @click.option("--brand", "slug", default=None, help="The brand whose classifier decides.")
    @click.option(
        "--folds",
        type=click.IntRange(2, 50),
        default=None,
        help="Judge each part of FILE by what a brand would have learned from the other parts; nothing is stored.",
    )
    @click.option(
        "--stream",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help="Mentions (JSONL, also .gz) that hold the posts of FILE with author and time: also tell what an author's earlier posts would add.",
    )
    def evaluate_command(file: IO[str], slug: str | None, folds: int | None, stream: Path | None) -> None:
        """Measure on labelled JSON lines (FILE or -): `text` and any of angry, technical, service_related, praise, sentiment. Prints JSON."""
        rows, bad = _labelled(file)
        try:
            router = _router(_find(find_brand, slug) if slug is not None else None)
            with _bar() as bar:
                task = bar.add_task("reading posts", total=len(rows))
                if folds is None:
                    found = evaluate(rows, router, lambda done: bar.update(task, completed=done))
                else:
                    found = {"folds": folds, **report(rows, _routes_by_folds(rows, folds))}
                if stream is not None:
                    found["conversation"] = _conversation(rows, stream, router)
        except BadArtefact as error:
            raise click.ClickException(str(error)) from None
        click.echo(json.dumps({"bad_lines": bad, **found}, ensure_ascii=False))

    @group.command("predict")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"), default="-")
    @click.option("--brand", "slug", default=None, help="The brand whose classifier and policy decide.")
    def predict_command(file: IO[str], slug: str | None) -> None:
        """Signals and route of each JSON line with a `text` (FILE or standard input), as JSON lines. Stores nothing."""
        route = _router(_find(find_brand, slug) if slug is not None else None)
        good = bad = 0
        with _bar() as bar:
            task = bar.add_task("reading posts", total=None)
            for batch in _batches(_posts(file)):
                posts = [post for _, post, _ in batch if post is not None]
                routes = iter(route(posts))
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


def _find(find_brand: BrandCheck, slug: str) -> int:
    try:
        return find_brand(slug)
    except Exception as error:
        raise click.ClickException(str(error)) from None


def _router(brand_id: int | None = None, *, stage: SecondStage | None = None) -> Router:
    """As the brand decides; without one the start model (or this stage) with the default policy."""

    def route(posts: Sequence[Post]) -> list[Route]:
        try:
            return [decide(policy, post, signals) for post, signals in zip(posts, predict(posts, stage=known), strict=True)]
        except (BadArtefact, BadPolicy) as error:
            raise click.ClickException(str(error)) from None

    policy = default_policy() if brand_id is None else policy_of(brand_id)
    known = stage if brand_id is None else brands.live(brand_id)
    return route


def _routes_by_folds(rows: Sequence[dict[str, Any]], folds: int) -> list[Route]:
    routes: dict[int, Route] = {}
    for places, stage in fold_stages(store.live(), [example_of(row) for row in rows], folds, encoder=meaning.live()):
        routes.update(zip(places, routes_of([rows[place] for place in places], _router(stage=stage)), strict=True))
    return [routes[place] for place in range(len(rows))]


def _conversation(rows: Sequence[dict[str, Any]], stream: Path, router: Router) -> dict[str, Any]:
    try:
        with gzip.open(stream, "rt", encoding="utf-8") if stream.suffix == ".gz" else stream.open(encoding="utf-8") as lines:
            posts = stream_of(lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{stream.name} can't be read: {error}.") from None
    return worth(rows, posts, router)


def _labelled(file: IO[str]) -> tuple[list[dict[str, Any]], int]:
    """The good rows, and how many lines were bad; names the bad lines and those that contradict each other."""
    rows, numbers, bad = [], [], 0
    for number, line in _lines(file):
        try:
            rows.append(parse_line(line))
            numbers.append(number)
        except ValueError as error:
            bad += 1
            click.echo(f"line {number}: {error}; skipped", err=True)
    if not rows:
        raise click.ClickException("No line with a text and a label was found.")
    found = contradictions(rows)
    for label, places in found[:MOST_SHOWN]:
        said = ", ".join(f"line {numbers[place]} says {rows[place]['labels'][label]}" for place in places[:MOST_SHOWN])
        click.echo(f"the same text, {label}: {said}", err=True)
    if len(found) > MOST_SHOWN:
        click.echo(f"and {len(found) - MOST_SHOWN} more contradictions", err=True)
    return rows, bad


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
