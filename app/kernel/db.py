"""The database: one engine a process, one session a unit of work, one transaction a write.

SQLite loses or refuses concurrent read-then-write transactions unless the writer announces itself, so every
transaction that may write begins with BEGIN IMMEDIATE; reading ones say so and never wait for a writer.
PostgreSQL's default isolation loses updates likewise: verbs settle races by a conditional UPDATE
(`states.move`) or `with_for_update(key_share=True)`, which SQLite ignores and does not need; without `key_share`
it would wait for every row that only points at the one held, and two who do both would wait for each other.
Each statement there sees what is committed when it begins, in a transaction or not; so reading ones go without BEGIN and
COMMIT, two trips to the server for nothing, over connections of their own whose every statement the server keeps from writing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import Connection, Dialect, ExceptionContext, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from app.config import Config

log = logging.getLogger(__name__)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


TURN = 5.0
"""Seconds a thread waits for the others of its process that write to SQLite, before it asks SQLite itself."""
PATIENCE = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
"""PostgreSQL waits for ever by itself: like SQLite (busy_timeout) it gives up after a while, and what a frozen process holds is freed after a minute."""
NO_WRITING = "-c default_transaction_read_only=on"


IDLE = 1.0
"""Seconds without use after which a pooled connection to a server is first asked whether it is still there. One used this very second is
not: asking each time was a tenth of a page's cost, and a server that goes within the second is answered with "try again" (503)."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, in UTC. SQLite has no zone, so it is put back; to PostgreSQL we speak UTC from the start (`PATIENCE`), so what its
    driver gives is right as it is. A naive value is refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must know its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        # A page reads hundreds of moments: asking nothing of each is worth a part of it.
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)


BigId = BigInteger().with_variant(Integer, "sqlite")
Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Word = Annotated[str, mapped_column(String(64))]


def ref(target: str, *, use_alter: bool = False, **kw: Any) -> Any:
    """A column that points at another row: `ref("task.id", index=True)`. `use_alter` where two tables point at each other."""
    return mapped_column(BigId, ForeignKey(target, use_alter=use_alter), **kw)


def only_where(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    """An index over the rows for which `where` holds: small while history grows, or what makes "one live …" a rule of the schema."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def among(column: Any, *values: str) -> ColumnElement[bool]:
    """`column` is one of these, written into the statement itself: a partial index serves only a query whose condition
    the planner can read, and it can't read a bound parameter."""
    if len(values) == 1:
        return cast(ColumnElement[bool], column == bindparam(None, values[0], literal_execute=True))
    return cast(ColumnElement[bool], column.in_(bindparam(None, list(values), expanding=True, literal_execute=True)))


def at_most(count: int) -> ColumnElement[int]:
    """A limit written into the statement: PostgreSQL plans a list anew each time while it can't read how little of it is wanted."""
    return literal_column(str(int(count)))


def insert_many(table: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert many rows in the caller's writing transaction; returns their ids in the rows' order."""
    # Numbers first, then rows: with RETURNING the driver takes apart one statement of thousands of values, batch by batch.
    if db.is_postgres:
        numbers = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        ids = list(db.session.scalars(numbers, {"name": f'"{table.__tablename__}"', "count": len(rows)}))
    else:
        # The lock of BEGIN IMMEDIATE is ours, so nobody else gives out the numbers that follow the last one.
        last = db.session.scalar(select(func.max(table.__table__.c.id))) or 0
        ids = list(range(last + 1, last + 1 + len(rows)))
    db.session.execute(insert(table), [{"id": id_, **row} for id_, row in zip(ids, rows, strict=True)])
    return ids


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON(), int: BigId}


class Database:
    """Bound to a configuration once; `transaction()` opens the unit of work that `session` then names."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._reading: Engine | None = None
        self._turn = threading.Lock()
        os.register_at_fork(after_in_child=self._forget_turn)
        self._current: ContextVar[Session | None] = ContextVar("vouch_session", default=None)

    def init(self, config: Config) -> None:
        """Bind to the configured database. Called again (tests), the old engine is let go."""
        self.dispose()
        self._engine = make_engine(config.database)
        self._reading = make_engine(config.database, read_only=True) if self.is_postgres else self._engine.execution_options(read_only=True)
        for engine in self.engines:
            event.listen(engine, "handle_error", self._let_go_of_the_others)

    def _let_go_of_the_others(self, failure: ExceptionContext) -> None:
        """A server that is gone for one engine is gone for all; the one that noticed connects anew by itself."""
        if failure.is_disconnect:
            for engine in self.engines:
                if engine is not failure.engine:
                    engine.dispose()

    def dispose(self) -> None:
        """Let go of every connection; the next transaction connects anew."""
        for engine in self.engines:
            engine.dispose()

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the database is not initialised: create_app does that")
        return self._engine

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that has connections: PostgreSQL's readers have one of their own."""
        if self._engine is None:
            return ()
        return (self._engine, self._reading) if self._reading is not None and self.is_postgres else (self._engine,)

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @property
    def session(self) -> Session:
        """The session of the transaction we are in."""
        session = self._current.get()
        if session is None:
            raise RuntimeError("no transaction is open here")
        return session

    @property
    def in_transaction(self) -> bool:
        return self._current.get() is not None

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Session]:
        """All or nothing. Inside another transaction it joins that one; what `after_commit` was told runs once the outermost has committed."""
        outer = self._current.get()
        if outer is not None:
            if outer.info["read_only"] and not read_only:
                raise RuntimeError("a reading transaction cannot write")
            yield outer
            return
        session = Session(self._reading if read_only and self._reading is not None else self.engine, expire_on_commit=False)
        session.info.update(read_only=read_only, after_commit={})
        # SQLite lets waiting writers poll, and whoever polls at the wrong moment waits for seconds: here the threads of a process form a line.
        turn = self._turn
        first = not read_only and not self.is_postgres and turn.acquire(timeout=TURN)
        token = self._current.set(session)
        try:
            yield session
            if not read_only:
                session.commit()
            # A reading one is ended by close(): rollback() would expire what was read, and the edges go on using it.
        except BaseException:
            session.rollback()
            raise
        finally:
            self._current.reset(token)
            session.close()
            if first:
                turn.release()
        for hook in session.info["after_commit"].values():
            try:
                hook()
            except Exception:
                # The rows are committed and the sweep finds whatever a hook failed to pass on.
                log.exception("after-commit hook failed")

    def _forget_turn(self) -> None:
        self._turn = threading.Lock()

    def after_commit(self, hook: Callable[[], object], *, key: object = None) -> None:
        """Run `hook` once the outermost transaction has committed; a later hook of the same `key` takes the earlier one's place."""
        self.session.info["after_commit"][key if key is not None else object()] = hook


db = Database()


def make_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine with our settings for either database. `read_only` is PostgreSQL's alone: each statement for itself, and none of them may write.

    The connection used last is used next: each keeps its own cache (SQLite) or its own plans (PostgreSQL), and a few warm ones
    serve better, in less memory, than many lukewarm ones.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, pool_size=64, max_overflow=0, pool_use_lifo=True, connect_args={"timeout": 10, "check_same_thread": False})
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # Together never more than 32: so a stock server's (100) last for two web processes and a few workers.
        pool: dict[str, Any] = {"pool_size": 4, "max_overflow": 16, "pool_timeout": 10, "pool_use_lifo": True}
        if read_only:
            pool |= {"max_overflow": 8, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        engine = create_engine(parsed, **pool, connect_args={"options": f"{PATIENCE} {NO_WRITING}" if read_only else PATIENCE})
        event.listen(engine, "checkin", _put_back)
        event.listen(engine, "checkout", _still_there(engine))
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return engine


def _put_back(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _still_there(engine: Engine) -> Callable[[Any, Any, Any], None]:
    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            # All that were opened before it are as old: the pool lets them go and connects anew.
            raise InvalidatePoolError from gone

    return ask


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON", "cache_size=-16000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
