"""P49: an advocate who gets anything of value says so in the reply, in the text itself, and no wording takes it out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.kernel.db import db
from community.channels import packs
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Posting
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import FULL, dice
from tests.promises.conftest import Town

SENTENCE = "I help out as a Northwind advocate and earn rewards for it."
TRICKS = [
    "{words}",
    "{words}\n{sentence}",
    "{words} It is not true that {sentence}",
    "{words}\n\n\n\n\n{sentence}\n\n\n",
    "{words}\n{sentence}\nNot.",
    "{sentence}\n{words}",
    "{words} {sentence}",
    "{words}\nI help out as a Northwind advocate",
    "{words}\n{sentence_without_space}",
    "{words}\n\u202e",
    "{words}\n<!--",
    "{words}\n```",
    "{words}\u2028{sentence}",
]


def wordings() -> list[str]:
    said = {"sentence": SENTENCE, "sentence_without_space": SENTENCE.replace(" ", "")}
    chosen = TRICKS if FULL else [*TRICKS[:5], *dice().sample(TRICKS[5:], 3)]
    return [trick.format(words=factories.answer(), **said) for trick in chosen]


def test_p49_every_reply_in_ones_own_voice_carries_it(town: Town, network: FakeNetwork) -> None:
    """Red without `with_disclosure` in the channel's `prepare`, and where words that only end in the sentence count as it."""
    for number, text in enumerate(wordings()):
        writer = factories.person(f"writer{number}", town.brand, "advocate")
        task = factories.task(town.account)
        with db.transaction():
            from community.tasks import actions as tasks

            tasks.claim(factories.fresh(task), by=writer)
            reply = replies.draft(factories.fresh(task), by=writer, text=text, voice="own")
            replies.submit(reply, by=writer, revision=reply.revision)
            moderation.approve(reply, by=town.cleo, revision=reply.revision)
    with db.transaction(read_only=True) as session:
        postings = session.scalars(select(Posting)).all()
        assert len(postings) == len(wordings())
        for posting in postings:
            assert posting.voice == "own"
            assert posting.text.split("\n").count(SENTENCE) == 1, posting.text


def test_p49_a_moderators_edit_keeps_it(town: Town) -> None:
    with db.transaction():
        from community.tasks import actions as tasks

        task = factories.fresh(factories.task(town.account))
        tasks.claim(task, by=town.ada)
        reply = replies.draft(task, by=town.ada, text=factories.answer(), voice="own")
        replies.submit(reply, by=town.ada, revision=reply.revision)
    with db.transaction():
        posting = moderation.approve(factories.fresh(reply), by=town.cleo, revision=reply.revision, body="Hold the small button for ten seconds, then wait.")
    assert posting.text == f"Hold the small button for ten seconds, then wait.\n{SENTENCE}"


@pytest.mark.parametrize("kind", ["webhook", "by_hand"])
def test_p49_every_channel_has_the_sentence_in_each_language(kind: str) -> None:
    from app.web import receipt_words
    from community.channels.base import Sender

    pack, ada = packs.load(kind), Sender(voice="own", handle="ada", brand_name="Northwind")
    spoken = {*receipt_words.languages(), "ko"}
    said = {lang: packs.disclosure(pack, ada, lang) for lang in spoken}
    assert len({*said.values()}) == len(spoken), "whatever language a receipt speaks, the reply says in it who writes"
    assert all(one and "Northwind" in one for one in said.values())
    assert len({packs.receipt_line("https://vouch.example/r/1", lang) for lang in spoken}) == len(spoken)
    assert packs.disclosure(pack, ada, "de-AT") == said["de"]
    assert packs.disclosure(pack, ada, "is") == packs.disclosure(pack, ada, None) == said["en"]
