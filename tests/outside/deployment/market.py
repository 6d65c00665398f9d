"""The marketplace from outside: its HTTP API, an issuer of tokens, a clock, and what its table holds."""

import base64
import datetime
import http.server
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import boto3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]
T = TypeVar("T")
FRESH = itertools.count(1)


class Wrong(Exception):
    """Something was seen that should not be."""


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


def wait_for(what: str, look: Callable[[], T], good: Callable[[T], bool], seconds: float = 60) -> T:
    """Looks until it is good."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        if time.monotonic() > deadline:
            raise Wrong(f"{what}: not within {seconds:.0f} s; the last look saw {seen!r}")
        time.sleep(0.2)
    return seen


@dataclass
class Answer:
    status: int
    body: Json


@dataclass
class Api:
    """Calls of one caller. What fails on the way is tried again with the same key, as a client should."""

    address: str
    headers: dict[str, str]
    tries: int = 1
    again: Counter[str] = field(default_factory=Counter)

    def send(self, method: str, path: str, body: Json | None = None) -> Answer:
        headers = self.headers | {"Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = f"check-{next(FRESH):032}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        for left in reversed(range(self.tries)):
            try:
                with urllib.request.urlopen(request, timeout=60) as got:
                    return Answer(got.status, json.loads(got.read() or b"{}"))
            except urllib.error.HTTPError as error:
                text = error.read().decode()
                told = json.loads(text) if text.startswith("{") else {"text": text}
                if error.code not in (429, 500, 502, 503, 504) or not left:
                    return Answer(error.code, told)
                self.again[str(error.code)] += 1
            except OSError as error:
                if not left:
                    raise Wrong(f"{method} {path}: {error}") from error
                self.again["no answer"] += 1
            time.sleep(0.2)
        raise AssertionError("the last try answers or raises")

    def done(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = self.send(method, path, body)
        check(200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.body}")
        return answer.body

    def get(self, path: str) -> Json:
        return self.done("GET", path)

    def post(self, path: str, body: Json | None = None) -> Json:
        return self.done("POST", path, body or {})

    def items(self, path: str) -> list[Json]:
        """All pages of a list."""
        found, cursor = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            found += page["items"]
            if "next" not in page:
                return found
            cursor = f"&cursor={page['next']}"


def serve(port: int, text: Callable[[], str]) -> int:
    """A text on loopback, at every path. Answers the port, which is any where none is given."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Clock:
    """What the functions take for the time, which nobody sets on AWS; it can be moved on."""

    def __init__(self, port: int) -> None:
        self.ahead = datetime.timedelta()
        serve(port, lambda: json.dumps({"now": self.now().isoformat()}))

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + self.ahead

    def move_on(self, **by: float) -> None:
        self.ahead += datetime.timedelta(**by)


class Issuer:
    """Signs tokens, and serves its public key."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "check", "x": encoded(public)}
        keys = json.dumps({"keys": [jwk]})
        self.name = f"http://127.0.0.1:{serve(0, lambda: keys)}"

    def token(self, subject: str) -> str:
        now = int(time.time())
        claims = {"iss": self.name, "aud": "souk", "sub": subject, "iat": now, "exp": now + 3600}
        head = {"alg": "EdDSA", "typ": "JWT", "kid": "check"}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        return f"{signed}.{encoded(self.key.sign(signed.encode()))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def minor(amount: str) -> int:
    return int(Decimal(amount) * 100)


@dataclass
class Books:
    """What all postings in the table come to."""

    stories: int = 0
    unbalanced: list[str] = field(default_factory=list)
    debits: Counter[str] = field(default_factory=Counter)
    credits: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, table: str) -> "Books":
        """From the outbox items, which are written with what they tell of. Merchants' payables are one account."""
        books = cls()
        for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                if item["kind"]["S"] == "outbox.1":
                    books.stories += 1
                    for posting in item["value"]["M"].get("postings", {"L": []})["L"]:
                        books.enter(f"{item['subject']['S']}.{item['step']['N']}", posting["L"][1]["L"])
        return books

    def enter(self, story: str, entries: list[Json]) -> None:
        total = 0
        for account, amount in (entry["L"] for entry in entries):
            name, value = account["S"].split(":")[0], int(amount["N"])
            total += value
            self.debits[name] += max(value, 0)
            self.credits[name] += max(-value, 0)
        if total:
            self.unbalanced.append(f"{story} by {total}")

    def balances(self) -> dict[str, tuple[int, int]]:
        return {name: (self.debits[name], self.credits[name]) for name in self.debits.keys() | self.credits.keys()}
