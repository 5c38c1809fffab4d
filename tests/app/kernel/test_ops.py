"""What machines ask: alive, ready, how much waits."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import schedule
from app.config import Config
from app.kernel import ops, queue


@pytest.fixture
def asked(db: object) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(ops.blueprint)
    return app.test_client()


def test_alive_says_nothing_about_others(asked: FlaskClient, emptied: Config) -> None:
    queue.link.init(emptied.model_copy(update={"redis_url": ""}))
    assert asked.get("/healthz").json == {"status": "alive"}


def test_ready_while_the_database_answers(asked: FlaskClient) -> None:
    answer = asked.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "database": "up", "redis": "up"})


def test_a_missing_redis_is_reported_and_stops_nobody(asked: FlaskClient, emptied: Config) -> None:
    queue.link.init(emptied.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"}))
    answer = asked.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "database": "up", "redis": "away"})
    assert b"vouch_redis_up 0.0" in asked.get("/metrics").data


def test_metrics_count_what_waits(asked: FlaskClient) -> None:
    queue.enqueue(schedule.seal_audit, job_id="seal-1")
    text = asked.get("/metrics").text
    assert "vouch_database_up 1.0" in text
    assert 'vouch_queue_jobs{queue="default"} 1.0' in text
    assert 'vouch_queue_jobs{queue="posting"} 0.0' in text
    assert "vouch_outbox_waiting 0.0" in text
    assert "vouch_outbox_stuck 0.0" in text
