"""Who may move what is learned, and how far (P25); pure sums on an invented stream."""

from __future__ import annotations

from collections.abc import Sequence

from community.ports import Post
from escalation.classifier import store
from escalation.classifier.predict import predict
from escalation.classifier.second import Example, fit
from escalation.learning.evidence import Given
from escalation.learning.examples import LabelledPost, Lesson, is_test, lesson
from escalation.learning.sampling import overturns
from escalation.learning.trial import compare
from escalation.routing.policy import default_policy
from tests.escalation.learning.stream import Said, stream


def posts_of(said: Sequence[Said]) -> dict[int, LabelledPost]:
    read = predict([Post(one.text, "en") for one in said])
    return {place: LabelledPost(one.text, "en", signals.anger, signals.technical) for place, (one, signals) in enumerate(zip(said, read, strict=True))}


def honest(said: Sequence[Said], people: int = 4) -> list[Given]:
    return [Given(place, 1 + place % people, "labelling", one.angry, one.technical, True) for place, one in enumerate(said)]


def taught(given: Sequence[Given], posts: dict[int, LabelledPost]) -> Lesson:
    return lesson(given, posts)


def test_honest_people_are_all_heard() -> None:
    said = stream(240)
    found = taught(honest(said), posts_of(said))
    assert found.left_out == {}
    assert len(found.teach) + len(found.test) == 240
    assert sum(found.by_person.values()) == 240


def test_the_same_words_always_stand_on_the_same_side() -> None:
    assert is_test("Where is my PARCEL") == is_test("where  is my parcel")
    share = sum(is_test(one.text) for one in stream(2000)) / 2000
    assert 0.17 < share < 0.23


def test_one_who_turns_every_label_round_is_not_heard() -> None:
    said = stream(300)
    posts = posts_of(said)
    lies = [Given(place, 99, "labelling", not one.angry, not one.technical, True) for place, one in enumerate(said)]
    found = taught([*honest(said), *lies], posts)
    assert set(found.left_out) == {99}
    assert "clearly" in found.left_out[99]
    assert found.teach == taught(honest(said), posts).teach, "as if they had said nothing"


def test_twenty_who_lie_a_little_are_judged_together() -> None:
    said = stream(400)
    posts = posts_of(said)
    lies = [Given(place, 100 + place // 20, "labelling", False, one.technical, True) for place, one in enumerate(said)]
    found = taught([*honest(said), *lies], posts)
    assert set(found.left_out) >= set(range(100, 120))
    assert all("together" in found.left_out[who] or "agrees with 0" in found.left_out[who] for who in range(100, 120))
    assert sum(bool(one.angry) for one in found.teach) == sum(bool(one.angry) for one in taught(honest(said), posts).teach)


def test_liars_do_not_vouch_for_one_another() -> None:
    """Red when anybody may back anybody."""
    said = stream(200)
    lies = [Given(place, who, "labelling", not one.angry, not one.technical, True) for who in (98, 99) for place, one in enumerate(said)]
    assert set(taught([*honest(said), *lies], posts_of(said)).left_out) == {98, 99}


def test_alone_one_overturns_one_post_in_a_hundred() -> None:
    said = stream(300)
    posts = posts_of(said)
    clear = [place for place, one in enumerate(said) if one.angry and posts[place].angry >= 0.6]
    moved = sum(overturns(place not in clear[:8] and said[place].angry, posts[place].angry) for place in range(300))
    moved += sum(overturns(said[place].technical, posts[place].technical) for place in range(300))
    stubborn = [Given(place, 9, "labelling", place not in clear[:8] and said[place].angry, said[place].technical, True) for place in range(300)]
    found = taught(stubborn, posts)
    assert found.left_out == {}, "most of what they say is true"
    assert moved >= 8
    assert found.alone == {9: moved - 3}, "3 of 300 posts, and no more"
    backed = [*stubborn, *(Given(place, 10, "labelling", False, False, True) for place in clear[:8]), *honest(said, 1)]
    assert 9 not in taught(backed, posts).alone, "a second person agrees"


def test_a_poisoned_run_costs_no_recall_or_is_refused() -> None:
    """P25 in small: with every second label false the run either leaves the liar out or is not put live."""
    said, later = stream(400), stream(200, seed=2)
    posts = posts_of(said)
    policy, start = default_policy(), store.live()
    lies = [Given(place, 99, "labelling", not one.angry, not one.technical, True) for place, one in enumerate(said)]
    found = taught([*honest(said), *lies], posts)
    stage = fit(start, found.teach)
    trial = compare(found.test, None, stage, policy, strict=bool(found.left_out))
    asked = taught(honest(later), posts_of(later))
    judged = compare((*asked.teach, *asked.test), None, stage, policy).figures
    fall = judged["champion"]["angry_recall"]["share"] - judged["challenger"]["angry_recall"]["share"]
    assert not trial.better or fall < 0.01
    assert judged["challenger"]["angry_recall"]["share"] > 0.95, "and it has learned the brand's own word"


def test_worse_is_refused_with_the_numbers() -> None:
    said = stream(400)
    posts = posts_of(said)
    start, policy = store.live(), default_policy()
    good = fit(start, taught(honest(said), posts).teach)
    # Somebody has got everything past the limits: the test set, which never teaches, still knows.
    calm = [Given(place, 1, "labelling", place % 8 == 7, one.technical, True) for place, one in enumerate(said)]
    bad = fit(start, [Example(said[one.mention_id].text, one.angry, one.technical, True) for one in calm])
    trial = compare(taught(honest(said), posts).test, good, bad, policy)
    assert not trial.better
    assert trial.because.startswith("It would miss more of the angry")
    assert compare(taught(honest(said), posts).test, bad, good, policy).better
    assert not compare(taught(honest(said), posts).test, good, good, policy).better, "the same is no better"
    assert "too few" in compare((), good, bad, policy).because
