"""Runs localstripe on loopback, with what Stripe's API has and localstripe lacks: metadata with a capture, and what is
meant for payments to come."""

import sys

from aiohttp import web
from localstripe import resources, server


def capture(id, amount_to_capture=None, metadata=None, **others):
    if others:
        raise server.UserError(400, "Unexpected " + ", ".join(others))
    intent = resources.PaymentIntent._api_retrieve(id)
    intent.metadata = {**intent.metadata, **(metadata or {})}
    charge = intent.latest_charge
    if charge is None or intent.status != "requires_capture":
        raise server.UserError(400, "Bad request", {"code": "payment_intent_unexpected_state"})
    charge._capture(amount=amount_to_capture, on_success=intent._on_success)
    return intent


def keeping(create):
    def wrapped(cls, setup_future_usage=None, **data):
        if setup_future_usage not in (None, "off_session", "on_session"):
            raise server.UserError(400, "Bad request")
        return create(**data)

    return classmethod(wrapped)


def serve(port):
    intents = resources.PaymentIntent
    intents._api_create = keeping(intents._api_create)
    path = "/v1/payment_intents/{id}/capture"
    app = web.Application(middlewares=list(server.app.middlewares))
    app.router.add_post(path, server.api_extra(capture, path))
    for route in server.app.router.routes():
        if route.resource.canonical != path:
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
