"""The moves of an incident."""

from app.kernel.states import States

INCIDENT = States(
    "incident",
    [
        ("open", "close", "closed"),
        ("closed", "reopen", "open"),
        ("open", "merge", "merged"),
        ("merged", "unmerge", "open"),
    ],
)
