"""The moves of a task. `answered` means posted, not approved."""

from app.kernel.states import States

TASK = States(
    "task",
    [
        ("open", "claim", "claimed"),
        ("claimed", "release", "open"),
        ("claimed", "submit", "in_review"),
        ("open", "submit", "in_review"),  # a reopened or returned reply handed in while the task was kept for its writer
        ("in_review", "send_back", "claimed"),  # returned: the task stays the writer's
        ("in_review", "free", "open"),  # rejected, withdrawn, pulled back, refused: back to the desk
        ("claimed", "answer", "answered"),  # an employee's reply passes without a look
        ("in_review", "answer", "answered"),
        ("open", "answer", "answered"),  # found on the network after the claim had lapsed
        ("answered", "resolve", "resolved"),
        ("answered", "reopen", "open"),
        ("open", "resolve", "resolved"),  # a case settled without a public reply
        ("claimed", "resolve", "resolved"),
        ("in_review", "resolve", "resolved"),
        ("resolved", "reopen", "open"),
        ("open", "cancel", "cancelled"),
        ("claimed", "cancel", "cancelled"),
        ("in_review", "cancel", "cancelled"),
        ("answered", "cancel", "cancelled"),
    ],
)
