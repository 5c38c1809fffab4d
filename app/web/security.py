"""Headers every answer carries: what a browser may run, load and keep."""

from __future__ import annotations

from flask import Flask, Response, request

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
    secure = app.config["VOUCH"].base_url.startswith("https://")

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

    app.after_request(protect)
