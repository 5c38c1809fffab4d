"""Mail: written with its cause, sent once, tried again, ended; what is read in the app is not mailed."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.db import Database, db
from app.notices import mail, preferences
from app.notices.actions import forget_words, read_all, tell
from app.notices.models import Mail, Notice
from app.notices.preferences import Wishes
from tests.fakes.mailbox import Mailbox, html, plain
from tests.stories import brand, fresh, person

HOSTILE = "Hi\r\nBcc: everybody@evil.example\r\n\r\n<script>alert(1)</script>"


@pytest.fixture
def northwind(rooms: Database) -> Brand:
    return brand("northwind")


@pytest.fixture
def ada(northwind: Brand) -> User:
    return person(northwind, "advocate", name="Ada Okafor", email="ada@northwind.example")


def told(who: User, of: Brand, word: str = "thanks", *, cause: int = 1, text: str = "petra thanked you.", quote: str | None = None) -> None:
    with db.transaction():
        tell(who.id, brand_id=of.id, kind=word, cause_id=cause, text=text, link="/tasks/7", quote=quote)


def mails() -> list[Mail]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_without_a_server_nothing_is_kept_for_mail(northwind: Brand, ada: User) -> None:
    told(ada, northwind)
    assert mails() == []
    assert mail.send_due() == 0


def test_a_thank_you_is_mailed_after_a_minute_in_plain_and_html(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind, quote="It works, thank you & <b>bless</b> you!")
    assert mail.send_due() == 0, "who has the app open reads it there first"
    clock.shift(timedelta(seconds=61))
    assert mail.send_due() == 1
    (letter,) = mailbox.letters
    assert letter["Subject"] == "Northwind: a thank you for you"
    assert letter["To"] == "ada@northwind.example"
    assert letter["From"] == "Vouch <vouch@northwind.example>"
    assert "petra thanked you." in plain(letter)
    assert "http://127.0.0.1:5000/tasks/7" in plain(letter)
    assert "thank you & <b>bless</b> you!" in plain(letter)
    assert "&lt;b&gt;bless&lt;/b&gt;" in html(letter)
    assert "<b>bless" not in html(letter)
    assert mail.send_due() == 0
    assert [(one.state, one.facts) for one in mails()] == [("sent", None)]


def test_what_was_read_in_the_app_is_not_mailed(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind)
    with db.transaction():
        read_all(ada)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 0
    assert mailbox.letters == []
    assert mails()[0].state == "dropped"


def test_what_happens_together_travels_together_thanks_first(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind, "returned", cause=1, text="Cleo asks for a change.")
    told(ada, northwind, "thanks", cause=2)
    told(ada, northwind, "thanks", cause=2)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 1
    words = plain(mailbox.letters[0])
    assert words.index("petra thanked you.") < words.index("Cleo asks for a change.")
    assert words.count("petra thanked you.") == 1
    assert mailbox.letters[0]["Subject"] == "Northwind: a thank you for you, and one more"
    # The next ones wait until some minutes after.
    told(ada, northwind, "thanks", cause=3, text="kim thanked you.")
    clock.shift(timedelta(minutes=5))
    assert mail.send_due() == 0
    clock.shift(timedelta(minutes=6))
    assert mail.send_due() == 1


def test_a_digest_comes_at_the_hour_of_ones_own_clock(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    """Monday 2 March, 9:00 UTC; Tokyo shows 18:00, so that its next 7:00 is at 22:00 UTC."""
    with db.transaction():
        preferences.choose(ada, Wishes(hour=7, zone="Asia/Tokyo", quiet=None))
    told(ada, northwind, "approved", cause=1, text="Cleo approved your reply.")
    told(ada, northwind, "badge", cause=2, text="A badge: First.")
    clock.shift(timedelta(hours=12, minutes=59))
    assert mail.send_due() == 0
    clock.shift(timedelta(minutes=1))
    assert mail.send_due() == 1
    assert mailbox.letters[0]["Subject"] == "Northwind: your day: your reply was approved, and one more"
    assert "A badge: First." in plain(mailbox.letters[0])


def test_quiet_hours_put_off_and_drop_nothing(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    tim = person(northwind, "tier_1", email="tim@northwind.example")
    with db.transaction():
        preferences.choose(tim, Wishes(urgent=True))
    clock.shift(timedelta(hours=14))  # 23:00
    told(ada, northwind, "thanks")
    told(tim, northwind, "missed", cause=2, text="Missed by 4 min.")
    clock.shift(timedelta(minutes=5))
    assert mail.send_due() == 1
    assert [str(letter["To"]) for letter in mailbox.letters] == ["tim@northwind.example"]
    clock.shift(timedelta(hours=8))  # 7:05
    assert mail.send_due() == 1
    assert mailbox.to("ada@northwind.example")


def test_never_means_never_and_the_app_still_tells(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    with db.transaction():
        preferences.choose(ada, Wishes(when={"thanks": "never"}))
    told(ada, northwind)
    assert mails() == []
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 1


def test_teams_words_are_not_repeated_in_mail(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand) -> None:
    cleo = person(northwind, "moderator", email="cleo@northwind.example")
    told(cleo, northwind, "flag", text="Ada flagged petra's post: angry.", quote="My card is 4111 1111 1111 1111")
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 1
    assert "4111" not in mailbox.raw[0].decode()


def test_nobody_without_a_role_or_suspended_is_mailed(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    ben = person(northwind, "advocate", email="ben@northwind.example")
    told(ada, northwind)
    told(ben, northwind)
    with db.transaction():
        people.suspend(ada, by=ben)
        people.revoke(ben, "advocate", northwind, None)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 0
    assert mailbox.letters == []


def test_no_header_is_broken_by_what_people_write(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    with db.transaction() as session:
        session.execute(update(Brand).where(Brand.id == northwind.id).values(name="North\r\nBcc: b@evil.example\r\n\r\nwind"))
    told(ada, northwind, text=HOSTILE, quote=HOSTILE)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 1
    (letter,) = mailbox.letters
    assert letter["Bcc"] is None
    assert letter["Subject"].startswith("North Bcc: b@evil.example wind")
    assert letter.get_all("To") == ["ada@northwind.example"]
    assert "<script>" not in html(letter)


def test_a_mail_can_be_stopped_from_inside_with_one_click(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    mail.send_due()
    (letter,) = mailbox.letters
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    raw = next(line for line in mailbox.raw[0].split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert raw.startswith(b"List-Unsubscribe: <http://127.0.0.1:5000/unsubscribe/"), "mail programs don't decode this header"
    assert raw.endswith(b">")
    token = letter["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    assert mail.read_unsubscribe(token) == (ada.id, ["thanks"])
    # Not its very last letter: two bits of that one mean nothing.
    assert mail.read_unsubscribe(token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]) is None


def test_an_outage_of_the_server_uses_up_nobodys_tries(
    clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    with monkeypatch.context() as patch:
        patch.setattr(smtplib, "SMTP", _away)
        assert mail.send_due() == 0
    assert [(one.state, one.attempts) for one in mails()] == [("gathering", 0)]
    assert mail.send_due() == 1


def test_a_refusal_that_may_pass_is_tried_again_ever_later_and_ends(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    mailbox.refusals = ["451 try later"] * 20
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    tries = 0
    for _ in range(60 * 12):
        before = len(mailbox.refusals)
        assert mail.send_due() == 0
        tries += before - len(mailbox.refusals)
        clock.shift(timedelta(minutes=1))
    assert tries == mail.MOST_ATTEMPTS
    assert mails()[0].state == "failed"
    assert mailbox.letters == []


def test_a_refusal_for_good_ends_at_once_and_says_so(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    mailbox.refusals = ["550 no such person ada@northwind.example"]
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 0
    (row,) = mails()
    assert (row.state, row.error) == ("failed", "SMTPRecipientsRefused 550")
    with db.transaction(read_only=True):
        assert mail.last_failure(ada) is not None


def test_one_refusal_stops_no_other_mail(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    ben = person(northwind, "advocate", email="ben@northwind.example")
    told(ada, northwind)
    told(ben, northwind)
    mailbox.at_data = ["554 not this one"]
    clock.shift(timedelta(minutes=2))
    assert mail.send_due() == 1
    assert sorted(one.state for one in mails()) == ["failed", "sent"]


def test_a_worker_that_died_is_followed_by_another_with_the_same_number(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    """Killed before it said anything to the server: the lease ends, the mail leaves once. Red without the lease."""
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    taken = mail._take(mails()[0].id)
    assert taken is not None
    assert mail.send_due() == 0, "somebody has it"
    clock.shift(mail.LEASE)
    assert mail.send_due() == 1
    assert mailbox.letters[0]["Message-ID"] == taken.message["Message-ID"]
    mail._save(taken, "put_off")
    assert mails()[0].state == "sent", "who was overtaken saves nothing any more"


def test_a_notice_told_while_its_envelope_leaves_waits_for_the_next(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind)
    clock.shift(timedelta(minutes=2))
    taken = mail._take(mails()[0].id)
    assert taken is not None
    told(ada, northwind, cause=2, text="kim thanked you.")
    assert len(mails()) == 2
    assert "kim" not in plain(taken.message)


def test_letters_facts_are_kept_encrypted_and_dropped_once_out(mailbox: Mailbox, northwind: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mail.LETTERS, "notices", "Come to {brand}")
    with db.transaction():
        mail.letter("notices", "eve@wild.example", brand=northwind, secret="vi_secret")
    (row,) = mails()
    assert row.facts is not None
    assert "vi_secret" not in row.facts
    assert "eve@" not in row.facts


def test_what_was_never_sent_in_days_is_given_up(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    told(ada, northwind)
    clock.shift(timedelta(days=5))
    assert mail.send_due() == 0
    assert mails()[0].state == "failed"
    with db.transaction():
        assert mail.prune(timedelta(days=-1)) == 1
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Notice.mail_id)).all() == [None]


def _away(*_args: object, **_kw: object) -> None:
    raise ConnectionRefusedError


def test_the_command_says_what_the_server_answered(mailbox: Mailbox) -> None:
    mail.try_out("max@northwind.example")
    assert mailbox.letters[0]["Subject"] == "Mail works"
    mailbox.refusals = ["550 who is that"]
    with pytest.raises(mail.CannotMail, match="SMTPRecipientsRefused 550"):
        mail.try_out("nobody@northwind.example")


def test_without_a_server_the_command_says_what_to_set(rooms: Database) -> None:
    with pytest.raises(mail.CannotMail, match="VOUCH_SMTP_URL"):
        mail.try_out("max@northwind.example")


def test_a_post_that_was_deleted_is_quoted_nowhere(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    long_words = "It works, thank you! " * 30
    told(ada, northwind, quote=long_words[:300])
    told(ada, northwind, cause=2, quote="Other words.")
    with db.transaction():
        forget_words(northwind.id, [(long_words, "petra"), ("", "nobody")])
    clock.shift(timedelta(minutes=2))
    mail.send_due()
    words = plain(mailbox.letters[0])
    assert "It works" not in words
    assert "Somebody thanked you." in words
    assert "Other words." in words


def test_what_waits_for_its_writer_to_post_is_mailed_and_stopped_as_that(
    clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User
) -> None:
    """Red when the link of a mail stops another kind than the one that sent it."""

    def approved(cause: int) -> None:
        with db.transaction():
            tell(ada.id, brand_id=northwind.id, kind="approved", mail_as="post_it", cause_id=cause, text="Post it now.", link="/replies/1/posting")
        clock.shift(timedelta(minutes=11))
        mail.send_due()

    approved(1)
    (letter,) = mailbox.letters
    assert letter["Subject"] == "Northwind: your reply is yours to post"
    assert "“Work that waits for you” by mail" in plain(letter)
    token = str(letter["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    assert mail.read_unsubscribe(token) == (ada.id, ["yours"])
    with db.transaction():
        preferences.no_more(fresh(ada), ["yours"])
    approved(2)
    assert len(mailbox.letters) == 1


def test_what_was_gathered_before_somebody_stopped_it_is_not_mailed(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    """Red when one click stops only what happens after it."""
    told(ada, northwind, "approved", cause=1, text="Cleo approved your reply.")
    told(ada, northwind, "badge", cause=2, text="A badge for you.")
    with db.transaction():
        preferences.no_more(fresh(ada), ["decided"])
    clock.shift(timedelta(hours=25))
    assert mail.send_due() == 1
    assert "A badge for you." in plain(mailbox.letters[0]) and "approved" not in plain(mailbox.letters[0])
    told(ada, northwind, "badge", cause=3, text="Another one.")
    with db.transaction():
        preferences.no_more(fresh(ada), ["game"])
    clock.shift(timedelta(hours=25))
    assert mail.send_due() == 0
    assert [one.state for one in mails()] == ["sent", "dropped"]


def test_a_new_hour_holds_for_the_digest_that_waits(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    clock.move_to(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    told(ada, northwind, "approved", text="Cleo approved your reply.")
    clock.move_to(datetime(2026, 3, 2, 11, 1, tzinfo=UTC))
    assert mail.send_due() == 0
    with db.transaction():
        preferences.choose(fresh(ada), Wishes(hour=12))
    clock.move_to(datetime(2026, 3, 2, 12, 1, tzinfo=UTC))
    assert mail.send_due() == 1


def test_a_digest_does_not_say_when_it_goes_out_beside_that_it_is_out(clock: time_machine.Coordinates, mailbox: Mailbox, northwind: Brand, ada: User) -> None:
    """Red when the morning's mail repeats what was overtaken; a moderator's words are never dropped."""
    with db.transaction():
        for cause, kind, text, quote in (
            (1, "approved", "Cleo approved your reply. It goes out at 12:00.", None),
            (2, "approved", "Cleo approved your reply. It goes out at 12:01.", "Kind and clear."),
            (3, "posted", "Your reply is out.", "Hold it."),
        ):
            tell(ada.id, brand_id=northwind.id, kind=kind, cause_id=cause, text=text, link="/tasks/7", quote=quote)
        tell(ada.id, brand_id=northwind.id, kind="approved", cause_id=4, text="Another one goes out at 12:30.", link="/tasks/8")
    clock.shift(timedelta(hours=25))
    mail.send_due()
    words = plain(mailbox.letters[0])
    assert "12:00" not in words
    assert "12:01" in words and "Your reply is out." in words and "12:30" in words
