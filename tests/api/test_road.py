"""The whole road, walked by programs alone."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.conftest import Town, problem


def test_a_question_is_answered_vetted_posted_thanked_and_rewarded(town: Town, jobs: Callable[[], int]) -> None:
    ada, cleo, max_ = town("ada"), town("cleo"), town("max")

    taken = max_.post("/brands/northwind/mentions", {"id": "q-1", "text": "How do I reset my router?", "author": "kettle"})
    assert taken.status_code == 201, taken.text
    assert taken.json["routes"] == {"community": 1}

    listed = ada.get("/tasks", mention="q-1")
    assert [item["mention"]["outside_id"] for item in listed.json["items"]] == ["q-1"]
    task = listed.json["items"][0]
    assert task["state"] == "open"
    assert task["price"]["points"] > 0
    assert task["mention"]["decision"] is None, "signals are the brand's own matter"

    claimed = ada.post(f"/tasks/{task['id']}/claim")
    assert claimed.status_code == 201
    assert claimed.json["holder"]["id"] == town.people["ada"].id

    drafted = ada.post(f"/tasks/{task['id']}/replies", {"body": "Hold the little button"})
    assert drafted.status_code == 201
    reply = drafted.json
    assert (reply["state"], reply["revision"]) == ("draft", 1)
    saved = ada.put(f"/replies/{reply['id']}", {"body": "Hold the little button on its back for ten seconds.", "revision": 1})
    assert saved.json["revision"] == 2

    handed_in = ada.post(f"/replies/{reply['id']}/submit", {"revision": 2})
    assert handed_in.json["state"] == "submitted"
    assert handed_in.json["outgoing"]

    queue = cleo.get("/reviews").json["items"]
    assert [item["id"] for item in queue] == [reply["id"]]
    decided = cleo.post(f"/replies/{reply['id']}/reviews", {"decision": "approve", "revision": 2, "note": "Kind and right."})
    assert decided.status_code == 201
    assert decided.json["reply"]["posting"]["state"] == "approved"

    jobs()

    assert [post["text"] for post in town.network.posts] == [handed_in.json["outgoing"]]
    postings = ada.get("/postings", reply=reply["id"]).json["items"]
    assert [(posting["state"], posting["revision"]) for posting in postings] == [("posted", 2)]
    assert postings[0]["url"] == town.network.posts[0]["url"]
    assert ada.get(f"/tasks/{task['id']}").json["state"] == "answered"

    max_.post(
        "/brands/northwind/mentions", {"id": "q-2", "text": "Thanks, that worked! #thanks", "author": "kettle", "in_reply_to": town.network.posts[0]["id"]}
    )
    jobs()

    assert ada.get(f"/tasks/{task['id']}").json["state"] == "resolved"
    ledger = ada.get(f"/users/{town.people['ada'].id}/ledger").json["items"]
    assert {entry["rule"] for entry in ledger} >= {"approved", "thanked"}
    assert all(entry["points"] == sum(reason["points"] for reason in entry["reasons"]) for entry in ledger)
    me = ada.get("/me").json["brands"][0]
    assert me["points"] == sum(entry["points"] for entry in ledger)
    board = ada.get("/leaderboards").json
    assert board["mine"]["points"] == me["points_this_week"]
    seen = ada.get(f"/replies/{reply['id']}").json
    assert [(review["decision"], review["note"]) for review in seen["reviews"]] == [("approve", "Kind and right.")]

    overview = town("ann").get("/metrics/overview").json["last_7_days"]
    assert (overview["needed"], overview["answered"], overview["answered_share"]) == (1, 1, 1.0)
    assert overview["median_first_answer_seconds"] >= 0


def test_a_case_is_taken_answered_and_resolved(town: Town, jobs: Callable[[], int]) -> None:
    tim = town("tim")
    town.task("#tier_1 This is the third time it broke, I am furious", ext_id="angry-1")
    jobs()

    case = tim.get("/cases").json["items"][0]
    assert (case["tier"], case["state"], case["clock"]["state"]) == ("tier_1", "open", "on_time")
    assert tim.post(f"/cases/{case['id']}/assign", {"assignee": town.people["tim"].id}).json["assignee"]["name"] == "Tim Example"
    assert tim.post(f"/cases/{case['id']}/notes", {"body": "Second router this year."}).status_code == 201

    reply = tim.post(f"/cases/{case['id']}/reply", {"body": "We are sorry, a new one leaves our house today."})
    assert reply.status_code == 201, reply.text
    assert (reply.json["state"], reply.json["voice"]) == ("approved", "brand")
    jobs()

    assert tim.get(f"/cases/{case['id']}").json["state"] == "waiting"
    assert tim.post(f"/cases/{case['id']}/resolve", {"outcome": "replaced", "note": "sent"}).json["state"] == "resolved"
    assert tim.post(f"/cases/{case['id']}/reopen").json["state"] in ("reopened", "open")
    kinds = [moment["kind"] for moment in tim.get(f"/cases/{case['id']}").json["timeline"]]
    assert {"mention", "reply", "note", "resolved", "reopened"} <= set(kinds)


def test_a_case_is_handed_up_and_back(town: Town, jobs: Callable[[], int]) -> None:
    tim, tess = town("tim"), town("tess")
    town.task("#tier_1 My order never came")
    jobs()
    case = tim.get("/cases").json["items"][0]

    assert tim.post(f"/cases/{case['id']}/transfer", {"tier": "tier_2", "note": "The firmware, I think."}).json["tier"] == "tier_2"
    assert tim.post(f"/cases/{case['id']}/resolve", {"outcome": "fixed"}).status_code == 403
    back = tess.post(f"/cases/{case['id']}/transfer", {"tier": "community", "note": "Say that a reset helps."})

    assert back.json["state"] == "resolved"
    task = town("ada").get(f"/tasks/{case['task_id']}").json
    assert (task["audience"], task["state"]) == ("community", "open")
    assert task["case_id"] is None, "cases are the team's own matter"


def test_a_post_is_rerouted_and_flagged(town: Town, jobs: Callable[[], int]) -> None:
    task = town.task("Where is my parcel?")

    flag = town("ada").post(f"/tasks/{task.id}/flags", {"kind": "technical", "note": "sounds like the firmware"})
    assert flag.status_code == 201
    waiting = town("cleo").get("/flags").json["items"]
    assert [(item["id"], item["by"]["name"]) for item in waiting] == [(flag.json["id"], "Ada Example")]
    assert town("cleo").post(f"/flags/{flag.json['id']}/decision", {"uphold": True}).json["state"] == "upheld"
    assert town("cleo").get(f"/tasks/{task.id}").json["audience"] == "tier_2"

    moved = town("cleo").post(f"/mentions/{task.mention_id}/reroute", {"audience": "set_aside", "reason": "spam after all"})
    assert moved.json["decision"]["audience"] == "set_aside"
    assert moved.json["decision"]["by"] == town.people["cleo"].id
    assert town("cleo").get("/mentions", audience="set_aside").json["items"][0]["id"] == task.mention_id
    problem(town("cleo").post(f"/mentions/{task.mention_id}/reroute", {"audience": "triage"}), 422)


def test_decide_routes_a_text_and_stores_nothing(town: Town) -> None:
    answer = town("max").post("/decide", {"text": "#tier_2 The light is red"})

    assert answer.json["audience"] == "tier_2"
    assert answer.json["reasons"]
    assert {"anger", "technical", "spam", "urgency", "sentiment", "category", "priority", "words", "lang"} <= answer.json.keys()
    assert town("max").get("/mentions").json["items"] == []


def test_the_stop_switch_holds_all_posting(town: Town, jobs: Callable[[], int]) -> None:
    from tests import factories

    stopped = town("cleo").post("/brands/northwind/posting_stop")
    assert stopped.json["stopped_at"]
    assert stopped.json["still_posting"] == []
    factories.approved(town.task(), town.people["ada"], town.people["cleo"])
    jobs()
    assert town.network.requests == []

    problem(town("cleo").delete("/brands/northwind/posting_stop"), 403)
    assert town("max").delete("/brands/northwind/posting_stop").json["stopped_at"] is None


def test_words_placed_by_hand_are_confirmed_by_their_writer(town: Town) -> None:
    from tests import factories

    wild = factories.account(town.northwind, "wild", kind="by_hand")
    task = factories.task(wild, "Which antenna fits?", url="https://social.example/p/1")
    posting = factories.approved(task, town.people["ada"], town.people["cleo"])

    link = {"url": "https://social.example/p/2"}
    problem(town("ben").post(f"/replies/{posting.reply_id}/permalink", link), 404)
    problem(town("ada").post(f"/replies/{posting.reply_id}/permalink", {"url": "javascript:alert(1)"}), 422)
    for wrong in (
        "https://[::1",
        "https://social.example",
        "https://social.example/",
        "https://ada@social.example/p/2",
        "https://social.example/p/1",
        "http://Social.example/p/1/#mine",
    ):
        problem(town("ada").post(f"/replies/{posting.reply_id}/permalink", {"url": wrong}), 422)
    placed = town("ada").post(f"/replies/{posting.reply_id}/permalink", link)

    assert placed.json["posting"]["state"] == "posted"
    assert placed.json["posting"]["url"] == link["url"]
    assert placed.json["posting"]["outside_id"] is None


def test_an_approved_reply_is_pulled_back(town: Town) -> None:
    from tests import factories

    posting = factories.approved(town.task(), town.people["ada"], town.people["cleo"])

    back = town("ada").post(f"/replies/{posting.reply_id}/pull_back")

    assert (back.json["state"], back.json["posting"]["state"]) == ("withdrawn", "pulled_back")
    problem(town("ada").post(f"/replies/{posting.reply_id}/pull_back"), 409)
