"""The moves of an answer, of a correction, and of a file of answers."""

from app.kernel.states import States

ANSWER = States(
    "answer",
    [
        ("draft", "publish", "published"),
        ("draft", "decline", "declined"),
        ("published", "expire", "expired"),
        ("expired", "publish", "published"),  # it holds again, or the expiry was a mistake
    ],
)
"""`draft` is also what an advocate proposed. A stale answer is `published` past its `review_by`."""

FILE = States("file", [("under_way", "finish", "done"), ("under_way", "stop", "stopped"), ("under_way", "give_up", "given_up")])

CORRECTION = States(
    "correction",
    [
        ("waiting", "open", "open"),
        ("waiting", "give_up", "not_possible"),
        ("waiting", "finish", "done"),
        ("open", "finish", "done"),
        ("open", "give_up", "not_possible"),
        ("not_possible", "retry", "waiting"),
    ],
)
