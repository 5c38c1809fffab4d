"""The moves of a reply and of its posting."""

from app.kernel.states import States

REPLY = States(
    "reply",
    [
        ("draft", "submit", "submitted"),
        ("draft", "withdraw", "withdrawn"),
        ("returned", "submit", "submitted"),
        ("returned", "withdraw", "withdrawn"),
        ("submitted", "approve", "approved"),
        ("submitted", "return", "returned"),
        ("submitted", "reject", "rejected"),
        ("submitted", "withdraw", "withdrawn"),
        ("rejected", "restore", "submitted"),  # a second look found it right
        ("approved", "revise", "submitted"),  # an edit after approval needs its own review
        ("approved", "take_back", "withdrawn"),  # pulled back or refused by the network: nothing is out
    ],
)

POSTING = States(
    "posting",
    [
        ("approved", "take", "posting"),
        ("approved", "pull_back", "pulled_back"),
        ("approved", "refuse", "refused"),  # a guard at posting time said no before any request
        ("approved", "find", "posted"),  # by hand: the permalink was verified
        ("posting", "retake", "posting"),  # a crashed worker's lease ran out
        ("posting", "find", "posted"),
        ("posting", "queue", "queued"),
        ("posting", "refuse", "refused"),
        ("posting", "put_off", "approved"),  # proved absent, or never sent: it may be tried again
        ("posting", "lose", "unknown"),
        ("queued", "find", "posted"),
        ("queued", "refuse", "refused"),
        ("unknown", "find", "posted"),
        ("unknown", "refuse", "refused"),  # a person looked: it is not there, and is given up
        ("unknown", "put_off", "approved"),  # a person looked: it is not there, and wants it sent
        ("unknown", "retake", "posting"),
    ],
)
"""`approved → posting → posted`, or `pulled_back`, `queued`, `refused`, `unknown`."""
