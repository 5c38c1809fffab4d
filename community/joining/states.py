"""The moves of invitations and applications."""

from __future__ import annotations

from app.kernel.states import States

INVITATION = States("invitation", [("open", "accept", "accepted"), ("open", "revoke", "revoked")])
APPLICATION = States(
    "application",
    [("unproved", "prove", "waiting"), ("waiting", "approve", "approved"), ("waiting", "decline", "declined")],
)
