"""Who may see and work cases, teach the classifier, and decide what it does."""

from __future__ import annotations

from typing import Any

from app.accounts.permissions import has_role, is_signed_in
from app.kernel.permissions import Permissions, all_of, any_of
from escalation.tiers import NAMES, works_in


def works_its_tier(actor: Any, case: Any) -> str | None:
    """Tier 1 cases are open to both tiers, tier 2 cases to the specialists."""
    if works_in(actor, case.brand_id, case.tier):
        return None
    return f"This case is with {NAMES[case.tier]}: only {NAMES[case.tier]} may work on it."


WORKS = all_of(is_signed_in, works_its_tier)

RULES = Permissions(
    {
        "case.see": all_of(is_signed_in, has_role("tier_1", "tier_2", "moderator", "analyst", "admin")),
        "case.assign": all_of(is_signed_in, any_of(has_role("admin"), works_its_tier)),
        "case.note": all_of(is_signed_in, has_role("tier_1", "tier_2", "moderator", "admin")),
        "case.reply": WORKS,
        "case.transfer": WORKS,
        "case.resolve": WORKS,
        "case.reopen": WORKS,
        "label.give": all_of(is_signed_in, has_role("moderator", "tier_1", "tier_2", "admin")),
        "learning.see": all_of(is_signed_in, has_role("tier_1", "tier_2", "moderator", "analyst", "admin")),
        "learning.decide": all_of(is_signed_in, has_role("admin")),
    }
)
