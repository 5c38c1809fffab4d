"""What people were told, when one of them goes."""

from __future__ import annotations

from app.accounts import leaving
from app.notices.models import Mail, Notice


def listed() -> None:
    """Notices stand before mails: they point at them."""
    leaving.part(Notice, "user_id", "notices", ("at", "kind", "text", "quote", "read_at"), erase="delete")
    leaving.part(Mail, "user_id", "mails", ("kind", "made_at", "sent_at", "state"), erase="delete")
    leaving.words(Notice, "text", "quote")
