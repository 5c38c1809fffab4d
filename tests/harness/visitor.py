"""A client that behaves like a browser: it keeps cookies and sends the CSRF token its session holds."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

PASSWORD = "a long enough password"
"""What every person of the tests has."""
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Visitor(FlaskClient):
    """Sends the CSRF token with everything that writes, unless told `csrf=False`. `part=True` asks as a page's script does."""

    def open(self, *args: Any, csrf: bool = True, part: bool = False, **kwargs: Any) -> TestResponse:
        headers = dict(kwargs.pop("headers", None) or {})
        if csrf and str(kwargs.get("method", "GET")).upper() in WRITING and "Authorization" not in headers:
            headers.setdefault("X-CSRFToken", self.csrf_token)
        if part:
            headers["X-Part"] = "true"
        return super().open(*args, headers=headers, **kwargs)

    @property
    def csrf_token(self) -> str:
        """The token a page of this session would carry, made as Flask-WTF makes it."""
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", hashlib.sha1(os.urandom(64)).hexdigest())
        return str(URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token").dumps(raw))  # type: ignore[arg-type]

    def login(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Through the door everybody takes; fails when it stays shut."""
        answer = self.post("/login", data={"email": email, "password": password})
        assert answer.status_code in (302, 303), f"{email} could not sign in: {answer.status_code} {answer.text[:500]}"
        return answer
