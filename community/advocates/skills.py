"""What an advocate chooses for themselves: languages and topics they are good at, and how much is enough for them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel import live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.advocates.models import Advocate

TOPICS = ("question", "how_to", "complaint", "billing", "delivery", "account", "technical", "outage", "praise", "feature_request", "other")
"""The categories the classifier tells apart."""
LANGUAGES = ("en", "zh-Hans", "zh-Hant", "ja", "ko", "de", "fr", "es", "pt", "it", "nl")
"""Those one can be offered posts in. Intake may tag others; such posts wait for whoever reads everything."""
MOST_LANGUAGES = 8


def choose_offers(
    user: User, brand: Brand, *, languages: Sequence[str], topics: Sequence[str], hostile_most: int | None = None, weekly_most: int | None = None
) -> Advocate:
    """Keep what the person wants to be offered; numbers of none leave it to the brand. Raises Invalid.

    `hostile_most` and `weekly_most` count at most as far as the brand allows, so a later change of the brand's holds at once.
    """
    row = db.session.scalar(select(Advocate).where(Advocate.user_id == user.id, Advocate.brand_id == brand.id))
    if row is None:
        raise Invalid("You are not an advocate of this brand.")
    spoken, good_at = list(dict.fromkeys(languages)), list(dict.fromkeys(topics))
    if not spoken or not set(spoken) <= set(LANGUAGES) or len(spoken) > MOST_LANGUAGES:
        raise Invalid(f"Choose from one to {MOST_LANGUAGES} languages of the list.", field="languages")
    if not set(good_at) <= set(TOPICS):
        raise Invalid(f"Topics are {', '.join(TOPICS)}.", field="topics")
    if hostile_most is not None and not 0 <= hostile_most <= 50:
        raise Invalid("Hostile posts a day: a number from 0 to 50.", field="hostile_most")
    if weekly_most is not None and not 1 <= weekly_most <= 1000:
        raise Invalid("Answers a week: a number from 1 to 1000.", field="weekly_most")
    row.languages, row.topics = spoken, good_at
    row.hostile_most, row.weekly_most = hostile_most, weekly_most
    audit("advocate.offers", row, by=user, languages=spoken, topics=good_at, hostile_most=hostile_most, weekly_most=weekly_most)
    db.after_commit(lambda: live.bump(brand.id, "desk"), key=("desk", brand.id))
    return row
