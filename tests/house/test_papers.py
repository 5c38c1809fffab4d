"""What the papers say is so: settings, container files, commands and links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from app import settings
from app.config import Config
from app.kernel.queue import QUEUES

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
NOT_SETTINGS = re.compile(r"VOUCH_(TEST|PROMISES|BENCH)")
"""Switches of the tests."""


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def dockerfile() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line and not line.startswith("#")]


def known_settings() -> set[str]:
    return {f"VOUCH_{name.upper()}" for name in Config.model_fields}


def commands_of(app: Flask) -> set[str]:
    found = set()
    for name, command in app.cli.commands.items():
        found.add(name)
        found |= {f"{name} {inner}" for inner in getattr(command, "commands", {})}
    return found


def test_the_page_of_settings_is_the_one_the_code_writes() -> None:
    assert (ROOT / "docs/settings.md").read_text() == settings.page(), "run ./run flask settings > docs/settings.md"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Config.model_fields.values())


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", "run", *PAPERS])
def test_every_setting_that_is_named_exists(name: str) -> None:
    named = {found for found in re.findall(r"VOUCH_[A-Z][A-Z_]*[A-Z]", (ROOT / name).read_text()) if not NOT_SETTINGS.match(found)}
    assert named <= known_settings(), named - known_settings()


def test_compose_runs_every_part_with_a_command_that_exists(app: Flask) -> None:
    services = compose()["services"]
    assert {"postgres", "redis", "web", "worker", "slow-worker", "posting-worker", "scheduler", "listener"} <= set(services)
    known = commands_of(app)
    for name, service in services.items():
        command = service.get("command")
        if command and command[0] == "flask":
            words = [word for word in command[1:] if not word.startswith("-")]
            assert command[1] in known, name
            if isinstance(app.cli.commands[command[1]], type(app.cli.commands["db"])):
                assert " ".join(words[:2]) in known, name


def test_compose_works_every_queue() -> None:
    """Each queue has workers of its own: neither a flood of small jobs nor a long one holds up the others."""
    commands = [service["command"] for service in compose()["services"].values() if "worker" in service.get("command", [])]
    assert sorted([word for word in command if word in QUEUES] for command in commands) == [[name] for name in sorted(QUEUES)]


def test_compose_keeps_its_options(app: Flask) -> None:
    for service in compose()["services"].values():
        command = service.get("command", [])
        if command[:1] == ["flask"] and command[1] == "worker":
            options = {option for parameter in app.cli.commands["worker"].params for option in parameter.opts}
            assert {word for word in command[2:] if word.startswith("-")} <= options


def test_compose_publishes_the_port_the_image_listens_on() -> None:
    exposed = next(value for word, value in dockerfile() if word == "EXPOSE")
    command = next(value for word, value in dockerfile() if word == "CMD")
    assert f"0.0.0.0:{exposed}" in command
    assert compose()["services"]["web"]["ports"] == [f"127.0.0.1:{exposed}:{exposed}"]


def test_redis_on_a_network_has_a_password() -> None:
    services = compose()["services"]
    assert "--requirepass" in services["redis"]["command"]
    assert services["web"]["environment"]["VOUCH_REDIS_URL"].startswith("redis://:${REDIS_PASSWORD")


def test_the_image_installs_the_lock_with_its_hashes_and_is_not_root() -> None:
    steps = dockerfile()
    assert any(word == "RUN" and "--require-hashes -r requirements.txt" in value for word, value in steps)
    assert [value for word, value in steps if word == "USER"] == ["vouch"]
    assert all((ROOT / source).exists() for word, value in steps if word == "COPY" for source in value.split()[:-1])


def test_gunicorn_knows_the_options_the_image_gives_it() -> None:
    from gunicorn.config import Config as Gunicorn

    command = next(value for word, value in dockerfile() if word == "CMD")
    known = {option for setting in Gunicorn().settings.values() for option in setting.cli or []}
    assert set(re.findall(r"(?<=\")-[-a-z]+(?=\")", command)) <= known


@pytest.mark.parametrize("name", PAPERS)
def test_links_between_papers_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", PAPERS)
def test_commands_named_in_papers_exist(name: str, app: Flask) -> None:
    known = commands_of(app)
    for words in re.findall(r"(?:\./run flask|`flask) ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", (ROOT / name).read_text()):
        assert words in known or words.split()[0] in known, f"{name} names flask {words}"
    for word in re.findall(r"\./run ([a-z]+)", (ROOT / name).read_text()):
        assert word in {"flask", "test", "check", "bench", "promises"}, f"{name} names ./run {word}"


@pytest.mark.parametrize("name", ["run", ".ci/run"])
def test_scripts_can_be_run_and_parsed(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111
    shell = "sh" if name == "run" else "bash"
    assert subprocess.run([shell, "-n", str(ROOT / name)], capture_output=True, check=False).returncode == 0


def test_the_makefile_only_calls_the_script() -> None:
    recipes = [line.strip() for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    assert set(recipes) == {"./run", "./run $@"}
