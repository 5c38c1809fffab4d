"""What a browser may do: headers every answer carries, and the refusal of changes that another site asks for."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from app.kernel.errors import Forbidden

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
TWO_YEARS = 63_072_000


def init_app(app: Flask) -> None:
    base = app.config["VOUCH"].base_url
    secure = base.startswith("https://")
    known = urlsplit(base).netloc

    def refuse_other_sites() -> None:
        """Beside the token: a browser says which site a change comes from, and no other site may ask for one."""
        if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith("/api/"):
            return
        origin = request.headers.get("Origin")
        # Behind a proxy the request's own host may be an inner one; the address people use is as good.
        foreign = origin is not None and _host(origin) not in (request.host, known)
        if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Forbidden("This came from another site. Open the page here and do it again.")

    def protect(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if secure:
            headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
        if "Cache-Control" not in headers and request.endpoint not in ("static", "assets.bundle"):
            # Pages and answers are somebody's own; Back must not show them after signing out.
            headers["Cache-Control"] = "no-store"
        return response

    app.before_request(refuse_other_sites)
    app.after_request(protect)


def _host(origin: str) -> str:
    """ "" for `null` and for what is no origin."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
