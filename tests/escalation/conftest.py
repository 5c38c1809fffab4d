from tests.stories import triage

__all__ = ["triage"]
