"""The house: each part imports only what stands to its left, and what stands on the ground knows no room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

GROUND = "ground"
FLOORS = (GROUND, "community", "escalation", "gamification", "roof")
"""From left to right. The ground floor is app.config, app.kernel, app.accounts and app.notices; everything else of app is the roof."""
ON_THE_GROUND = ("app.config", "app.kernel", "app.accounts", "app.notices")
GROUND_ORDER = ("app.config", "app.kernel", "app.accounts", "app.notices")
"""The kernel knows nobody; people and notices may stand on it."""


def modules() -> Iterator[tuple[str, Path]]:
    for folder in ("app", "community", "escalation", "gamification"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(name: str, source: str, *, package: bool) -> Iterator[tuple[int, str]]:
    """Every module of ours that the source imports, with its line; those for type checking alone count too."""
    base = name.split(".") if package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(base[: len(base) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (start, node.module or "") if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def floor(module: str) -> str | None:
    top = module.split(".")[0]
    if top == "app":
        return GROUND if under(module, ON_THE_GROUND) else "roof"
    return top if top in FLOORS else None


def under(module: str, parts: tuple[str, ...]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def wrong_ways(name: str, source: str, *, package: bool = False) -> list[str]:
    """Imports that go to the right, as sentences."""
    here = floor(name)
    assert here is not None
    found = []
    for line, target in imports(name, source, package=package):
        there = floor(target)
        if target == "app" or there is None:
            continue
        right = FLOORS.index(there) > FLOORS.index(here)
        kernel_out = under(name, ("app.kernel",)) and not under(target, ("app.kernel", "app.config"))
        config_out = name == "app.config"
        if right or kernel_out or config_out:
            found.append(f"{name}:{line} imports {target}")
    return found


def test_every_import_goes_to_the_left() -> None:
    found = [wrong for name, path in modules() for wrong in wrong_ways(name, path.read_text(), package=path.name == "__init__.py")]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("community.tasks.actions", "from escalation.triage import decide"),
        ("community.tasks.actions", "import gamification.points.models"),
        ("escalation.cases.actions", "from app.web import desk"),
        ("escalation.cases.actions", "def f():\n    from gamification import badges"),
        ("app.kernel.queue", "from app.accounts import models"),
        ("app.accounts.people", "from community.tasks import models"),
        ("app.accounts.people", "from app import factory"),
        ("gamification.points.rules", "import app.wiring"),
        ("app.config", "from app.kernel import clock"),
    ],
)
def test_a_wrong_way_is_seen(name: str, source: str) -> None:
    assert wrong_ways(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gamification.points.actions", "from community.events import ReplyApproved"),
        ("escalation.cases.actions", "from app.kernel.db import db"),
        ("app.web.desk", "from gamification.points import queries"),
        ("app.kernel.queue", "from app.config import Config"),
        ("community.tasks.actions", "from . import models"),
    ],
)
def test_a_right_way_is_let_pass(name: str, source: str) -> None:
    assert not wrong_ways(name, source)


def test_rooms_do_not_import_one_another_in_a_circle() -> None:
    """Imports at the top of modules, which is what Python stumbles over."""
    known = dict(modules())
    edges: dict[str, set[str]] = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text())
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        targets = {target for _, target in imports(name, ast.unparse(tree), package=path.name == "__init__.py")}
        edges[name] = {found for target in targets if (found := _module(target, known)) and found != name and not name.startswith(f"{found}.")}
    circle = _circle(edges)
    assert not circle, " -> ".join(circle)


def test_a_circle_is_seen() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]


def _module(target: str, known: dict[str, Path]) -> str | None:
    """`from a.b import c` may name the module a.b.c or something inside a.b."""
    if target in known:
        return target
    parent = target.rpartition(".")[0]
    return parent if parent in known else None


def _circle(edges: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for following in sorted(edges.get(node, ())):
            if found := walk(following, [*trail, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := walk(node, []))), [])
