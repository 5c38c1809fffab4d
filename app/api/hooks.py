"""Signed deliveries from networks."""

from __future__ import annotations

from flask import request

from app.api.door import Shown, door
from app.api.mentions import ImportLines
from app.kernel import limits
from community.channels.actions import account_by_token, receive_hook


class BadView(Shown):
    """`place` counts from 1."""

    place: int
    reason: str


class TakenView(Shown):
    replayed: bool
    stored: int
    known: int
    gone: int
    bad: list[BadView]
    routes: dict[str, int]


@door("POST", "/hooks/<token>", takes=ImportLines, reads="bytes", gives=TakenView, within="nothing", public=True)
def deliver(*, token: str, body: bytes) -> TakenView:
    """Take in one post or a list, signed in `X-Vouch-Signature`. A delivery that was taken already (`X-Vouch-Event-Id`) stores nothing more."""
    limits.spend("hook", limits.address(request.remote_addr))
    account = account_by_token(token)
    taken = receive_hook(account, dict(request.headers), body)
    return TakenView(
        replayed=taken.replayed,
        stored=taken.stored,
        known=taken.known,
        gone=taken.gone,
        bad=[BadView(place=place, reason=reason) for place, reason in taken.bad],
        routes=dict(taken.routes),
    )
