"""Stories in which the test says what an author's next post means."""

from tests.stories import rooms, triage

__all__ = ["rooms", "triage"]
