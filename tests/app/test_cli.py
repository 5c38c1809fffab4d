"""What all commands have in common: the schema is looked at first, a refusal is one sentence, what they make is private."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from app.kernel import migrate
from app.kernel.db import make_engine
from tests.harness import nursery
from tests.harness.processes import ROOT
from tests.stories import brand

COMMANDS = [
    ("seed",),
    ("mentions", "import", "{file}", "--brand", "northwind"),
    ("users", "add", "x@y.example", "--role", "advocate", "--brand", "northwind"),
    ("tokens", "issue", "x@y.example"),
    ("channels", "add", "webhook", "--brand", "northwind", "--name", "hook"),
    ("audit", "verify"),
    ("ledger", "rebuild", "--check"),
    ("listen", "--once"),
]


def ask(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a folder of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
    return nursery.ask("flask", "--app", str(ROOT / "wsgi.py"), *arguments, environment={**clean, "VOUCH_DATA_DIR": str(data)}, folder=ROOT)


def one_sentence(answer: subprocess.CompletedProcess[str], words: str) -> None:
    assert answer.returncode == 1, answer.stderr
    assert words in answer.stderr
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"id": "1", "text": "How?", "author": "A", "posted_at": "2026-03-02T09:00:00Z"}\n')
    return posts


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_an_empty_schema_is_told_before_anything_is_done(command: tuple[str, ...], file: Path, tmp_path: Path) -> None:
    one_sentence(ask(tmp_path / "data", *(word.format(file=file) for word in command)), "run `flask db upgrade`")


def test_a_newer_database_is_left_alone(file: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert ask(data, "db", "upgrade").returncode == 0
    engine = make_engine(f"sqlite:///{data / 'vouch.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    engine.dispose()
    one_sentence(ask(data, "mentions", "import", str(file), "--brand", "northwind"), "newer than this code")


def test_help_and_what_needs_no_schema_work_without_one(tmp_path: Path) -> None:
    for words in (("mentions", "import", "--help"), ("settings",)):
        assert ask(tmp_path / "data", *words).returncode == 0


def test_a_refusal_of_a_verb_is_one_sentence(app: Flask, file: Path) -> None:
    brand()
    answer = app.test_cli_runner().invoke(args=["mentions", "import", str(file), "--brand", "northwind", "--channel", "a\nb"])
    assert answer.exit_code == 1
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert answer.output.strip().splitlines()[-1].startswith("Error: ")


def test_what_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert ask(data, "db", "upgrade").returncode == 0
    assert data.stat().st_mode & 0o777 == 0o700
    made = [path for path in data.rglob("*") if path.is_file()]
    assert data / "vouch.db" in made
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


def test_a_folder_that_exists_keeps_its_rights(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    assert ask(data, "db", "upgrade").returncode == 0
    assert data.stat().st_mode & 0o777 == 0o755
    migrate.check(f"sqlite:///{data / 'vouch.db'}")
