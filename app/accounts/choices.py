"""What a brand may choose for itself: each number or switch is declared beside its rule, and found by name here.

The page of settings and its API show exactly what is declared, with the default, its bounds and why one would change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.accounts.permissions import has_role
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.kernel.permissions import Permissions
from app.kernel.text import storable

T = TypeVar("T")
Kind = Literal["number", "switch", "option", "lines", "text"]

RULES = Permissions({"brand.choose": has_role("admin")})

CHOICES: dict[str, Choice[Any]] = {}
"""By name, in the order in which the rooms declare them."""
MOST_LINES = 200
LONGEST_LINE = 300


@dataclass(slots=True)
class Choice(Generic[T]):
    """One thing a brand may choose. `of(brand)` is what holds for it."""

    name: str
    default: T
    """The rule's own; an installation may set another at start."""
    kind: Kind
    group: str
    label: str
    help: str
    unit: str
    options: Mapping[str, str]
    """Value to words; only for `option`."""
    bounds: tuple[int, int] | None
    """Least and most; of a number itself, of a text its length in characters."""
    read: Callable[[Any], T]
    """What was handed in, as JSON or as a form's text, as the value kept. Raises Invalid."""
    above: Choice[T] | None = None
    """Another number that this one has to be more than."""
    fits: Callable[[Brand, T], str | None] | None = None
    """Why a value can't hold for this brand, in a sentence; None when it can. Defaults are not asked about."""

    def of(self, brand: Brand) -> T:
        """The brand's own choice, or the default."""
        kept: T = brand.choice(self.name, self.default)
        return kept


def whole(
    name: str, default: int, *, least: int, most: int, group: str, label: str, unit: str = "", help: str = "", above: Choice[int] | None = None
) -> Choice[int]:
    """A whole number from `least` to `most`, both allowed."""

    def read(given: Any) -> int:
        text = str(given).strip() if not isinstance(given, bool) else ""
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 12 and least <= int(text) <= most):
            raise Invalid(f"“{label}” is a whole number from {least} to {most}.", field=name)
        return int(text)

    return _declare(Choice(name, default, "number", group, label, help, unit, {}, (least, most), read, above))


def switch(name: str, default: bool, *, group: str, label: str, help: str = "") -> Choice[bool]:
    """On or off."""

    def read(given: Any) -> bool:
        if given in (True, "1", "on", "true"):
            return True
        if given in (False, "0", "off", "false", ""):
            return False
        raise Invalid(f"“{label}” is on or off.", field=name)

    return _declare(Choice(name, default, "switch", group, label, help, "", {}, None, read))


def one_of(name: str, default: str, options: Mapping[str, str], *, group: str, label: str, help: str = "") -> Choice[str]:
    """One of several values, each with its words."""

    def read(given: Any) -> str:
        if not isinstance(given, str) or given not in options:
            raise Invalid(f"“{label}” is one of: {', '.join(options.values())}.", field=name)
        return given

    return _declare(Choice(name, default, "option", group, label, help, "", options, None, read))


def lines(
    name: str, default: Sequence[str], *, group: str, label: str, help: str = "", most: int = MOST_LINES, each: Callable[[str], str] = str, such: str = ""
) -> Choice[list[str]]:
    """A list of short texts, one a line; empty ones are dropped, doubled ones kept once.

    `each` makes of a line what is kept, "" where it can't be understood as `such` ("a host, as help.example.com").
    """

    def read(given: Any) -> list[str]:
        raw = given.splitlines() if isinstance(given, str) else given
        if not isinstance(raw, list) or not all(isinstance(line, str) for line in raw):
            raise Invalid(f"“{label}” is a list of texts.", field=name)
        kept = list(dict.fromkeys(storable(line.replace("\x00", "")).strip() for line in raw if line.strip()))
        if len(kept) > most or any(len(line) > LONGEST_LINE for line in kept):
            raise Invalid(f"“{label}” takes {most} lines of {LONGEST_LINE} characters at most.", field=name)
        if strange := next((line for line in kept if not each(line)), None):
            raise Invalid(f"“{label}”: “{strange[:60]}” is not {such}.", field=name)
        return list(dict.fromkeys(each(line) for line in kept))

    return _declare(Choice(name, list(default), "lines", group, label, help, "", {}, None, read))


def text(
    name: str, default: str, *, group: str, label: str, help: str = "", most: int = 2000, fits: Callable[[Brand, str], str | None] | None = None
) -> Choice[str]:
    """Words of the brand's own, over several lines if it likes."""

    def read(given: Any) -> str:
        if not isinstance(given, str) or len(given) > most:
            raise Invalid(f"“{label}” is a text of {most} characters at most.", field=name)
        return storable(given.replace("\r\n", "\n").replace("\x00", "")).strip()

    return _declare(Choice(name, default, "text", group, label, help, "", {}, (0, most), read, fits=fits))


def grouped() -> dict[str, list[Choice[Any]]]:
    """Every choice under its group's heading."""
    found: dict[str, list[Choice[Any]]] = {}
    for choice in CHOICES.values():
        found.setdefault(choice.group, []).append(choice)
    return found


def choose(brand: Brand, given: Mapping[str, Any], *, by: User) -> list[str]:
    """Keep these choices, all or none; a None takes the default again. Returns the names of those that changed. Raises Invalid, Forbidden."""
    RULES.check(by, "brand.choose", brand)
    if unknown := given.keys() - CHOICES.keys():
        raise Invalid(f"There is no setting “{min(unknown)[:64]}”.", field=min(unknown)[:64])
    wanted = {name: CHOICES[name].default if value is None else CHOICES[name].read(value) for name, value in given.items()}
    # Two admins at once: the later one's fields are put on top of what the earlier one kept.
    brand = db.session.scalars(select(Brand).where(Brand.id == brand.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    was = {name: CHOICES[name].of(brand) for name in wanted}
    changed = [name for name, value in wanted.items() if value != was[name]]
    _fit(brand, wanted, changed)
    if changed:
        kept = {**brand.settings, **{name: wanted[name] for name in changed}}
        brand.settings = {name: value for name, value in kept.items() if name not in CHOICES or value != CHOICES[name].default}
        for name in changed:
            # The log holds no words of people: of a text only that it changed.
            worth = {"was": was[name], "now": wanted[name]} if CHOICES[name].kind in ("number", "switch", "option") else {}
            audit("brand.choose", brand, by=by, brand_id=brand.id, reason=name, **worth)
    return changed


def _fit(brand: Brand, wanted: Mapping[str, Any], changed: Sequence[str]) -> None:
    for choice in CHOICES.values():
        value = wanted.get(choice.name, choice.of(brand))
        if choice.above is not None and {choice.name, choice.above.name} & set(changed):
            least = wanted.get(choice.above.name, choice.above.of(brand))
            if value <= least:
                raise Invalid(f"“{choice.label}” has to be more than “{choice.above.label}” ({least} {choice.above.unit}).", field=choice.name)
        if choice.fits is not None and choice.name in changed and value != choice.default and (why := choice.fits(brand, value)):
            raise Invalid(why, field=choice.name)


def _declare(choice: Choice[T]) -> Choice[T]:
    if choice.name in CHOICES:
        raise ValueError(f"the choice {choice.name} is declared twice")
    CHOICES[choice.name] = choice
    return choice
