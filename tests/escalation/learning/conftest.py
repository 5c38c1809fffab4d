from tests.stories import rooms, triage

__all__ = ["rooms", "triage"]
