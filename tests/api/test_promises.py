"""Promises by programs: the team reads them, an admin sets them."""

from __future__ import annotations

from tests.api.conftest import Town, problem

PATH = "/brands/northwind/promises"


def test_programs_read_and_set_what_is_promised(town: Town) -> None:
    max_, tim = town("max"), town("tim")

    held = tim.get(PATH).json
    assert held["urgent_from"] == 60
    assert held["promises"][0] == {"tier": "tier_1", "minutes": 60, "urgent_minutes": 30, "default": [60, 30]}

    kept = max_.put(f"{PATH}/tier_1", {"minutes": 90, "urgent_minutes": 15})
    assert kept.status_code == 200
    assert tim.get(PATH).json == kept.json
    assert kept.json["promises"][0] == {"tier": "tier_1", "minutes": 90, "urgent_minutes": 15, "default": [60, 30]}

    problem(max_.put(f"{PATH}/tier_1", {"minutes": 10, "urgent_minutes": 15}), 422)
    problem(max_.put(f"{PATH}/tier_1", {"minutes": 0, "urgent_minutes": 0}), 422)
    problem(max_.put(f"{PATH}/tier_1", {"minutes": 90}), 400)
    problem(max_.put(f"{PATH}/community", {"minutes": 90, "urgent_minutes": 15}), 404)
    problem(tim.put(f"{PATH}/tier_1", {"minutes": 90, "urgent_minutes": 15}), 403)
    problem(town("ada").get(PATH), 403)
    problem(town("kim").put(f"{PATH}/tier_1", {"minutes": 90, "urgent_minutes": 15}), 404)
    assert tim.get(PATH).json == kept.json
