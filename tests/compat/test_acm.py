"""Certificate Manager. Certificates are made and looked at with openssl."""

import datetime
import subprocess
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def acm(client):
    return client("acm")


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, input=given)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def own(folder, name, kind="ec"):
    """Makes a certificate that signs itself; returns it and its key."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    made = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    openssl(
        "req", "-x509", "-newkey", *made, "-nodes", "-days", "30", "-subj", f"/O=Example/CN={name}",
        "-addext", f"subjectAltName=DNS:{name},DNS:www.{name}", "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    return certificate.read_bytes(), key.read_bytes()


@pytest.mark.parametrize("kind,algorithm", [("ec", "EC_prime256v1"), ("rsa", "RSA_2048")])
def test_imported_certificate_is_described_replaced_and_deleted(acm, tmp_path, kind, algorithm):
    certificate, key = own(tmp_path, "a.example.com", kind)
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=key, Tags=[{"Key": "k", "Value": "v"}])[
        "CertificateArn"
    ]
    detail = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (detail["Status"], detail["Type"], detail["KeyAlgorithm"]) == ("ISSUED", "IMPORTED", algorithm)
    assert detail["SubjectAlternativeNames"] == ["a.example.com", "www.a.example.com"]
    assert (detail["Issuer"], detail["InUseBy"]) == ("Example", [])
    serial = openssl("x509", "-noout", "-serial", given=certificate.decode()).strip().split("=")[1]
    assert detail["Serial"].replace(":", "").upper().lstrip("0") == serial.lstrip("0")
    assert acm.get_certificate(CertificateArn=arn)["Certificate"] == certificate.decode()
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]

    other, other_key = own(tmp_path, "b.example.com")
    again = acm.import_certificate(CertificateArn=arn, Certificate=other, PrivateKey=other_key)
    assert again["CertificateArn"] == arn
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == "b.example.com"
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]

    acm.delete_certificate(CertificateArn=arn)
    error = refusal(acm.describe_certificate, CertificateArn=arn)
    assert error["Code"] == "ResourceNotFoundException" and arn in error["Message"]


def test_what_does_not_belong_together_is_not_imported(acm, tmp_path):
    certificate, key = own(tmp_path, "c.example.com")
    _, other_key = own(tmp_path, "d.example.com")
    before = len(acm.list_certificates()["CertificateSummaryList"])
    for given in (
        {"Certificate": certificate, "PrivateKey": other_key},
        {"Certificate": b"nonsense", "PrivateKey": key},
        {"Certificate": certificate, "PrivateKey": b"nonsense"},
        {"Certificate": certificate, "PrivateKey": key, "CertificateChain": b"nonsense"},
    ):
        assert refusal(acm.import_certificate, **given)["Code"] == "ValidationException"
    assert len(acm.list_certificates()["CertificateSummaryList"]) == before


def test_requested_certificate_is_signed_by_the_authority_that_wharf_ca_prints(acm, wharf, tmp_path):
    name = f"{uuid.uuid4().hex[:8]}.example.com"
    arn = acm.request_certificate(
        DomainName=name, SubjectAlternativeNames=[f"*.{name}"], ValidationMethod="DNS", IdempotencyToken="t1"
    )["CertificateArn"]
    acm.get_waiter("certificate_validated").wait(
        CertificateArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 3}
    )
    detail = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (detail["Type"], detail["KeyAlgorithm"]) == ("AMAZON_ISSUED", "EC_prime256v1")
    (first, second) = detail["DomainValidationOptions"]
    assert first["ValidationStatus"] == "SUCCESS"
    assert first["ResourceRecord"] == second["ResourceRecord"], "a wildcard needs no record of its own"
    assert detail["NotAfter"] - detail["NotBefore"] > datetime.timedelta(days=390)
    got = acm.get_certificate(CertificateArn=arn)
    (tmp_path / "ca.pem").write_text(wharf("ca"))
    (tmp_path / "leaf.pem").write_text(got["Certificate"])
    openssl("verify", "-x509_strict", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "leaf.pem"))
    text = openssl("x509", "-noout", "-text", given=got["Certificate"])
    assert f"DNS:{name}, DNS:*.{name}" in text and "TLS Web Server Authentication" in text
    same = acm.request_certificate(DomainName=name, SubjectAlternativeNames=[f"*.{name}"], IdempotencyToken="t1")
    assert same["CertificateArn"] == arn
    acm.delete_certificate(CertificateArn=arn)


def test_requests_that_cannot_be_met_name_what_is_wrong(acm):
    for given, named in (
        ({"DomainName": "not a name.com"}, "not a name.com"),
        ({"DomainName": "x.com", "KeyAlgorithm": "RSA_2048"}, "RSA_2048"),
        ({"DomainName": "x.com", "CertificateAuthorityArn": "arn:aws:acm-pca:us-east-1:1:x"}, "CertificateAuthorityArn"),
        ({"DomainName": "x.com", "Options": {"CertificateTransparencyLoggingPreference": "ENABLED"}}, "Transparency"),
    ):
        error = refusal(acm.request_certificate, **given)
        assert error["Code"] == "ValidationException" and named in error["Message"], error
    error = refusal(acm.describe_certificate, CertificateArn="arn:aws:iam::123456789012:role/x-and-more")
    assert error["Code"] == "InvalidArnException"


def test_list_is_paged_sorted_and_filtered_and_tags_change(acm):
    arns = [
        acm.request_certificate(DomainName=f"{uuid.uuid4().hex[:8]}.example.com", Tags=[{"Key": "a", "Value": "1"}])[
            "CertificateArn"
        ]
        for _ in range(3)
    ]
    pages = acm.get_paginator("list_certificates").paginate(
        SortBy="CREATED_AT", SortOrder="DESCENDING", PaginationConfig={"PageSize": 2}
    )
    found = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
    assert [arn for arn in found if arn in arns] == arns[::-1]
    assert acm.list_certificates(CertificateStatuses=["FAILED"])["CertificateSummaryList"] == []
    rsa = acm.list_certificates(Includes={"keyTypes": ["RSA_2048"]})["CertificateSummaryList"]
    assert not {one["CertificateArn"] for one in rsa} & set(arns)

    acm.add_tags_to_certificate(CertificateArn=arns[0], Tags=[{"Key": "a", "Value": "2"}, {"Key": "b"}])
    acm.remove_tags_from_certificate(CertificateArn=arns[0], Tags=[{"Key": "a", "Value": "1"}])
    tags = {tag["Key"]: tag["Value"] for tag in acm.list_tags_for_certificate(CertificateArn=arns[0])["Tags"]}
    assert tags == {"a": "2", "b": ""}
    for arn in arns:
        acm.delete_certificate(CertificateArn=arn)
