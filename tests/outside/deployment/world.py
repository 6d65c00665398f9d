"""A marketplace on the deployed stack: opened, and looked at as its operator and as the account's owner."""

import datetime
import platform
from dataclasses import dataclass, field

import boto3
import stack
from market import Api, Books, Clock, Issuer, check, minor, wait_for
from stack import Stack

FOUNDER = "founder"
MAIL_FROM = "shop@souk.example"
# Seconds that a message which was not handled is hidden: on AWS it is minutes, here somebody looks on. It is given up
# at its fifth reception, and a mail whose sending was cut off waits for a minute.
HIDDEN = 20


@dataclass
class Deployment:
    aws: str
    """The address of ministack."""
    proxy: str
    clock: Clock
    stack: Stack
    operator: Api
    guest: Api
    merchants: dict[str, str] = field(default_factory=dict)
    offers: dict[str, str] = field(default_factory=dict)

    def queue(self, name: str) -> str:
        return self.stack.resources[name]

    def hide(self, name: str, seconds: int) -> None:
        hidden = {"VisibilityTimeout": str(seconds)}
        boto3.client("sqs").set_queue_attributes(QueueUrl=self.queue(name), Attributes=hidden)

    def queues(self) -> list[str]:
        kinds = self.stack.kinds.items()
        return [name for name, kind in kinds if kind == "AWS::SQS::Queue" and not name.endswith("Dead")]

    def waiting(self) -> dict[str, int]:
        """Messages in queues, those under way included; without dead letters."""
        sqs, seen = boto3.client("sqs"), {}
        for name in self.queues():
            words = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            counts = sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=words)["Attributes"]
            if total := sum(int(count) for count in counts.values()):
                seen[name] = total
        return seen

    def ledger(self) -> dict[str, tuple[int, int]]:
        accounts = self.operator.get("/v1/ledger/accounts")["items"]
        return {account["account"]: (minor(account["debits"]), minor(account["credits"])) for account in accounts}

    def settle(self, seconds: float = 120) -> None:
        """Until every event has been told and handled, and every posting is in the ledger's totals."""
        wait_for("the ledger's totals are not its postings", self.off, lambda off: not off, seconds)
        wait_for("queues are not empty", self.waiting, lambda waiting: not waiting, seconds)

    def off(self) -> list[str]:
        books, ledger = Books.read(self.stack.outputs["TableName"]).balances(), self.ledger()
        names = sorted(books.keys() | ledger.keys())
        return [
            f"{name}: postings {books.get(name)}, total {ledger.get(name)}"
            for name in names
            if books.get(name, (0, 0)) != ledger.get(name, (0, 0))
        ]

    def run_schedule(self, name: str, at: datetime.datetime) -> None:
        """A schedule's run of that time."""
        target = boto3.client("scheduler").get_schedule(Name=self.stack.resources[name])["Target"]
        then = target["Input"].replace("<aws.scheduler.scheduled-time>", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        ran = boto3.client("lambda").invoke(FunctionName=target["Arn"], Payload=then.encode())
        check("FunctionError" not in ran, f"{name}: {ran['Payload'].read().decode()}")

    def dead_letters(self) -> dict[str, int]:
        queues = self.operator.get("/v1/dead-letters")["items"]
        return {queue["queue"]: queue["messages"] for queue in queues if queue["messages"]}


def deployed(port: int) -> tuple[Deployment, str]:
    """The stack, and a marketplace in it, opened by the deployment's operator."""
    aws, proxy, clock = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", Clock(port + 2)
    issuer = Issuer()
    boto3.client("sesv2").create_email_identity(EmailIdentity=MAIL_FROM)
    machine = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    made, told = stack.deploy(
        "souk",
        {
            "Architecture": machine,
            "OperatorIssuer": issuer.name,
            "OperatorJwksUri": f"{issuer.name}/jwks.json",
            "OperatorSubject": FOUNDER,
            "MailFrom": MAIL_FROM,
            "PublicAddress": "https://api.souk.example",
        },
    )
    print(f"deployed: {told}", flush=True)
    api = f"{aws}/_aws/execute-api/{made.resources['Api']}/$default"
    founder = Api(api, {"Authorization": f"Bearer {issuer.token(FOUNDER)}"})
    stranger = Api(api, {"Authorization": f"Bearer {issuer.token('stranger')}"})
    opening = {"name": "Check", "currency": "EUR", "locale": "en"}
    refused = stranger.send("POST", "/v1/marketplaces", opening)
    check(refused.status == 403, f"a stranger opens a marketplace: {refused}")
    opened = founder.post("/v1/marketplaces", opening)
    operator = Api(api, {"Authorization": f"Bearer {opened['api_key']}"})
    shop = operator.post("/v1/api-keys", {"name": "storefront", "scopes": [], "publishable": True})
    guest = Api(api, {"Souk-Key": shop["secret"]})
    at = Deployment(aws, proxy, clock, made, operator, guest)
    for name in at.queues():
        at.hide(name, HIDDEN)
    return at, f"by the deployment's operator; a stranger got {refused.status}"
