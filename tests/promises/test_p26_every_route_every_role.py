"""P26: every route × every role × own and foreign rows: what the matrix below does not open stays shut, and nothing ever breaks.

The matrix is written by hand, apart from the application's own table: a route that is missing in either fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import access
from community.ports import ports
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.harness.promises import FULL, dice
from tests.promises.stage import ROLES, Person, Stage, body_for, changed, everything, make

EVERYBODY, SIGNED_IN = "everybody", "signed in"
WRITING = {"POST", "PUT", "PATCH", "DELETE"}
LETTERS = dict(zip("am12nx", ROLES, strict=True))
"""advocate, moderator, tier 1, tier 2, analyst, admin (whom the owner equals)."""
MATRIX = """
static                   everybody
assets.bundle            everybody
ops.healthz              everybody
ops.readyz               everybody
ops.metrics              everybody
session.home             everybody
session.new              everybody
session.begin            everybody
session.end              everybody
session.welcome          everybody
session.choose           everybody
desk.index               am12
desk.begin_watch         am12
desk.end_watch           am12
desk.end_watch_form      am12
desk.pass_on             am12
desk.take_back_pass      am12
desk.take_back_pass_form am12
desk.wanted              a
desk.choose              a
tasks.show               am12nx
claims.index             am12
claims.create            am12
claims.delete            am12
claims.release           am12
claims.take_words_back   am12
drafts.start             am12
drafts.save              am12
drafts.change            am12
drafts.check             am12
drafts.submit            am12
drafts.withdraw          am12
postings.show            am12nx
postings.confirm         am12
postings.pull_back       am12x
postings.pull_back_form  am12x
postings.settle          mx
reviews.index            m
reviews.show             m
reviews.hold             m
reviews.let_go           m
reviews.let_go_form      m
reviews.decide           m
incidents.index          am12nx
incidents.show           am12nx
incidents.write          am12
incidents.hand_in        am12
incidents.approve        m
incidents.merge          m12x
incidents.unmerge        m12x
incidents.split_off      m12x
incidents.put_back       m12x
incidents.close          m12x
incidents.reopen         m12x
receipts.show            everybody
receipts.say             everybody
receipts.doubts          m
receipts.decide          m
appeals.index            mx
appeals.create           am12
appeals.decide           mx
examples.index           am12x
examples.choose          mx
vet.index                a
vet.show                 a
vet.vote                 a
flags.index              m
flags.create             am12
flags.decide             m
flags.agree              am12
flags.take_back          am12
flags.take_back_form     am12
people.suspend           mx
people.reinstate         mx
people.reinstate_form    mx
cases.index              m12nx
cases.show               m12nx
cases.take_next          12
cases.assign             12x
cases.note               m12x
cases.reply              12
cases.transfer           12
cases.resolve            12
cases.reopen             12
triage.index             m12nx
quality.index            m12nx
quality.export           m12nx
quality.autopsy          m12nx
learning.index           m12nx
learning.show            m12nx
learning.start           x
learning.put_live        x
learning.withdraw        x
learning.back            x
thresholds.index         m12nx
thresholds.put_live      x
thresholds.back          x
labelling.index          m12x
labelling.give           m12x
labelling.take_back      m12x
labelling.disputed       m12nx
mentions.show            m12nx
mentions.reroute         m12x
mentions.put_back        m12x
people.me                signed in
people.show              signed in
people.points            signed in
people.badges            signed in
people.outcomes          signed in
people.prefer            signed in
people.set_trust         mx
people.limit             mx
people.take_break        a
people.end_break         a
people.come_back         a
boards.show              signed in
boards.choose            a
answers.index            am12nx
texts.index              am12nx
texts.keep               mx
texts.remove             mx
texts.restore            mx
texts.offered            am12x
answers.show             am12nx
answers.new              am12x
answers.create           am12x
answers.edit             am12x
answers.revise           am12x
answers.publish          m12x
answers.decline          m12x
answers.expire           m12x
answers.keep             m12x
answers.hand_over        m12x
answers.bring            m12x
answers.bring_file       m12x
answers.brought          m12x
answers.stop_file        m12x
answers.bring_page       m12x
answers.bring_picked     m12x
answers.read             everybody
answers.shelf_of         everybody
answers.weigh            m12x
answers.recall           m12x
answers.recalled         m12nx
answers.followed         m12nx
answers.settle           m12x
answers.suggested        am12x
answers.insert           am12
notices.index            signed in
notices.read_all         signed in
preferences.show         signed in
preferences.keep         signed in
preferences.unsubscribe  everybody
preferences.stop         everybody
session.forgotten        everybody
session.send_link        everybody
leaving.ask              signed in
leaving.export           signed in
leaving.leave            signed in
joining.invited          everybody
joining.accept           everybody
joining.form             everybody
joining.apply            everybody
joining.proof            everybody
joining.prove            everybody
joining.read             signed in
joining.agree            signed in
joining.publish          x
members.index            x
members.invite           x
members.resend           x
members.revoke           x
members.change_roles     x
members.applications     mx
members.decide           mx
changes.index            signed in
brands.choose            signed in
brands.posting           mx
choices.show             x
choices.save             x
promises.index           m12nx
promises.keep            x
api.openapi              everybody
api.deliver              everybody
api.get_me               signed in
api.get_preferences      signed in
api.put_preferences      signed in
api.list_members         x
api.change_role          x
api.list_invitations     x
api.invite               x
api.resend_invitation    x
api.revoke_invitation    x
api.list_applications    mx
api.decide_application   mx
api.get_guidelines       signed in
api.publish_guidelines   x
api.accept_guidelines    signed in
api.list_ledger          signed in
api.list_outcomes        signed in
api.list_notices         signed in
api.read_notices         signed in
api.put_pseudonym        a
api.take_break           a
api.end_break            a
api.export_me            signed in
api.leave                signed in
api.get_trust            signed in
api.set_trust            mx
api.limit_ability        mx
api.get_leaderboard      signed in
api.list_tasks           signed in
api.get_task             signed in
api.claim_task           am12
api.release_task         am12
api.take_words_back      am12
api.flag_task            am12
api.agree_with_flag      am12
api.take_back_flag       am12
api.get_desk             am12
api.watch_task           am12
api.unwatch_task         am12
api.pass_task            am12
api.take_back_pass       am12
api.get_offers           a
api.put_offers           a
api.suspend_person       mx
api.reinstate_person     mx
api.write_reply          am12x
api.get_reply            signed in
api.save_reply           signed in
api.submit_reply         signed in
api.withdraw_reply       signed in
api.pull_back_reply      signed in
api.confirm_reply        signed in
api.list_suggestions     am12x
api.list_texts           signed in
api.keep_text            mx
api.remove_text          mx
api.list_task_texts      am12x
api.check_words          am12
api.list_answers         am12nx
api.get_answer           am12nx
api.add_answer           am12x
api.revise_answer        am12x
api.publish_answer       m12x
api.decline_answer       m12x
api.expire_answer        m12x
api.keep_answer          m12x
api.change_about_answer  m12x
api.import_answers       m12x
api.bring_answers_file   m12x
api.get_answers_file     m12x
api.stop_answers_file    m12x
api.read_answers_page    m12x
api.list_resting         m12x
api.recall_answer        m12x
api.list_recalls         m12nx
api.get_recall           m12nx
api.settle_correction    m12x
api.list_postings        signed in
api.get_posting          signed in
api.list_mentions        m12nx
api.get_mention          m12nx
api.decide               m12nx
api.get_overview         m12nx
api.list_cases           m12nx
api.get_case             m12nx
api.reroute_mention      m12x
api.label_mention        m12x
api.unlabel_mention      m12x
api.get_quality          m12nx
api.list_runs            m12nx
api.get_run              m12nx
api.start_run            x
api.put_run_live         x
api.withdraw_run         x
api.go_back              x
api.get_lines            m12nx
api.rehearse_lines       m12nx
api.put_lines_live       x
api.explain_mention      m12nx
api.list_labels          m12nx
api.next_label           m12x
api.get_label_progress   m12nx
api.assign_case          12x
api.answer_case          12
api.note_case            m12x
api.transfer_case        12
api.resolve_case         12
api.reopen_case          12
api.appeal_reply         am12
api.list_appeals         mx
api.decide_appeal        mx
api.list_vet             a
api.vote_reply           a
api.list_votes           signed in
api.list_reviews         mx
api.review_reply         m
api.settle_posting       mx
api.list_incidents       signed in
api.get_incident         signed in
api.write_incident_answer am12
api.hand_in_variants     am12
api.approve_variants     m
api.merge_incident       m12x
api.unmerge_incident     m12x
api.split_off_post       m12x
api.put_back_post        m12x
api.close_incident       m12x
api.reopen_incident      m12x
api.get_receipt          signed in
api.list_doubts          mx
api.settle_receipt       m
api.list_flags           mx
api.decide_flag          m
api.stop_posting         mx
api.get_settings         x
api.change_settings      x
api.get_promises         m12nx
api.set_promise          x
api.resume_posting       x
api.import_mentions      x
"""
EXPECTED = dict(line.split(None, 1) for line in MATRIX.strip().splitlines())
LINKS = ("preferences.unsubscribe", "joining.form", "joining.proof", "joining.invited", "session.forgotten")
"""Pages behind a link that is mailed, or a door that a brand opens first."""
NOT_FOR_ADVOCATES = {"tasks.show": "tier_task_id", "api.get_task": "tier_task_id", "claims.create": "tier_task_id", "api.claim_task": "tier_task_id"}
NOT_FOR_OTHER_WRITERS = (
    "api.get_reply", "api.save_reply", "api.submit_reply", "api.withdraw_reply", "api.pull_back_reply", "api.confirm_reply", "api.get_posting", "postings.show",
    "api.get_receipt", "postings.confirm", "drafts.change", "drafts.withdraw", "postings.pull_back", "postings.pull_back_form",
)  # fmt: skip
"""Routes to a reply which another advocate, who wrote none of it, is refused."""


@pytest.fixture
def stages(app: Flask) -> Iterator[tuple[Stage, Stage, Person, Person]]:
    """Two brands, nobody, and the owner."""
    before, ports.triage = ports.triage, TellingTriage()
    ours, theirs = make(app, "northwind", "NEEDLE-N"), make(app, "kestrel", "NEEDLE-K")
    yield ours, theirs, Person(app, None), Person(app, factories.person("olga", None, "owner"))
    ports.triage = before


def allowed(endpoint: str) -> set[str]:
    """Role names the outer door is open to."""
    words = EXPECTED[endpoint]
    return set(ROLES) if words in (EVERYBODY, SIGNED_IN) else {LETTERS[letter] for letter in words}


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, sorted(rule.methods or ())))


def is_refused(status: int) -> bool:
    """In words, with a status of its own, or (for a browser that is nobody's) on the way to the sign-in."""
    return status in (401, 403, 404)


def test_p26_no_route_is_missing(app: Flask) -> None:
    """Red when a route is added without a line here, or the two tables differ."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == set(EXPECTED), "a route without a line in the matrix, or a line without a route"
    for endpoint, needed in access.ENDPOINTS.items():
        words = EXPECTED[endpoint]
        if isinstance(needed, str):
            assert (needed == access.PUBLIC) == (words == EVERYBODY), endpoint
            assert (needed == access.SIGNED_IN) == (words == SIGNED_IN), endpoint
        else:
            assert set(needed) == allowed(endpoint), endpoint


def test_p26_what_is_shut_stays_shut_and_changes_nothing(app: Flask, stages: tuple[Stage, Stage, Person, Person]) -> None:
    """Red without `access.check` in `dispatch_request` (roles), without the scope in the queries and RULES (foreign rows)."""
    ours, theirs, nobody, owner = stages
    before = everything()
    bad: list[str] = []

    def refused(who: str, person: Person, rule: Rule, method: str, path: str) -> None:
        answer = person.ask(method, path, body_for(rule) if method in WRITING else None)
        to_sign_in = person is nobody and answer.status_code in (302, 303) and "/login" in answer.headers["Location"]
        if not (is_refused(answer.status_code) or to_sign_in):
            bad.append(f"{who}: {method} {path} ({rule.endpoint}) → {answer.status_code}")
        if "NEEDLE-N" in answer.text:
            bad.append(f"{who}: {method} {path} shows what it may not")

    for rule in rules(app):
        words = EXPECTED[rule.endpoint]
        for method in sorted((rule.methods or set()) - ({"HEAD", "OPTIONS"} if not FULL else set())):
            path = ours.path(rule)
            if words != EVERYBODY:
                refused("nobody", nobody, rule, method, path)
            if words not in (EVERYBODY, SIGNED_IN):
                for role in set(ROLES) - allowed(rule.endpoint):
                    refused(role, ours.people[role], rule, method, path)
                if "admin" not in allowed(rule.endpoint):
                    refused("owner", owner, rule, method, path)
            # People of the other brand, whatever they are there, with our rows.
            if rule.arguments & {
                "run_id",
                "answer_id",
                "recall_id",
                "correction_id",
                "task_id",
                "reply_id",
                "posting_id",
                "mention_id",
                "flag_id",
                "receipt_id",
                "incident_id",
                "case_id",
                "appeal_id",
                "user_id",
                "person_id",
                "slug",
                "invitation_id",
                "application_id",
            }:
                for role in ROLES:
                    refused(f"{role} of another brand", theirs.people[role], rule, method, path)
            if rule.endpoint in NOT_FOR_ADVOCATES:
                tier = ours.path(rule, task_id=ours.ids[NOT_FOR_ADVOCATES[rule.endpoint]])
                refused("advocate before a tier's task", ours.people["advocate"], rule, method, tier)
            if rule.endpoint in NOT_FOR_OTHER_WRITERS:
                for name in ("draft_id", "reply_id", "hand_reply_id"):
                    refused(f"another advocate ({name})", ours.people["advocate"], rule, method, ours.path(rule, reply_id=ours.ids[name]))

    assert not bad, "\n".join(bad)
    assert changed(before, everything()) == {}, "a refused request changed something"


def test_p26_what_is_open_never_breaks_and_reading_changes_nothing(app: Flask, stages: tuple[Stage, Stage, Person, Person]) -> None:
    """Red when a view fails for a role it is open to, and when a page that is only read writes."""
    ours, theirs, nobody, owner = stages
    chance = dice()
    bad: list[str] = []
    seen: dict[str, set[int]] = {}
    before = everything()

    def asked(who: str, person: Person, rule: Rule, method: str, path: str) -> None:
        answer = person.ask(method, path, body_for(rule) if method in WRITING else None)
        seen.setdefault(f"{rule.endpoint} {method}", set()).add(answer.status_code)
        if answer.status_code >= 500:
            bad.append(f"{who}: {method} {path} ({rule.endpoint}) → {answer.status_code}")
        if person in theirs.people.values() and "NEEDLE-N" in answer.text:
            bad.append(f"{who} of another brand: {method} {path} shows what it may not")

    for method in ("GET", "HEAD", "OPTIONS"):
        for rule in rules(app):
            if method not in (rule.methods or ()):
                continue
            people = {**{role: ours.people[role] for role in ROLES}, "writer": ours.people["writer"], "owner": owner, "nobody": nobody}
            if method != "GET" and not FULL:
                people = {name: people[name] for name in chance.sample(["nobody", *ROLES], 2)}
            for who, person in people.items():
                asked(who, person, rule, method, ours.path(rule))
            if not rule.arguments and method == "GET":
                for role in ROLES:
                    asked(f"{role} of another brand", theirs.people[role], rule, method, ours.path(rule))
    assert not bad, "\n".join(bad)
    assert changed(before, everything()) == {}, "reading changed something"
    for name, statuses in seen.items():
        endpoint, method = name.split()
        if method == "GET" and endpoint not in ("static", "assets.bundle", "session.welcome", *LINKS):
            assert statuses & {200, 204, 302, 303}, f"{endpoint} opened for nobody: {statuses}"

    for rule in [rule for rule in rules(app) if rule.endpoint != "session.end"]:
        for method in sorted((rule.methods or set()) & WRITING):
            for role in ROLES:
                if role in allowed(rule.endpoint):
                    asked(role, ours.people[role], rule, method, ours.path(rule))
            asked("owner", owner, rule, method, ours.path(rule))
            asked("nobody", nobody, rule, method, ours.path(rule))
    assert not bad, "\n".join(bad)


NOWHERE = (
    "/nowhere", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/static/", "/assets/x/../../wsgi.py", "/api/v1/nowhere", "/api/v1/../../etc/passwd",
    "/tasks/0", "/tasks/999999999999999999999", "/tasks/-1", "/tasks/1%00", "/cases/abc", "/api/v1/tasks/999999999999999999999999", "/%ff%fe",
    "//evil.example/", "/login?next=//evil.example", "/changes?brand=", "/changes?brand=%C2%B2&since=desk:1", "/changes?since=x",
)  # fmt: skip


def test_p26_what_is_not_there_is_said_plainly_to_everybody(app: Flask, stages: tuple[Stage, Stage, Person, Person]) -> None:
    ours, _, nobody, owner = stages
    people = (nobody, owner, ours.people["advocate"], ours.people["admin"])
    for path, person, method in product(NOWHERE, people, ("GET", "HEAD", "OPTIONS", "POST", "DELETE", "PUT", "PATCH", "TRACE", "PROPFIND")):
        answer = person.ask(method, path)
        assert answer.status_code < 500, (method, path, answer.status_code)
        assert "import create_app" not in answer.text
        if not path.startswith(("/login", "/changes")):
            assert answer.status_code != 200 or method == "OPTIONS", (method, path)
        assert "evil.example" not in answer.headers.get("Location", "")
