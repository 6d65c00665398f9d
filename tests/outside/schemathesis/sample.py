"""A sample of everything in a fresh marketplace, and the ids and codes under which it can be asked for."""

import json
import os
import re
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from time import monotonic, sleep
from typing import Any

API = "http://127.0.0.1:8080"
PERSON = {"Authorization": f"Bearer {os.environ['SOUK_PERSON']}"}
GUEST = {"Souk-Key": "pk_demo"}
ADDRESS = {"country": "DE", "name": "Ines", "lines": ["Lindenweg 5"], "city": "Berlin", "postal_code": "10969"}
EUR = {"currency": "EUR"}
ID = re.compile(r"\b([a-z]{3})_[a-z0-9]{8,40}\b")


class Sample:
    """Whatever an answer has shown."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = defaultdict(list)

    def ask(self, path: str, body: Any = None, who: dict[str, str] = PERSON) -> Any:
        """Asks, and keeps the ids of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**who, "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(API + path, data, headers)) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise SystemExit(f"{path}: {refused.code} {refused.read().decode()}") from refused
        for found in ID.finditer(text):
            if found[0] not in self.ids[found[1]]:
                self.ids[found[1]].append(found[0])
        return json.loads(text)

    def make(self) -> None:
        """One of each kind that the sample of the local cloud does not have."""
        self.alma = alma = self.ask("/v1/merchants?external_id=alma")["items"][0]["id"]
        mug = {"merchant": alma, "sku": "stoneware-mug-sand", "quantity": 1}
        offer = self.ask(f"/v1/offers?merchant={alma}&sku=stoneware-mug-sand")["items"][0]
        line = {**mug, "unit_price": {"amount": "14.50", **EUR}}
        for name in ("first", "second"):
            order = self.ask("/v1/orders", {"channel": "phone", "external_id": name, "lines": [line]})["id"]
            self.ask(f"/v1/orders/{order}/pay", {})
        cart = self.ask("/v1/carts", {"country": "DE"}, GUEST)["id"]
        words = {"add": [mug], "contact": {"email": "ines@post.example"}, "address": ADDRESS}
        self.ask(f"/v1/carts/{cart}/edit", words, GUEST)
        self.ines = self.ask("/v1/customers/me", {"name": "Ines", "email": "ines@post.example"})["id"]
        for whose in (PERSON, GUEST):
            # The guest's becomes a part of the person's.
            cart = self.ask("/v1/carts", {"country": "DE"}, whose)["id"]
            self.ask(f"/v1/carts/{cart}/edit", {"add": [mug]}, whose)
        self.ask(f"/v1/carts/{cart}/claim", {})
        terms = {"interval": {"every": "month"}, "price": {"amount": "19.00", **EUR}, "proration": "second"}
        terms |= {"included": 3, "features": ["products"]}
        plan = self.ask("/v1/plans/publish", {"external_id": "known", "name": "Known", **EUR, "terms": terms})
        payment = {"method": "card", "token": "tok_approved"}
        start = {"customer": self.ines, "plan": plan["id"], "address": ADDRESS, "payment": payment}
        self.ask("/v1/subscriptions", {**start, "time_zone": "Europe/Berlin"})
        wishes = self.ask("/v1/wish-lists", {"name": "Kitchen"}, GUEST)["id"]
        self.ask(f"/v1/wish-lists/{wishes}/edit", {"add": [{"offer": offer["id"], "quantity": 1}]}, GUEST)
        self.ask("/v1/webhook-endpoints", {"address": "http://127.0.0.1:9/hooks", "events": ["order.*"]})
        self.ask("/v1/assets", {"name": "mug.jpg", "content_type": "image/jpeg", "length": 1000})
        self.ask("/v1/sales-channels/known/set", {"locales": ["en"], **EUR})
        self.ask("/v1/attributes/known/set", {"kind": {"is": "text", "max": 200}, "scope": {
            "per_locale": True, "per_channel": False}})
        self.ask("/v1/families/known/set", {"attributes": {"known": {"required": []}}})
        self.ask("/v1/collections/known/set", {"order": "chosen", "members": {"by": "hand", "products": []}})
        self.ask("/v1/categories", {"handle": "known", "name": "Known"})

    def look(self) -> None:
        """Reads every list, of one merchant where it can be, when the parts of the orders are there."""
        contract = json.loads(Path("infra/openapi.json").read_text())
        late = monotonic() + 30
        while not self.ask(f"/v1/merchant-orders?merchant={self.alma}")["items"]:
            if monotonic() > late:
                raise SystemExit("the orders have no parts after 30 seconds")
            sleep(0.1)
        for path, methods in contract["paths"].items():
            parameters = methods.get("get", {"parameters": []})["parameters"]
            names = {each["name"] for each in parameters}
            if "cursor" in names and "{" not in path:
                whose = f"?merchant={self.alma}" if "merchant" in names else f"?customer={self.ines}"
                self.ask(path + (whose if names & {"merchant", "customer"} else ""))
