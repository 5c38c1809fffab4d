"""The moves of a mail."""

from __future__ import annotations

from app.kernel.states import States

MAIL = States(
    "mail",
    [
        ("gathering", "take", "sending"),
        ("retrying", "take", "sending"),
        ("sending", "take", "sending"),  # whoever had it let its time run out
        ("sending", "send", "sent"),
        ("sending", "drop", "dropped"),  # read in the app meanwhile, or its reader is gone
        ("sending", "put_off", "retrying"),
        ("sending", "give_up", "failed"),
    ],
)
OPEN = ("gathering", "retrying", "sending")
