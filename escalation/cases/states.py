"""The moves of a case. `reopened` counts as open."""

from app.kernel.states import States

CASE = States(
    "case",
    [
        ("open", "assign", "assigned"),
        ("reopened", "assign", "assigned"),
        ("assigned", "assign", "assigned"),
        ("waiting", "assign", "waiting"),
        ("assigned", "wait", "waiting"),
        ("open", "wait", "waiting"),  # a reply that was already being sent when the task moved up
        ("reopened", "wait", "waiting"),
        ("waiting", "come_back", "assigned"),
        ("open", "hand_over", "open"),
        ("reopened", "hand_over", "open"),
        ("assigned", "hand_over", "open"),
        ("waiting", "hand_over", "open"),
        ("open", "resolve", "resolved"),
        ("reopened", "resolve", "resolved"),
        ("assigned", "resolve", "resolved"),
        ("waiting", "resolve", "resolved"),
        ("resolved", "reopen", "reopened"),
    ],
)
