"""One row of each kind behind the API's writing doors, and what each door is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.accounts import choices, people
from app.kernel import clock
from app.kernel.db import db
from community.advocates import trust
from community.answers import actions as answers
from community.answers import bringing
from community.answers.models import Answer, Use
from community.feedback import links, receipts
from community.incidents import actions as incidents
from community.incidents import answers as incident_answers
from community.incidents.models import Incident, IncidentMention
from community.joining import actions as joining
from community.joining.models import Application
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import appeals, flags
from community.replies import actions as replies
from community.replies.models import Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from community.texts import actions as texts
from escalation.cases.actions import open_cases
from escalation.cases.models import Case
from escalation.classifier import brands, store
from escalation.classifier.second import fit
from escalation.learning import runs
from tests import factories
from tests.api.conftest import Town
from tests.escalation.classifier.labels import labelled as labelled_posts
from tests.harness.visitor import PASSWORD
from tests.stories import news

YES = {"kind": True, "answers": True, "correct": True, "personal": True}


@dataclass(frozen=True)
class Ask:
    """A request to a writing door by a person who may make it."""

    who: str
    method: str
    path: str
    body: dict[str, Any] | None = field(default_factory=dict)


def every_writing_ask(town: Town) -> dict[str, Ask]:
    """By the door's name; every door with a row of its own, so that none changes another's."""
    ada, ben, cleo = town.people["ada"], town.people["ben"], town.people["cleo"]
    lines = {"low": 0.2, "high": 0.5}
    stage = fit(store.live(), labelled_posts(120))
    by_hand = factories.account(town.northwind, "wild", kind="by_hand")

    def case() -> int:
        task = town.task("#tier_1 it broke")
        with db.transaction():
            open_cases([task.id])
            return db.session.scalars(select(Case.id).where(Case.task_id == task.id)).one()

    def resolved() -> int:
        id_ = case()
        town("tim").post(f"/cases/{id_}/resolve", {"outcome": "fixed"})
        return id_

    def run(state: str) -> int:
        """A run with a model of its own; the last one made is live already."""
        with db.transaction():
            made = runs.start(town.northwind, by=None)
            model = brands.keep(town.northwind, stage)
            made.state, made.model_id = state, model.id
            if state == "shadow":
                brands.put_live(brands.keep(town.northwind, stage))
        return made.id

    def labelled() -> int:
        id_ = town.task().mention_id
        town("cleo").post(f"/mentions/{id_}/label", {"verdict": "both"})
        return id_

    def flag() -> int:
        with db.transaction():
            return flags.flag(db.session.get_one(Task, town.task().id), by=ben, kind="spam").id

    def suspended() -> int:
        gone = factories.person("gone", town.northwind, "advocate")
        with db.transaction():
            people.suspend(gone, None, "spam")
        return gone.id

    def invited(email: str) -> int:
        with db.transaction():
            return joining.invite(town.northwind, email, "advocate", by=town.people["max"])[0].id

    def wish() -> int:
        now = clock.now()
        with db.transaction():
            row = Application(
                brand_id=town.northwind.id, email="wish@wild.example", email_key="wish@wild.example", name="Wish", languages=["en"], topics=[],
                answers=[], secret_hash="wish", state="waiting", made_at=now, ends_at=now,
            )  # fmt: skip
            db.session.add(row)
            db.session.flush()
            return row.id

    held = town.task()
    factories.claimed(held, ben)
    free = town.task()
    factories.claimed(free, ben)
    drafts = [factories.drafted(town.task(), ada) for _ in range(1)]
    waiting = [factories.submitted(town.task(), ben) for _ in range(2)]
    save = factories.drafted(town.task(), ben)
    out = factories.approved(town.task(), ben, cleo)
    hand = factories.approved(factories.task(by_hand), ben, cleo)
    stuck = factories.approved(town.task(), ben, cleo)
    with db.transaction():
        row = db.session.get_one(type(stuck), stuck.id)
        row.state, row.next_at = "unknown", None
    posted = factories.approved(factories.task(by_hand), ben, cleo)
    with db.transaction() as session:
        replies.confirm_by_hand(factories.fresh(posted), by=ben, url="https://social.example/p/8")
        receipt = links.receipt_for(session.get_one(Reply, posted.reply_id))
        receipts.say(receipt.token, "wrong", address="192.0.2.1")

    def gathered(led_by: str | None = None) -> Incident:
        """Three people with one story; with `led_by` that person writes its answer."""
        story = factories.answer()
        asked = [town.task(story, author=f"author{factories.next_number()}") for _ in range(3)]
        news("gather_incidents")
        with db.transaction() as session:
            place = session.scalars(select(IncidentMention).where(IncidentMention.mention_id == asked[0].mention_id)).one()
            incident = session.get_one(Incident, place.incident_id)
            if led_by:
                tasks.claim(session.get_one(Task, incident.leading_task_id), by=town.people[led_by])
        return incident

    def answered(by: str) -> Incident:
        incident = gathered(by)
        with db.transaction():
            incident_answers.write(factories.fresh(incident), by=town.people[by], body=factories.answer())
        return incident

    def merged() -> Incident:
        one, two = gathered(), gathered()
        with db.transaction():
            incidents.merge(factories.fresh(one), factories.fresh(two), by=cleo)
        return one

    def post_of(incident: Incident, *, split: bool = False) -> int:
        with db.transaction() as session:
            id_ = session.scalars(select(IncidentMention.mention_id).where(IncidentMention.incident_id == incident.id)).first()
            if split:
                incidents.split_off(session.get_one(Incident, incident.id), session.get_one(Mention, id_), by=cleo)
        assert id_ is not None
        return id_

    vetted = answered("tim")
    made = incident_answers.hand_in(vetted.id, by=town.people["tim"])
    over, apart, split = gathered(), gathered(), gathered()
    with db.transaction():
        incidents.close(factories.fresh(over), by=cleo)
    words = factories.answer()
    again = factories.approved(factories.task(by_hand), ben, cleo)
    with db.transaction():
        replies.confirm_by_hand(factories.fresh(again), by=ben, url="https://social.example/p/10")
    correction = factories.recalled(factories.fresh(again), cleo).id

    def answer(**more: Any) -> int:
        with db.transaction():
            return answers.add(town.northwind, by=cleo, title="Where is the manual?", body=words, lang="en", **more).id

    def resting() -> int:
        made = answer()
        with db.transaction() as session:
            order = factories.fresh(posted)
            session.add(Use(brand_id=order.brand_id, reply_id=order.reply_id, answer_id=made, version=1, revision=1, at=order.created_at))
            answers.revise(session.get_one(Answer, made), by=cleo, title="Where is it?", body="On the side.", based_on=1)
        return made

    expired = answer()
    with db.transaction():
        answers.expire(db.session.get_one(Answer, expired), by=cleo)
        text_id = texts.keep(town.northwind, by=cleo, name="bye", lang="en", body="Bye").id

    def rejected() -> Reply:
        reply = factories.submitted(town.task(), ben)
        with db.transaction():
            moderation.reject(factories.fresh(reply), by=cleo, revision=reply.revision, reason="incorrect", note="Not so.")
        return reply

    def appealed() -> int:
        reply = rejected()
        with db.transaction():
            return appeals.appeal(factories.fresh(reply), by=ben, words="It is so.").id

    def brought() -> int:
        with db.transaction():
            return bringing.begin(town.northwind, by=cleo, name="old.csv", content=b"title,body\na,b", lines=1).id

    def asked_of_peers() -> int:
        """A reply of ben's that waits for ada's look."""
        with db.transaction():
            brand = db.session.get_one(type(town.northwind), town.northwind.id)
            choices.choose(brand, {"peer_vetting": True, "peer_quorum": 1}, by=town.people["max"])
            row = trust.advocate_row(ada.id, brand.id)
            assert row is not None
            trust.set_level(row, 2, by=cleo, reason="Known.")
        return factories.submitted(town.task(), ben).id

    leaver = factories.person("leaver", town.northwind, "advocate")
    town.people["leaver"] = leaver
    return {
        "check_words": Ask("ben", "POST", f"/tasks/{held.id}/checks", {"body": words}),
        "keep_text": Ask("cleo", "PUT", "/texts", {"brand": "northwind", "name": "hello", "lang": "en", "body": "Hello {author},"}),
        "remove_text": Ask("cleo", "DELETE", f"/texts/{text_id}", None),
        "add_answer": Ask("cleo", "POST", "/answers", {"brand": "northwind", "title": "Where is the manual?", "body": words}),
        "revise_answer": Ask("cleo", "PUT", f"/answers/{answer()}", {"title": "Where is it?", "body": words, "based_on": 1, "why": "shorter"}),
        "publish_answer": Ask("cleo", "POST", f"/answers/{expired}/publish", {"version": 1}),
        "decline_answer": Ask("cleo", "POST", f"/answers/{answer(publish_now=False)}/decline", {"reason": "It is known already."}),
        "expire_answer": Ask("cleo", "POST", f"/answers/{answer()}/expire"),
        "recall_answer": Ask("cleo", "POST", f"/answers/{resting()}/recalls", {"fact": "It is on the side."}),
        "settle_correction": Ask("cleo", "POST", f"/corrections/{correction}/settle", {"outcome": "done", "reason": "Edited there."}),
        "keep_answer": Ask("cleo", "POST", f"/answers/{answer()}/keep"),
        "change_about_answer": Ask("cleo", "PUT", f"/answers/{answer()}/about", {"topic": "billing"}),
        "import_answers": Ask("cleo", "POST", "/answers/import", {"brand": "northwind", "items": [{"title": "Where is the other?", "body": words}]}),
        "bring_answers_file": Ask("cleo", "POST", "/answers/files", {"brand": "northwind", "csv": f"title,body\nWhere is the third?,{words}"}),
        "stop_answers_file": Ask("cleo", "POST", f"/answers/files/{brought()}/stop"),
        "read_answers_page": Ask("cleo", "POST", "/answers/page", {"brand": "northwind", "url": f"{town.network.url}/help"}),
        "write_incident_answer": Ask("tim", "PUT", f"/incidents/{gathered('tim').id}/answer", {"body": factories.answer()}),
        "hand_in_variants": Ask("tim", "POST", f"/incidents/{answered('tim').id}/variants"),
        "approve_variants": Ask(
            "cleo", "POST", f"/incidents/{vetted.id}/approvals", {"variants": [{"reply_id": one.reply_id, "revision": 1} for one in made if one.reply_id]}
        ),
        "merge_incident": Ask("cleo", "POST", f"/incidents/{gathered().id}/merge", {"into": gathered().id}),
        "unmerge_incident": Ask("cleo", "POST", f"/incidents/{merged().id}/unmerge"),
        "split_off_post": Ask("cleo", "POST", f"/incidents/{apart.id}/posts/{post_of(apart)}/split"),
        "put_back_post": Ask("cleo", "POST", f"/incidents/{split.id}/posts/{post_of(split, split=True)}/put_back"),
        "close_incident": Ask("cleo", "POST", f"/incidents/{gathered().id}/close"),
        "reopen_incident": Ask("cleo", "POST", f"/incidents/{over.id}/reopen"),
        "import_mentions": Ask("max", "POST", "/brands/northwind/mentions", {"id": "new-1", "text": "Where is the manual?"}),
        "start_run": Ask("max", "POST", "/brands/northwind/learning"),
        "put_run_live": Ask("max", "POST", f"/learning_runs/{run('refused')}/live", {"reason": "It is better."}),
        "withdraw_run": Ask("max", "POST", f"/learning_runs/{run('shadow')}/withdraw"),
        "go_back": Ask("max", "POST", "/brands/northwind/learning/back"),
        "put_lines_live": Ask("max", "PUT", "/brands/northwind/lines", {"anger": lines | {"cost": 5}, "technical": lines | {"cost": 3}}),
        "label_mention": Ask("cleo", "POST", f"/mentions/{town.task().mention_id}/label", {"verdict": "both"}),
        "unlabel_mention": Ask("cleo", "DELETE", f"/mentions/{labelled()}/label"),
        "reroute_mention": Ask("cleo", "POST", f"/mentions/{town.task().mention_id}/reroute", {"audience": "tier_1"}),
        "decide": Ask("max", "POST", "/decide", {"text": "Where is the manual?"}),
        "claim_task": Ask("cleo", "POST", f"/tasks/{town.task().id}/claim"),
        "release_task": Ask("ben", "DELETE", f"/tasks/{free.id}/claim"),
        "take_words_back": Ask("ben", "DELETE", f"/tasks/{town.task().id}/claim/words"),
        "flag_task": Ask("ada", "POST", f"/tasks/{town.task().id}/flags", {"kind": "technical"}),
        "write_reply": Ask("ben", "POST", f"/tasks/{held.id}/replies", {"body": factories.answer()}),
        "save_reply": Ask("ben", "PUT", f"/replies/{save.id}", {"body": factories.answer()}),
        "submit_reply": Ask("ada", "POST", f"/replies/{drafts[0].id}/submit", {"revision": 1}),
        "withdraw_reply": Ask("ben", "POST", f"/replies/{waiting[0].id}/withdraw"),
        "pull_back_reply": Ask("ben", "POST", f"/replies/{out.reply_id}/pull_back"),
        "confirm_reply": Ask("ben", "POST", f"/replies/{hand.reply_id}/permalink", {"url": "https://social.example/p/9"}),
        "review_reply": Ask("cleo", "POST", f"/replies/{waiting[1].id}/reviews", {"decision": "approve", "revision": 1}),
        "settle_posting": Ask("cleo", "POST", f"/postings/{stuck.id}/settle", {"outcome": "retry"}),
        "settle_receipt": Ask("cleo", "POST", f"/receipts/{receipt.id}/decision", {"outcome": "dismiss"}),
        "agree_with_flag": Ask("ada", "POST", f"/flags/{flag()}/votes"),
        "take_back_flag": Ask("ben", "DELETE", f"/flags/{flag()}"),
        "watch_task": Ask("ada", "POST", f"/tasks/{held.id}/watch"),
        "unwatch_task": Ask("ada", "DELETE", f"/tasks/{held.id}/watch"),
        "pass_task": Ask("ada", "POST", f"/tasks/{town.task().id}/pass", {"reason": "topic"}),
        "take_back_pass": Ask("ada", "DELETE", f"/tasks/{town.task().id}/pass"),
        "put_pseudonym": Ask("ada", "PUT", "/me/pseudonym", {"pseudonym": "Kettle"}),
        "read_notices": Ask("ada", "POST", "/me/notices/read"),
        "put_offers": Ask("ada", "PUT", "/me/offers", {"languages": ["en", "ja"], "topics": ["billing"], "hostile_most": 1}),
        "suspend_person": Ask("max", "POST", f"/users/{factories.person('sus', town.northwind, 'advocate').id}/suspension", {"reason": "spam"}),
        "reinstate_person": Ask("max", "DELETE", f"/users/{suspended()}/suspension"),
        "decide_flag": Ask("cleo", "POST", f"/flags/{flag()}/decision", {"uphold": False}),
        "assign_case": Ask("tim", "POST", f"/cases/{case()}/assign"),
        "answer_case": Ask("tim", "POST", f"/cases/{case()}/reply", {"body": words}),
        "note_case": Ask("tim", "POST", f"/cases/{case()}/notes", {"body": "called them"}),
        "transfer_case": Ask("tim", "POST", f"/cases/{case()}/transfer", {"tier": "tier_2", "note": "firmware"}),
        "resolve_case": Ask("tim", "POST", f"/cases/{case()}/resolve", {"outcome": "fixed"}),
        "reopen_case": Ask("tim", "POST", f"/cases/{resolved()}/reopen"),
        "change_role": Ask("max", "POST", f"/brands/northwind/members/{cleo.id}/roles", {"role": "analyst", "give": True}),
        "invite": Ask("max", "POST", "/brands/northwind/invitations", {"email": "new@wild.example", "role": "advocate"}),
        "resend_invitation": Ask("max", "POST", f"/invitations/{invited('again@wild.example')}/resend"),
        "revoke_invitation": Ask("max", "DELETE", f"/invitations/{invited('never@wild.example')}"),
        "decide_application": Ask("cleo", "POST", f"/applications/{wish()}/decision", {"decision": "decline", "words": "Not now."}),
        "publish_guidelines": Ask("max", "PUT", "/brands/northwind/guidelines", {"text": "Be kind."}),
        "accept_guidelines": Ask("cleo", "POST", "/brands/northwind/guidelines/acceptance", {"version": 1}),
        "take_break": Ask("kai", "PUT", "/me/break", {"days": 2}),
        "end_break": Ask("kai", "DELETE", "/me/break"),
        "export_me": Ask("ada", "POST", "/me/export"),
        "leave": Ask("leaver", "POST", "/me/leave", {"password": PASSWORD}),
        "put_preferences": Ask("ada", "PUT", "/me/preferences", {"when": {"thanks": "digest"}}),
        "set_trust": Ask("cleo", "PUT", f"/users/{ada.id}/trust", {"level": 2, "reason": "Known for years."}),
        "limit_ability": Ask("max", "PUT", f"/users/{ben.id}/limits", {"ability": "vet", "limited": True, "reason": "A week without."}),
        "appeal_reply": Ask("ben", "POST", f"/replies/{rejected().id}/appeal", {"words": "It is so."}),
        "decide_appeal": Ask("max", "POST", f"/appeals/{appealed()}/decision", {"outcome": "dismiss", "note": "It is not so."}),
        "vote_reply": Ask(
            "ada", "POST", f"/replies/{asked_of_peers()}/votes", dict.fromkeys(("kind", "answers", "correct", "personal"), True) | {"revision": 1}
        ),
        "change_settings": Ask("max", "PATCH", "/brands/northwind/settings", {"settings": {"lease_minutes": 25}}),
        "set_promise": Ask("max", "PUT", "/brands/northwind/promises/tier_1", {"minutes": 45, "urgent_minutes": 20}),
        "resume_posting": Ask("max", "DELETE", "/brands/northwind/posting_stop"),
        "stop_posting": Ask("cleo", "POST", "/brands/northwind/posting_stop"),
    }
