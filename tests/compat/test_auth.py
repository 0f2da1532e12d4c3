"""Signatures: the wrong key, the wrong secret, an old date, and no signature at all, each with AWS's own code."""

import datetime
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1})

# service, a harmless call, and what AWS says to: an unknown key, a wrong secret, an old date
FAMILIES = {
    "ecs": ("list_clusters", "UnrecognizedClientException", "InvalidSignatureException", "InvalidSignatureException"),
    "logs": ("describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException", "InvalidSignatureException"),
    "elbv2": ("describe_load_balancers", "InvalidClientTokenId", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "sts": ("get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "ec2": ("describe_vpcs", "AuthFailure", "AuthFailure", "RequestExpired"),
}


@pytest.fixture
def own_keys():
    keys = botocore.session.get_session().get_credentials()
    assert keys is not None, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
    return keys.get_frozen_credentials()


def with_keys(endpoint, service, access_key, secret):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        config=ONCE,
    )


def refusal(client, call):
    with pytest.raises(ClientError) as caught:
        getattr(client, call)()
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"], "every refusal has a request id"
    return response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize("service", FAMILIES)
def test_an_unknown_key_is_refused(endpoint, own_keys, service):
    call, unknown, _, _ = FAMILIES[service]
    client = with_keys(endpoint, service, "AKIAUNHEARDOF0000000", own_keys.secret_key)
    assert refusal(client, call)[0] == unknown


@pytest.mark.parametrize("service", FAMILIES)
def test_a_wrong_secret_is_refused(endpoint, own_keys, service):
    call, _, mismatch, _ = FAMILIES[service]
    client = with_keys(endpoint, service, own_keys.access_key, "not-the-secret")
    assert refusal(client, call)[0] == mismatch


@pytest.mark.parametrize("service", FAMILIES)
def test_an_old_date_is_refused(endpoint, own_keys, service, monkeypatch):
    call, _, _, expired = FAMILIES[service]
    client = with_keys(endpoint, service, own_keys.access_key, own_keys.secret_key)
    set_signing_clock(monkeypatch, datetime.timedelta(minutes=-20))
    code, message = refusal(client, call)
    assert code == expired
    assert "expired" in message


def test_a_date_in_the_future_is_refused(endpoint, own_keys, monkeypatch):
    client = with_keys(endpoint, "ecs", own_keys.access_key, own_keys.secret_key)
    set_signing_clock(monkeypatch, datetime.timedelta(minutes=20))
    code, message = refusal(client, "list_clusters")
    assert code == "InvalidSignatureException"
    assert "not yet current" in message


def test_a_small_difference_of_clocks_is_tolerated(endpoint, own_keys, monkeypatch):
    client = with_keys(endpoint, "sts", own_keys.access_key, own_keys.secret_key)
    set_signing_clock(monkeypatch, datetime.timedelta(minutes=-10))
    assert client.get_caller_identity()["Account"] == "123456789012"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-southeast-2"])
def test_every_region_is_served(endpoint, region):
    identity = boto3.client("sts", endpoint_url=endpoint, region_name=region).get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:iam::123456789012:")


def test_a_session_token_does_no_harm(endpoint, own_keys):
    client = boto3.client(
        "sts",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=own_keys.access_key,
        aws_secret_access_key=own_keys.secret_key,
        aws_session_token="any/token+with=signs==",
    )
    assert client.get_caller_identity()["Account"] == "123456789012"


def test_a_presigned_url_is_accepted(endpoint):
    client = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1")
    url = client.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urllib.request.urlopen(url) as response:
        assert b"<Account>123456789012</Account>" in response.read()


def test_a_body_changed_on_the_way_is_refused(endpoint, own_keys):
    request = AWSRequest(
        method="POST",
        url=endpoint.rstrip("/") + "/",
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
        },
        data=b"{}",
    )
    botocore.auth.SigV4Auth(own_keys, "ecs", "us-east-1").add_auth(request)
    code, body = send(request.url, dict(request.headers), b'{"maxResults": 1}')
    assert code == 400
    assert b'"InvalidSignatureException"' in body


def test_a_request_without_a_signature_is_refused(endpoint):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    }
    code, body = send(endpoint, headers, b"{}")
    assert (code, b'"MissingAuthenticationTokenException"' in body) == (400, True)
    form = urllib.parse.urlencode({"Action": "DescribeLoadBalancers", "Version": "2015-12-01"}).encode()
    code, body = send(endpoint, {}, form)
    assert (code, b"<Code>MissingAuthenticationToken</Code>" in body) == (403, True)


def send(url, headers, body):
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def set_signing_clock(monkeypatch, difference):
    """Makes botocore sign as if its clock were wrong by `difference`."""
    now = datetime.datetime.now(datetime.timezone.utc) + difference
    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: now.replace(tzinfo=None))
        return

    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now.replace(tzinfo=None)

    fake = type("fake", (), {"datetime": Clock, "timedelta": datetime.timedelta})
    monkeypatch.setattr(botocore.auth, "datetime", fake)
