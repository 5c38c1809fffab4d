"""The page of settings, written from the Config itself so that it cannot be wrong: `flask settings > docs/settings.md`."""

from __future__ import annotations

from typing import Any, get_args

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.config import Config

HEAD = """# Settings

Every setting of an installation is an environment variable, read once at start. A missing or bad one stops the start
with a sentence that says which and why. What belongs to a brand (policy, deadlines, rewards) is set in the brand instead.

This page is written by `./run flask settings > docs/settings.md`.

| variable | default | values | what it does |
| --- | --- | --- | --- |
"""
TAIL = """
`./run` also reads `PORT` (5000; the demo network takes the next port).
"""


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(_line(name, field) for name, field in Config.model_fields.items()) + TAIL


@click.command("settings")
def settings() -> None:
    """Print the page of settings as Markdown."""
    click.echo(page(), nl=False)


def _line(name: str, field: FieldInfo) -> str:
    return f"| `VOUCH_{name.upper()}` | {_default(field.default)} | {_values(field)} | {field.description or ''} |\n"


def _default(value: Any) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(plain, bool):
        plain = int(plain)
    return f"`{plain}`" if str(plain) else "empty"


def _values(field: FieldInfo) -> str:
    if choices := get_args(field.annotation):
        return ", ".join(f"`{choice}`" for choice in choices)
    limits = {type(limit).__name__.lower(): getattr(limit, type(limit).__name__.lower()) for limit in field.metadata}
    if "ge" in limits and "le" in limits:
        return f"{limits['ge']} to {limits['le']}"
    names = {"bool": "0 or 1", "Path": "folder", "SecretStr": "secret", "str": "text", "float": "number", "int": "whole number"}
    return names[getattr(field.annotation, "__name__", "str")]
