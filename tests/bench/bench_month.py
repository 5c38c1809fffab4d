"""A month of a brand: sixty advocates of different skill and honesty, moderators, the team, and authors who answer back, all over the API.

The clock is moved, everything else is as it is started: the database, Redis, the jobs of the schedule, a network that is
asked over HTTP and keeps its own log. At the end that log is held against what the API says: nothing went out that was
not vetted, nothing twice, nothing approved was lost, and every post that needed somebody was answered or is with the team.

VOUCH_BENCH_DAYS, VOUCH_BENCH_POSTS (a day) and VOUCH_BENCH_SEED make it longer, busier, or another month. With
VOUCH_BENCH_TRUSTING=1 the brand looks as little as it may: peers vote first (everybody begins at the level that may), a unanimous
yes is enough, and proven advocates are sampled. The colluding then write carelessly and say yes to each other, whatever stands there.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import people
from app.accounts.models import User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.outbox import sweep_deliveries
from app.kernel.queue import burst
from app.schedule import ENTRIES
from community.advocates import trust
from community.channels.actions import add_channel
from tests import factories
from tests.bench import stage
from tests.fakes.network import FakeNetwork, signed

DAYS = int(os.environ.get("VOUCH_BENCH_DAYS", "30"))
POSTS = int(os.environ.get("VOUCH_BENCH_POSTS", "60"))
SEED = int(os.environ.get("VOUCH_BENCH_SEED", "1"))
TRUSTING = os.environ.get("VOUCH_BENCH_TRUSTING") == "1"
STEP = timedelta(minutes=10)
QUIET_END = timedelta(days=4)
"""Days without new posts at the end, so that silence settles what was answered and nothing is judged while it is on its way."""
HONEST, CARELESS, HOARDING, COLLUDING = "honest", "careless", "hoarding", "colluding"
CROWD = {HONEST: 46, CARELESS: 6, HOARDING: 3, COLLUDING: 5}
BY_HOUR = [1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 12, 13, 12, 11, 11, 12, 13, 13, 12, 10, 7, 4, 2]
"""How much is written in each hour of the day."""
FLAWS = ("Just google it.", "That is your own fault.", "Not my problem.")
"""What a careless writer adds, and a moderator does not let pass."""

THINGS = (
    "router", "mesh node", "fibre box", "set-top box", "remote", "app", "bill", "parcel", "sim card", "eSIM", "voicemail", "account", "speaker", "cable",
    "contract", "number transfer", "guest network", "parental filter", "roaming pass", "landline",
)  # fmt: skip
QUESTIONS = (
    "how do I move my {thing} to {place}?", "can I use the {thing} in {place} as well?", "where do I find the manual of the {thing} I bought in {place}",
    "is there a {thing} for a flat in {place}", "what does the {thing} cost per month in {place}?", "do your shops in {place} take back an old {thing}",
    "how long until my {thing} arrives in {place}?", "does the {thing} work together with the one from my neighbour in {place}?",
)  # fmt: skip
TROUBLE = (
    "the {thing} drops the connection every {number} minutes since firmware 3.{number}.1, logs say DHCP timeout",
    "error E-{number} on the {thing} after the update, factory reset changed nothing", "{thing} sync fails with 500 since {number}:00",
)  # fmt: skip
ANGER = (
    "{number} days without a working {thing}, you are a joke. furious.", "worst service ever, my {thing} is broken, nobody cares, I want my money NOW",
    "so sick of your lies about the {thing}. cancelling everything today",
)  # fmt: skip
PRAISE = (
    "thank you {place} shop for the quick help with my {thing}, you made my day",
    "love the new {thing}, wonderful",
    "great support with the {thing} yesterday",
)
NOISE = (
    "reading about the merger on the train to {place}",
    "my cat sleeps on the {thing}",
    "win a phone today, follow and retweet {number}",
    "on my way to {place}",
)
MIX = ((QUESTIONS, 46), (TROUBLE, 12), (ANGER, 10), (PRAISE, 12), (NOISE, 20))
PLACES = ("Leeds", "Bristol", "Cardiff", "Oslo", "York", "Dover", "Perth", "Bath", "Derby", "Ghent", "Turin", "Porto", "Malmö", "Aarhus", "Graz", "Kiel")
THANKS = ("thank you so much, that worked!", "Brilliant, thanks a lot!", "thanks, solved 🙂")
STUCK = ("still does not work, it shows the same thing", "I tried that, still the same problem")
ANGRIER = ("this is a joke, I am furious, nothing works and nobody helps!",)


class Answered(Exception):
    """An answer nobody planned for."""


@dataclass
class Person:
    """Somebody with a token. `kind` says how an advocate works, `hours` when they are there."""

    user: User
    client: FlaskClient
    token: str
    kind: str
    hours: range
    eager: float
    writing: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Tasks held, with what the API last said of them."""
    refused: date | None = None
    """The day they were told that they may not look at others' replies yet: they try again tomorrow."""

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers["Idempotency-Key"] = f"month-{next(_keys)}"
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, query_string=query or None, headers=headers)
        if answer.status_code >= 500:
            raise Answered(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, **query)
        if answer.status_code != 200:
            raise Answered(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json

    def all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every page of a list."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


_keys = _numbers()


@dataclass
class Author:
    """What the public wrote, and what it is going to write."""

    posts: dict[str, datetime] = field(default_factory=dict)
    due: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    heard: int = 0
    """Posts of ours on the network that authors have read."""


class Month:
    """One brand's month. `now` is the moment that is lived; everything is done under it."""

    def __init__(self, app: Flask, network: FakeNetwork) -> None:
        self.app, self.network, self.dice = app, network, random.Random(SEED)
        self.end = datetime.now(UTC).replace(second=0, microsecond=0)
        self.now = self.end - timedelta(days=DAYS) - QUIET_END
        self.authors = Author()
        self.seen: Counter[str] = Counter()
        self.ticked = {entry.name: self.now - timedelta(days=1) for entry in ENTRIES}
        with self.at():
            self._people()

    def at(self) -> Any:
        return clock.ago(datetime.now(UTC) - self.now)

    def _people(self) -> None:
        brand = factories.brand(hold_seconds=60)
        with db.transaction():
            _, self.hook = add_channel(brand, "webhook", "wave", {"reply_url": self.network.reply_url})
        self.network.secrets = [self.hook["secret"]]
        kinds = [kind for kind, count in CROWD.items() for _ in range(count)]
        self.advocates = [self._person(f"adv{n}", brand, "advocate", kind=kind) for n, kind in enumerate(kinds)]
        self.moderators = [self._person(f"mod{n}", brand, "moderator", hours=range(start, start + 9)) for n, start in enumerate((6, 10, 15))]
        self.team = {
            "tier_1": [self._person(f"one{n}", brand, "tier_1", hours=range(start, start + 9)) for n, start in enumerate((0, 7, 11, 15))],
            "tier_2": [self._person(f"two{n}", brand, "tier_2", hours=range(start, start + 10)) for n, start in enumerate((6, 13))],
        }
        self.ring = {one.get("/me")["brands"][0]["pseudonym"] for one in self.advocates if one.kind == COLLUDING}
        self.admin = self._person("adm", brand, "admin")
        if TRUSTING:
            wanted = {"settings": {"peer_vetting": True, "peers_pass": True, "graduated_trust": True}}
            answer = self.admin.ask("PATCH", f"/brands/{brand.slug}/settings", wanted)
            if answer.status_code != 200:
                raise Answered(f"the settings were not taken: {answer.status_code} {answer.text[:300]}")

    def _person(self, name: str, brand: Any, role: Any, *, kind: str = "", hours: range | None = None) -> Person:
        user = factories.person(name, brand, role, password=None, trust=trust.ABILITIES["vet"].level if TRUSTING and kind else 0)
        with db.transaction():
            token = people.issue_token(user, "month", by=None)
        start = self.dice.choice((6, 8, 12, 16, 18))
        return Person(user, self.app.test_client(), token, kind, hours or range(start, start + self.dice.randint(3, 6)), self.dice.uniform(0.2, 0.7))

    # A step of it

    def live(self) -> None:
        while self.now < self.end:
            # Once nothing new is written only deadlines pass: an hour at a time is fine enough.
            self.now += STEP if self.now < self.end - QUIET_END + timedelta(days=1) else timedelta(hours=1)
            with self.at():
                self._write_posts()
                self._work_off()
                self._answer()
                self._vote()
                self._review()
                self._decide()
                self._serve()
                self._work_off()
                self._read()

    def _write_posts(self) -> None:
        posts = [post for due, post in self.authors.due if due <= self.now]
        self.authors.due = [(due, post) for due, post in self.authors.due if due > self.now]
        if self.now < self.end - QUIET_END:
            expected = POSTS * BY_HOUR[self.now.hour] / sum(BY_HOUR) * STEP / timedelta(hours=1)
            count = int(expected) + (self.dice.random() < expected % 1)
            posts += [self._post() for _ in range(count)]
        if not posts:
            return
        body = json.dumps(posts).encode()
        headers = signed(body, secret=self.hook["secret"], at=self.now, event_id=f"month-{next(_keys)}")
        answer = self.admin.client.post(f"/api/v1/hooks/{self.hook['token']}", data=body, headers=headers)
        if answer.status_code != 200 or (answer.json or {}).get("bad"):
            raise Answered(f"the network's posts were not taken: {answer.status_code} {answer.text[:300]}")

    def _post(self) -> dict[str, Any]:
        words = self.dice.choice(self.dice.choices([texts for texts, _ in MIX], weights=[weight for _, weight in MIX])[0])
        name = f"w-{next(_keys)}"
        self.authors.posts[name] = self.now
        filled = words.format(thing=self.dice.choice(THINGS), place=self.dice.choice(PLACES), number=self.dice.randint(2, 99))
        return {"id": name, "text": f"@northwind {filled}", "author": f"person{next(_keys)}", "posted_at": self.now.isoformat()}

    def _work_off(self) -> None:
        """What the clock and the queue would have done meanwhile."""
        for entry in ENTRIES:
            if self.now - self.ticked[entry.name] >= timedelta(seconds=entry.every):
                self.ticked[entry.name] = self.now
                entry.function()
        sweep_deliveries()
        while burst(self.app):
            pass

    def _answer(self) -> None:
        """Advocates: hand in what they hold, then take something new."""
        free = None
        for one in self.dice.sample(self.advocates, len(self.advocates)):
            if self.now.hour not in one.hours or self.dice.random() > one.eager:
                continue
            if one.writing:
                if one.kind != HOARDING:
                    for task_id in list(one.writing):
                        self._write(one, task_id)
                continue
            if free is None or free > 0:
                page = one.get("/tasks", state="open", audience="community", limit=30)["items"]
                free = len(page)
                for task in self.dice.sample(page, min(len(page), 3 if one.kind == HOARDING else 1)):
                    answer = one.ask("POST", f"/tasks/{task['id']}/claim")
                    self._count("claim", answer)
                    if answer.status_code < 300:
                        one.writing[task["id"]] = task
        for one in self.advocates:
            if one.kind == HOARDING and self.dice.random() < 0.1:
                one.writing.clear()

    def _write(self, one: Person, task_id: int) -> None:
        task = one.writing.pop(task_id)
        words = f"Hello {(task.get('mention') or {}).get('author', 'there')}, {factories.answer()}"
        if one.kind in (CARELESS, COLLUDING) and self.dice.random() < 0.5:
            words += " " + self.dice.choice(FLAWS)
        begun = one.ask("POST", f"/tasks/{task_id}/replies", {"body": words})
        self._count("draft", begun)
        if begun.status_code >= 300:
            return
        handed = one.ask("POST", f"/replies/{(begun.json or {})['id']}/submit", {"revision": (begun.json or {})["revision"]})
        self._count("submit", handed)

    def _vote(self) -> None:
        """Advocates who may look at what others wrote: the honest read it, the careless mostly nod, the colluding know each other."""
        for one in self.advocates if TRUSTING else ():
            if self.now.hour not in one.hours or self.dice.random() > one.eager or one.refused == self.now.date():
                continue
            waiting = one.ask("GET", "/vet")
            self._count("vet", waiting)
            if waiting.status_code == 403:
                one.refused = self.now.date()
                continue
            for item in (waiting.json or {})["items"]:
                flawed = any(flaw in item["body"] for flaw in FLAWS)
                friend = item["writer"] in self.ring
                good = friend if one.kind == COLLUDING else not flawed or (one.kind == CARELESS and self.dice.random() < 0.8)
                vote = {"revision": item["revision"], "kind": good, "answers": True, "correct": True, "personal": True}
                self._count("vote", one.ask("POST", f"/replies/{item['id']}/votes", vote))

    def _review(self) -> None:
        for one in self.moderators:
            if self.now.hour not in one.hours:
                continue
            for item in one.get("/reviews", limit=10)["items"]:
                if item["own"]:
                    continue
                reply = item["reply"]
                asked: dict[str, Any] = {"decision": "approve", "revision": reply["revision"]}
                if any(flaw in reply["body"] for flaw in FLAWS):
                    asked |= {"decision": self.dice.choice(("return", "reject")), "reason": "tone", "note": "Please be kind, and answer the question."}
                elif self.dice.random() < 0.05:
                    asked["body"] = reply["body"] + " Hope that helps."
                answer = one.ask("POST", f"/replies/{reply['id']}/reviews", asked)
                self._count(f"review_{asked['decision']}", answer)
        # What came back is written anew by whoever it came back to.
        for one in self.advocates:
            if one.kind == CARELESS and self.now.hour in one.hours and self.dice.random() < 0.3:
                for held in one.get("/tasks", state="claimed", audience="community", limit=20)["items"]:
                    if (held["holder"] or {}).get("id") == one.user.id:
                        one.writing.setdefault(held["id"], held)

    def _decide(self) -> None:
        """The triage list, by whoever of tier 1 and the moderators is there."""
        there = [one for one in (*self.moderators, *self.team["tier_1"]) if self.now.hour in one.hours]
        if not there:
            return
        for mention in there[0].get("/mentions", audience="triage", limit=20)["items"]:
            tier = "tier_1" if mention["decision"]["anger"] >= mention["decision"]["technical"] else "tier_2"
            audience = self.dice.choice(("community", "community", tier))
            self._count("reroute", self.dice.choice(there).ask("POST", f"/mentions/{mention['id']}/reroute", {"audience": audience}))

    def _serve(self) -> None:
        for tier, crew in self.team.items():
            there = [one for one in crew if self.now.hour in one.hours]
            for one in there:
                for case in one.get("/cases", tier=tier, limit=5)["items"]:
                    if case["assignee"] not in (None, {"id": one.user.id, "name": one.user.name}):
                        continue
                    if case["assignee"] is None:
                        self._count("assign", one.ask("POST", f"/cases/{case['id']}/assign", {}))
                    answer = one.ask("POST", f"/cases/{case['id']}/reply", {"body": f"I'm sorry about that, {case['author']}. {factories.answer()}"})
                    self._count("case_reply", answer)
                    if answer.status_code >= 300:
                        self._count("case_resolve", one.ask("POST", f"/cases/{case['id']}/resolve", {"outcome": "no_action", "note": "Nothing to do."}))

    def _read(self) -> None:
        """Authors read what was posted under their posts, and some write again."""
        posts = self.network.posts
        for post in posts[self.authors.heard :]:
            roll, soon = self.dice.random(), self.now + timedelta(minutes=self.dice.randint(5, 240))
            words = THANKS if roll < 0.35 else STUCK if roll < 0.45 else ANGRIER if roll < 0.47 else None
            if words is not None and self.now < self.end - QUIET_END:
                name = f"w-{next(_keys)}"
                again = {"id": name, "text": self.dice.choice(words), "author": self._who(post["in_reply_to"]), "in_reply_to": post["id"]}
                self.authors.due.append((soon, {**again, "posted_at": soon.isoformat()}))
        self.authors.heard = len(posts)

    def _who(self, post: str) -> str:
        found = self.admin.get("/mentions", id=post)["items"]
        return str(found[0]["author"]).lstrip("@") if found else "somebody"

    def _count(self, what: str, answer: TestResponse) -> None:
        self.seen[what if answer.status_code < 300 else f"{what}_{answer.status_code}"] += 1

    # What became of it

    def judged(self) -> dict[str, Any]:
        """The network's log against what the API says."""
        with self.at():
            moderator = self.moderators[0]
            tasks = list(moderator.all("/tasks"))
            postings = {posting["outside_id"]: posting for posting in moderator.all("/postings") if posting["outside_id"]}
            waiting = [posting for posting in moderator.all("/postings") if posting["state"] in ("approved", "posting", "unknown")]
            mentions = {mention["outside_id"]: mention for mention in moderator.all("/mentions")}
            landed = self.network.posts
            looks = {post["id"]: self._looks(moderator, post, postings.get(post["id"])) for post in landed}
            doubled = [post for post, count in Counter(post["in_reply_to"] for post in landed).items() if count > 1]
            left = [task for task in tasks if task["audience"] == "community" and task["state"] in ("open", "claimed", "in_review")]
            routes = Counter(mention["decision"]["audience"] for mention in mentions.values() if mention["decision"] and not mention["by_brand"])
            return {
                "days": DAYS,
                "posts": len(self.authors.posts),
                "routes": dict(routes),
                "tasks": dict(Counter(f"{task['audience']} {task['state']}" for task in tasks)),
                "still_triage": routes.get("triage", 0),
                "left_with_the_community": len(left),
                "posted": len(landed),
                "unvetted": sum(not found for found in looks.values()),
                "let_pass_by": dict(Counter(_rule(found) for found in looks.values())),
                "flawed_and_public": dict(Counter(_rule(looks[post["id"]]) for post in landed if any(flaw in post["text"] for flaw in FLAWS))),
                "doubled": len(doubled),
                "approved_but_not_posted": len(waiting),
                "first_answer": self._first_answers(mentions, landed),
                "points": self._points(),
                "asked": dict(sorted(self.seen.items())),
            }

    def _looks(self, reader: Person, post: dict[str, Any], posting: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The approvals of the very revision that is public, by somebody else than its writer or by a named rule."""
        if posting is None or posting["text"] != post["text"] or posting["in_reply_to"] != post["in_reply_to"]:
            return []
        reply = reader.get(f"/replies/{posting['reply_id']}")
        looks = [one for one in reply["reviews"] if one["decision"] == "approve" and one["revision"] == posting["revision"]]
        return [one for one in looks if one["rule"] or (one["reviewer"] and one["reviewer"]["id"] != reply["writer"]["id"])]

    def _first_answers(self, mentions: dict[str, Any], landed: list[dict[str, Any]]) -> dict[str, Any]:
        first: dict[str, datetime] = {}
        for post in landed:
            first.setdefault(post["in_reply_to"], datetime.fromisoformat(post["lived_at"]))
        needed: dict[str, list[str]] = defaultdict(list)
        for name in self.authors.posts:
            decision = (mentions.get(name) or {}).get("decision")
            if decision and decision["audience"] != "set_aside":
                needed[decision["audience"]].append(name)
        return {audience: _spread([first.get(name), self.authors.posts[name]] for name in names) for audience, names in needed.items()}

    def _points(self) -> dict[str, float]:
        earned: dict[str, list[int]] = defaultdict(list)
        for one in self.advocates:
            earned[one.kind].append(one.get("/me")["brands"][0]["points"])
        return {kind: sum(points) / len(points) for kind, points in earned.items()}


def _rule(looks: list[dict[str, Any]]) -> str:
    return looks[0]["rule"] or "a person" if looks else "nobody"


def _spread(pairs: Iterator[list[Any]]) -> dict[str, Any]:
    rows = list(pairs)
    minutes = sorted((answered - asked).total_seconds() / 60 for answered, asked in rows if answered is not None)
    share = len(minutes) / len(rows) if rows else 0.0
    if len(minutes) < 2:
        return {"needed": len(rows), "answered_share": share}
    within = sum(length <= 120 for length in minutes) / len(rows)
    return {"needed": len(rows), "answered_share": share, "within_2_h": within, "median_min": median(minutes), "p95_min": quantiles(minutes, n=20)[-1]}


class LivedNetwork(FakeNetwork):
    """The fake network in the month's own time: it looks at signatures by it, and notes when a post was lived to land."""

    month: Month | None = None

    def now(self) -> datetime:
        return self.month.now if self.month else datetime.now(UTC)

    def _write(self, line: Mapping[str, Any]) -> None:
        super()._write({**line, "lived_at": self.now().isoformat()})


def main() -> None:
    app, _ = stage.application()
    with tempfile.TemporaryDirectory() as folder, LivedNetwork(Path(folder) / "network.log") as network:
        month = Month(app, network)
        network.month = month
        month.live()
        stage.tell(**month.judged())


if __name__ == "__main__":
    main()
