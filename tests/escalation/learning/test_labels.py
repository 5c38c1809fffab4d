"""What people say and do about posts becomes labels; who is asked what; where people differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from community.mentions import actions as mentions
from community.mentions.models import Decision, Mention
from community.moderation import actions as moderation
from community.moderation import flags
from escalation.cases import actions as cases
from escalation.cases.queries import case_of_task
from escalation.learning import actions, queries, sampling
from escalation.learning.evidence import Answer, agreement, answers, from_audience
from escalation.learning.models import Label
from tests.stories import CALM, FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told


def mention_of(task_row: object) -> Mention:
    with db.transaction(read_only=True) as session:
        return session.get_one(Mention, task_row.mention_id)  # type: ignore[attr-defined]


def labels() -> list[Label]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Label).order_by(Label.id)))


def give(mention: Mention, verdict: str, by: User, drawn: str | None = None) -> None:
    with db.transaction():
        actions.label(fresh(mention), verdict, by=by, drawn=drawn)


def asked(who: User, of: Brand) -> sampling.Question | None:
    with db.transaction(read_only=True):
        return sampling.next_question(who, of)


def test_one_person_has_one_word_on_a_post_and_may_take_it_back(triage: FixedTriage) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    post = mention_of(told(northwind, "This is a disgrace"))
    give(post, "angry", tim)
    give(post, "both", tim)
    (one,) = labels()
    assert (one.angry, one.technical, one.service_related, one.source) == (True, True, True, "labelling")
    with db.transaction():
        actions.take_back(fresh(post), by=tim)
    assert labels() == []
    with pytest.raises(Conflict), db.transaction():
        actions.take_back(fresh(post), by=tim)


def test_only_the_brands_own_people_teach(triage: FixedTriage) -> None:
    northwind, kestrel = brand(), brand("kestrel")
    post = mention_of(told(northwind))
    for who in (person(northwind, "advocate"), person(northwind, "analyst"), person(kestrel, "moderator")):
        with pytest.raises(Forbidden), db.transaction():
            actions.label(fresh(post), "angry", by=who)
    with pytest.raises(Invalid), db.transaction():
        actions.label(fresh(post), "furious", by=person(northwind, "moderator"))
    assert labels() == []


def test_a_correction_is_a_label_and_says_no_more_than_it_means(triage: FixedTriage) -> None:
    northwind = brand()
    cleo = person(northwind, "moderator")
    for audience in ("tier_1", "tier_2", "community", "set_aside"):
        post = mention_of(told(northwind, f"about {audience}", audience="community" if audience != "community" else "tier_1"))
        with db.transaction():
            mentions.reroute(fresh(post), audience, by=cleo)
    news()
    said = [(one.source, one.angry, one.technical, one.service_related, one.audience) for one in labels()]
    assert said == [
        ("reroute", True, None, True, "tier_1"),
        ("reroute", None, True, True, "tier_2"),
        ("reroute", False, False, True, "community"),
        ("reroute", None, None, False, "set_aside"),
    ]


def test_a_legal_matter_in_tier_2_says_nothing_of_technical_knowledge() -> None:
    assert from_audience("tier_2", ["grave", "legal"]) == {"service_related": True}


def test_what_was_thought_about_is_not_undone_in_passing(triage: FixedTriage) -> None:
    northwind = brand()
    cleo = person(northwind, "moderator")
    post = mention_of(told(northwind, "It broke. Again."))
    give(post, "angry", cleo)
    with db.transaction():
        mentions.reroute(fresh(post), "tier_2", by=cleo)
    news()
    (one,) = labels()
    assert (one.source, one.angry, one.technical, one.audience) == ("labelling", True, False, "tier_2")


def test_an_author_who_comes_back_angrier_is_an_outcome_nobody_said(triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    reply = handed_in(task, ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=cleo, revision=1)
    placed(posting, ada)
    came_back(task, "This is a joke. Useless.", reading="angrier")
    news()
    (one,) = labels()
    assert (one.source, one.user_id, one.angry, one.mention_id != task.mention_id) == ("outcome", None, True, True)


def test_the_end_of_a_case_teaches_what_its_tier_found(triage: FixedTriage) -> None:
    northwind = brand()
    tess = person(northwind, "tier_2")
    task = told(northwind, "error 51", audience="tier_2")
    news()
    with db.transaction():
        case = case_of_task(task.id)
        assert case is not None
        cases.assign(case, by=tess)
        cases.resolve(case, by=tess, outcome="fixed")
    news()
    (one,) = labels()
    assert (one.source, one.technical, one.angry) == ("case", True, None)


def test_nobody_is_asked_twice_and_a_skip_counts(triage: FixedTriage) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    for number in range(6):
        told(northwind, f"post {number}", author=f"a{number}")
    seen: list[int] = []
    while (question := asked(tim, northwind)) is not None:
        assert asked(tim, northwind) == question, "reading again asks the same"
        seen.append(question.mention_id)
        with db.transaction(read_only=True) as session:
            post = session.get_one(Mention, question.mention_id)
        give(post, "skip" if len(seen) == 2 else "neither", tim, question.drawn)
    assert len(seen) == len(set(seen)) == 6
    assert sum(one.source == "skipped" for one in labels()) == 1
    with db.transaction(read_only=True):
        assert queries.progress(tim, northwind).posts == 5


def test_the_least_sure_are_asked_about_first(triage: FixedTriage) -> None:
    northwind, tim = brand(), None
    tim = person(northwind, "tier_1")
    for number in range(40):
        triage.signals = replace(CALM, anger=0.5 if number < 12 else 0.02)
        told(northwind, f"post {number}", author=f"a{number}")
    with db.transaction(read_only=True) as session:
        unsure = set(session.scalars(select(Decision.mention_id).where(Decision.anger == 0.5)))
    drawn: dict[str, list[bool]] = {"unsure": [], "random": [], "second": []}
    for _ in range(20):
        question = asked(tim, northwind)
        assert question is not None
        drawn[question.drawn].append(question.mention_id in unsure)
        give(mention_of(question), "neither", tim, question.drawn)
    assert all(drawn["unsure"][:6])
    assert drawn["random"], "some are drawn blindly"


def test_a_label_that_overturns_a_clear_reading_is_shown_to_a_second_person(triage: FixedTriage) -> None:
    northwind = brand()
    tim, tom = person(northwind, "tier_1"), person(northwind, "tier_1")
    triage.signals = replace(CALM, anger=0.9)
    post = mention_of(told(northwind, "You lied to me AGAIN"))
    give(post, "neither", tim)
    assert asked(tim, northwind) is None
    assert asked(tom, northwind) == sampling.Question(post.id, "second")


def test_a_post_that_is_gone_is_asked_of_nobody(triage: FixedTriage) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    post = mention_of(told(northwind))
    with db.transaction() as session:
        session.execute(update(Mention).where(Mention.id == post.id).values(gone_at=post.received_at))
    assert asked(tim, northwind) is None
    with pytest.raises(Conflict), db.transaction():
        actions.label(fresh(post), "angry", by=tim)


def test_where_two_differ_a_third_tips_the_scale(triage: FixedTriage) -> None:
    northwind = brand()
    tim, tom, tess = (person(northwind, "tier_1") for _ in range(3))
    post = mention_of(told(northwind, "Well, thank you very much"))
    give(post, "angry", tim)
    give(post, "neither", tom)
    with db.transaction(read_only=True):
        (dispute,) = queries.disputes(tim, northwind)
    assert [voice.angry for voice in dispute.voices] == [True, False]
    answer = answers(labels())[post.id]
    assert (answer.angry, answer.technical, answer.contested) == (None, False, ("angry",))
    assert asked(tess, northwind) == sampling.Question(post.id, "second")
    give(post, "angry", tess)
    assert answers(labels())[post.id].angry is True


def test_an_outcome_speaks_only_where_no_person_did() -> None:
    def said(user_id: int | None, source: str, angry: bool) -> Label:
        return Label(mention_id=1, user_id=user_id, source=source, angry=angry)

    assert answers([said(None, "outcome", True)])[1] == Answer(True, None, None, 0.3, 0, ())
    assert answers([said(None, "outcome", True), said(4, "case", False)])[1] == Answer(False, None, None, 0.5, 1, ())
    assert answers([said(4, "skipped", False)]) == {}


def test_agreement_is_cohens_kappa() -> None:
    # The textbook table: 20 and 15 agreed, 5 and 10 not: observed .70, by chance .50.
    found = agreement({(True, True): 20, (True, False): 5, (False, True): 10, (False, False): 15})
    assert (found.pairs, found.same, found.kappa) == (50, 35, 0.4)
    assert found.low is not None
    assert found.low < 0.4 < (found.high or 0)
    assert agreement({}).kappa is None
    assert agreement({(False, False): 9}).kappa is None, "always the same answer proves nothing"


@pytest.mark.parametrize(("uphold", "angry"), [(True, True), (False, False)])
def test_an_advocates_flag_counts_through_the_moderator_who_decides_it(triage: FixedTriage, uphold: bool, angry: bool) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind, "well thank you very much")
    with db.transaction():
        flag = flags.flag(fresh(task), by=ada, kind="angry")
    news()
    assert labels() == [], "an advocate's word alone teaches nothing"
    with db.transaction():
        flags.decide_flag(flag, by=cleo, uphold=uphold)
    news()
    (one,) = labels()
    assert (one.source, one.user_id, one.angry) == ("flag", cleo.id, angry)
