"""Polling the channels that must be asked: each account in a thread of its own, so that a slow one delays no other,
and under a lease, so that any number of listeners may run and each account has one.

A listener whose lease has passed to another stores nothing: posts and cursor are written only while the lease is its own.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.kernel import clock
from app.kernel.crypto import WrongKey
from app.kernel.db import db
from app.kernel.outage import complain
from community.channels.base import AuthExpired, Batch, ChannelError, OutOfCredit, RateLimited
from community.channels.models import ChannelAccount
from community.channels.registry import adapter_for, kind_of, kinds
from community.mentions import intake

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
"""Longer than any one poll with its storing; a listener that died is taken over after it."""
APART = timedelta(seconds=30)
"""How far the clocks of two machines may stand apart before the one takes the other's lease for an impossible one."""
LOOK_AROUND = 10.0
"""Seconds between two looks for accounts that were connected, paused or woken."""
PAGE = 200
"""Posts asked for at once."""
PAGES = 50
"""Pages of one sweep, so that a network that always says "more" does not hold an account for ever."""
LONGEST_BACKOFF = 300.0
"""Seconds an account rests at most after failing again and again."""


class LeaseLost(Exception):
    """Another listener has taken the account over."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one sweep of an account brought, and when to ask again (none: as usual)."""

    stored: int = 0
    known: int = 0
    gone: int = 0
    wait_until: datetime | None = None
    failed: str | None = None


class Listener:
    """Runs until `stop` is called."""

    def __init__(self, *, only: str | None = None) -> None:
        self._only = only
        self._end = threading.Event()
        self._threads: dict[int, threading.Thread] = {}
        self.holder = f"{socket.gethostname()[:40]}:{os.getpid()}"

    def run(self) -> None:
        """Keep one thread for each account that wants polling; returns after `stop`, when all have ended."""
        while not self._end.is_set():
            for account_id in pollable(self._only):
                if account_id not in self._threads or not self._threads[account_id].is_alive():
                    thread = threading.Thread(target=self._follow, args=(account_id,), name=f"listen-{account_id}", daemon=True)
                    self._threads[account_id] = thread
                    thread.start()
            self._end.wait(LOOK_AROUND)
        for thread in self._threads.values():
            thread.join(timeout=15)

    def stop(self) -> None:
        self._end.set()

    def once(self) -> dict[str, Polled]:
        """One sweep of every account, by name; those that another listener holds are left out."""
        found: dict[str, Polled] = {}
        lock = threading.Lock()

        def sweep_one(account_id: int) -> None:
            account = take_lease(account_id, self.holder)
            if account is None:
                return
            try:
                polled = sweep(account, self.holder)
            except LeaseLost:
                return
            finally:
                give_up_lease(account_id, self.holder)
            with lock:
                found[account.name] = polled

        threads = [threading.Thread(target=sweep_one, args=(account_id,), daemon=True) for account_id in pollable(self._only)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def _follow(self, account_id: int) -> None:
        failures = 0
        try:
            while not self._end.is_set():
                account = take_lease(account_id, self.holder)
                if account is None or account.paused_reason is not None:
                    return
                polled = sweep(account, self.holder)
                failures = failures + 1 if polled.failed else 0
                self._rest(polled, failures, kind_of(account).poll_seconds, account_id)
        except LeaseLost:
            return
        except Exception as error:
            # The look-around starts the thread again: one account's trouble, or the database's, ends no other's listening.
            complain(log, error, "listening to account %s broke off", account_id)
        finally:
            try:
                give_up_lease(account_id, self.holder)
            except Exception:
                log.warning("the lease on account %s could not be given up; it lapses by itself", account_id)

    def _rest(self, polled: Polled, failures: int, usual: float, account_id: int) -> None:
        seconds = usual if not failures else min(usual * 2**failures, LONGEST_BACKOFF) * random.uniform(0.5, 1)
        if polled.wait_until is not None:
            seconds = max(seconds, (polled.wait_until - clock.now()).total_seconds())
        # A long rest keeps the account: renewed in time, so that no other listener asks what we were told not to.
        while seconds > 0 and not self._end.wait(min(seconds, LEASE.total_seconds() / 3)):
            seconds -= LEASE.total_seconds() / 3
            if seconds > 0 and take_lease(account_id, self.holder) is None:
                raise LeaseLost


def pollable(only: str | None = None) -> list[int]:
    """Ids of the accounts that are to be polled, by any brand; `only` names one channel. Asks the database only if some kind polls."""
    names = [name for name, kind in kinds().items() if kind.polled]
    if not names:
        return []
    query = select(ChannelAccount.id).where(ChannelAccount.kind.in_(names), ChannelAccount.paused_reason.is_(None)).order_by(ChannelAccount.id)
    with db.transaction(read_only=True) as session:
        return list(session.scalars(query if only is None else query.where(ChannelAccount.name == only)))


def take_lease(account_id: int, holder: str) -> ChannelAccount | None:
    """The account if it is ours to poll now: free, lapsed or held by us already. A lease that ends later than one
    could (a clock jumped) counts as lapsed."""
    now = clock.now()
    with db.transaction() as session:
        done = session.execute(
            update(ChannelAccount)
            .where(
                ChannelAccount.id == account_id,
                or_(
                    ChannelAccount.listen_lease_by.is_(None),
                    ChannelAccount.listen_lease_by == holder,
                    ChannelAccount.listen_lease_until < now,
                    ChannelAccount.listen_lease_until > now + LEASE + APART,
                ),
            )
            .values(listen_lease_by=holder, listen_lease_until=now + LEASE)
        )
        return session.get(ChannelAccount, account_id) if done.rowcount else None  # type: ignore[attr-defined]


def give_up_lease(account_id: int, holder: str) -> None:
    with db.transaction() as session:
        session.execute(
            update(ChannelAccount)
            .where(ChannelAccount.id == account_id, ChannelAccount.listen_lease_by == holder)
            .values(listen_lease_by=None, listen_lease_until=None)
        )


def sweep(account: ChannelAccount, holder: str) -> Polled:
    """Fetch what is new, page by page, each stored with its cursor. Trouble with the network is part of the answer;
    a revoked token or spent credit pauses the account with the reason. Raises LeaseLost."""
    stored = known = gone = 0
    cursor = account.cursor
    wait_until: datetime | None = None
    failed: str | None = None
    try:
        channel = adapter_for(account)
        for _ in range(PAGES):
            batch = channel.poll(cursor, PAGE)
            received = _store(account, batch, holder)
            stored, known, gone = stored + received, known + len(batch.posts) - received, gone + len(batch.gone)
            cursor = batch.cursor if batch.cursor is not None else cursor
            if batch.budget is not None and batch.budget.remaining == 0:
                wait_until = batch.budget.resets_at
            if not batch.more or wait_until is not None:
                break
    except RateLimited as error:
        # Being told when to come back is no failure; being told only to slow down backs off like one.
        wait_until, failed = error.retry_at, None if error.retry_at else error.detail
    except (AuthExpired, OutOfCredit, WrongKey) as error:
        failed = str(error)
        _pause(account.id, failed)
    except ChannelError as error:
        failed = error.detail
    if failed is not None:
        log.warning("channel %s of brand %s could not be polled: %s", account.name, account.brand_id, failed)
    return Polled(stored, known, gone, wait_until, failed)


def _store(account: ChannelAccount, batch: Batch, holder: str) -> int:
    prepared = intake.prepare(account.brand_id, intake.unknown(account, batch.posts)) if batch.posts else []
    with db.transaction() as session:
        # Asked with a lock, in the very transaction that stores: whoever was stopped for longer than the lease finds it gone here.
        held = session.execute(
            update(ChannelAccount)
            .where(ChannelAccount.id == account.id, ChannelAccount.listen_lease_by == holder)
            .values(listen_lease_until=clock.now() + LEASE)
        )
        if not held.rowcount:  # type: ignore[attr-defined]
            raise LeaseLost
        return intake.store(account, prepared, cursor=batch.cursor, gone=batch.gone).stored


def _pause(account_id: int, reason: str) -> None:
    with db.transaction() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(paused_reason=reason[:500]))
