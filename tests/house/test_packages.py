"""The locks hold what the .in files ask for, in the asked range, each with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def wanted(name: str) -> list[Requirement]:
    """What an .in file asks for, with what it includes."""
    found: list[Requirement] = []
    for line in (ROOT / name).read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found += wanted(line.removeprefix("-r ").strip())
        elif line:
            found.append(Requirement(line))
    return found


def locked(name: str) -> dict[str, list[str]]:
    """Package to the versions a lock pins it at; markers may pin one twice."""
    versions: dict[str, list[str]] = {}
    for match in re.finditer(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", (ROOT / name).read_text(), re.M):
        versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return versions


@pytest.mark.parametrize(("asked", "lock"), [("requirements.in", "requirements.txt"), ("requirements-dev.in", "requirements-dev.txt")])
def test_each_wanted_package_is_locked_in_range(asked: str, lock: str) -> None:
    pins = locked(lock)
    for requirement in wanted(asked):
        versions = pins.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement.name} of {asked} is not in {lock}"
        assert all(requirement.specifier.contains(version) for version in versions), f"{lock} has {requirement.name} {versions}, wanted {requirement.specifier}"


def test_the_development_lock_runs_what_production_runs() -> None:
    base, dev = locked("requirements.txt"), locked("requirements-dev.txt")
    assert {name: dev.get(name) for name in base} == base


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_a_hash(lock: str) -> None:
    for block in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text()):
        if "==" in block.splitlines()[0]:
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_installer_stands_in_the_development_lock() -> None:
    """./run takes uv, and its hashes, from there."""
    assert re.search(r"^uv==[^ ]+ \\\n(    --hash=sha256:[0-9a-f]{64} ?\\?\n)+", (ROOT / "requirements-dev.txt").read_text(), re.M)
