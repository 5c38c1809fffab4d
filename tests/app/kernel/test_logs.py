"""Log lines are JSON, one line each, whatever they hold (P36)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from flask import Flask

from app.config import Config
from app.kernel import logs


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("text", ["a\r\nb", "a\nFAKE level=error", "a\u2028b", "a\x00b", "\x1b[31mred", '"}{', "é💬"])
def test_no_text_breaks_a_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.init(Config.for_tests())
    logging.getLogger("x").warning("said %s", text, extra={"author": text})
    (line,) = lines(capsys)
    assert line["event"] == f"said {text}"
    assert line["author"] == text
    assert line["level"] == "warning"


def test_an_error_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.init(Config.for_tests())
    try:
        raise ValueError("a\r\nb")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError" in str(line["exception"])


def small_app() -> Flask:
    app = Flask(__name__)
    logs.init_app(app)

    @app.get("/links/<secret>")
    def page(secret: str) -> str:
        logging.getLogger("page").info("shown")
        return "ok"

    return app


def test_the_lines_of_a_request_carry_its_id_and_no_secret_of_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    logs.init(Config.for_tests())
    answer = small_app().test_client().get("/links/needle", headers={"X-Request-ID": "abcdef0123456789"})
    inner, end = lines(capsys)
    assert inner["request_id"] == end["request_id"] == answer.headers["X-Request-ID"] == "abcdef0123456789"
    assert end["route"] == "/links/<secret>"
    assert "needle" not in json.dumps([inner, end])


def test_a_strange_request_id_is_replaced() -> None:
    logs.init(Config.for_tests())
    answer = small_app().test_client().get("/links/x", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert len(answer.headers["X-Request-ID"]) == 32
