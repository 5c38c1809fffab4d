"""A real Chromium before a server of our own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.harness.visitor import PASSWORD
from tests.web.conftest import Town, rooms, town, triage

__all__ = ["rooms", "town", "triage"]

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the application is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def window(chromium: Any, address: str, town: Town) -> Iterator[Callable[..., Any]]:
    """`window("ada")`: a page in which that person signed in; whatever a script complains about fails the test at its end."""
    contexts, complaints = [], []

    def open_(who: str, *, phone: bool = False, dark: bool = False) -> Any:
        context = chromium.new_context(
            base_url=address, viewport=PHONE if phone else WIDE, color_scheme="dark" if dark else "light", permissions=["clipboard-read", "clipboard-write"]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" and "status of" not in said.text else None)
        page.goto("/login")
        page.get_by_label("E-mail").fill(town.people[who].email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
