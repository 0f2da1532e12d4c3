"""Elastic Container Registry."""

import base64
import datetime
import hashlib
import json
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
