"""Runs ministack on loopback, corrected where it differs from AWS in what the deployment rests on."""

import datetime
import json
import os
import socketserver
from typing import Any

os.environ.update(BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0", AUTH="true")

import ministack.app
import ministack.core.iam_actions as actions
import ministack.core.lambda_runtime as runtime
import ministack.services.eventbridge as eventbridge
import ministack.services.lambda_svc as functions

# An answer of the Runtime API waits 40 ms for an acknowledgment, and each invocation 50 ms for lines of its log.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
runtime.ProvidedWorker._drain_stderr_bounded = lambda self, *_, **__: self._drain_stderr()

execute, invoke_target = functions._execute_function, eventbridge._invoke_target
action_of, sent_by, deny = actions.extract_iam_action, actions._ses_v2_resource_arn, actions.access_denied_response


def executed(function: dict[str, Any], event: Any, *more: Any, **named: Any) -> dict[str, Any]:
    """A batch of the table's stream with failures comes again, as a whole; ministack would take it as done."""
    answer = execute(function, event, *more, **named)
    records = event.get("Records") if isinstance(event, dict) else None
    of_stream = bool(records) and records[0].get("eventSource") == "aws:dynamodb"
    body = answer.get("body")
    if of_stream and isinstance(body, dict) and body.get("batchItemFailures"):
        return {"error": True, "body": {"errorType": "Partial", "errorMessage": json.dumps(body)}}
    return answer


def targeted(target: dict[str, Any], *more: Any, **named: Any) -> None:
    """A schedule's input tells its time; ministack hands the placeholder over."""
    minute = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:00Z")
    if "Input" in target:
        target = target | {"Input": target["Input"].replace("<aws.scheduler.scheduled-time>", minute)}
    invoke_target(target, *more, **named)


def allowed_by(*request: Any) -> str | None:
    """Whoever may do something to one message may do it to ten; ministack wants a permission of its own for that.
    A mail that is given whole needs a permission of its own; ministack goes by the call's name."""
    action = action_of(*request)
    if action == "ses:SendEmail":
        return "ses:SendRawEmail"
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def from_sender(method: str, path: str, body: bytes, region: str, account: str) -> str:
    """Sending mail is allowed per sender; ministack asks about all of SES."""
    if path == "/v2/email/outbound-emails":
        return f"arn:aws:ses:{region}:{account}:identity/{json.loads(body)['FromEmailAddress']}"
    return sent_by(method, path, body, region, account)


def denied(service: str, action: str, principal: str, *more: Any, **named: Any) -> Any:
    """What a policy does not allow is told, whatever a function makes of it."""
    print(f"DENIED {action} to {principal}", flush=True)
    return deny(service, action, principal, *more, **named)


functions._execute_function, eventbridge._invoke_target = executed, targeted
actions.extract_iam_action, actions._ses_v2_resource_arn = allowed_by, from_sender
actions.access_denied_response = denied

if __name__ == "__main__":
    ministack.app.main()
