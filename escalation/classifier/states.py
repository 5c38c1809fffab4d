"""The moves of a brand's model. One is live at most; one that stepped back can return."""

from app.kernel.states import States

MODEL = States(
    "model",
    [
        ("challenger", "put_live", "live"),
        ("challenger", "refuse", "refused"),
        ("live", "step_back", "former"),
        ("former", "put_live", "live"),
    ],
)
