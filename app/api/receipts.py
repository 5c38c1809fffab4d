"""Receipts of posted replies: what readers say there, and a moderator's word on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Words, door
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.feedback import links, queries, receipts
from community.feedback.models import Receipt
from community.replies.queries import reply_of


class ReceiptView(Shown):
    """`url` is the public page, null before the reply is out. `doubts` counts readers who call it wrong, until somebody looked."""

    reply_id: int
    url: str | None
    helped: int
    doubts: int


class SaidView(Shown):
    words: str | None
    at: datetime


class DoubtView(Shown):
    receipt_id: int
    reply_id: int
    task_id: int
    url: str
    text: str
    said: list[SaidView]


class Doubts(Shown):
    items: list[DoubtView]
    next: None = None


class Settled(Given):
    outcome: Annotated[Literal["dismiss", "reopen"], Field(description="`reopen`: the team gets the question and sets it right.")]
    note: Annotated[Words | None, Field(max_length=1_000)] = None


class SettledView(Shown):
    receipt_id: int
    readers: int


@door("GET", "/replies/<id:reply_id>/receipt", gives=ReceiptView)
def get_receipt(*, by: User, reply_id: int) -> dict[str, Any]:
    """Where the public reads how a posted reply was vetted, and what they say there."""
    receipt = queries.receipt_of(reply_of(by, reply_id))
    helped, doubts = queries.said_of(receipt) if receipt else (0, 0)
    return {"reply_id": reply_id, "url": links.address_of(receipt.token) if receipt else None, "helped": helped, "doubts": doubts}


@door("GET", "/doubts", asks=OfBrand, gives=Doubts)
def list_doubts(*, by: User, query: OfBrand) -> dict[str, Any]:
    """Posted replies that readers call wrong, the longest waiting first, fifty at most."""
    brand = scope.brand_of(by, query.brand, "moderator", "admin")
    return {
        "items": [
            {
                "receipt_id": one.receipt.id,
                "reply_id": one.reply.id,
                "task_id": one.reply.task_id,
                "url": links.address_of(one.receipt.token),
                "text": one.posting.text,
                "said": [{"words": each.words, "at": each.changed_at} for each in one.said],
            }
            for one in queries.doubts(brand)
        ]
    }


@door("POST", "/receipts/<id:receipt_id>/decision", takes=Settled, gives=SettledView)
def settle_receipt(*, by: User, receipt_id: int, body: Settled) -> dict[str, Any]:
    """Dismiss what readers say, or hand the question to the team."""
    receipt = db.session.get(Receipt, receipt_id)
    if receipt is None or not by.has(receipt.brand_id, "moderator", "admin"):
        raise NotFound
    return {"receipt_id": receipt.id, "readers": receipts.settle(receipt, by=by, outcome=body.outcome, note=body.note)}
