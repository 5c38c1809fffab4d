"""Why a post is read as it is: words, manner, and what people said of posts like it; the same every time."""

from __future__ import annotations

from sqlalchemy import update

from app.kernel.db import db
from community.mentions.models import Mention
from escalation.learning.drift import spread, stability
from escalation.learning.why import why
from tests.escalation.learning.stream import Said, stream
from tests.escalation.learning.test_runs import arrive, label
from tests.stories import brand, fresh, person


def test_words_manner_and_neighbours(rooms: object) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    said = stream(48)
    mentions = arrive(northwind, said)
    label(mentions, said, tim)
    (asked,) = arrive(northwind, [Said("This is a DISGRACE, worst service ever, my parcel after work again!!!", True, False)])
    with db.transaction(read_only=True):
        found = why(fresh(asked), northwind)
        assert why(fresh(asked), northwind) == found, "the same text, the same answer"
    assert found.signals is not None
    assert found.signals.anger > 0.8
    assert any(asked.text[word.start : word.end].lower().startswith("disgrace") for word in found.words)
    assert {"exclamation", "shouted_words", "anger_words"} & {feature.name for feature in found.features}
    assert found.neighbours
    assert all(one.answer.angry for one in found.neighbours[:1])
    assert [one.alike for one in found.neighbours] == sorted((one.alike for one in found.neighbours), reverse=True)


def test_what_is_gone_is_nobodys_neighbour(rooms: object) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    said = stream(24)
    mentions = arrive(northwind, said)
    label(mentions, said, tim)
    with db.transaction(read_only=True):
        near = why(fresh(mentions[0]), northwind).neighbours
    assert near
    assert mentions[0].id not in {one.mention_id for one in near}, "a post is not its own neighbour"
    with db.transaction() as session:
        session.execute(update(Mention).where(Mention.id == near[0].mention_id).values(gone_at=mentions[0].received_at))
    with db.transaction(read_only=True):
        assert near[0].mention_id not in {one.mention_id for one in why(fresh(mentions[0]), northwind).neighbours}


def test_drift_is_a_stability_index() -> None:
    even = spread([place / 100 for place in range(100)])
    assert even == [0.1] * 10
    assert stability(even, even) == 0
    assert stability(even, spread([0.95] * 100)) > 1
    assert stability(even, spread([place / 100 for place in range(98)] + [0.05, 0.05])) < 0.1
