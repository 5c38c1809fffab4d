"""What a machine asks of a running process: does it live, can it work, how much waits."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.kernel.db import db
from app.kernel.outage import complain
from app.kernel.outbox import ATTEMPTS, Delivery
from app.kernel.queue import link, waiting

log = logging.getLogger(__name__)

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; it says nothing about what it stands on, so that an outage elsewhere restarts nobody."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 while the database answers. Redis is reported only: without it work waits, and nothing fails."""
    database = _database_answers()
    redis = link.ask(lambda client: bool(client.ping()), False)
    body = {"status": "ready" if database else "not ready", "database": "up" if database else "away", "redis": "up" if redis else "away"}
    return jsonify(body), 200 if database else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counted when asked, from the database and Redis, so any number of web processes give the same answer. Holds no one's data."""
    registry = CollectorRegistry()

    def gauge(name: str, what: str, value: float, **labels: str) -> None:
        found = gauges.get(name) or gauges.setdefault(name, Gauge(name, what, list(labels), registry=registry))
        (found.labels(**labels) if labels else found).set(value)

    gauges: dict[str, Any] = {}
    up = _database_answers()
    gauge("vouch_database_up", "Whether the database answers", up)
    queues = waiting()
    gauge("vouch_redis_up", "Whether Redis answers", bool(queues))
    for name, count in queues.items():
        gauge("vouch_queue_jobs", "Jobs waiting", count, queue=name)
    if up:
        waits, stuck = _deliveries()
        gauge("vouch_outbox_waiting", "Deliveries of events not made yet", waits)
        gauge("vouch_outbox_stuck", "Deliveries that failed too often and need somebody to look", stuck)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database_answers() -> bool:
    try:
        with db.transaction(read_only=True) as session:
            session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        complain(log, error, "readiness")
        return False
    return True


def _deliveries() -> tuple[int, int]:
    with db.transaction(read_only=True) as session:
        still_open = Delivery.done_at.is_(None)
        waits = session.scalar(select(func.count()).select_from(Delivery).where(still_open)) or 0
        stuck = session.scalar(select(func.count()).select_from(Delivery).where(still_open, Delivery.attempts >= ATTEMPTS)) or 0
    return waits, stuck
