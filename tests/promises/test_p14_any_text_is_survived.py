"""P14: any text is survived; what a database can hold is stored unchanged, and the same text comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation import checks
from community.replies import actions as replies
from tests import factories
from tests.harness.promises import SEED, rounds
from tests.promises.conftest import Town

NASTY = [
    "\x00",
    "a\x00b",
    "\ud800",
    "half \udc00 a pair",
    "split \ud83d\ude00 pair",
    "😀" * 70,
    "x" * 279 + "😀",
    "x" * 279 + "\ud83d",
    "\u202eevil\u202c txet",
    "zero\u200bwidth\u200d\ufeff",
    "e" + "\u0301" * 500,
    unicodedata.normalize("NFC", "Ångström é ñ"),
    unicodedata.normalize("NFD", "Ångström é ñ"),
    "\U000e0001\U000e0020",
    "\ufffe\uffff",
    "\u2028\u2029\x85\x0b\x0c\x1c",
    "\r\n\r\n",
    "<script>alert(1)</script>",
    "' OR 1=1; DROP TABLE mention; --",
    "{{ 7*7 }} ${7*7} %s %n",
    "ﷺ" * 100,
    "👨‍👩‍👧‍👦" * 30,
    "界" * 5_000,
    "a" * 100_000,
    "(" * 5_000,
    "=1+1",
]
PILED = st.lists(st.sampled_from(NASTY), min_size=1, max_size=3).map("".join)
TEXTS = st.one_of(st.text(st.characters(), min_size=1, max_size=300), st.sampled_from(NASTY), PILED)
WHOLE = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
BATCH = 25


def expected(text: str) -> str:
    """Unchanged, but for what no database holds: NUL and half pairs are shown as U+FFFD."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "\ufffd")


@pytest.mark.timeout(3600)
def test_p14_same_text_in_as_out(town: Town) -> None:
    """Red without `storable` in `prepare` (crash), and when anything normalises what is stored."""
    number = 0

    @seed(SEED)
    @settings(WHOLE, max_examples=rounds(40, 4_000))
    @given(st.lists(TEXTS, min_size=BATCH, max_size=BATCH))
    def play(texts: list[str]) -> None:
        nonlocal number
        number += 1
        posts = [
            Incoming(ext_id=f"{number}-{n}", text=text, author=Author(f"u{n}", text[:100], name=text[:100]), raw={"said": text}, url=None)
            for n, text in enumerate(texts)
        ]
        got = intake.receive(town.account, posts)
        with db.transaction(read_only=True) as session:
            found = dict(session.execute(select(Mention.ext_id, Mention.text).where(Mention.id.in_(got.mention_ids))).all())
        assert found == {post.ext_id: expected(post.text) for post in posts}

    print(f"seed {SEED}")
    play()


@pytest.mark.parametrize("number", range(len(NASTY)))
def test_p14_a_reply_of_any_text_is_kept_and_checked(number: int, town: Town) -> None:
    """Red without `storable` in `clean_text`."""
    text = NASTY[number]
    task = factories.task(town.account, "How?")
    reply = factories.drafted(task, town.ada, text)
    with db.transaction(read_only=True):
        assert replies.revision_of(reply).text == expected(text)
        path = replies.resolve_path(task, town.ada, None)
        found = checks.check(expected(text), path=path, task=task, writer=town.ada)
        assert {check.level for check in found} <= {"ok", "advice", "stop"}
    with db.transaction():
        again = replies.save(factories.fresh(reply), by=town.ada, text="!" + text[1:] + "?" * (len(text) == 1))
    assert again.revision == 2


@pytest.mark.parametrize("number", range(len(NASTY)))
def test_p14_any_id_and_name_costs_nobody_else(number: int, town: Town) -> None:
    """Adapters refuse ids no database holds; what reaches intake all the same must not cost its neighbours."""
    odd = NASTY[number]
    posts = [
        Incoming(ext_id="before", text="How?", author=Author("u1", "fan")),
        Incoming(
            ext_id=f"odd{odd[:200]}", text="How?", author=Author(odd[:200], odd, name=odd), parent_ext_id=f"up{odd[:200]}", url=f"https://example.com/{odd}"
        ),
        Incoming(ext_id="after", text="How?", author=Author("u2", "fan")),
    ]
    got = intake.receive(town.account, posts)
    with db.transaction(read_only=True) as session:
        assert {"before", "after"} <= set(session.scalars(select(Mention.ext_id)))
    assert got.stored == 3
    assert intake.receive(town.account, posts).stored == 0, "known by the same id when it comes again"
