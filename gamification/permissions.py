"""Who may read somebody's points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.accounts.permissions import has_role, is_signed_in
from app.kernel.permissions import Permissions, all_of, any_of


@dataclass(frozen=True, slots=True)
class Score:
    """One person's part in one brand's game: what a permission is asked about."""

    brand_id: int
    user_id: int


def is_own(actor: Any, score: Any) -> str | None:
    return None if actor.id == score.user_id and actor.roles_in(score.brand_id) else "Only the person themselves and the brand's moderators may see this."


RULES = Permissions({"ledger.see": all_of(is_signed_in, any_of(has_role("moderator", "analyst", "admin"), is_own))})
