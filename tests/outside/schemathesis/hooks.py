"""What JSON Schema cannot say of our words: formats, what there is, and which refusals are not about form."""

import re
import sys
from itertools import count
from pathlib import Path
from string import ascii_uppercase, digits
from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

sys.path.append(str(Path(__file__).parent))
from sample import ID, Sample  # noqa: E402

# By these codes of `errors`, and of problems, a value is refused for its form: the contract has to say that form.
FORM = {"format", "range", "size", "count"}
FORM |= {"order_line_count", "order_payment_count", "order_quantity", "cart_quantity", "wish_list_quantity"}
FORM |= {"import_profile_size"}
# Lists of which something is required. What else is, and an `amount`, depends on what is said beside it.
NEEDED = ("reasons", "areas", "by_weight", "by_value", "working_days")
# The form of these depends …
DEPENDS = (
    # on a country, or is what the API itself has given,
    *("cursor", "tax_id", "country", "postal_code", "region", "phone"),
    # on the time,
    *("expires_at", "due"),
    # on what a reader of addresses makes of it, on what the database of time zones has,
    *("webhooks address", "time_zone"),
    # on what there is: how deep categories lie,
    "parent",
    # on others beside it: an end on its beginning, what is exported on the format, …
    *("ends_at", "closures[].to", "to_day", "transit_days", "quiet_hours", "exports since", "exports format"),
    # … a row on the rows before, …
    *("rates[]", "after_minutes", "terms.tiers", "terms.dunning"),
    # … something on all others being nothing, …
    *("weights", "terms.features", "terms.goods"),
    # … a length on what is counted or sent, and that of a locale inside of a path,
    *("terms.interval", "media length", "imports bytes", "rows[].path"),
    # or is an amount that has to be more than nothing.
    *("amount", "minimum", "incentive"),
)
# Where a kind is said by a word, serde takes its number too.
KIND = re.compile("-> (.*: )?(by|every|is|on): Incorrect type")
# No body of a payment may have such digits in any text, an amount or a token included.
CARD = "looks like a card number"


def gtin(number: int) -> str:
    """A GTIN-13 with the check digit that fits."""
    text = f"{number:012}"
    return text + str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(text)) % 10)


def iban(account: str) -> str:
    """An account of a German bank with the check digits that fit."""
    rest = "".join(str((digits + ascii_uppercase).index(letter)) for letter in f"{account}DE00")
    return f"DE{98 - int(rest) % 97:02}{account}"


schemathesis.openapi.format("gtin", st.integers(0, 10**12 - 1).map(gtin))
schemathesis.openapi.format("iban", st.text(digits, min_size=18, max_size=18).map(iban))
schemathesis.openapi.format("time-zone", st.sampled_from(sorted(available_timezones())))

known = Sample()
known.make()
known.look()

MADE_UP = re.compile(r"^([a-z]{3})_[a-z0-9]{8,40}$")
PLACE = re.compile(r"\[\d+\]")
CODES = {"code": "known", "handle": "known", "country": "DE", "gateway": "sandbox"}
CODES |= {"kind": "order_confirmed", "locale": "en"}


asked = count(1)
# What answers have named: a chain of requests goes on with it.
given: set[str] = set()


def real(value: Any) -> Any:
    """The same with ids of the sample in the place of most made-up ones."""
    if isinstance(value, dict):
        return {name: real(member) for name, member in value.items()}
    if isinstance(value, list):
        return [real(item) for item in value]
    made_up = MADE_UP.match(value) if isinstance(value, str) else None
    ids = known.ids.get(made_up[1], []) if made_up else []
    if made_up is None or value in ids or value in given:
        return value
    return ([value] + ids)[sum(map(ord, value)) % (len(ids) + 1)]


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Asks of things that there are: a made-up id leads nowhere but to a 404."""
    if case.path_parameters:
        for name, value in case.path_parameters.items():
            if value == real(value) and name in CODES and re.fullmatch("[A-Za-z0-9_-]+", str(value)) and len(value) % 2:
                case.path_parameters[name] = CODES[name]
            else:
                case.path_parameters[name] = real(value)
    key = (case.headers or {}).get("Idempotency-Key", "")
    if re.fullmatch("[!-~]([ -~]{0,200}[!-~])?", str(key)):
        # The same key with another body is refused for that alone.
        case.headers["Idempotency-Key"] = f"{key}-{next(asked)}"
    if isinstance(case.query, dict):
        for name, value in case.query.items():
            case.query[name] = real(value)
    if isinstance(case.body, (dict, list)):
        case.body = real(case.body)


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Remembers what was made."""
    if response.status_code < 300:
        given.update(found[0] for found in ID.finditer(response.text))


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """A 422 for what has the right form is no failure: the contract promises a form, not that things exist."""
    if isinstance(failure, AcceptedNegativeData):
        return not KIND.search(failure.message)
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (400, 422):
        return True
    problem = response.json()
    if response.status_code == 400:
        return CARD not in problem.get("detail", "")
    tag = case.operation.definition.raw["tags"][0]

    def is_form(error: dict[str, str]) -> bool:
        field = f"{tag} {re.sub(PLACE, '[]', error['field'])}"
        if error["code"] == "required":
            return field.endswith(NEEDED)
        return error["code"] in FORM and not field.endswith(DEPENDS)

    return problem["code"] in FORM or any(map(is_form, problem.get("errors", [])))
