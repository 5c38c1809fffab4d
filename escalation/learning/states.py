"""The moves of a run. What is live is a matter of the model (`escalation.classifier.states`); a run only leads there."""

from app.kernel.states import States

RUN = States(
    "run",
    [
        ("queued", "begin", "fitting"),
        ("queued", "fail", "failed"),
        ("fitting", "fail", "failed"),
        ("fitting", "refuse", "refused"),
        ("fitting", "watch", "shadow"),
        ("shadow", "withdraw", "withdrawn"),
        ("shadow", "take", "taken"),
        ("refused", "take", "taken"),
        ("withdrawn", "take", "taken"),
    ],
)
