"""P36 and P27 for mail: no header breaks at what people write, nothing private stands in a subject, and nobody is mailed what they may not read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import clock
from app.kernel.db import db
from app.notices import mail
from app.notices.kinds import KINDS
from app.notices.models import Mail, Notice
from app.notices.preferences import Wishes, choose
from community.joining import actions as joining
from community.moderation import actions as moderation
from community.ports import ports
from escalation.cases import actions as cases
from escalation.cases.models import Case
from tests import factories
from tests.fakes.mailbox import Mailbox, mailing
from tests.fakes.triage import TellingTriage
from tests.harness.processes import Processes
from tests.promises.stage import Stage, make
from tests.stories import news

EVIL = "X\r\nBcc: everybody\r\nX-Evil: 1\r\n\r\n<script>1</script>\x0b\x85\u2028Bcc: b\r\n.\r\nQUIT"
HEADERS = {
    b"subject", b"from", b"to", b"date", b"message-id", b"auto-submitted", b"list-unsubscribe", b"list-unsubscribe-post", b"mime-version", b"content-type",
    b"x-peer", b"x-mailfrom", b"x-rcptto", b"content-transfer-encoding",
}  # fmt: skip


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "ZZNEEDLEZZ")
    ports.triage = before


@pytest.fixture
def mailbox(stage: Stage, emptied: Config) -> Iterator[Mailbox]:
    with mailing(emptied) as box:
        yield box


def everything_at_once() -> None:
    """Everybody wants every kind of mail now, also at night."""
    with db.transaction() as session:
        for user in session.scalars(select(User)).all():
            choose(user, Wishes(when=dict.fromkeys(KINDS, "now"), quiet=None))


def let_it_leave() -> None:
    """The moment in which everything that was told is due."""
    with db.transaction() as session:
        session.execute(update(Mail).where(Mail.state == "gathering").values(due_at=clock.now() - timedelta(seconds=1)))
    while mail.send_due():
        pass


def headers_of(raw: bytes) -> list[bytes]:
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return [line for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))]


def a_busy_hour(stage: Stage) -> None:
    """Decisions, notes, cases and invitations with the needle in every word that is not the advocate's to read."""
    writer, moderator, tier = stage.people["writer"].user, stage.people["moderator"].user, stage.people["tier_1"].user
    assert writer is not None
    assert moderator is not None
    assert tier is not None
    returned = factories.submitted(factories.task(stage.account, f"Return? {EVIL}"), writer, f"{factories.answer()} {EVIL}")
    rejected = factories.submitted(factories.task(stage.account, f"Reject? {EVIL}"), writer, f"{factories.answer()} {EVIL}")
    with db.transaction() as session:
        session.execute(update(Brand).values(name=f"North{EVIL}"[:120]))
        session.execute(update(User).where(User.id == moderator.id).values(name=f"Cleo{EVIL}"[:120]))
    with db.transaction():
        moderation.return_(factories.fresh(returned), by=moderator, revision=1, reason="tone", note=f"please {EVIL}")
        moderation.reject(factories.fresh(rejected), by=moderator, revision=1, reason="other", note=f"no {EVIL}")
    with db.transaction() as session:
        case = session.get_one(Case, stage.ids["case_id"])
        cases.note(case, by=tier, text="Private: ZZNEEDLEZZ called twice.")
        cases.transfer(case, by=tier, tier="tier_2", note="ZZNEEDLEZZ is the firmware.")
    with db.transaction():
        admin = stage.people["admin"].user
        assert admin is not None
        joining.invite(factories.fresh(stage.brand), "guest@wild.example", "advocate", by=admin, name=f"Guest {EVIL}")
    news()


def test_p36_no_header_breaks_and_no_subject_tells(stage: Stage, mailbox: Mailbox) -> None:
    """Red with the policy's own folding of names, and without `_line`."""
    everything_at_once()
    a_busy_hour(stage)
    let_it_leave()
    assert len(mailbox.raw) >= 3
    with db.transaction(read_only=True) as session:
        addresses = {user.email for user in session.scalars(select(User))} | {"guest@wild.example"}
    for raw, letter in zip(mailbox.raw, mailbox.letters, strict=True):
        names = [line.split(b":", 1)[0].lower() for line in headers_of(raw)]
        assert set(names) <= HEADERS, set(names) - HEADERS
        assert len(names) == len(set(names)), "each header once"
        assert letter["To"] in addresses
        assert letter["Bcc"] is None
        for needle in ("ZZNEEDLEZZ", "Return?", "please", "Petra", "writer"):
            assert needle not in str(letter["Subject"])
        assert not letter.defects
        html = letter.get_body(("html",))
        assert html is not None
        assert "<script>" not in html.get_content()


def test_p27_an_advocates_mail_holds_nothing_of_the_teams(stage: Stage, mailbox: Mailbox) -> None:
    """Only their own posts' needles may come back to a writer; notes of cases never leave by mail at all."""
    everything_at_once()
    a_busy_hour(stage)
    let_it_leave()
    for letter in mailbox.letters:
        body = letter.get_body(("plain",))
        assert body is not None
        assert "called twice" not in body.get_content()
        assert "firmware" not in body.get_content()
    other = [letter for letter in mailbox.letters if "advocate@" in str(letter["To"])]
    for letter in other:
        assert "ZZNEEDLEZZ" not in letter.as_string()
    assert mailbox.to("tier2@") or mailbox.to("tier_2@") or [one for one in mailbox.letters if "tier2" in str(one["To"])]


def test_a_worker_killed_while_it_sends_loses_no_mail(stage: Stage, mailbox: Mailbox, emptied: Config, tmp_path: Path) -> None:
    """kill -9 in the middle of the talk with the server: the mail leaves all the same, a second copy has the number of the first."""
    with db.transaction() as session:
        writer = stage.people["writer"].user
        assert writer is not None
        choose(writer, Wishes(quiet=None))
        session.execute(update(Notice).values(read_at=clock.now()))
    mailbox.silence = 3.0
    with db.transaction():
        joining.forgotten(writer.email)
    ours = Processes(emptied.model_copy(update=mailbox.settings()), tmp_path)
    worker = ours.flask("worker")
    try:
        end = time.monotonic() + 60
        while not mailbox.letters and time.monotonic() < end:
            mail.enqueue(mail.send_due, job_id="mail-again")
            time.sleep(0.1)
        assert mailbox.letters, worker.log[-2000:]
        with db.transaction(read_only=True) as session:
            assert session.scalars(select(Mail.state)).one() == "sending", "killed before it could note the answer"
        worker.kill()
    finally:
        ours.stop()
    mailbox.silence = 0.0
    assert mail.send_due() == 0, "the lease of the dead one still runs"
    with db.transaction() as session:
        session.execute(update(Mail).values(due_at=clock.now()))
    assert mail.send_due() == 1
    assert len(mailbox.letters) == 2
    assert mailbox.letters[0]["Message-ID"] == mailbox.letters[1]["Message-ID"]
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Mail.state)).one() == "sent"
