"""The OpenAPI document is whole, and the doors do what it says."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from app.api import description
from app.api.door import DOORS
from tests.api.conftest import Town
from tests.api.rows import every_writing_ask
from tests.harness.promises import FULL, rounds

PRODUCT = """
POST /brands/{slug}/mentions · GET /mentions · GET /mentions/{mention_id} · POST /mentions/{mention_id}/reroute · POST /decide
GET /tasks · GET /tasks/{task_id} · POST /tasks/{task_id}/claim · DELETE /tasks/{task_id}/claim · POST /tasks/{task_id}/flags
POST /tasks/{task_id}/replies · PUT /replies/{reply_id} · POST /replies/{reply_id}/submit · GET /reviews · POST /replies/{reply_id}/reviews
GET /postings · GET /cases · GET /cases/{case_id} · POST /cases/{case_id}/assign · POST /cases/{case_id}/reply · POST /cases/{case_id}/notes
POST /cases/{case_id}/transfer · POST /cases/{case_id}/resolve · POST /cases/{case_id}/reopen · GET /leaderboards · GET /users/{user_id}/ledger
GET /me · GET /metrics/overview · POST /hooks/{token}
"""

CHECKS = {"checks": {"negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "409", "413", "415", "422"]}}}


def operations() -> dict[str, Any]:
    return {f"{method.upper()} {path}": operation for path, methods in description()["paths"].items() for method, operation in methods.items()}


def test_every_promised_operation_is_described() -> None:
    assert set(re.findall(r"[A-Z]+ /\S+", PRODUCT)) <= operations().keys()


def test_the_document_is_served_to_everybody(town: Town) -> None:
    answer = town(None).get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["servers"] == [{"url": "/api/v1"}]
    assert answer.json == description()


def test_every_reference_leads_somewhere_and_every_operation_explains_itself() -> None:
    text = str(description())
    named = set(re.findall(r"#/components/schemas/([\w.]+)", text))

    assert named == set(description()["components"]["schemas"]), "a schema is missing, or one is described and never used"
    for name, operation in operations().items():
        assert len(operation["summary"]) > 8, name
        assert {"429", "503"} <= operation["responses"].keys(), name
        assert all(code[0] == "2" or "application/problem+json" in answer["content"] for code, answer in operation["responses"].items()), name
    assert len({operation["operationId"] for operation in operations().values()}) == len(DOORS)


@pytest.mark.timeout(600)  # a guard against hanging: it grows with the number of doors and with what else the machine does
@pytest.mark.parametrize("people", [("max",), ("kim",), ("ada",), ("cleo",), ("tess",)] if FULL else [("max", "ada")], ids=" and ".join)
def test_whatever_is_asked_the_answer_is_as_described(town: Town, people: tuple[str, ...]) -> None:
    """Generated requests, as described and not: no error of ours, no status, kind, header or shape that the document does not name.

    Thinking of a request costs four times as much as asking it, so each is asked by all `people`; in full each thinks of their own.
    """
    every_writing_ask(town)
    # Every request carries the token, so requests without one are not generated here: strangers have a test of their own.
    described = {name: part for name, part in description().items() if name != "security"}
    schema = schemathesis.openapi.from_dict(described, config=SchemathesisConfig.from_dict(CHECKS))
    schema.app = town.app
    programs = [{"Authorization": f"Bearer {town.token(who)}"} for who in people]
    # Whatever fits the description may still be refused by a rule of the domain.
    unchecked = [schemathesis.checks.CHECKS.get_one("positive_data_acceptance")]
    examples = max(1, rounds(4 * len(DOORS), 10_000) // len(DOORS))
    asked = 0
    how = settings(max_examples=examples, deadline=None, database=None, derandomize=not FULL, suppress_health_check=list(HealthCheck), phases=[Phase.generate])

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in schemathesis.GenerationMode:

            @how
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                for program in programs:
                    asked += 1
                    case.call_and_validate(headers=program, excluded_checks=unchecked)

            with suppress(Unsatisfiable):  # an operation that takes nothing can't be asked wrongly
                ask()
    assert asked > examples * len(DOORS) * len(people)
