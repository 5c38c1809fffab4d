"""What only the brand may promise: money, a price, a date, a guarantee, legal and medical advice.

A sentence that sends somebody to the team ("ask the team for a refund") promises nothing. Gaps in the patterns are a few
words at most, so that no text makes them slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from community.moderation.checks.folding import fold


@dataclass(frozen=True, slots=True)
class Promise:
    """Words that promise: where they stand, what they promise, and what to say instead."""

    start: int
    end: int
    what: str
    offer: str


_W = r"(?:[\w'%]{1,14}\s{1,2})"
_WILL = r"(?:will|shall|'ll|going\sto|gonna|definitely|surely|certainly)"
_MONEY = (
    r"(?:refund|refunds|refunded|money\sback|voucher|vouchers|compensation|credit|credits|discount|rebate|coupon|gift\scard|cashback|reimbursement"
    r"|free\smonth|replacement)"
)
_WHEN = (
    r"(?:tomorrow|today|tonight|this\s(?:week|month|evening|afternoon)|next\s\w{3,9}|(?:by|on|before|until|from)\s(?:the\s)?"
    r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)day|(?:by|on|before|until)\s(?:the\s)?(?:end\sof|tomorrow|noon|midnight|christmas|\d{1,2}(?:st|nd|rd|th)|"
    r"(?:\d{1,2}\.?\s)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w{0,6})|(?:within|in)\s(?:the\snext\s|about\s|less\sthan\s|under\s)?"
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|ten|a\sfew|a\scouple\sof|some)\s(?:working\s|business\s)?(?:hour|day|week|month)s?)"
)
_TEAM, _PRICE, _SOON = "the team can look at your case", "the team can tell you the price", "the team is working on it"
_SURE, _LAW, _DOCTOR = "in most cases", "the team can tell you your options", "please ask a doctor"
_ZH_TEAM, _ZH_SURE, _ZH_SOON, _ZH_LAW, _ZH_DOCTOR = "团队可以看看你的情况", "多数情况下", "团队正在处理", "团队可以告诉你有哪些选择", "请咨询医生"

_PATTERNS: tuple[tuple[str, str, str], ...] = (
    (rf"{_WILL}\s{{1,2}}{_W}{{0,3}}(?:refund|reimburse|compensate|credit|repay|waive)\w{{0,4}}\b", "money", _TEAM),
    (rf"{_WILL}\s{{1,2}}{_W}{{0,2}}(?:give|get|pay|send|return)\s{_W}{{0,4}}(?:{_MONEY}|money|back)\b", "money", _TEAM),
    (rf"(?:you|u)(?:'ll|\swill|\sare\sgoing\sto|\sare|'re|\sdeserve|\sshould|\scan)?\s{{1,2}}(?:get|receive|have|be\soffered|owed|entitled\sto"
     rf"|due)\s{_W}{{0,3}}{_MONEY}\b", "money", _TEAM),
    (rf"(?:your|the|a|full)\s{_MONEY}\s(?:is|has\sbeen|will\sbe|was)\s{_W}{{0,2}}(?:on\sits\sway|approved|processed|paid|issued|sent|coming"
     rf"|confirmed)", "money", _TEAM),
    (r"money[\s-]back\sguarantee|(?:we|they|i)\sowe\syou|(?:we|they)(?:'re|\sare)\s(?:giving|offering|sending)\syou\b", "money", _TEAM),
    (rf"\b(?:i|we|they|<brand>)(?:'ve|\shave|\shas|'d|\shad)?\s(?:just\s)?(?:refunded|reimbursed|credited|waived)\s{_W}{{0,2}}", "money", _TEAM),
    (r"\b(?:i|we)\s(?:can\s|could\s|always\s|fully\s|also\s){0,2}(?:refund|reimburse|compensate)\s(?:you|your|it|this|that|the|everything)\b", "money", _TEAM),
    (r"free\sof\scharge|\bfor\sfree\b|\bno\s(?:extra\s)?(?:cost|charge|fee)s?\b|\bwon'?t\s(?:cost|be\scharged|charge)\b|on\sthe\shouse\b"
     r"|complimentary\b", "a price", _PRICE),
    (r"\b\d{1,3}\s?(?:%|percent)\s(?:off|discount|cheaper|less)\b|\bhalf\sprice\b|(?<!no\s)\bdiscount\sof\b", "a price", _PRICE),
    (
        r"(?:costs?|cost\syou|price\sis|priced\sat|charge\syou|will\spay|you\spay|for\s(?:only|just))\s{1,2}(?:only\s|just\s|you\s|about\s){0,2}"
        r"(?:[$€£¥]\s?\d|\d[\d.,]{0,8}\s?(?:[$€£¥]|dollars?|euros?|pounds?|usd|eur|gbp|yuan|rmb))",
        "a price",
        _PRICE,
    ),
    (r"\bprices?\s(?:will|won't|is\sgoing\sto|are\sgoing\sto|stays?|is\sguaranteed|goes|go)\b", "a price", _PRICE),
    (
        rf"(?:{_WILL}|should|is|are)\s{{1,2}}(?:be|get|have|arrive|ship|come|reach|fix|repair|deliver|release|launch|restore|land|send|call|visit|finish"
        rf"|resolve|due)\w{{0,3}}"
        rf"\s{{1,2}}{_W}{{0,4}}{_WHEN}\b",
        "a date",
        _SOON,
    ),
    (
        r"\b(?:fix|update|repair|parcel|order|delivery|technician|engineer|part|patch|release|network|line|service|stock)\s(?:comes?|arrives?|ships?"
        r"|lands?|launches|"
        rf"is\sdue|is\sback|is\splanned|is\sscheduled|goes\slive)\s{_W}{{0,2}}{_WHEN}\b",
        "a date",
        _SOON,
    ),
    (rf"\b(?:fixed|repaired|delivered|released|restored|resolved|back\sonline|back\sup|sorted)\s{_W}{{0,1}}{_WHEN}\b", "a date", _SOON),
    (r"\b(?:we|i|they|<brand>)\s{0,2}(?:'ll|\swill|\scan|'d|\sdo|\shereby)?\s{0,2}(?:personally\s|fully\s)?(?:guarantee|promise|assure\syou|swear"
     r"|vow)\w{0,2}\b", "a guarantee", _SURE),
    (r"\bguaranteed\b|\b100\s?(?:%|percent)\s(?:sure|certain|safe|guaranteed|secure)\b|\b(?:won't|will\s(?:never|not))\shappen\sagain\b"
     r"|\byou\shave\s(?:my|our)\sword\b", "a guarantee", _SURE),
    (
        r"\b(?:you|u)\s(?:should|can|could|must|may|might|need\sto|ought\sto)\s(?:sue|take\s(?:them|us|legal|it\sto\scourt)|file\sa\slawsuit"
        r"|go\sto\scourt|claim\sdamages)"
        r"|\blegally\s(?:you|they|we|entitled|obliged|required|have|must|bound)|\b(?:it'?s|is|that'?s|this\sis)\s(?:illegal|unlawful|against\sthe\slaw"
        r"|your\s(?:legal|statutory)\sright)"
        r"|\b(?:you\shave|have)\sa\s(?:legal|statutory)\s(?:right|claim)\b|\bunder\s(?:the\s)?(?:\w{1,10}\s)?(?:consumer\s(?:law|rights|protection)|law)\b"
        r"|\bbreach\sof\s(?:contract|law)\b|\bsmall\sclaims\b|\bclass\saction\b|\b(?:is|are|be|held)\sliable\b|\bby\slaw\b",
        "legal advice",
        _LAW,
    ),
    (
        r"\b(?:take|stop\staking|increase|reduce|skip|double|halve|use)\s{1,2}(?:\w{1,12}\s{1,2}){0,3}"
        r"(?:medication|medicine|pills?|tablets?|dose|dosage|insulin|antibiotics?|ibuprofen|paracetamol|aspirin|antihistamines?|painkillers?)\b"
        r"|\b(?:cures?|heals?|treats?|prevents?)\s(?:\w{1,10}\s){0,2}(?:pain|cancer|disease|illness|infection|covid|flu|anxiety|depression|diabetes"
        r"|migraines?|allerg\w{1,5}|nausea|rash)\b"
        r"|\bno\sneed\s(?:to\s(?:see|call)|for)\sa\s(?:doctor|hospital)|\b(?:is|are|it's|perfectly)\ssafe\s(?:for|during|in"
        r"|with)\s(?:\w{1,10}\s){0,2}(?:pregnan\w{1,4}|babies|infants?|epilep\w{1,4}|pacemakers?|heart\sconditions?)"
        r"|\b(?:you|he|she|they)\s(?:probably\s|likely\s|clearly\s)?(?:have|has)\s(?:an?\s)?(?:allergic\sreaction|infection|concussion|food\spoisoning"
        r"|heat\s?stroke|blood\sclot)\b",
        "medical advice",
        _DOCTOR,
    ),
    (r"(?<!不)(?:会(?!不)|會(?!不)|将|將|一定|肯定|马上|馬上|立刻|立即)[\u4e00-\u9fff]{0,6}?(?<!申请)(?<!申請)(?:退款|退钱|退錢|赔偿|賠償|赔付|賠付"
        r"|补偿|補償|返现|返現|退还|退還|报销|報銷|退费"
     r"|退費)", "money", _ZH_TEAM),
    (r"(?:可以|能|能够|能夠)(?:给|給|帮|幫|为|為)[你您]?[\u4e00-\u9fff]{0,4}?(?:退款|退钱|退錢|赔偿|賠償|补偿|補償|退费|退費)", "money", _ZH_TEAM),
    (r"[你您](?:会|會|能|可以|将|將|应该|應該)?(?:得到|拿到|收到|获得|獲得)[\u4e00-\u9fff\d]{0,6}(?:退款|赔偿|賠償|补偿|補償|优惠|優惠|代金券|折扣"
        r"|礼品|禮品|返现|返現|优惠券|優惠券)", "money", _ZH_TEAM),
    (r"全额(?:退款|赔偿)|全額(?:退款|賠償)|(?:退款|赔款|賠款)(?:已经|已經|已|将|將|会|會)[\u4e00-\u9fff]{0,4}(?:到账|到帳|批准|处理|處理|发出"
        r"|發出)", "money", _ZH_TEAM),
    (r"免费|免費|不收费|不收費|不要钱|不要錢|不用付|不花钱|不花錢|打[\d一二三四五六七八九]{1,2}折|[只僅仅]要\s?\d+\s?[元块塊]|价格[是为会不]"
        r"|價格[是為會不]|送您|赠送|贈送", "a price", "价格请以团队的答复为准"),
    (r"保证|保證|承诺|承諾|担保|擔保|包您|绝对不会|絕對不會|百分之百|百分百|100\s?%|不会再发生|不會再發生", "a guarantee", _ZH_SURE),
    (
        r"(?:明天|今天|今晚|后天|後天|下周|下週|本周|本週|下个月|下個月|周[一二三四五六日末]|週[一二三四五六日末]|星期[一二三四五六日天]|月底|年底"
        r"|[\d一二三四五六七八九十两兩]{1,3}\s?(?:天|小时|小時|周|週|个月|個月|个工作日|個工作日)(?:之?内"
        r"|之?內|后|後)?"
        r"|\d{1,2}月\d{1,2}[日号號])[\u4e00-\u9fff]{0,8}?(?:修好|修复|修復|恢复|恢復|到货|到貨|送到|送达|送達|发货|發貨|上线|上線|发布|發布|解决"
        r"|解決|到账|到帳|上门|上門)",
        "a date",
        _ZH_SOON,
    ),
    (r"起诉|起訴|告他们|告他們|打官司|违法|違法|法律上|消费者权益|消費者權益|侵权|侵權|有权要求|有權要求|依法", "legal advice", _ZH_LAW),
    (r"停药|停藥|吃药|吃藥|服药|服藥|服用|加大剂量|加大劑量|治好|治愈|治癒|根治|不用看医生|不用看醫生|你这是[\u4e00-\u9fff]{1,4}[炎病症]|孕妇可以"
        r"|孕婦可以", "medical advice", _ZH_DOCTOR),
    (r"返金(?:し|され|いた)|全額返金|保証(?:し|いた|され)|無料(?:です|で|に)|(?:明日|今日|来週|\d{1,2}日)(?:まで|中)?に(?:直り|届き|復旧"
        r"|修理)", "money", "担当チームにご確認ください"),
    (r"환불(?:해|됩|받을|될)|보상(?:해|받)|보장(?:합|해|됩)|무료(?:입|로|예|다)|(?:내일|오늘|다음 ?주)(?:까지)?\s?(?:수리|복구|배송"
        r"|도착)", "money", "담당 팀에 문의해 주세요"),
    (r"\b(?:wir|ich|sie)\s(?:werden\s)?(?:\w{1,12}\s){0,3}(?:erstatten?|zurückzahlen|entschädigen)|bekommen\s(?:\w{1,8}\s){0,3}(?:geld|gutschrift|rabatt)"
     r"|\bgarantier\w{1,4}|\bkostenlos\b|\bversprech\w{1,3}\b", "money", "das Team sieht sich Ihren Fall an"),
    (r"\brembours(?:erons|era|eront|é)\b|\bgaranti(?:s|e|t|ssons)?\b|\bgratuit\w{0,6}\b|\bnous\s(?:vous\s)?promettons\b"
     r"|\bdédommager\w{0,4}", "money", "l'équipe peut regarder votre dossier"),
    (r"\b(?:devolver(?:emos|án|á)|reembolsar\w{1,4})\b|\bgarantiz\w{1,5}\b|\bgratis\b|\bprometemos\b|\bcompensar(?:emos|án"
     r"|á)\b", "money", "el equipo puede revisar tu caso"),
)  # fmt: skip


@lru_cache(maxsize=256)
def _promises(brand_name: str) -> list[tuple[re.Pattern[str], str, str]]:
    """The patterns for a brand, which promises under its own name as well ("Acme guarantees"). Each pattern is compiled once for all that don't name it."""
    name = r"\s{1,2}".join(map(re.escape, brand_name.split())) or "we"
    return [(_compiled(pattern.replace("<brand>", name)), what, offer) for pattern, what, offer in _PATTERNS]


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_promises("")


_NOT = re.compile(
    r"(?:(?<!\w)(?:not|\w{2,6}n't|never|nobody|no\sone|cannot|neither|nor|whether|if|ask(?:\s\w{1,12}){0,4})\s(?:\w{1,8}\s){0,2}"
    r"|(?:不|没|沒|别|別|未|无法|無法|是否|能否)[能会會敢要可以有]{0,2})$",
    re.IGNORECASE,
)
_LOOK_BACK = 40


def found(text: str, brand_name: str = "") -> list[Promise]:
    """Every promise, in the text's order; a negation or a question before it ("nobody can promise", "ask whether they will refund") makes it none."""
    kept: list[Promise] = []
    for one in sorted(_found(text, brand_name), key=lambda one: (one.start, -one.end)):
        if not any(one.what == other.what and one.start < other.end for other in kept):
            kept.append(one)
    return kept


def _found(text: str, brand_name: str) -> Iterator[Promise]:
    folded = fold(text)
    plain = folded.text.replace("’", "'").replace("‘", "'")
    for pattern, what, offer in _promises(brand_name):
        for m in pattern.finditer(plain):
            if not _NOT.search(plain[max(0, m.start() - _LOOK_BACK) : m.start()]):
                start, end = folded.span(*_clause(plain, m.start(), m.end()))
                yield Promise(start, end, what, offer)
                break


_BEFORE = re.compile(r"(?:(?<![\w'])[^\W\d_][\w']{0,19}\s|[\u4e00-\u9fff]{1,6}|(?<!\w)[^\W\d_]{1,20})$")
_BEHIND = re.compile(r"(?:(?!\s(?:and|but|or|then|so|if|when|und|et|y)\s)[^.,;:!?。，；！？、()\n]){0,60}")


def _clause(plain: str, start: int, end: int) -> tuple[int, int]:
    """The promise with its subject and what follows in its clause: so much is said otherwise when other words take its place."""
    before = _BEFORE.search(plain, max(0, start - 21), start)
    behind = _BEHIND.match(plain, end)
    stop = behind.end() if behind else end
    return (before.start() if before else start), end + len(plain[end:stop].rstrip())
