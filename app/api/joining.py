"""The people of a brand: who is there, who is invited, who would like to come, and the guidelines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, Missing, OfBrand, Paged, Shown, Words, door, listed
from app.kernel.errors import NotFound
from app.notices import mail
from community.joining import actions, guidelines, queries
from community.joining.models import Invitation

RoleGiven = Literal["advocate", "moderator", "tier_1", "tier_2", "analyst", "admin"]
Codes = Annotated[list[Words], Field(max_length=50)]


class MemberView(Shown):
    """Somebody with a role in the brand; the last three are an advocate's."""

    id: int
    name: str
    email: str
    roles: list[str]
    suspended: bool
    seen_at: datetime | None
    trust_level: int | None = None
    languages: list[str] | None = None
    topics: list[str] | None = None


class InvitationView(Shown):
    """`link` is there only right after it was made, and only where no mail server is connected: it is good once."""

    id: int
    email: str
    name: str
    role: str
    state: str
    languages: list[str]
    topics: list[str]
    made_at: datetime
    ends_at: datetime
    link: str | None = None


class InvitationsView(Shown):
    items: list[InvitationView]


class ApplicationView(Shown):
    """`answers`: pairs of the brand's question and their words."""

    id: int
    name: str
    email: str
    languages: list[str]
    topics: list[str]
    answers: list[list[str]]
    state: str
    made_at: datetime


class ApplicationsView(Shown):
    items: list[ApplicationView]


class GuidelinesView(Shown):
    """`owed`: whether the asker still has to read and accept this version before their next task."""

    version: int
    text: str
    at: datetime
    owed: bool


class InvitationGiven(Given):
    email: Annotated[Words, Field(max_length=254)]
    role: RoleGiven
    name: Annotated[Words, Field(max_length=120)] = ""
    languages: Codes = Field(default_factory=list)
    topics: Codes = Field(default_factory=list)


class RoleChange(Given):
    role: RoleGiven
    give: Annotated[bool, Field(description="False takes it away.")]


class DecisionGiven(Given):
    """`words` are mailed with a no, and required for it."""

    decision: Literal["approve", "decline"]
    words: Annotated[Words, Field(max_length=actions.LONGEST_WORDS)] = ""


class GuidelinesGiven(Given):
    text: Annotated[Words, Field(max_length=guidelines.LONGEST)]


class AcceptanceGiven(Given):
    version: Annotated[int, Field(ge=1, le=2**31 - 1, description="The one that was read.")]


class MembersAsked(Paged):
    role: RoleGiven | None = None
    search: Annotated[Words, Field(max_length=100, description="In names and addresses.")] = ""


@door("GET", "/brands/<slug>/members", asks=MembersAsked, gives=Listed[MemberView], limit="search")
def list_members(*, by: User, slug: str, query: MembersAsked) -> dict[str, Any]:
    """The people of a brand, in the order in which they came."""
    brand = scope.brand_of(by, slug, "admin")
    return listed(queries.members(brand, role=query.role, search=query.search, limit=query.limit, cursor=query.cursor), _member)


@door("POST", "/brands/<slug>/members/<id:user_id>/roles", takes=RoleChange, gives=MemberView)
def change_role(*, by: User, slug: str, user_id: int, body: RoleChange) -> MemberView:
    """Give a role or take it away; the person is told."""
    brand = scope.brand_of(by, slug, "admin")
    person = queries.member(brand, user_id)
    (actions.give_role if body.give else actions.take_role)(person, brand, body.role, by=by)
    roles = sorted(held.name for held in person.roles if held.brand_id == brand.id)
    return _member(queries.Member(person, roles, None, None))


@door("GET", "/brands/<slug>/invitations", gives=InvitationsView)
def list_invitations(*, by: User, slug: str) -> InvitationsView:
    """Open invitations, the newest first."""
    brand = scope.brand_of(by, slug, "admin")
    return InvitationsView(items=[_invitation(one) for one in queries.invitations(brand)])


@door("POST", "/brands/<slug>/invitations", takes=InvitationGiven, gives=InvitationView, status=201)
def invite(*, by: User, slug: str, body: InvitationGiven) -> InvitationView:
    """Invite somebody. The link is mailed; without a mail server it is in the answer."""
    brand = scope.brand_of(by, slug, "admin")
    made, secret = actions.invite(brand, body.email, body.role, by=by, name=body.name, languages=body.languages, topics=body.topics)
    return _invitation(made, secret)


@door("POST", "/invitations/<id:invitation_id>/resend", asks=OfBrand, gives=InvitationView)
def resend_invitation(*, by: User, invitation_id: int, query: OfBrand, **_: object) -> InvitationView:
    """A new link for another week; the one before is dead."""
    row = queries.invitation(scope.brand_of(by, query.brand, "admin"), invitation_id)
    return _invitation(row, actions.resend(row, by=by))


@door("DELETE", "/invitations/<id:invitation_id>", asks=OfBrand, gives=InvitationView)
def revoke_invitation(*, by: User, invitation_id: int, query: OfBrand, **_: object) -> InvitationView:
    """Take it back: the link is dead."""
    row = queries.invitation(scope.brand_of(by, query.brand, "admin"), invitation_id)
    actions.revoke(row, by=by)
    return _invitation(row)


@door("GET", "/brands/<slug>/applications", gives=ApplicationsView)
def list_applications(*, by: User, slug: str) -> ApplicationsView:
    """Those who would like to become advocates and whose mailbox is proved, the oldest first."""
    brand = scope.brand_of(by, slug, "moderator", "admin")
    return ApplicationsView(items=[ApplicationView.model_validate(one) for one in queries.applications(brand)])


@door("POST", "/applications/<id:application_id>/decision", takes=DecisionGiven, asks=OfBrand, gives=ApplicationView)
def decide_application(*, by: User, application_id: int, body: DecisionGiven, query: OfBrand) -> ApplicationView:
    """Welcome somebody, who is invited then, or say no in words that are mailed."""
    row = queries.application(scope.brand_of(by, query.brand, "moderator", "admin"), application_id)
    if body.decision == "approve":
        actions.approve(row, by=by)
    elif not body.words.strip():
        raise Missing("A no needs its words: they are mailed.", field="words")
    else:
        actions.decline(row, by=by, words=body.words)
    return ApplicationView.model_validate(row)


@door("GET", "/brands/<slug>/guidelines", gives=GuidelinesView)
def get_guidelines(*, by: User, slug: str) -> GuidelinesView:
    """What the brand asks of its advocates. 404 where nothing is written down."""
    brand = scope.brand_of(by, slug)
    return _guidelines(by, brand.id)


@door("PUT", "/brands/<slug>/guidelines", takes=GuidelinesGiven, gives=GuidelinesView)
def publish_guidelines(*, by: User, slug: str, body: GuidelinesGiven) -> GuidelinesView:
    """Let these words hold from now on: every advocate reads and accepts them before their next task."""
    brand = scope.brand_of(by, slug, "admin")
    guidelines.publish(brand, body.text, by=by)
    return _guidelines(by, brand.id)


@door("POST", "/brands/<slug>/guidelines/acceptance", takes=AcceptanceGiven, gives=GuidelinesView)
def accept_guidelines(*, by: User, slug: str, body: AcceptanceGiven) -> GuidelinesView:
    """Say yes to the version that was read."""
    brand = scope.brand_of(by, slug)
    guidelines.accept(by, brand, body.version)
    return _guidelines(by, brand.id)


def _member(one: queries.Member) -> MemberView:
    view = MemberView(
        id=one.user.id, name=one.user.name, email=one.user.email, roles=one.roles, suspended=one.user.suspended_at is not None, seen_at=one.seen_at
    )
    if one.advocate is not None:
        view.trust_level, view.languages, view.topics = one.advocate.trust_level, one.advocate.languages, one.advocate.topics
    return view


def _invitation(row: Invitation, secret: str | None = None) -> InvitationView:
    view = InvitationView.model_validate(row)
    if secret is not None and not mail.is_on():
        view.link = mail.url(f"/invitations/{secret}")
    return view


def _guidelines(by: User, brand_id: int) -> GuidelinesView:
    held = guidelines.current(brand_id)
    if held is None:
        raise NotFound
    return GuidelinesView(version=held.version, text=held.text, at=held.at, owed=guidelines.owed(by, brand_id) is not None)
