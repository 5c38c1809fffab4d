"""In which brand a request works, and names for ids."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand, User
from app.api.door import Shown
from app.kernel.db import db
from app.kernel.errors import Forbidden, Missing, NotFound
from community.advocates.queries import names

STAFF = ("moderator", "tier_1", "tier_2", "admin")
READS = (*STAFF, "analyst")


class PersonView(Shown):
    id: int
    name: str


def brand_of(user: User, slug: str | None, *roles: str) -> Brand:
    """The brand named, else the person's only one. Another's brand is not there (NotFound); without one of the roles it is Forbidden."""
    mine = people.brands_of(user)
    if slug is None:
        if not mine:
            raise Forbidden("You have no role in any brand yet. An admin gives roles.")
        if len(mine) > 1:
            raise Missing(f"You work in several brands: say which with “brand”: {', '.join(brand.slug for brand in mine[:20])}.", field="brand")
        brand = mine[0]
    else:
        found = next((brand for brand in mine if brand.slug == slug), None)
        if found is None:
            raise NotFound
        brand = found
    if roles and not user.has(brand.id, *roles):
        raise Forbidden(f"Only these roles of {brand.name} may do this: {', '.join(name.replace('_', ' ') for name in roles)}.")
    return brand


def brand_by_id(brand_id: int) -> Brand:
    """The brand of a row this person was allowed to see."""
    return db.session.get_one(Brand, brand_id)


def slug_of(brand_id: int) -> str:
    """A brand's slug."""
    return db.session.get_one(Brand, brand_id).slug


def known_to(user: User, ids: Iterable[int | None], brand_id: int) -> dict[int, PersonView]:
    """People of a brand by id, in one statement: to its staff by their names, to its advocates as they chose to be known."""
    if is_staff(user, brand_id):
        return names_of(ids)
    return {id_: PersonView(id=id_, name=name) for id_, name in names(ids, brand_id).items()}


def names_of(ids: Iterable[int | None]) -> dict[int, PersonView]:
    """People by id, in one statement."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    return {row.id: PersonView(id=row.id, name=row.name) for row in db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}


def is_staff(user: User, brand_id: int) -> bool:
    """Whether the person sees what the brand keeps to itself."""
    return user.has(brand_id, *READS)
