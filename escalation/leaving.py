"""What stays of the team's work when somebody goes: the brand's own record of its cases, under a number."""

from __future__ import annotations

from app.accounts import leaving
from escalation.cases import actions as cases
from escalation.cases.models import Case, CaseEntry
from escalation.classifier.models import BrandModel
from escalation.learning.models import Label, LearningRun
from escalation.routing.models import BrandLines


def listed() -> None:
    leaving.part(Case, "assignee_id")
    leaving.part(CaseEntry, "by_id")
    leaving.part(Label, "user_id")
    leaving.part(BrandModel, "by_id")
    leaving.part(LearningRun, "by_id")
    leaving.part(BrandLines, "by_id")
    leaving.words(CaseEntry, "text")
    leaving.words(BrandLines, "reason")
    leaving.before(cases.let_go_of_all)
