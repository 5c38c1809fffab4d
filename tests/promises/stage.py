"""One row of every kind in a brand, with a needle in every text, and people of every role with a browser and a token each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import select, text, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.accounts import people
from app.accounts.models import Brand, RoleName, User
from app.kernel import clock
from app.kernel.db import Base, db
from community.answers import actions as answers
from community.answers import bringing
from community.channels.models import ChannelAccount
from community.feedback import links, receipts
from community.incidents import answers as incident_answers
from community.incidents.models import Incident
from community.joining import actions as joining
from community.joining import guidelines
from community.joining.models import Application
from community.moderation import actions as moderation
from community.moderation import appeals, flags
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from community.texts import actions as texts
from escalation.cases import actions as cases
from escalation.cases.models import Case
from escalation.learning import runs as learning
from tests import factories
from tests.harness.visitor import Visitor
from tests.stories import news

ROLES: tuple[RoleName, ...] = ("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin")
UNTOLD = frozenset({"sign_in", "failed_sign_in", "token", "alembic_version"})
"""Tables that note a visit itself."""


class Person:
    """Somebody, or nobody, with a browser and a token."""

    def __init__(self, app: Flask, user: User | None) -> None:
        self.app, self.user = app, user
        self.browser: Visitor = app.test_client()  # type: ignore[assignment]
        self.token: str | None = None
        if user is not None:
            self.browser.login(user.email)
            with db.transaction():
                self.token = people.issue_token(user, "walk", by=user)

    def ask(self, method: str, path: str, data: dict[str, Any] | None = None, *, raw: bytes | None = None, **more: Any) -> TestResponse:
        """As a program would (a path of the API; `raw` is a body as it is sent) or as a browser does."""
        if not path.startswith("/api/"):
            return self.browser.open(path, method=method, data=data, **more)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body: dict[str, Any] = {} if method in ("GET", "HEAD", "OPTIONS") else {"json": data or {}}
        if raw is not None:
            body = {"data": raw, "content_type": "application/json"}
        return self.app.test_client().open(path, method=method, headers=headers, **body, **more)


WORDS = "These are words of my own, written for this one place and for no other."
BODIES: dict[str, dict[str, Any]] = {
    "keep_text": {"name": "bye", "lang": "en", "body": WORDS},
    "check_words": {"body": WORDS},
    "recall_answer": {"fact": WORDS},
    "settle_correction": {"outcome": "done", "reason": "Edited there."},
    "add_answer": {"title": "Where is the manual?", "body": WORDS},
    "revise_answer": {"title": "Where is the manual?", "body": WORDS, "based_on": 1},
    "change_about_answer": {"topic": "billing"},
    "import_answers": {"items": [{"title": "Where is the manual?", "body": WORDS}]},
    "bring_answers_file": {"csv": f"title,body\nWhere is the manual?,{WORDS}"},
    "read_answers_page": {"url": "http://127.0.0.1:9/"},
    "decline_answer": {"reason": "It is the other button."},
    "change_settings": {"settings": {"lease_minutes": 30}},
    "set_promise": {"minutes": 45, "urgent_minutes": 20},
    "answer_case": {"body": WORDS},
    "confirm_reply": {"url": "https://example.com/p/1"},
    "decide_flag": {"uphold": True},
    "decide": {"text": "How do I reset it?"},
    "flag_task": {"kind": "spam"},
    "pass_task": {"reason": "topic"},
    "put_pseudonym": {"pseudonym": "Copperfield"},
    "put_offers": {"languages": ["en"], "topics": []},
    "suspend_person": {"reason": "spam"},
    "note_case": {"body": WORDS},
    "reroute_mention": {"audience": "tier_2"},
    "label_mention": {"verdict": "both"},
    "put_run_live": {"reason": "It is better."},
    "put_lines_live": {"anger": {"low": 0.2, "high": 0.5, "cost": 5}, "technical": {"low": 0.2, "high": 0.5, "cost": 3}},
    "resolve_case": {"outcome": "fixed"},
    "review_reply": {"decision": "approve", "revision": 1},
    "save_reply": {"body": WORDS},
    "settle_posting": {"outcome": "give_up"},
    "settle_receipt": {"outcome": "dismiss"},
    "write_incident_answer": {"body": WORDS},
    "approve_variants": {"variants": [{"reply_id": 1, "revision": 1}]},
    "merge_incident": {"into": 1},
    "submit_reply": {"revision": 1},
    "appeal_reply": {"words": WORDS},
    "decide_appeal": {"outcome": "dismiss", "note": "It does delete them."},
    "vote_reply": {"revision": 1, "kind": True, "answers": True, "correct": True, "personal": True},
    "set_trust": {"level": 1, "reason": "Known for years."},
    "limit_ability": {"ability": "vet", "limited": True, "reason": "A week without."},
    "transfer_case": {"tier": "tier_2", "note": "It is the firmware."},
    "write_reply": {"body": WORDS},
    "change_role": {"role": "advocate", "give": True},
    "invite": {"email": "walked-in@wild.example", "role": "advocate"},
    "decide_application": {"decision": "decline", "words": WORDS},
    "publish_guidelines": {"text": WORDS},
    "accept_guidelines": {"version": 1},
    "import_mentions": {"id": "walked-in", "text": "How do I reset it?"},
    "assign_case": {},
}
"""What a program sends to each operation that takes something."""
FORM = {
    "text": WORDS, "body": WORDS, "revision": "1", "decision": "approve", "reason": "tone", "note": "It is the firmware.", "kind": "spam", "uphold": "yes",
    "outcome": "give_up", "url": "https://example.com/p/1", "tier": "tier_2", "audience": "tier_2", "assignee": "", "go": "stop", "until": "2100-01-01",
    "hour": "8", "zone": "UTC", "shown": "1", "theme": "dark", "voice": "own", "verdict": "wrong", "words": WORDS,
    "email": "walked-in@wild.example", "role": "advocate", "give": "1",
    "minutes": "45", "urgent_minutes": "20",
    "level": "1", "ability": "vet", "limited": "1",
    "title": "Where is the serial number?", "based_on": "1", "owner": "1", "code": "a1.1", "name": "bye", "lang": "en", "fact": WORDS, "urgency": "high",
    "all": "1",
    "answers": "1", "correct": "1", "personal": "1",
}  # fmt: skip
"""What a browser could send to any form."""


def body_for(rule: Rule) -> dict[str, Any]:
    """A body that is right in itself, so that nothing but rights can refuse it."""
    room, _, name = rule.endpoint.partition(".")
    if room == "api":
        return BODIES.get(name, {})
    return FORM | {"cases": {"outcome": "fixed"}, "appeals": {"outcome": "dismiss"}, "answers": {"outcome": "done"}}.get(room, {})


@dataclass
class Stage:
    """A brand and the ids that fill its routes. `needle` stands in each text outsiders must not read."""

    app: Flask
    brand: Brand
    account: ChannelAccount
    needle: str
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)

    def path(self, rule: Rule, **others: Any) -> str:
        """The route filled with this brand's rows."""
        values = {**self.ids, **others}
        with self.app.test_request_context():
            filled = {name: values[name] for name in rule.arguments}
            return str(self.app.url_map.bind("localhost").build(rule.endpoint, filled, method=next(iter(rule.methods or {"GET"}))))


def make(app: Flask, slug: str, needle: str, *, words: str = "", roles: tuple[RoleName, ...] = ROLES) -> Stage:
    """`words` are added to every text a stranger, a writer or an employee can write."""
    brand = factories.brand(slug, f"{slug.title()}")
    account = factories.account(brand, f"{slug}-wave", reply_url="http://127.0.0.1:9/reply")
    hand = factories.account(brand, f"{slug}-wild", kind="by_hand")
    stage = Stage(app, brand, account, needle)
    users = {role: factories.person(role.replace("_", ""), brand, role, trust=4) for role in roles}
    writer = factories.person("writer", brand, "advocate", trust=4)
    tail = f" {needle} {words}".rstrip()

    def told(more: str = "", **also: Any) -> Task:
        return factories.task(also.pop("account", account), f"How do I reset number {factories.next_number()}?{more}{tail}", **also)

    def answer() -> str:
        return f"{factories.answer()}{tail}"

    draft = factories.drafted(told(), writer, answer())
    submitted = factories.submitted(told(), writer, answer())
    order = factories.approved(told(), writer, users["moderator"], answer())
    refused = factories.submitted(told(), writer, answer())
    by_hand = factories.approved(told(account=hand), writer, users["moderator"], answer())
    out = factories.approved(told(account=hand), writer, users["moderator"], answer())
    for author in ("sam", "tara", "ulla"):
        told(f" The lamp of the {slug} hub blinks orange since the thunderstorm", author=author)
    open_task, tier_task = told(), told(" #tier_1")
    factories.mention(account, f"Hm #triage{tail}")
    news()
    with db.transaction() as session:
        flag = flags.flag(factories.fresh(open_task), by=writer, kind="spam", note=f"spam?{tail}")
        session.execute(update(Posting).where(Posting.id == order.id).values(state="unknown", next_at=None, detail=f"unclear{tail}"))
        case = session.scalars(select(Case).where(Case.task_id == tier_task.id)).one()
        cases.note(case, by=users["tier_1"], text=f"They called twice.{tail}")
        flag_id, case_id = flag.id, case.id
        moderation.reject(factories.fresh(refused), by=users["moderator"], revision=refused.revision, reason="incorrect", note=f"no{tail}")
        appeal_id = appeals.appeal(factories.fresh(refused), by=writer, words=f"yes{tail}").id
        run_id = learning.start(brand, by=None).id
        posted = factories.fresh(out)
        replies.confirm_by_hand(posted, by=writer, url="https://wild.example/answers/1")
        receipt = links.receipt_for(session.get_one(Reply, posted.reply_id))
        receipts.say(receipt.token, "wrong", words=f"It is the other button.{tail}"[:500], address="192.0.2.1")
        known = answers.add(brand, by=users["moderator"], title=f"How do I reset it?{tail}", body=f"Hold the button.{tail}", lang="en")
        brought = bringing.begin(brand, by=users["moderator"], name=f"old{tail}.csv"[:200], content=b"title,body\na,b", lines=1)
        snippet = texts.keep(brand, by=users["moderator"], name="hello", lang="en", body=f"Hello {{author}}{tail}")
    with db.transaction() as session:
        session.get_one(Brand, brand.id).settings = {"public_answers": True}
        shown = answers.add(brand, by=users["moderator"], title="What is this?", body="A page for everybody.", lang="en", public=True)
    correction = factories.recalled(factories.fresh(out), users["moderator"], words=tail)
    news()
    with db.transaction(read_only=True) as session:
        incident = session.scalars(select(Incident).where(Incident.brand_id == brand.id)).one()
    with db.transaction() as session:
        tasks.claim(session.get_one(Task, incident.leading_task_id), by=users["tier_2"])
        incident_answers.write(factories.fresh(incident), by=users["tier_2"], body=answer(), openings=[f"Hi {{name}}{tail}"[:200]])
    incident_answers.hand_in(incident.id, by=users["tier_2"], only=[incident.leading_task_id or 0])
    with db.transaction() as session:
        guidelines.publish(brand, f"Be kind. {words}", by=users["admin"])
        for helper in (writer, users["advocate"]):
            guidelines.note(helper, brand.id, 1)
        invitation, _ = joining.invite(brand, f"guest@{slug}.example", "advocate", by=users["admin"], name=f"Guest{tail}")
        application = Application(
            brand_id=brand.id, email=f"wish@{slug}.example", email_key=f"wish@{slug}.example", name=f"Wish{tail}"[:120], languages=["en"], topics=[],
            answers=[["Why?", f"Because.{tail}"]], secret_hash=slug, state="waiting", made_at=clock.now(), ends_at=clock.now(),
        )  # fmt: skip
        session.add(application)
        session.flush()
    stage.ids = {
        "incident_id": incident.id,
        "snippet_id": snippet.id,
        "invitation_id": invitation.id,
        "application_id": application.id,
        "recall_id": correction.recall_id,
        "brand_slug": slug,
        "public_id": shown.id,
        "words": "what-is-this",
        "correction_id": correction.id,
        "answer_id": known.id,
        "file_id": brought.id,
        "task_id": open_task.id,
        "tier_task_id": tier_task.id,
        "reply_id": submitted.id,
        "draft_id": draft.id,
        "hand_reply_id": by_hand.reply_id,
        "posting_id": order.id,
        "mention_id": tier_task.mention_id,
        "appeal_id": appeal_id,
        "flag_id": flag_id,
        "run_id": run_id,
        "version": 0,
        "receipt_id": receipt.id,
        "receipt": receipt.token,
        "case_id": case_id,
        "user_id": writer.id,
        "person_id": writer.id,
        "slug": slug,
        "tier": "tier_1",
        "board": "week",
        "secret": "no-such-link",
        "token": "no-such-token",
        "stamp": "0",
        "name": "vouch.css",
        "filename": "no-such-file.css",
    }
    for name, user in users.items():
        stage.people[name] = Person(app, user)
    stage.people["writer"] = Person(app, writer)
    return stage


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but those that note a visit itself."""
    with db.transaction(read_only=True) as session:
        return {
            table.name: sorted(map(tuple, session.execute(text(f'SELECT * FROM "{table.name}"'))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in UNTOLD
        }


def changed(before: dict[str, list[tuple[Any, ...]]], after: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is new or other, by table."""
    return {name: [row for row in after[name] if row not in before[name]] or before[name][:1] for name in after if after[name] != before[name]}


__all__ = ["ROLES", "Person", "Stage", "changed", "everything", "make"]
