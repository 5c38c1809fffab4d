"""What the stories of cases are told with."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.kernel.db import db as the_db
from community.replies.models import Posting
from community.tasks.models import Task
from escalation.cases import queries
from escalation.cases.models import Case
from tests.stories import news, told

Row = TypeVar("Row", Task, Case)
WORDS = "I am sorry for the wait. I have your line in front of me and will stay with it until it works."


def opened(of: Brand, db: Database, audience: str = "tier_1", **told_with: object) -> tuple[Task, Case]:
    task = told(of, audience=audience, **told_with)  # type: ignore[arg-type]
    news()
    return task, case_beside(task, db)


def case_beside(task: Task, db: Database) -> Case:
    with db.transaction(read_only=True):
        case = queries.case_of_task(task.id)
    assert case is not None
    return case


def live_posting(task: Task, db: Database) -> Posting:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Posting).where(Posting.task_id == task.id).order_by(Posting.id.desc())).first()  # type: ignore[return-value]


def kinds(case: Case, db: Database) -> list[str]:
    with db.transaction(read_only=True):
        return [moment.kind for moment in queries.entries(case)]


def person_of(of: Brand | None, *roles: str) -> User:
    from app.accounts.models import Role

    made = User(id=10_000, email="x", email_key="x", name="Somebody", preferences={})
    made.roles = [Role(user_id=10_000, brand_id=of.id if of else None, name=role) for role in roles]
    return made


def brand_of(slug: str) -> Brand:
    return Brand(id=20_000, slug=slug, name=slug, settings={})


def fresh_in(row: Row) -> Row:
    """The row in the transaction we are in."""
    return the_db.session.get_one(type(row), row.id)


def live_posting_id(task: Task, db: Database) -> int:
    return db.session.scalars(select(Posting.id).where(Posting.task_id == task.id)).one()
