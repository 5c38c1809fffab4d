"""Fills `community.ports.Triage`: the classifier reads, the policy decides, nobody is lost when either fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from community.ports import Post, Reading, Reason, Route, Signals
from escalation.classifier import rules
from escalation.classifier.features import read
from escalation.classifier.predict import predict
from escalation.classifier.second import SecondStage
from escalation.routing.decide import decide
from escalation.routing.policy import Policy, default_policy
from escalation.tone import hostility

log = logging.getLogger(__name__)

# What is assumed of a post that could not be read: enough to stand in the middle of tier 1's list.
FALLBACK_PRIORITY = 30
# A rise of this much in the probability of anger is a change of mood, not noise; and from this on it is anger by itself.
RISE, ANGRY = 0.25, 0.5


class Predictor(Protocol):
    def __call__(self, posts: Sequence[Post], *, stage: SecondStage | None = None) -> list[Signals]: ...


StageOf = Callable[[int], SecondStage | None]
"""A brand's live second stage by the brand's id."""
PolicyOf = Callable[[int], Policy]
"""A brand's policy by the brand's id."""


class StartTriage:
    """Routes by the shipped classifier, what the brand taught it (`stage_of`), and the policy with the brand's own lines (`policy_of`)."""

    def __init__(
        self, predictor: Predictor = predict, policy: Policy | None = None, stage_of: StageOf = lambda brand_id: None, policy_of: PolicyOf | None = None
    ) -> None:
        self._predict = predictor
        self._policy = policy or default_policy()
        self._stage_of = stage_of
        self._policy_of = policy_of

    def route(self, brand_id: int, posts: Sequence[Post]) -> list[Route]:
        """One route per post, in order. If the classifier fails on the batch each post is tried alone, and one that
        still fails goes to tier 1 with that reason, so that one poisonous post costs its neighbours nothing."""
        if not posts:
            return []
        stage, policy = self._stage(brand_id), self._policy_for(brand_id)
        try:
            return self._route(posts, stage, policy)
        except Exception:
            log.exception("The classifier failed on a batch of %d posts; each is tried alone", len(posts))
        return [self._route_alone(post, stage, policy) for post in posts]

    def read_mood(self, before: Post, after: Post) -> Reading:
        """What the author's next post says about the help. Careful: thanks that come with a "but" are `stuck`,
        and whatever cannot be told is `other`."""
        now = read(after.text)
        try:
            was, is_now = (signals.anger for signals in self._predict([before, after]))
        except Exception:
            log.exception("The classifier failed on a follow-up; its words alone are read")
            was, is_now = rules.anger_by_words(read(before.text)), rules.anger_by_words(now)
        swearing = now.sums.get("swearing", 0) >= 2 or now.emoji.get("angry", 0) >= 1
        if swearing or (is_now >= ANGRY and is_now >= was) or (is_now >= 0.35 and is_now - was >= RISE):
            return "angrier"
        if now.sums.get("stuck", 0) >= 3:
            return "stuck"
        if now.sums.get("thanks", 0) >= 2 and not rules.asks(now) and is_now < 0.35:
            return "thanks"
        if now.sums.get("stuck", 0) >= 2:
            return "stuck"
        return "other"

    def tone(self, text: str) -> float:
        """How hostile a reply of ours sounds, 0…1: its anger, and words against the reader."""
        insulted = hostility(text)
        try:
            return max(insulted, self._predict([Post(text, "en")])[0].anger)
        except Exception:
            log.exception("The classifier failed on a reply; its words alone are read")
            return max(insulted, rules.anger_by_words(read(text)))

    def _stage(self, brand_id: int) -> SecondStage | None:
        try:
            return self._stage_of(brand_id)
        except Exception:
            log.exception("What brand %d taught the classifier can't be read; the start model decides alone", brand_id)
            return None

    def _policy_for(self, brand_id: int) -> Policy:
        if self._policy_of is None:
            return self._policy
        try:
            return self._policy_of(brand_id)
        except Exception:
            log.exception("The lines of brand %d can't be read; the default ones hold", brand_id)
            return self._policy

    def _route(self, posts: Sequence[Post], stage: SecondStage | None, policy: Policy) -> list[Route]:
        return [decide(policy, post, signals) for post, signals in zip(posts, self._predict(posts, stage=stage), strict=True)]

    def _route_alone(self, post: Post, stage: SecondStage | None, policy: Policy) -> Route:
        try:
            return self._route([post], stage, policy)[0]
        except Exception as error:
            log.exception("The classifier failed on a post; it goes to tier 1")
            signals = Signals(anger=0.5, technical=0.5, spam=0.0, urgency=0.0, sentiment=0.0, category="other", lang=post.lang, classifier="failed")
            reason = Reason(f"the classifier failed on this post ({type(error).__name__}), so a person must read it", FALLBACK_PRIORITY, "classifier-failed")
            return Route("tier_1", FALLBACK_PRIORITY, "answer", (reason,), signals, ("classifier-failed",), policy.version)
