"""A file of answers taken in by the worker: nobody waits for ten thousand lines, and a killed worker takes nothing twice.

The file stays with its row until the last line. Each batch of lines is one transaction with the place it reached, so that whoever
goes on, goes on there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import islice

from sqlalchemy import bindparam, select
from sqlalchemy.orm import undefer

from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Invalid, NotFound, VouchError
from app.kernel.queue import enqueue, job
from app.kernel.text import storable
from community.answers import actions, importing
from community.answers.models import AnswerFile
from community.answers.states import FILE
from community.permissions import RULES

FILE_LIMIT = 8_000_000
"""Bytes of a file: well over ten thousand answers of usual length."""
MOST_KEPT = 1_000
"""Lines that were not taken and are kept with their reason; of further ones only their number."""
TRIES = 5
"""So often a file is begun again with nothing taken in between; then it is given up and says so."""
SHOWN = 5
GAVE_UP = "It could not be read to its end. What was taken in so far stands; the rest can be handed in once more: what is known is left alone."


def lines_of(content: bytes) -> int:
    """How many lines a file has below its first. Raises Invalid for what is no list of answers. Best asked before a transaction is open: it takes a moment."""
    if len(content) > FILE_LIMIT:
        raise Invalid(f"A file holds at most {FILE_LIMIT // 1_000_000} MB. Larger ones come in by command: “flask answers import”.", field="file")
    total = sum(1 for _ in importing.rows(importing.opened(io.BytesIO(content))))
    if not total:
        raise Invalid("There is nothing below its first line.", field="file")
    return total


def begin(brand: Brand, *, by: User, name: str, content: bytes, lines: int) -> AnswerFile:
    """Keep a file of so many `lines_of` and have a worker take it in."""
    RULES.check(by, "answer.write", actions.Shelf(brand.id, None))
    one = AnswerFile(
        brand_id=brand.id, by_id=by.id, name=storable(name).strip()[:200] or "answers.csv", state="under_way", content=content, total=lines,
        done=0, added=0, known=0, bad=0, problems=[], tries=0, at=clock.now(),
    )  # fmt: skip
    db.session.add(one)
    db.session.flush()
    audit("answer.import", one, by=by, lines=lines)
    _changed(one)
    db.after_commit(lambda: enqueue(carry_on, one.id, job_id=f"answer-file-{one.id}"))
    return one


def stop(one: AnswerFile, *, by: User) -> AnswerFile:
    """Take nothing more of it. What was taken in stands. Raises Conflict once it has ended."""
    RULES.check(by, "answer.write", actions.Shelf(one.brand_id, None))
    FILE.move(one, "stop", ended_at=clock.now(), content=None)
    audit("answer.import_stop", one, by=by)
    _changed(one)
    return one


@job(queue="slow", timeout=1800)
def carry_on(file_id: int) -> None:
    """Take a file in from where it was left, to its end. Called twice, the second finds that the first goes on, and leaves it alone."""
    with db.transaction():
        one = _held(file_id)
        if one is None or one.content is None:
            return
        if one.tries >= TRIES:
            _end(one, "give_up", because=GAVE_UP)
            return
        one.tries += 1
        content, place = one.content, one.done
    found = islice(importing.rows(importing.opened(io.BytesIO(content))), place, None)
    while batch := list(islice(found, importing.BATCH)):
        with db.transaction():
            one = _held(file_id)
            if one is None or one.done != place:
                return
            if not _take_in(one, batch):
                return
            place = one.done
    with db.transaction():
        one = _held(file_id)
        if one is not None and one.done == place:
            _end(one, "finish")


def sweep() -> int:
    """Queue every file that is under way: whoever had it may be gone. Returns how many."""
    with db.transaction(read_only=True) as session:
        waiting = session.scalars(select(AnswerFile.id).where(among(AnswerFile.state, "under_way")).order_by(AnswerFile.id)).all()
    for file_id in waiting:
        enqueue(carry_on, file_id, job_id=f"answer-file-{file_id}")
    return len(waiting)


def file_of(user: User, file_id: int) -> AnswerFile:
    """One file; NotFound for what is not this person's to see."""
    one = db.session.get(AnswerFile, file_id)
    if one is None or RULES.refusal(user, "answer.write", actions.Shelf(one.brand_id, None)):
        raise NotFound
    return one


def files(user: User, brand: Brand) -> Sequence[AnswerFile]:
    """The brand's latest files, the newest first."""
    RULES.check(user, "answer.write", actions.Shelf(brand.id, None))
    return db.session.scalars(_LATEST, {"brand": brand.id}).all()


# Helpers


_LATEST = select(AnswerFile).where(AnswerFile.brand_id == bindparam("brand")).order_by(AnswerFile.id.desc()).limit(SHOWN)


def _held(file_id: int) -> AnswerFile | None:
    """The file with its content, kept from others until the end of the transaction; none once it has ended."""
    wanted = select(AnswerFile).where(AnswerFile.id == file_id, among(AnswerFile.state, "under_way")).options(undefer(AnswerFile.content))
    return db.session.scalars(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).one_or_none()


def _take_in(one: AnswerFile, batch: list[importing.Row]) -> bool:
    """One batch with the place it ends at; False where nobody may take it in any more."""
    brand, by = db.session.get_one(Brand, one.brand_id), db.session.get_one(User, one.by_id)
    try:
        with db.session.begin_nested():
            part = importing.import_rows(brand, batch, by=by)
    except VouchError as refusal:
        _end(one, "give_up", because=f"{refusal.message} What was taken in before stands.")
        return False
    one.done, one.added, one.known, one.bad = one.done + part.read, one.added + part.added, one.known + part.known, one.bad + len(part.bad)
    one.problems = [*one.problems, *([number, why] for number, why in part.bad)][:MOST_KEPT]
    one.tries = 0
    _changed(one)
    return True


def _end(one: AnswerFile, verb: str, *, because: str | None = None) -> None:
    FILE.move(one, verb, ended_at=clock.now(), content=None, because=because)
    _changed(one)


def _changed(one: AnswerFile) -> None:
    brand_id, name = one.brand_id, f"file-{one.id}"
    db.after_commit(lambda: live.bump(brand_id, name), key=(name, brand_id))
