"""The library by program: files and pages brought in, answers handed over."""

from __future__ import annotations

import pytest

from tests.api.conftest import Town, problem

LINE = {"title": "Where is the manual?", "body": "In the box, below the lamp."}


def test_a_file_comes_in_line_by_line_and_twice_changes_nothing(town: Town) -> None:
    cleo = town("cleo")
    csv = "Frage;title;body\r\n1;Where is the manual?;In the box.\r\n2;What now?;\r\n3;Why?;<p>Because <b>so</b>.</p>\r\n"
    first = cleo.post("/answers/import", {"csv": csv, "source": "https://help.example/"}).json
    assert first == {"read": 3, "added": 2, "known": 0, "bad": [{"line": 3, "why": "There are no words yet."}]}
    assert cleo.post("/answers/import", {"csv": csv}).json["known"] == 2
    listed = cleo.get("/answers").json["items"]
    assert {(one["title"], one["body"], one["source"]) for one in listed} == {
        ("Where is the manual?", "In the box.", "https://help.example/"), ("Why?", "Because so.", "https://help.example/"),
    }  # fmt: skip


def test_items_are_taken_like_lines_and_a_repeated_request_is_answered_alike(town: Town) -> None:
    items = [LINE | {"lang": "en", "topic": "how_to", "public": True}, LINE | {"topic": "moon", "title": "Other?"}, LINE | {"title": "x" * 300}]
    first = town("cleo").post("/answers/import", {"items": items}, key="k1")
    assert (first.json["added"], [bad["line"] for bad in first.json["bad"]]) == (1, [2, 3])
    assert town("cleo").post("/answers/import", {"items": items}, key="k1").json == first.json
    (made,) = town("cleo").get("/answers").json["items"]
    assert (made["public"], made["topic"], made["owner"]["name"]) == (True, "how_to", town.people["cleo"].name)


@pytest.mark.parametrize(
    "body", [{}, {"csv": "title,body\na?,b", "items": [LINE]}, {"csv": "a,b\n1,2"}, {"csv": "title,body\n" + "a?,b\n" * 501}, {"items": [LINE] * 501}]
)
def test_what_is_no_import_is_refused(town: Town, body: dict[str, object]) -> None:
    problem(town("cleo").post("/answers/import", body), 422)
    problem(town("ada").post("/answers/import", {"items": [LINE]}), 403)


def test_a_page_is_read_and_nothing_is_stored(town: Town) -> None:
    found = town("cleo").post("/answers/page", {"url": f"{town.network.url}/help"})
    assert found.json == {"url": f"{town.network.url}/help", "items": [{"title": "Where is the manual?", "body": "It lies in the box, below the lamp."}]}
    assert town("cleo").get("/answers").json["items"] == []
    problem(town("cleo").post("/answers/page", {"url": "file:///etc/passwd"}), 422)
    problem(town("ada").post("/answers/page", {"url": f"{town.network.url}/help"}), 403)


def test_an_answer_is_handed_over_to_somebody_who_can_keep_it(town: Town) -> None:
    cleo = town("cleo")
    made = cleo.post("/answers", LINE).json
    changed = cleo.ask("PUT", f"/answers/{made['id']}/about", {"owner_id": town.people["tim"].id}).json
    assert (changed["owner"]["id"], changed["topic"], changed["public"]) == (town.people["tim"].id, "other", False)
    assert cleo.ask("PUT", f"/answers/{made['id']}/about", {"topic": "billing", "public": True}).json["owner"]["id"] == town.people["tim"].id
    problem(cleo.ask("PUT", f"/answers/{made['id']}/about", {"owner_id": town.people["kai"].id}), 422)
    problem(cleo.ask("PUT", f"/answers/{made['id']}/about", {}), 400)
    problem(town("ada").ask("PUT", f"/answers/{made['id']}/about", {"topic": "billing"}), 403)
    problem(town("kim").ask("PUT", f"/answers/{made['id']}/about", {"topic": "billing"}), 404)
