"""The template as a stack: what SAM and CloudFormation do with it, without the parts that ministack does not know."""

import hashlib
import io
import json
import re
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path("infra/template.yaml")
BUCKET = "artifacts"
Resources = dict[str, dict[str, Any]]


@dataclass
class Stack:
    resources: dict[str, str]
    """Logical ids and what stands for them."""
    kinds: dict[str, str]
    """Logical ids and their types."""
    outputs: dict[str, str]


class NoPolicies:
    """The account's managed policies, of which the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def upload(s3: Any, resources: Resources) -> int:
    """Archives of what lies where the functions' CodeUri says, which says then where those are. Answers their bytes."""
    total = 0
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = TEMPLATE.parent / resource["Properties"]["CodeUri"] / "bootstrap"
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
                entry = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
                entry.external_attr = 0o755 << 16
                file.writestr(entry, binary.read_bytes())
            body = archive.getvalue()
            key, total = f"{hashlib.sha256(body).hexdigest()}.zip", total + len(body)
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": key}
    return total


def expand(resources: Resources) -> int:
    """SAM writes an HTTP API's routes as an OpenAPI body, which ministack ignores: as resources it knows them."""
    routes: Resources = {}
    for api, resource in list(resources.items()):
        if resource["Type"] != "AWS::ApiGatewayV2::Api":
            continue
        properties = resource["Properties"]
        body = properties.pop("Body")
        cors = body["x-amazon-apigateway-cors"]
        properties["CorsConfiguration"] = {name[0].upper() + name[1:]: cors[name] for name in cors}
        properties |= {"Name": api, "ProtocolType": "HTTP"}
        for path, methods in body["paths"].items():
            for method, operation in methods.items():
                called = operation["x-amazon-apigateway-integration"]
                function = re.search(r"functions/\$\{(\w+)\.", called["uri"]["Fn::Sub"])
                if method != "x-amazon-apigateway-any-method" or function is None:
                    raise ValueError(f"{method} {path} is a route of a kind that is not expanded here")
                # One integration for all routes of a function: with one each it would be more than a stack may have.
                integration = f"{function[1]}Integration"
                resources.setdefault(
                    integration,
                    {
                        "Type": "AWS::ApiGatewayV2::Integration",
                        "Properties": {
                            "ApiId": {"Ref": api},
                            "IntegrationType": "AWS_PROXY",
                            "IntegrationUri": {"Fn::GetAtt": [function[1], "Arn"]},
                            "PayloadFormatVersion": called["payloadFormatVersion"],
                        },
                    },
                )
                routes[f"Route{len(routes)}"] = {
                    "Type": "AWS::ApiGatewayV2::Route",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "RouteKey": path if path == "$default" else f"ANY {path}",
                        "Target": {"Fn::Sub": f"integrations/${{{integration}}}"},
                    },
                }
    resources.update(routes)
    return len(routes)


def leave_out(resources: Resources) -> list[str]:
    """Alarms over sums of metrics, which ministack refuses. Nothing else names them."""
    sums = [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]
    for name in sums:
        del resources[name]
    return sums


def changed(cloud: Any, name: str, parameters: dict[str, str], url: str) -> dict[str, Any]:
    """The stack after its first change set."""
    change = {"StackName": name, "ChangeSetName": "first"}
    cloud.create_change_set(
        **change,
        ChangeSetType="CREATE",
        TemplateURL=url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    while (told := cloud.describe_change_set(**change))["Status"] not in ("CREATE_COMPLETE", "FAILED"):
        time.sleep(0.1)
    if told["Status"] == "FAILED":
        sys.exit(f"WRONG: the change set: {told.get('StatusReason')}")
    cloud.execute_change_set(**change)
    while (stack := cloud.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("IN_PROGRESS"):
        time.sleep(0.2)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        for event in cloud.describe_stack_events(StackName=name)["StackEvents"]:
            if "FAILED" in event["ResourceStatus"]:
                print(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}", file=sys.stderr)
        sys.exit(f"WRONG: the stack is {stack['StackStatus']}")
    return stack


def deploy(name: str, parameters: dict[str, str]) -> tuple[Stack, str]:
    """The stack, and what is to be told of it."""
    s3, cloud = boto3.client("s3"), boto3.client("cloudformation")
    template = yaml_parse(TEMPLATE.read_text())
    size = upload(s3, template["Resources"])
    translated = transform(template, {}, NoPolicies())
    routes = expand(translated["Resources"])
    left_out = leave_out(translated["Resources"])
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(translated).encode())
    outputs = changed(cloud, name, parameters, f"{s3.meta.endpoint_url}/{BUCKET}/template.json")["Outputs"]
    pages = cloud.get_paginator("list_stack_resources").paginate(StackName=name)
    made = [resource for page in pages for resource in page["StackResourceSummaries"]]
    stack = Stack(
        resources={each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made},
        kinds={each["LogicalResourceId"]: each["ResourceType"] for each in made},
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
    )
    told = f"{len(made)} resources, {routes} routes, {size // 1_000_000} MB of functions"
    return stack, f"{told}; without {', '.join(left_out)}"
