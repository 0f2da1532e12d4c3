"""Writes vectors.json: requests signed by botocore at one fixed moment.

Run again with `python3 vectors.py > vectors.json` when cases are added; needs botocore.
"""

import datetime
import json
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 2, 3, 4, 5, 6)
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
HOST = "http://127.0.0.1:4566"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

CASES = [
    # name, signer, service, method, path and query, headers, body, session token
    ("ecs json", "SigV4Auth", "ecs", "POST", "/",
     {**JSON, "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}, '{"maxResults": 3}', None),
    ("ecs json with a session token", "SigV4Auth", "ecs", "POST", "/",
     {**JSON, "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}, "{}", "token/with+signs=="),
    ("utf-8 body", "SigV4Auth", "logs", "POST", "/",
     {**JSON, "X-Amz-Target": "Logs_20140328.CreateLogGroup"}, '{"logGroupName": "grüße/ሴ"}', None),
    ("query form", "SigV4Auth", "elasticloadbalancing", "POST", "/", FORM,
     "Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1=a+b%2Fc", None),
    ("empty body", "SigV4Auth", "sts", "POST", "/", FORM, "", None),
    ("header spaces", "SigV4Auth", "ecs", "POST", "/",
     {**JSON, "X-Thing": "  a   b\tc  ", "X-Empty": ""}, "{}", None),
    ("get with query", "SigV4Auth", "sts", "GET",
     "/?Version=2011-06-15&Action=GetCallerIdentity&Zed=~%2F%20x&a=2&a=1&A=3", {}, "", None),
    ("encoded path", "SigV4Auth", "ecs", "GET", "/a%20b/%E1%88%B4/c%2Fd;e=f~g", {}, "", None),
    ("dots in path", "SigV4Auth", "ecs", "GET", "/a/./b/../c//d/", {}, "", None),
    ("unsigned payload", "SigV4Auth", "ecs", "POST", "/",
     {**JSON, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, '{"not": "covered"}', None),
    ("declared payload", "SigV4Auth", "ecs", "POST", "/",
     {**JSON, "X-Amz-Content-SHA256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
     "{}", None),
    ("presigned", "SigV4QueryAuth", "sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", None),
    ("presigned with a session token", "SigV4QueryAuth", "sts", "GET",
     "/?Action=GetCallerIdentity&Version=2011-06-15", {"X-K8s-Aws-Id": "cluster"}, "", "token/with+signs=="),
    ("s3 path", "S3SigV4Auth", "s3", "GET", "/bucket/a%20b//./c", {}, "", None),
]


def sign(name, signer, service, method, target, headers, body, token):
    request = AWSRequest(method=method, url=HOST + target, headers=headers, data=body.encode())
    request.context["payload_signing_enabled"] = True
    signer = getattr(botocore.auth, signer)(Credentials(*KEYS, token), service, "eu-central-1")
    with mock.patch("botocore.auth.get_current_datetime", lambda *_: NOW):
        signer.add_auth(request)
    prepared = request.prepare()
    sent = {key: value if isinstance(value, str) else value.decode() for key, value in prepared.headers.items()}
    sent.setdefault("Host", "127.0.0.1:4566")
    return {
        "name": name,
        "service": service,
        "method": method,
        "uri": prepared.url.removeprefix(HOST),
        "headers": sorted(sent.items()),
        "body": body,
    }


print(json.dumps([sign(*case) for case in CASES], indent=1, ensure_ascii=False))
