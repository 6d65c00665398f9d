"""The real deployment: the template as a stack on ministack, and a day of the marketplace through its HTTP API.

Each step prints what it saw; the first one that sees something else ends the check. Argument: the port of ministack;
the next ones are that of the proxy before its tables, and that of the clock.
"""

import concurrent.futures
import datetime
import json
import struct
import sys
import time
import urllib.request
import zlib
from collections import Counter
from pathlib import Path

import boto3
from market import Api, Books, Json, Wrong, check, wait_for
from world import HIDDEN, Deployment, deployed

MERCHANTS = {"alma": ("mug", "10.00"), "birch": ("scarf", "20.00")}
PLENTY = 1000
SCARCE = 24
SHOPPERS = 32
AT_ONCE = 4


def eur(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


def of_merchants(at: Deployment, path: str) -> list[Json]:
    return [item for merchant in at.merchants.values() for item in at.operator.items(f"{path}?merchant={merchant}")]


def sells(at: Deployment) -> str:
    """Two merchants: a mug, of which there are plenty, and a scarf, of which there are few."""
    post = at.operator.post
    fee = [{"fee": "commission", "percent": "15"}]
    post("/v1/marketplace/set-settings", {"hold_days": 3, "commission": fee, "critical_balance": eur("50.00")})
    tax = {"rates": [{"from": "2021-01-01", "treatment": "standard", "percent": "19"}]}
    post("/v1/tax/rates/DE/set", tax)
    post("/v1/sales-channels/web/set", {"locales": ["en"], "currency": "EUR"})
    calendar = {"time_zone": "Europe/Berlin", "working_days": [1, 2, 3, 4, 5], "cut_off_hour": 14, "handling_days": 1}
    rate = {"service": "standard", "price": {"flat": eur("4.90")}, "transit_days": [1, 3]}
    zone = {"name": "germany", "areas": [{"country": "DE"}], "rates": [rate]}
    for name, (sku, price) in MERCHANTS.items():
        merchant = post("/v1/merchants", {"name": name, "external_id": name, "schedule": {"every": "day"}})["id"]
        post(f"/v1/merchants/{merchant}/approve")
        post(f"/v1/merchants/{merchant}/set-payout-account", {"holder": name, "iban": "DE89370400440532013000"})
        post(f"/v1/merchants/{merchant}/activate-payout-account")
        post(f"/v1/delivery/{merchant}/set", {"calendar": calendar, "zones": [zone]})
        product = post("/v1/products", {"merchant": merchant, "title": sku, "variants": [{}]})["id"]
        offer = {"merchant": merchant, "product": product, "sku": sku, "price": eur(price)}
        at.merchants[name], at.offers[sku] = merchant, post("/v1/offers", offer)["id"]
    post(f"/v1/stock/{at.offers['mug']}/receive", {"quantity": PLENTY})
    post(f"/v1/stock/{at.offers['scarf']}/receive", {"quantity": SCARCE + 1})
    shown = wait_for("the shop", lambda: at.guest.items("/v1/shop/products"), lambda shown: len(shown) == 2)
    return f"{len(at.merchants)} merchants sell {', '.join(sorted(product['title'] for product in shown))}"


def buys(at: Deployment, guest: Api, email: str) -> Json:
    """A guest's way from an empty cart to its order, as a page goes it. Answers where the checkout has ended."""
    cart = guest.post("/v1/carts", {"country": "DE"})["id"]
    address = {"name": "Ines", "lines": ["Lindenweg 5"], "city": "Berlin", "postal_code": "10969", "country": "DE"}
    edit = {
        "add": [{"offer": offer, "quantity": 1} for offer in at.offers.values()],
        "contact": {"email": email},
        "address": address,
        "delivery": [{"merchant": merchant, "service": "standard"} for merchant in at.merchants.values()],
    }
    guest.post(f"/v1/carts/{cart}/edit", edit)
    checkout = guest.post(f"/v1/checkouts/{cart}/hold")
    if [each["code"] for each in checkout["unmet"]] != ["payment_missing"]:
        return checkout
    means = [{"method": "card", "token": "tok_approved"}]
    pay = {"expected_total": checkout["total"], "payments": means}
    paid = guest.send("POST", f"/v1/checkouts/{cart}/pay", pay)
    # Whoever has lost the answer asks what became of the payment.
    while paid.status == 202 or paid.body.get("code") == "payment_in_flight":
        time.sleep(0.5)
        paid = guest.send("POST", f"/v1/checkouts/{cart}/confirm", {})
    return paid.body


def first_order(at: Deployment) -> str:
    """One checkout, and what follows from it: split, payment, ledger, confirmation."""
    paid = buys(at, at.guest, "ines@post.example")
    check(paid.get("status") == "completed", f"the checkout was not paid: {paid}")
    path = f"/v1/orders/{paid['order']['id']}"

    def split(order: Json) -> bool:
        return len(order["merchant_orders"]) == 2 and all(part["status"] == "open" for part in order["merchant_orders"])

    order = wait_for("the split", lambda: at.operator.get(path), split)
    total = order["totals"]["total"]
    check(order["status"] == "paid" and total == eur("39.80"), f"the order is {order['status']} over {total}")
    at.settle()
    return f"{total['amount']} paid, {len(order['merchant_orders'])} merchant orders open"


def mails(at: Deployment) -> Counter[str]:
    """How many mails SES was given for whom."""
    with urllib.request.urlopen(f"{at.aws}/_ministack/ses/messages") as got:
        sent = [mail for of_account in json.load(got)["messages"].values() for mail in of_account]
    return Counter(reader for mail in sent for reader in mail["To"])


def confirmation(at: Deployment) -> str:
    """The order is confirmed by mail, once."""
    sent = wait_for("the confirmation", lambda: mails(at), lambda sent: "ines@post.example" in sent)
    check(sent["ines@post.example"] == 1, f"mails: {sent}")
    return f"{sent['ines@post.example']} mail"


def poison(at: Deployment) -> str:
    """A message that cannot be handled ends among the dead letters, where the operator sees it and sends it back."""
    sqs, name = boto3.client("sqs"), "OrderSplitQueue"
    m = at.operator.get("/v1/marketplace")["id"]
    at.hide(name, 1)
    letter = {"id": "poison.1", "name": "order.placed.v1", "marketplace": m, "subject": "poison", "data": {}}
    sqs.send_message(QueueUrl=at.queue(name), MessageBody=json.dumps(letter))
    wait_for("the dead letter", at.dead_letters, lambda dead: dead == {"order-split": 1})
    shown = at.operator.get("/v1/dead-letters/order-split")["items"]
    check([each["event_id"] for each in shown] == ["poison.1"], f"the operator is shown {shown}")
    back = at.operator.post("/v1/dead-letters/order-split/replay")
    check(back == {"sent_back": 1}, f"sending it back answers {back}")
    wait_for("its second end", at.dead_letters, lambda dead: dead == {"order-split": 1})
    at.hide(name, HIDDEN)
    return f"after {shown[0]['received']} receptions among the dead letters of order-split; sent back, there again"


def every_list() -> list[str]:
    """Paths that show a list without being told what of."""
    paths = json.loads(Path("infra/openapi.json").read_text())["paths"]
    return [path for path, methods in paths.items() if "get" in methods and "{" not in path]


def looks(at: Deployment) -> str:
    """Every function answers: what can be listed is, and schedules run. So their policies let them."""
    statuses = Counter(at.operator.send("GET", path).status for path in every_list())
    check(max(statuses) < 500, f"lists answer {dict(statuses)}")
    schedules = [name for name, kind in at.stack.kinds.items() if kind == "AWS::Scheduler::Schedule"]
    for name in schedules:
        at.run_schedule(name, at.clock.now())
    return f"{sum(statuses.values())} lists: {dict(statuses)}; {len(schedules)} schedules ran"


def upload(sent: Json, data: bytes) -> None:
    """To the signed address that came with it."""
    request = urllib.request.Request(sent["upload"]["url"], data, sent["upload"]["headers"], method="PUT")
    with urllib.request.urlopen(request) as got:
        check(got.status == 200, f"the bucket answers {got.status}")


def picture() -> bytes:
    """A PNG of eight times eight gray pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(range(row, row + 8)) for row in range(8))
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def files(at: Deployment) -> str:
    """A catalog and a picture come through their buckets, and a feed goes: bucket, bus, queue, function."""
    post, get = at.operator.post, at.operator.get
    fields = {"id": "external_id", "sku": "sku", "merchant": "merchant", "name": "title"}
    mappings: list[Json] = [{"from": {"column": column}, "to": {"field": to}} for column, to in fields.items()]
    mappings.append({"from": {"column": "price"}, "to": {"field": "price"}, "steps": [{"money": "EUR"}]})
    post("/v1/import-profiles/shop/set", {"mappings": mappings})
    catalog = b"id,sku,merchant,name,price\n7,jug,alma,A jug,24.50\n8,bowl,alma,A bowl,9.00\n"
    sent = post("/v1/imports", {"name": "goods.csv", "profile": "shop", "format": "csv", "bytes": len(catalog)})
    upload(sent, catalog)
    done = wait_for("the import", lambda: get(f"/v1/imports/{sent['id']}"), lambda seen: seen["status"] == "done")
    check(done["counts"]["created"] == 2, f"the import counts {done['counts']}")

    png = picture()
    asset = {"merchant": at.merchants["alma"], "name": "jug_01.png", "content_type": "image/png", "length": len(png)}
    sent = post("/v1/assets", asset)
    upload(sent, png)
    shown = wait_for("the picture", lambda: get(f"/v1/assets/{sent['id']}"), lambda seen: "shown" in seen)

    feed = post("/v1/exports", {"channel": "web", "locale": "en", "format": "csv"})["id"]
    told = wait_for("the export", lambda: get(f"/v1/exports/{feed}"), lambda seen: seen["status"] == "done")
    with urllib.request.urlopen(told["file"]["url"]) as got:
        lines = got.read().decode().strip().splitlines()
    return f"2 rows imported, {len(shown['shown']['sizes'])} sizes of a picture, {len(lines)} lines exported"


def paid_out(at: Deployment) -> str:
    """An order is delivered; some nights later its merchants are paid, by files for the bank."""
    order = at.operator.items("/v1/orders")[0]["id"]
    for part in at.operator.get(f"/v1/orders/{order}")["merchant_orders"]:
        parcel = {"carrier": "dhl", "tracking_number": f"T-{part['id']}"}
        shipped = at.operator.post(f"/v1/merchant-orders/{part['id']}/ship", parcel)["shipments"][0]["id"]
        at.operator.post(f"/v1/merchant-orders/{part['id']}/shipments/{shipped}/track", {"status": "delivered"})
    at.settle()
    at.clock.move_on(days=6)
    at.run_schedule("PayoutNightly", at.clock.now().replace(hour=1, minute=0, second=0))

    def good(payouts: list[Json]) -> bool:
        return len(payouts) == 2 and all(payout["status"] == "sent" for payout in payouts)

    sent = wait_for("payouts", lambda: of_merchants(at, "/v1/payouts"), good)
    at.settle()
    bucket = at.stack.resources["Documents"]
    files = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    check(len(files) == 2, f"files in the bucket: {files}")
    return f"{' and '.join(payout['amount']['amount'] for payout in sent)} on {len(files)} files for the bank"


def by_phone(at: Deployment) -> str:
    """A channel's order, which is split before it is paid."""
    line = {"merchant_external_id": "alma", "sku": "mug", "quantity": 2, "unit_price": eur("10.00")}
    order = at.operator.post("/v1/orders", {"channel": "phone", "external_id": "first", "lines": [line]})["id"]

    def statuses() -> list[str]:
        return [part["status"] for part in at.operator.get(f"/v1/orders/{order}")["merchant_orders"]]

    before = wait_for("the split", statuses, lambda seen: len(seen) == 1)
    at.operator.post(f"/v1/orders/{order}/pay")
    after = wait_for("the payment", statuses, lambda seen: seen == ["open"])
    at.settle()
    return f"its merchant order was {before[0]}, and is {after[0]} since it was paid"


def fault(operation: str, fail: int, ok: int, **what: object) -> Json:
    return {"service": "dynamodb", "operation": operation, "sequence": {"fail": fail, "pass": ok}, **what}


LOST = {"response": {"abort_bytes": 0}}
CUT = {"reset": True}
FAULTS = [
    fault("TransactWriteItems", 1, 5, **LOST),
    fault("TransactWriteItems", 1, 6, error={"code": "ThrottlingException"}),
    fault("TransactWriteItems", 1, 17, error={"code": "InternalServerError"}),
    fault("UpdateItem", 1, 4, **LOST),
    fault("UpdateItem", 1, 7, error={"code": "ProvisionedThroughputExceededException"}),
    fault("PutItem", 1, 5, **LOST),
    fault("PutItem", 1, 8, error={"code": "ThrottlingException"}),
    fault("BatchGetItem", 1, 12, **CUT),
    fault("GetItem", 1, 30, error={"code": "ProvisionedThroughputExceededException"}),
]


def proxy(at: Deployment, method: str, path: str, body: object = None) -> list[Json]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{at.proxy}/_microburst/{path}", data, method=method)
    with urllib.request.urlopen(request) as got:
        return json.load(got)


def rush(at: Deployment) -> str:
    """More shoppers than scarves, and a table that loses answers and is busy."""
    proxy(at, "POST", "rules", FAULTS)
    guest = Api(at.guest.address, at.guest.headers, tries=30)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as shoppers:
        ends = list(shoppers.map(lambda n: buys(at, guest, f"shopper{n}@post.example"), range(SHOPPERS)))
    told = Counter(end["status"] if "order" in end else end["unmet"][0]["code"] for end in ends)
    check(told == {"completed": SCARCE, "lines_unavailable": SHOPPERS - SCARCE}, f"the shoppers' ends: {told}")
    fired = Counter(f"{each['operation']} {each['action']}" for each in proxy(at, "GET", "fired?limit=100000"))
    proxy(at, "POST", "rules", [])
    never = {each["operation"] for each in FAULTS} - {each.split()[0] for each in fired}
    check(not never, f"nothing has gone wrong with {never}: that proves nothing")
    return f"{dict(told)}; requests tried again: {dict(guest.again)}; faults: {dict(fired)}"


def afterwards(at: Deployment) -> str:
    """Every unit and every cent is where it should be, and every order is confirmed."""
    # A mail whose sending was cut off is sent again after a minute.
    at.clock.move_on(minutes=2)
    at.settle()
    back = sent_back(at)
    sold = SCARCE + 1
    orders = at.operator.items("/v1/orders")
    check(len(orders) == sold, f"{len(orders)} orders where {sold} were sold")
    parts = of_merchants(at, "/v1/merchant-orders")
    check(len(parts) == 2 * sold, f"{len(parts)} merchant orders of {sold} orders")
    for sku, received in (("mug", PLENTY), ("scarf", SCARCE + 1)):
        stock = at.operator.get(f"/v1/stock/{at.offers[sku]}")
        place = {word: sum(each[word] for each in stock["locations"]) for word in ("on_hand", "allocated", "held")}
        wanted = {"on_hand": received, "allocated": sold, "held": 0}
        check(place == wanted and stock["available"] == received - sold, f"stock of {sku}: {place}, {wanted} wanted")
    books = Books.read(at.stack.outputs["TableName"])
    check(not books.unbalanced, f"postings that do not balance: {books.unbalanced}")
    debits, credits = sum(books.debits.values()), sum(books.credits.values())
    check(debits == credits, f"debits {debits}, credits {credits}")
    receivable = books.debits["receivable"]
    check(receivable == sold * 3980, f"{receivable} cents were owed for {sold} orders of 39.80")
    seen = f"{sold} orders, {len(parts)} merchant orders, {confirmations(at, sold)}, no scarf left"
    return f"{seen}; {debits} cents debited and credited{back}"


def confirmations(at: Deployment, sold: int) -> str:
    """One for each order. It is sent again, once, where nobody knew whether it was taken; and given up where nobody knew
    that of the second either, which its operator can read."""
    told = [each for each in at.operator.items("/v1/messages") if each["kind"] == "order_confirmed"]
    ends = Counter(each.get("not_sent_because", each["status"]) for each in told)
    check(len(told) == sold and not ends.keys() - {"sent", "unknown"}, f"confirmations of {sold} orders: {ends}")
    taken = mails(at)
    check(ends["sent"] <= len(taken) <= sold and max(taken.values()) <= 2, f"mails: {taken}; confirmations: {ends}")
    return f"{taken.total()} mails for {len(taken)}, confirmations {dict(ends)}"


def sent_back(at: Deployment) -> str:
    """Messages that met a fault at each of their receptions are given up; the operator sends them back, and they are
    handled: on AWS they are hidden for minutes, which a rush does not last."""
    given_up = at.dead_letters()
    for queue in given_up:
        at.operator.post(f"/v1/dead-letters/{queue}/replay")
    at.settle()
    dead = at.dead_letters()
    check(not dead, f"dead letters, although nothing goes wrong any more: {dead}")
    return f"; sent back from dead letters: {given_up}" if given_up else ""


STEPS = [sells, first_order, confirmation, files, looks, rush, afterwards, paid_out, by_phone, poison]


def main(port: int) -> None:
    began = time.monotonic()
    at, told = deployed(port)
    print(f"opened: {told}", flush=True)
    for step in STEPS:
        started = time.monotonic()
        print(f"{step.__name__}: {step(at)} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"all seen in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except Wrong as wrong:
        sys.exit(f"WRONG: {wrong}")
