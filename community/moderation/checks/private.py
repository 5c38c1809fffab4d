"""What must not go out in public: cards, bank accounts, phone numbers, mail and postal addresses, passwords and keys.

Found also where it is spaced, full-width or spelt out ("ada at home dot example", "four one one one …"). Whatever a number
looks like is weighed with the words before it: ten digits after "order" are an order, after "call me" a phone. Every
pattern is bounded, so that no text makes it slow.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator

from community.moderation.checks.folding import Folded, fold, spelt_out

Span = tuple[int, int, str]
BEFORE, AFTER = 40, 16
"""Characters before and after a number in which words say what it is."""

CARD, BANK, PHONE, MAIL, PLACE = "A card number", "A bank account", "A phone number", "A mail address", "A postal address"
PASSWORD, KEY, IDENTITY, ACCOUNT = "A password", "A secret key", "An identity number", "An account number"


def private_spans(text: str, public: Collection[str] = ()) -> list[Span]:
    """Where private data stands: (start, end, what), in order, not overlapping. `public` holds numbers and addresses the brand itself publishes."""
    folded = fold(text)
    known = {_bare(one) for one in public if one.strip()}
    spans = [*_found(folded, LOOKS, known)]
    digits = spelt_out(folded)
    if digits is not folded:
        spans += _found(digits, (_numbers, _banks), known)
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def mask_private(text: str, public: Collection[str] = ()) -> str:
    """The text with each piece of private data replaced by its kind in brackets."""
    for start, end, what in reversed(private_spans(text, public)):
        text = f"{text[:start]}[{what.lower()}]{text[end:]}"
    return text


def _found(folded: Folded, looks: tuple[Callable[[str], Iterator[Span]], ...], public: set[str]) -> Iterator[Span]:
    for look in looks:
        for start, end, what in look(folded.text):
            if _bare(folded.text[start:end]) not in public:
                yield *folded.span(start, end), what


def _bare(one: str) -> str:
    """What two ways of writing one number or address have in common."""
    return re.sub(r"[\s().\-/+]", "", one).lower()


# Mail addresses

_TLD = "com|net|org|info|io|co|me|dev|app|eu|de|at|ch|fr|es|it|nl|be|uk|ie|us|ca|au|nz|cn|tw|hk|jp|kr|in|br|mx|se|no|dk|fi|pl|example|test"
_HOSTS = (
    "gmail|googlemail|hotmail|outlook|live|msn|yahoo|ymail|icloud|me|mac|aol|gmx|web|proton|protonmail|pm|mail|qq|163|126|sina|foxmail|naver|yandex|fastmail"
)
_AT = r"\s{0,3}[(\[{<]\s{0,2}(?:at|ät|@|a|arroba|chez)\s{0,2}[)\]}>]\s{0,3}|\s{0,2}(?:艾特|小老鼠|圈a)\s{0,2}|\s{1,3}arroba\s{1,3}"
_DOT = r"\s{0,3}[(\[{<]\s{0,2}(?:dot|punkt|punto|point|点|點|\.)\s{0,2}[)\]}>]\s{0,3}|\s{1,3}(?:dot|punkt|punto|point)\s{1,3}|\s{0,2}[点點]\s{0,2}"
_LOCAL, _HOST = r"[\w.+\-]{1,64}", r"[\w\-]{1,63}"
_SPELT_LOCAL = rf"[\w+\-]{{1,40}}(?:(?:{_DOT}|\.|\s{{1,2}}(?:underscore|dash|minus|hyphen)\s{{1,2}})[\w+\-]{{1,40}}){{0,3}}"
_MAILS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w.+\-@]){_LOCAL}@{_HOST}(?:\.{_HOST}){{1,4}}",
        # "ada @ home . example": spaces round the sign, an ending that is one.
        rf"(?<![\w.+\-@]){_LOCAL}\s{{0,3}}@\s{{0,3}}{_HOST}(?:\s{{0,2}}\.\s{{0,2}}{_HOST}){{0,2}}\s{{0,2}}(?:\.|{_DOT})\s{{0,2}}(?:{_TLD})(?!\w)",
        # "a d a @ h o m e . c o m"
        r"(?<!\w)\w(?: [\w.+\-]){1,40} ?@ ?\w(?: [\w\-]){1,40} ?\. ?\w(?: \w){1,8}(?!\w)",
        rf"(?<![\w.+\-]){_SPELT_LOCAL}(?:{_AT}){_HOST}(?:(?:{_DOT}|\.){_HOST}){{1,3}}",
        rf"(?<![\w.+\-]){_SPELT_LOCAL}\s{{1,3}}at\s{{1,3}}{_HOST}(?:(?:{_DOT}){_HOST}){{1,3}}(?!\w)",
        rf"(?<![\w.+\-])(?!(?:in|up|on|out|us|it|page|pages|look|found|inbox|mail|email|website|site|account|settings|help|support|online|available)\s){_LOCAL}"
        rf"\s{{1,3}}at\s{{1,3}}(?:{_HOSTS})\s{{0,2}}\.\s{{0,2}}(?:{_TLD})(?!\w)",
    )
)


_AT_SIGN = re.compile(r"@|[(\[{<]\s{0,2}(?:at|ät|a|arroba|chez)\s{0,2}[)\]}>]|艾特|小老鼠|圈a|(?<!\w)(?:at|arroba)(?!\w)", re.IGNORECASE)


def _mails(text: str) -> Iterator[Span]:
    for start, end in _windows(text, _AT_SIGN, 170):
        piece = text[start:end]
        for pattern in _MAILS:
            yield from ((start + m.start(), start + m.end(), MAIL) for m in pattern.finditer(piece))


def _windows(text: str, sign: re.Pattern[str], reach: int) -> Iterator[tuple[int, int]]:
    """The stretches round each sign, grown together where they touch: a costly pattern is tried there only."""
    start = end = -1
    for m in sign.finditer(text):
        if start >= 0 and m.start() - reach <= end:
            end = m.end() + reach
            continue
        if start >= 0:
            yield start, min(end, len(text))
        start, end = max(0, m.start() - reach), m.end() + reach
    if start >= 0:
        yield start, min(end, len(text))


# Numbers: cards, phones, identities

_RUN = re.compile(
    r"(?<![A-Za-z0-9_#№$€£¥@/=])(?<!0[xX])(?<!\d[.,:\-])(?<![A-Za-z0-9]-)"
    r"(?:\+[ ]{0,2}|\([ ]?\+?[ ]?)?\d(?:[ ()\t*·_]{0,3}+(?:[.\-/\n|][ ()\t*·_]{0,3}+)?\d){5,30}+"
    r"(?!(?!x\d|ext)[A-Za-z0-9_%€£¥$°])(?![.,:]\d)"
)
_GROUP = re.compile(r"\d+")
_CONTACT = re.compile(
    r"(?<![A-Za-z])(?:call|calls|calling|phone|phones|telephone|tel|ring|text|sms|whatsapp|viber|signal|mobile|cell|cellphone|dial|fax|reach|hotline|"
    r"number is|nr is|numéro|téléphone|telefon|handy|anrufen|nummer|teléfono|llama|llame|móvil|telefono|cellulare|bellen)(?![A-Za-z])"
    r"|电话|電話|手机|手機|拨打|撥打|打给|打給|致电|致電|联系|聯絡|聯繫|微信|号码是|號碼是|携帯|でんわ|전화|휴대폰|연락",
    re.IGNORECASE,
)
_RECORD = re.compile(
    r"(?<![A-Za-z])(?:order|orders|case|cases|ticket|ref|reference|serial|s/?n|sn|model|tracking|invoice|article|part|sku|isbn|ean|upc|imei|mac|id|booking|"
    r"version|firmware|build|release|error|code|item|batch|lot|flight|parcel|shipment|bestellung|rechnung|commande|pedido|kb|article|document|patent|"
    r"channel|channels|port|ports|frequency|timestamp|bestellnummer|auftrag|vorgang)(?![A-Za-z])|订单|訂單|单号|單號|编号|編號|型号|型號|序列号|序號|注文|주문",
    re.IGNORECASE,
)
_CARD_WORD = re.compile(
    r"(?<![A-Za-z])(?:card|visa|mastercard|maestro|amex|debit|credit|karte|carte|tarjeta|carta)(?![A-Za-z])|卡号|卡號|信用卡|银行卡|銀行卡|카드|カード",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|1[0-2]|[12]\d|3[01])[-/. ](?:19|20)\d\d|(?:19|20)\d\d\s?-\s?(?:19|20)\d\d)(?!\d)"
)
_DECIMAL = re.compile(r"\d+\.\d+")
_QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:[ /]\d{1,2})?")
_ISSUERS = re.compile(r"4|5[0-8]|2[2-7]|6|3[0-9]|9792|1800|2131")
"""How numbers of payment cards begin (ISO/IEC 7812 major industries 1 to 6, as issued)."""
_LENGTHS = {"4": (13, 16, 19), "5": (16,), "2": (16,), "6": (16, 17, 18, 19), "3": (14, 15, 16), "9": (16,), "1": (15,)}


def _numbers(text: str) -> Iterator[Span]:
    for m in _RUN.finditer(text):
        raw, start, end = m.group(), m.start(), m.end()
        groups = _GROUP.findall(raw)
        digits = "".join(groups)
        before, after = text[max(0, start - BEFORE) : start], text[end : end + AFTER]
        context = _nearest_word(before, after)
        if (card := _card_in(raw, digits, context)) is not None:
            yield start + card[0], start + card[1], CARD
        elif _identity(raw, digits, groups):
            yield start, end, IDENTITY
        elif _phone(raw, digits, groups, context):
            yield start, end, PHONE


def _nearest_word(before: str, after: str) -> str:
    """What the words round a number make of it: `contact`, `record`, `card`, or nothing. The last word before it counts most."""
    found = [(m.end(), name) for name, pattern in (("contact", _CONTACT), ("record", _RECORD), ("card", _CARD_WORD)) for m in pattern.finditer(before)]
    if found:
        return max(found)[1]
    return "contact" if _CONTACT.search(after) else ""


def _card_in(raw: str, digits: str, context: str) -> tuple[int, int] | None:
    """Where in the run a card number stands: the whole of it, or whole groups of it (an expiry or a code may follow)."""
    pieces = [(m.start(), m.end()) for m in _GROUP.finditer(raw)]
    if len(digits) < 13 or (context == "record" and len(pieces) < 3):
        return None
    for first in range(len(pieces)):
        number = ""
        for last in range(first, len(pieces)):
            number += raw[pieces[last][0] : pieces[last][1]]
            if len(number) > 19:
                break
            whole = (first, last) == (0, len(pieces) - 1)
            if len(number) < 13 or not (whole or len(number) in (15, 16) or context == "card"):
                continue
            if _is_card(number) or (context == "card" and len(number) >= 15 and len(set(number)) > 2):
                return pieces[first][0], pieces[last][1]
    return None


def _is_card(number: str) -> bool:
    return len(number) in _LENGTHS.get(number[0], ()) and _ISSUERS.match(number) is not None and len(set(number)) > 1 and luhn(number)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812 check digit."""
    total = 0
    for place, ch in enumerate(reversed(digits)):
        n = int(ch) * (2 if place % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


_BORN = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_CHINESE_ID = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _identity(raw: str, digits: str, groups: list[str]) -> bool:
    """A US social security number as it is written, or a Chinese identity number (GB 11643, its check digit holds)."""
    if [len(group) for group in groups] == [3, 2, 4] and raw.count("-") == 2 and groups[0] not in ("000", "666") and groups[0][0] != "9":
        return True
    return (
        len(digits) == 18
        and _BORN.match(digits, 6) is not None
        and "10X98765432"[sum(int(d) * w for d, w in zip(digits[:17], _CHINESE_ID, strict=True)) % 11] == digits[17]
    )


def _phone(raw: str, digits: str, groups: list[str], context: str) -> bool:
    """A number somebody can be called at, by how it is written or by the words round it."""
    if not 7 <= len(digits) <= 16 or len(set(digits)) < 3 or _DATE.search(raw) or _QUAD.fullmatch(raw.strip()):
        return False
    sizes = [len(group) for group in groups]
    if raw.lstrip("( ").startswith("+"):
        return len(digits) >= 8
    if set(re.sub(r"[\d ]", "", raw)) == {"."} and sizes != [3, 3, 4] and (not digits.startswith("0") or _DECIMAL.fullmatch(raw)):
        return False
    if digits.startswith("00") and 11 <= len(digits) <= 15:
        return context != "record"
    american = sizes[-3:] == [3, 3, 4] and groups[-3][0] in "23456789" and (len(sizes) == 3 or (len(sizes) == 4 and groups[0] == "1"))
    chinese = len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789" and sizes in ([11], [3, 4, 4], [3, 8], [4, 4, 3], [3, 3, 5], [4, 3, 4])
    national = digits[0] == "0" and ((9 <= len(digits) <= 12 and len(groups[0]) <= 6) or len(digits) in (10, 11))
    indian = sizes == [5, 5] and digits[0] in "6789"
    if american or chinese or national or indian:
        return context != "record"
    if context == "contact":
        return 7 <= len(digits) <= 13
    if sizes == [10] and digits[0] in "23456789" and digits[3] in "23456789":
        return context == ""
    return sizes == [11] and digits[0] == "1" and digits[1] in "23456789" and digits[4] in "23456789" and context == ""


# Bank accounts

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][ .\-]{0,2}[A-Za-z][ .\-]{0,2}\d[ .\-]{0,2}\d(?=[ .:\-]{0,2}[A-Za-z0-9])")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24,
    "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an IBAN by country (SWIFT's registry)."""
_ACCOUNT = re.compile(
    r"(?<![A-Za-z])(?:sort\s?code)\W{0,3}(?:is\W{0,2})?(?P<sort>\d\d[ \-]\d\d[ \-]\d\d)"
    r"|(?:bank\s)?(?:account|acct|a/c|konto|routing)[\s\-]{0,2}(?:number|no|nr|nummer|num|#)?\W{0,3}(?:(?:is|ist)\W{0,2})?(?P<account>\d[\d \-]{5,18}\d)"
    r"|(?:账号|帳號|账户|帳戶|银行卡号)\W{0,2}[是为為]?\W{0,2}(?P<han>\d[\d \-]{5,20}\d)",
    re.IGNORECASE,
)


def _banks(text: str) -> Iterator[Span]:
    for m in _IBAN.finditer(text):
        compact, places = _compact(text, m.start(), 34)
        length = _IBAN_LENGTHS.get(compact[:2])
        if length and len(compact) >= length and _mod_97(compact[:length]):
            yield m.start(), places[length - 1] + 1, BANK
    for m in _ACCOUNT.finditer(text):
        name = m.lastgroup or "account"
        yield m.start(name), m.end(name), BANK if name == "sort" else ACCOUNT


def _compact(text: str, start: int, most: int) -> tuple[str, list[int]]:
    """Up to `most` letters and digits from here on, over gaps of at most two other characters, with their places."""
    found, places, gap = "", [], 0
    for place in range(start, min(len(text), start + 3 * most)):
        ch = text[place]
        if ch.isascii() and ch.isalnum():
            found, gap = found + ch.upper(), 0
            places.append(place)
            if len(found) == most:
                break
        elif ch in " .-_/:\t\n" and gap < 2:
            gap += 1
        else:
            break
    return found, places


def _mod_97(iban: str) -> bool:
    """ISO 7064: moved to the end, letters as 10 to 35, the number leaves 1."""
    return int("".join(str(int(ch, 36)) for ch in iban[4:] + iban[:4])) % 97 == 1


# Postal addresses

_TYPES = (
    "Street|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Terrace"
    "|Close|Crescent|Cres|Highway|Hwy|Parkway|Pkwy|Gardens|Grove|Mews|Row|Alley|Circle|Cir|Trail|St"
)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
_PLACES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![\w.])\d{{1,5}}[A-Za-z]?,?\s{{1,2}}(?:(?:North|South|East|West|[NSEW])\.?\s)?(?:(?:[A-Z][\w'’.\-]{{1,20}}|\d{{1,3}}(?:st|nd|rd"
        rf"|th))\s{{1,2}}){{1,3}}(?:{_TYPES})\b\.?",
        r"(?<![\w.])\d{1,5}[a-z]?,?\s{1,2}(?:[a-z]{3,15}\s){1,2}(?:street|avenue|boulevard|blvd|lane|road|rd|ave)(?!\w)",
        rf"(?<![A-Za-z])(?:[A-Z][a-z]{{1,20}}\s){{0,2}}[A-Z][a-z]{{1,20}},?\s{{1,2}}(?:{_STATES})\s{{1,2}}\d{{5}}(?:-\d{{4}})?(?!\d)",
        r"(?<![A-Za-z0-9])[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]? (?!\d(?:GB|TB))\d[ABD-HJLNP-UW-Z]{2}(?![A-Za-z0-9])",
        r"(?i:(?<!\w)p\.?\s?o\.?\s?box\s{1,2}\d{1,6}(?!\w))|(?<!\w)Postfach\s\d{1,3}(?:\s?\d{2,3}){0,2}",
        r"(?<!\w)(?:[A-ZÄÖÜ][\wäöüß\-]{0,20}\s)?[A-ZÄÖÜ][a-zäöüß\-]{2,24}(?:straße|strasse|str\.|weg|gasse|platz|allee|damm|ufer"
        r"|ring)\s{1,2}\d{1,4}\s?[a-z]?(?!\w)",
        r"(?<!\w)[A-ZÄÖÜ][a-zäöüß]{2,20}(?:er|e)?\s(?:Straße|Strasse|Str\.|Weg|Gasse|Platz|Allee|Damm|Ufer|Ring)\s{1,2}\d{1,4}\s?[a-z]?(?!\w)",
        r"(?i:(?<!\w)\d{1,4}(?:\s?(?:bis|ter))?,?\s{1,2}(?:rue|chemin|impasse|allée|quai)\s[\wàâéèêëîïôûç'’\-]{2,24})",
        r"(?<!\w)\d{1,4}(?:\s?(?:bis|ter))?,?\s{1,2}(?:[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]ours)\s(?:(?:de|du|des)\s(?:la\s|l['’])?[A-ZÀ-Ý]|d['’][A-ZÀ-Ý]"
        r"|[A-ZÀ-Ý][a-zà-ÿ])[\wà-ÿ'’\-]{1,24}",
        r"(?<!\w)(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Carrera|Rua|Viale"
        r"|Piazza)\s{1,2}(?:d[eao]s?\s|del\s|della\s){0,2}[A-ZÁÉÍÓÚ\d][\wáéíóúñ .'’\-]{2,36}?,?\s{1,2}(?:n[º°o]\.?\s?)?\d{1,4}(?!\w)",
        r"(?<!\w)Via\s[A-Z][a-zàèéìòù]{2,20}(?:\s[A-Z][a-zàèéìòù]{2,20})?,\s?\d{1,4}(?!\w)",
        r"(?<!\w)[A-Z][a-z]{2,24}(?:straat|laan|plein|gracht|kade|dreef)\s{1,2}\d{1,4}\s?[a-z]?(?!\w)",
        r"[\u4e00-\u9fff]{2,8}(?:路|街|大道|巷|弄|胡同)\s?[\d一二三四五六七八九十百]{1,6}\s?[号號弄巷]|(?:路|街)[一二三四五六七八九十]{1,2}段\s?\d{1,4}"
        r"|\d{1,4}\s?[号號]?[楼樓栋棟幢]\s?(?:\d{1,3}\s?单元)?\s?\d{2,4}\s?室|(?:省|市|区|區|县"
        r"|縣)[\u4e00-\u9fff]{2,8}(?:路|街)\s?\d{1,5}",
        r"〒\s?\d{3}-?\d{4}|[\u3040-\u30ff\u4e00-\u9fff]{1,8}[\d一二三四五六七八九十]{1,2}丁目\s?\d{1,3}(?:番地?|-)\s?\d{0,3}",
        r"[가-힣]{1,10}(?:로|길)\s?\d{1,4}번길\s?\d{0,4}|[가-힣]{1,10}(?:대로|로|길)\s\d{1,4}(?:-\d{1,3})?,?\s\d{1,4}(?:동|호)|\d{1,4}동\s?\d{1,4}호"
        r"|[가-힣]{1,10}(?<!그)대로\s?\d{1,4}(?!번)",
    )
)
_NO_PLACE = re.compile(r"(?i)\d+\s(?:hour|minute|second|day|step|way|mile|meter|metre|km|lane|gb|ghz|mhz|more|other|different|easy|quick|star)")
_DIGIT_NEAR = re.compile(r"\d|[一二三四五六七八九十百]{1,4}[号號弄]|丁目")


def _places(text: str) -> Iterator[Span]:
    for start, end in _windows(text, _DIGIT_NEAR, 90):
        piece = text[start:end]
        for pattern in _PLACES:
            for m in pattern.finditer(piece):
                if not _NO_PLACE.match(m.group()):
                    yield start + m.start(), start + m.end(), PLACE


# Passwords and keys

_WORD = (
    r"password|pass(?=\s{0,2}[:=])|passcode|passwd|passphrase|pass\s?phrase|pwd|pass\s?word|pin(?:\s?code)?|puk|passwort|kennwort|mot\sde\spasse"
    r"|contraseña|wachtwoord|senha|密码|密碼|口令|パスワード|비밀번호"
)
_SECRET = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_WORD})(?![A-Za-z]))(?:\s(?:for|of|to)\s(?:\w{{1,15}}\s?){{1,3}})?\s{{0,3}}(?P<sign>is|was|=|:|ist|est|es|是|为|為|は|has\sbeen|->"
    rf"|→|-)\s{{0,3}}(?P<quote>[\"'“‘`「]?)(?P<secret>[^\s\"'”’`」]{{3,60}})",
    re.IGNORECASE,
)
_FACTORY = re.compile(r"(?:default|standard|factory|initial|preset|example|sample|默认|默認|预设|預設|出厂|初始)[\w\s]{0,12}$", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)?")
_CODE = re.compile(
    r"(?<![A-Za-z])(?:cvv2?|cvc2?|cid|security\scode|card\scode)\W{0,3}(?:is\W{0,2})?(?P<cvv>\d{3,4})(?!\d)"
    r"|(?:(?:verification|one[\s-]?time|sms|otp|2fa|login|auth(?:entication)?)\s?(?:code|pass(?:word|code))|otp|验证码|驗證碼|인증번호)\W{0,3}(?:is|was|是|为"
    r"|為)?\W{0,3}(?P<otp>\d{4,8})(?!\d)"
    r"|(?<![A-Za-z])(?:PIN|pin)(?:\scode)?\s{1,2}(?P<pin>\d{4,8})(?!\d)",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_\-]{16,200}"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_\-]{16,64}"
    r"|xox[abeprs]-[A-Za-z0-9\-]{10,200}|(?:AKIA|ASIA)[0-9A-Z]{12,20}|AIza[0-9A-Za-z_\-]{30,45}|ya29\.[0-9A-Za-z_\-]{20,200}"
    r"|npm_[A-Za-z0-9]{30,40}|hf_[A-Za-z0-9]{20,60}|SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}|pypi-[A-Za-z0-9_\-]{16,255}"
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{8,2000}(?:\.[A-Za-z0-9_\-]{0,2000})?|AGE-SECRET-KEY-[A-Z0-9]{20,80}"
    r"|EAA[A-Za-z0-9]{30,300}|AC[0-9a-f]{32}|SK[0-9a-f]{32}|whsec_[A-Za-z0-9+/=]{16,80}"
    r")|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
)
_NAMED_KEY = re.compile(
    r"(?<![A-Za-z])(?:api[\s_-]?key|api[\s_-]?token|access[\s_-]?(?:key|token)|secret(?:[\s_-]?key)?|auth[\s_-]?token|private[\s_-]?key|token|bearer"
    r"|license[\s_-]?key)"
    r"(?:\s{0,3}(?:is|=|:|：)\s{0,3}|\s{1,3})[\"'“‘`]?(?P<key>[A-Za-z0-9_\-+/=.]{12,400})",
    re.IGNORECASE,
)
_LONG = re.compile(r"(?<![A-Za-z0-9_/\-.=+])[A-Za-z0-9_\-+/]{32,400}+={0,2}(?![A-Za-z0-9_/\-.])")


def _secrets(text: str) -> Iterator[Span]:
    for m in _SECRET.finditer(text):
        secret = m["secret"].rstrip(".,;:!?)。，！？")
        ends = not text[m.start("secret") + len(secret) :].lstrip(" ")[:1].isalnum()
        if (
            len(secret) >= 3
            and _is_secret(secret, m["sign"], quoted=bool(m["quote"]), ends=ends)
            and not _FACTORY.search(text[max(0, m.start() - 24) : m.start()])
        ):
            yield m.start("secret"), m.start("secret") + len(secret), PASSWORD
    for m in _CODE.finditer(text):
        name = m.lastgroup or "otp"
        if not _FACTORY.search(text[max(0, m.start() - 24) : m.start()]):
            yield m.start(name), m.end(name), PASSWORD
    yield from ((m.start(), m.end(), KEY) for m in _KEYS.finditer(text))
    for m in _NAMED_KEY.finditer(text):
        if _is_random(m["key"], 12):
            yield m.start("key"), m.end("key"), KEY
    for m in _LONG.finditer(text):
        if _is_random(m.group(), 32) and not re.fullmatch(r"[0-9a-fA-F\-]+", m.group()):
            yield m.start(), m.end(), KEY


_PUBLIC_WORDS = {
    "admin", "password", "default", "guest", "none", "user", "root", "printed", "required", "optional", "wrong", "correct", "incorrect", "invalid",
    "unchanged", "forgotten", "empty", "blank", "missing", "expired", "case-sensitive", "yes", "no", "same", "label", "sticker",
}  # fmt: skip


def _is_secret(secret: str, sign: str, *, quoted: bool, ends: bool) -> bool:
    """Whether what follows "password is" is one, and not a sentence going on ("is wrong", "is printed on the label")."""
    if secret.lower() in _PUBLIC_WORDS or secret.startswith(("http", "[", "{", "<", "*", "…", "_", "(")):
        return False
    if _PLAIN_WORD.fullmatch(secret):
        mixed = secret[1:] != secret[1:].lower() and not secret.isupper()
        return quoted or mixed or (ends and sign in (":", "=", "->", "→"))
    return any(ch.isdigit() or ch in "!@#$%^&*_+=" for ch in secret)


def _is_random(key: str, least: int) -> bool:
    """Letters and digits as only a machine mixes them."""
    if len(key) < least or not any(ch.isdigit() for ch in key) or not any(ch.isalpha() for ch in key):
        return False
    changes = sum((a.isdigit() != b.isdigit()) or (a.islower() and b.isupper()) for a, b in itertools.pairwise(key))
    return changes >= len(key) / 8


_BIRTH = re.compile(
    r"(?<![A-Za-z])(?:date\sof\sbirth|d\.?o\.?b\.?|born(?:\son)?|birthday|geboren(?:\sam)?|出生|生日)\W{0,3}(?:is\W{0,2}"
    r"|是)?(?P<day>\d{1,4}[-/. 年]\s?\d{1,2}[-/. 月]\s?\d{1,4}日?)",
    re.IGNORECASE,
)
_PASSPORT = re.compile(
    r"(?:passport|passeport|reisepass|护照|護照)[\s\-]{0,2}(?:number|no|nr|号码|號碼)?\W{0,3}(?:is\W{0,2}|是)?(?P<pass>[A-Z]{0,2}\d{6,9})(?!\d)", re.IGNORECASE
)
_ID_X = re.compile(r"(?<!\d)\d{17}[xX](?![A-Za-z0-9])")


def _identities(text: str) -> Iterator[Span]:
    yield from ((m.start("day"), m.end("day"), "A date of birth") for m in _BIRTH.finditer(text))
    yield from ((m.start("pass"), m.end("pass"), IDENTITY) for m in _PASSPORT.finditer(text))
    for m in _ID_X.finditer(text):
        if "10X98765432"[sum(int(d) * w for d, w in zip(m.group()[:17], _CHINESE_ID, strict=True)) % 11] == "X":
            yield m.start(), m.end(), IDENTITY


LOOKS: tuple[Callable[[str], Iterator[Span]], ...] = (_mails, _numbers, _banks, _places, _secrets, _identities)
