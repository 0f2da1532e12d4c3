"""Elastic Container Registry."""

import base64
import datetime
import hashlib
import json
import urllib.error
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def ecr(client):
    return client("ecr")


@pytest.fixture
def repository(ecr):
    name = f"team/{uuid.uuid4().hex[:8]}"
    made = ecr.create_repository(repositoryName=name, tags=[{"Key": "a", "Value": "1"}])["repository"]
    yield made
    ecr.delete_repository(repositoryName=name, force=True)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def test_repository_is_named_by_account_region_and_endpoint(ecr, endpoint, repository):
    name = repository["repositoryName"]
    port = endpoint.rsplit(":", 1)[1]
    assert repository["repositoryUri"] == f"123456789012.dkr.ecr.us-east-1.localhost:{port}/{name}"
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert found == repository
    assert ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] == [
        {"Key": "a", "Value": "1"}
    ]
    assert refusal(ecr.create_repository, repositoryName=name)["Code"] == "RepositoryAlreadyExistsException"


def test_unknown_repository_is_not_found(ecr):
    for call in (ecr.list_images, ecr.delete_repository):
        assert refusal(call, repositoryName="none")["Code"] == "RepositoryNotFoundException"


def test_image_can_be_pushed_with_the_token_and_is_described_and_deleted(ecr, endpoint, repository):
    (data,) = ecr.get_authorization_token()["authorizationData"]
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    assert data["expiresAt"] > datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=11)
    name = repository["repositoryName"]
    config = b"{}"
    digest = "sha256:" + hashlib.sha256(config).hexdigest()

    def send(method, path, body=b"", kind="application/octet-stream"):
        url = path if path.startswith("http") else endpoint + path
        headers = {"Authorization": f"Basic {data['authorizationToken']}", "Content-Type": kind}
        return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method))

    upload = send("POST", f"/v2/{name}/blobs/uploads/").headers["Location"]
    send("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={digest}", config)
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest,
            "size": len(config),
        },
        "layers": [],
    }
    send("PUT", f"/v2/{name}/manifests/v1", json.dumps(manifest).encode(), kind)

    (image,) = ecr.describe_images(repositoryName=name)["imageDetails"]
    assert (image["imageTags"], image["imageManifestMediaType"]) == (["v1"], kind)
    assert ecr.list_images(repositoryName=name)["imageIds"] == [
        {"imageDigest": image["imageDigest"], "imageTag": "v1"}
    ]
    error = refusal(ecr.describe_images, repositoryName=name, imageIds=[{"imageTag": "v2"}])
    assert error["Code"] == "ImageNotFoundException"
    assert refusal(ecr.delete_repository, repositoryName=name)["Code"] == "RepositoryNotEmptyException"
    deleted = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}])
    assert deleted["imageIds"] == [{"imageDigest": image["imageDigest"], "imageTag": "v1"}]
    assert [failure["failureCode"] for failure in deleted["failures"]] == ["ImageNotFound"]


def test_scanning_is_refused_by_name(ecr):
    error = refusal(
        ecr.create_repository, repositoryName="scanned", imageScanningConfiguration={"scanOnPush": True}
    )
    assert "imageScanningConfiguration" in error["Message"]


CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def upload(ecr, name, content, part_size=None):
    """Brings a layer part by part, as the API has it, and returns its digest."""
    begun = ecr.initiate_layer_upload(repositoryName=name)
    size = part_size or begun["partSize"]
    for first in range(0, len(content), size):
        part = content[first : first + size]
        received = ecr.upload_layer_part(
            repositoryName=name, uploadId=begun["uploadId"], partFirstByte=first,
            partLastByte=first + len(part) - 1, layerPartBlob=part,
        )  # fmt: skip
        assert received["lastByteReceived"] == first + len(part) - 1
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    done = ecr.complete_layer_upload(repositoryName=name, uploadId=begun["uploadId"], layerDigests=[digest])
    assert done["layerDigest"] == digest
    return digest


def manifest(ecr, name, content=b"a layer"):
    config = b'{"made": "%s"}' % hashlib.sha256(content).hexdigest().encode()
    layers = [(content, "application/vnd.oci.image.layer.v1.tar")]
    described = [
        {"mediaType": kind, "digest": upload(ecr, name, bytes_), "size": len(bytes_)}
        for bytes_, kind in [(config, CONFIG), *layers]
    ]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
    )


def test_image_is_pushed_and_fetched_through_the_api_alone(ecr, repository):
    name = repository["repositoryName"]
    content = bytes(range(256)) * 10_000
    digest = upload(ecr, name, content, part_size=1_000_000)
    layer, other = ecr.batch_check_layer_availability(
        repositoryName=name, layerDigests=[digest, "sha256:" + "0" * 64]
    )["layers"]
    assert (layer["layerAvailability"], layer["layerSize"]) == ("AVAILABLE", len(content))
    assert other["layerAvailability"] == "UNAVAILABLE"
    url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=digest)["downloadUrl"]
    assert urllib.request.urlopen(url).read() == content
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url.split("?")[0])

    text = manifest(ecr, name)
    put = ecr.put_image(repositoryName=name, imageManifest=text, imageTag="v1")["image"]
    assert put["imageManifestMediaType"] == MANIFEST
    got = ecr.batch_get_image(
        repositoryName=name,
        imageIds=[{"imageTag": "v1"}, {"imageTag": "v9"}, {}, {"imageDigest": "x"}],
        acceptedMediaTypes=[MANIFEST],
    )
    assert [image["imageManifest"] for image in got["images"]] == [text]
    assert [failure["failureCode"] for failure in got["failures"]] == [
        "ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest",
    ]  # fmt: skip
    again = refusal(ecr.put_image, repositoryName=name, imageManifest=text, imageTag="v1")
    assert again["Code"] == "ImageAlreadyExistsException"
    missing = text.replace(hashlib.sha256(b"a layer").hexdigest(), "1" * 64)
    error = refusal(ecr.put_image, repositoryName=name, imageManifest=missing, imageTag="v2")
    assert error["Code"] == "LayersNotFoundException"
    error = refusal(ecr.put_image, repositoryName=name, imageManifest="{}", imageTag="v2")
    assert error["Code"] == "InvalidParameterException"


def test_layer_upload_is_refused_when_its_parts_do_not_fit(ecr, repository):
    name = repository["repositoryName"]
    begun = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    where = {"repositoryName": name, "uploadId": begun}
    error = refusal(ecr.upload_layer_part, **where, partFirstByte=5, partLastByte=9, layerPartBlob=b"hello")
    assert error["Code"] == "InvalidLayerPartException"
    error = refusal(ecr.upload_layer_part, **where, partFirstByte=0, partLastByte=9, layerPartBlob=b"hello")
    assert error["Code"] == "InvalidParameterException"
    digest = "sha256:" + "0" * 64
    error = refusal(ecr.complete_layer_upload, **where, layerDigests=[digest])
    assert error["Code"] == "EmptyUploadException"
    ecr.upload_layer_part(**where, partFirstByte=0, partLastByte=4, layerPartBlob=b"hello")
    assert refusal(ecr.complete_layer_upload, **where, layerDigests=[digest])["Code"] == "InvalidLayerException"
    assert refusal(ecr.complete_layer_upload, **where, layerDigests=[digest])["Code"] == "UploadNotFoundException"


def test_tags_of_an_immutable_repository_stay(ecr, repository):
    name = repository["repositoryName"]
    ecr.put_image(repositoryName=name, imageManifest=manifest(ecr, name, b"one"), imageTag="v1")
    changed = ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    assert changed["imageTagMutability"] == "IMMUTABLE"
    text = manifest(ecr, name, b"two")
    error = refusal(ecr.put_image, repositoryName=name, imageManifest=text, imageTag="v1")
    assert error["Code"] == "ImageTagAlreadyExistsException"
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
    ecr.put_image(repositoryName=name, imageManifest=text, imageTag="v1")
    statuses = {"TAGGED": 1, "UNTAGGED": 1, "ANY": 2}
    for status, count in statuses.items():
        assert len(ecr.list_images(repositoryName=name, filter={"tagStatus": status})["imageIds"]) == count


def test_image_goes_with_its_last_tag(ecr, repository):
    name = repository["repositoryName"]
    text = manifest(ecr, name)
    for tag in ("a", "b"):
        ecr.put_image(repositoryName=name, imageManifest=text, imageTag=tag)
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "a"}])
    (image,) = ecr.describe_images(repositoryName=name)["imageDetails"]
    assert image["imageTags"] == ["b"]
    wrong = {"imageTag": "b", "imageDigest": "sha256:" + "0" * 64}
    (failure,) = ecr.batch_delete_image(repositoryName=name, imageIds=[wrong])["failures"]
    assert failure["failureCode"] == "ImageTagDoesNotMatchDigest"
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "b"}])
    assert ecr.describe_images(repositoryName=name)["imageDetails"] == []


def test_lifecycle_policy_is_read_strictly_and_kept(ecr, repository):
    name = repository["repositoryName"]
    error = refusal(ecr.get_lifecycle_policy, repositoryName=name)
    assert error["Code"] == "LifecyclePolicyNotFoundException"
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "description": "one", "selection": selection, "action": {"type": "expire"}}
    text = json.dumps({"rules": [rule]})
    put = ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
    assert put["lifecyclePolicyText"] == text
    assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == text
    for wrong in ("no json " * 20, text.replace("expire", "keep"), text.replace("untagged", "odd")):
        error = refusal(ecr.put_lifecycle_policy, repositoryName=name, lifecyclePolicyText=wrong)
        assert error["Code"] == "InvalidParameterException"
    assert ecr.delete_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == text
    error = refusal(ecr.delete_lifecycle_policy, repositoryName=name)
    assert error["Code"] == "LifecyclePolicyNotFoundException"


def test_repository_policy_may_allow_and_not_deny(ecr, repository):
    name = repository["repositoryName"]
    error = refusal(ecr.get_repository_policy, repositoryName=name)
    assert error["Code"] == "RepositoryPolicyNotFoundException"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert ecr.set_repository_policy(repositoryName=name, policyText=text)["policyText"] == text
    assert ecr.get_repository_policy(repositoryName=name)["policyText"] == text
    error = refusal(ecr.set_repository_policy, repositoryName=name, policyText=text.replace("Allow", "Deny"))
    assert (error["Code"], "Deny" in error["Message"]) == ("InvalidParameterException", True)
    ecr.delete_repository_policy(repositoryName=name)


def test_repository_is_tagged_and_untagged(ecr, repository):
    arn = repository["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "3"}]
    error = refusal(ecr.tag_resource, resourceArn=arn, tags=[{"Key": "aws:x", "Value": "1"}])
    assert error["Code"] == "InvalidParameterException"
    assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}
