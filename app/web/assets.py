"""Style, script, icons and font, each one request: files joined and packed once, under an address that changes with them.

Pages themselves are not packed: they carry a secret (the CSRF token) beside words a stranger chose, and the size of
such a page must not tell anything about it.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, g, request, url_for
from markupsafe import Markup

from app.kernel.errors import NotFound

blueprint = Blueprint("assets", __name__)

FOLDER = Path(__file__).resolve().parent.parent / "static"
BUNDLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "vouch.css": ("text/css; charset=utf-8", ("vendor/bootstrap.css", "vouch.css")),
    "vouch.js": ("text/javascript; charset=utf-8", ("vouch.js",)),
    "icons.svg": ("image/svg+xml; charset=utf-8", ("vendor/icons.svg",)),
    "inter.woff2": ("font/woff2", ("vendor/inter.woff2",)),
}
YEAR = 31_536_000


@dataclass(frozen=True)
class Packed:
    plain: bytes
    gzipped: bytes | None


@blueprint.get("/assets/<stamp>/<name>")
def bundle(stamp: str, name: str) -> Response:
    """One bundle. The stamp only makes the address new; any one is answered, so that a page from before a release still works."""
    if name not in BUNDLES:
        raise NotFound
    packed = _packed(_stamp())[name]
    response = Response(packed.plain, content_type=BUNDLES[name][0])
    if packed.gzipped is not None:
        response.headers["Vary"] = "Accept-Encoding"
        if request.accept_encodings["gzip"]:
            response.data = packed.gzipped
            response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if stamp == _stamp() else "public, max-age=60"
    return response


def asset(name: str) -> str:
    """The present address of a bundle. A page names the sprite dozens of times, so it is made once a request."""
    known: dict[str, str] | None = g.get("assets")
    if known is None:
        known = g.assets = _addresses(request.script_root, _stamp())
    return known[name]


def icon(name: str, cls: str = "") -> Markup:
    """An icon of the sprite. Pages hold dozens, so each is put together once and not by a macro."""
    return _icon(asset("icons.svg"), name, cls)


def hidden_token(token: str) -> Markup:
    """The field every form carries; put together once a page for the same reason."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)


@lru_cache(maxsize=8)
def _addresses(_root: str, stamp: str) -> dict[str, str]:
    return {name: url_for("assets.bundle", stamp=stamp, name=name) for name in BUNDLES}


@lru_cache(maxsize=512)
def _icon(sprite: str, name: str, cls: str) -> Markup:
    return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(cls, sprite, name)


def _stamp() -> str:
    if current_app.config["VOUCH"].env == "development":
        return _digest(_changed(int(time.monotonic())))
    return _digest(0)


@lru_cache(maxsize=1)
def _changed(_second: int) -> int:
    """When a file was last written, looked up once a second."""
    return max(path.stat().st_mtime_ns for path in _files())


@lru_cache(maxsize=4)
def _digest(_changed: int) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _files())).hexdigest()[:12]


@lru_cache(maxsize=2)
def _packed(_stamp: str) -> dict[str, Packed]:
    packed = {}
    for name, (kind, parts) in BUNDLES.items():
        plain = b"\n".join((FOLDER / part).read_bytes() for part in parts)
        packed[name] = Packed(plain, None if kind.startswith("font/") else gzip.compress(plain, 9, mtime=0))
    return packed


def _files() -> list[Path]:
    return [FOLDER / part for _, parts in BUNDLES.values() for part in parts]
