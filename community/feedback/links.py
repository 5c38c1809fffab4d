"""The address of a reply's receipt, and the line by which a posted reply may name it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.choices import switch
from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import db
from community.channels import packs
from community.feedback.models import Receipt
from community.mentions.models import Mention

if TYPE_CHECKING:
    from app.config import Config
    from community.channels.packs import Pack
    from community.replies.models import Reply

LINKED = switch(
    "receipt_link", False, group="Replies", label="Replies link to how they were vetted",
    help="Each public reply ends with a line that leads to its receipt, where the network allows links and there is room. It is part of what is approved.",
)  # fmt: skip
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: nothing that is read as something else."""
TOKEN = 16
"""Letters of a token, 5 bits each."""
STAND_IN = "·" * TOKEN
"""Shown, and counted, until a draft is saved for the first time and has a receipt of its own."""

_base = ""


def init(config: Config) -> None:
    """Bind to the address people reach the installation by."""
    global _base
    _base = config.base_url.rstrip("/")


def address_of(token: str) -> str:
    """Where a receipt is read."""
    return f"{_base}/r/{token}"


def receipt_for(reply: Reply) -> Receipt:
    """The reply's receipt, made at the first asking. Its page opens once the reply is out."""
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    token = "".join(secrets.choice(LETTERS) for _ in range(TOKEN))
    row = {"brand_id": reply.brand_id, "reply_id": reply.id, "token": token, "made_at": clock.now()}
    db.session.execute(insert(Receipt).values(**row).on_conflict_do_nothing(index_elements=["reply_id"]))
    return db.session.scalars(select(Receipt).where(Receipt.reply_id == reply.id)).one()


def make_ready(reply: Reply) -> None:
    """A reply that will name its receipt has one from its beginning, so that its writer sees the very address."""
    if LINKED.of(db.session.get_one(Brand, reply.brand_id)):
        receipt_for(reply)


def line_for(brand: Brand, mention: Mention, pack: Pack, reply_id: int | None) -> str | None:
    """The line a reply to this post carries, in the post's language; None where the brand or the network wants none.

    A private thread has no receipt. Without `reply_id`, or before it has a receipt, a stand-in of the same length.
    """
    if not LINKED.of(brand) or not pack.links or mention.private:
        return None
    token = db.session.scalar(select(Receipt.token).where(Receipt.reply_id == reply_id)) if reply_id is not None else None
    return packs.receipt_line(address_of(token or STAND_IN), mention.lang)
