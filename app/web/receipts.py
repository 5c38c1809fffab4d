"""The receipt of a posted reply, open to anybody who has its link, and what moderators make of readers' doubts.

The public page sets no cookie, so no session could hold a token against forged forms: each page carries one of its own, signed
for this receipt and good for a day. There is nothing to steal with a forged one: a reader has no rights but their own word.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer

from app.access import acting_brand
from app.extensions import csrf
from app.kernel.db import db
from app.kernel.errors import Missing, NotFound
from app.web import receipt_words, render
from app.web.frame import done, page_or_part, watch
from community.answers import public
from community.channels.registry import pack_of
from community.feedback import queries, receipts
from community.feedback.models import Receipt
from community.permissions import RULES

blueprint = Blueprint("receipts", __name__)

GOOD_FOR = 24 * 3600
"""Seconds a page may stay open before its form is refused."""
FAILURES = {400: "too_long", 404: "no_receipt", 429: "too_fast"}
"""What is said of a failure, by its status; of any other that it did not work."""
ROLES = {"moderator": "moderator", "tier_1": "employee", "tier_2": "specialist", "admin": "employee", "advocate": "advocate"}
RULES_SAID = ("employee_role", "peers", "trust")
"""Rules that have a sentence of their own."""


@blueprint.get("/r/<receipt>")
def show(receipt: str) -> ResponseReturnValue:
    """How this reply was vetted, in public. `?said=` after a word of the reader's; `?lang=` another language than the post's."""
    asked = request.args.get("lang")
    asked = asked if asked in receipt_words.languages() else None
    try:
        return _page(receipt, said=request.args.get("said"), lang=asked)
    except NotFound as refusal:
        if refusal.message != queries.EARLY:
            raise
        # Whose post it is can't be told before the reply is out: the reader's browser names a language.
        lang = asked or receipt_words.first_of(request.accept_languages.values())
        return render_template("receipts/early.html", w=receipt_words.words(lang)), refusal.status


@blueprint.post("/r/<receipt>")
@csrf.exempt
def say(receipt: str) -> ResponseReturnValue:
    """`verdict` helped or wrong, with optional `words`; `lang` where the page is read in another language than the post's."""
    try:
        good = _signer().loads(request.form.get("csrf_token", ""), max_age=GOOD_FOR) == receipt
    except BadData:
        good = False
    if not good:
        raise Missing("This page was open for too long. Load it again, then say it once more.")
    receipts.say(receipt, request.form.get("verdict", ""), words=request.form.get("words"), address=request.remote_addr or "")
    lang = request.form.get("lang") or None
    return redirect(url_for("receipts.show", receipt=receipt, said=request.form["verdict"], lang=lang if lang in receipt_words.languages() else None), 303)


def failed(status: int, extra: dict[str, Any], kept: list[str]) -> str:
    """A failure on a receipt's address, to a reader who need not know English; `kept` is what they wrote, so that it isn't lost."""
    known = receipt_words.languages()
    chosen, shown = request.values.get("lang"), request.form.get("shown")
    lang = chosen if chosen in known else shown if shown in known else receipt_words.first_of(request.accept_languages.values())
    what = FAILURES.get(status, "failed")
    minutes = -(-int(extra.get("retry_after", 60)) // 60)
    back = url_for("receipts.show", **(request.view_args or {}), lang=chosen if chosen in known else None) if request.method == "POST" else None
    return render_template("receipts/failed.html", w=receipt_words.words(lang), what=what, minutes=minutes, kept=kept, back=back)


@blueprint.get("/doubts")
def doubts() -> ResponseReturnValue:
    """Posted replies that readers call wrong."""
    watch("flags")
    found = [(one, render.post(one.mention), render.link(one.posting.url)) for one in queries.doubts(acting_brand())]
    return page_or_part("receipts/doubts.html", "receipts/_doubts.html", doubts=found)


@blueprint.post("/doubts/<int:receipt_id>/decision")
def decide(receipt_id: int) -> ResponseReturnValue:
    """`outcome` dismiss or reopen, with a note for the team."""
    receipt = db.session.get(Receipt, receipt_id)
    if receipt is None or not RULES.may(current_user, "receipt.settle", receipt):
        raise NotFound
    outcome = request.form.get("outcome", "")
    receipts.settle(receipt, by=current_user._get_current_object(), outcome=outcome, note=request.form.get("note"))
    return done("receipts.doubts", "Dismissed: the reply stands as it is." if outcome == "dismiss" else "The team has it now and sets it right.")


def _page(token: str, said: str | None, lang: str | None) -> str:
    found = queries.receipt_page(token)
    pack = pack_of(found.account)
    w = receipt_words.words(lang or found.lang)
    return render_template(
        "receipts/show.html",
        w=w,
        chosen=lang,
        languages=receipt_words.languages(),
        r=found,
        token=token,
        shown="-".join(token[i : i + 4] for i in range(0, len(token), 4)),
        channel=render.channel(found.account),
        url=render.link(found.url),
        looks=[(one, ROLES.get(one.role or ""), _rule(one.rule)) for one in found.looked],
        by_people=found.peers is not None or any(one.role for one in found.looked),
        agreed=w.listed(list(found.peers.agreed)) if found.peers and found.peers.agreed else None,
        answers=[(one, public.words_of(one.title or "")) for one in found.grounds],
        holds=bool(found.grounds) and found.put_right is None and all(one.state == "holds" for one in found.grounds),
        unpaid=pack.rewards == "nothing",
        looking=found.doubts >= receipts.DOUBTS,
        said=said if said in receipts.VERDICTS else None,
        form_token=_signer().dumps(token),
    )


def _rule(rule: str | None) -> str:
    """The phrase that says what a rule's look was."""
    name = (rule or "").partition(":")[0]
    return f"rule_{name if name in RULES_SAID else 'other'}"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="receipt")
