use super::*;
use base64::Engine as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};

struct Fixture {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    registry: Registry,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let registry = Registry::new(&root).unwrap();
    Fixture { _folder: folder, root, registry }
}

impl Fixture {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::copy_from_slice(body));
        self.registry.handle(request.body(body).unwrap()).await
    }

    async fn push_blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::of(content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={}", digest.as_str().replace(':', "%3A"));
        assert_eq!(self.send("POST", &path, &[], content).await.status(), StatusCode::CREATED);
        digest
    }

    async fn push_image(&self, name: &str, tag: &str, layer: &[u8]) -> Digest {
        let config = self.push_blob(name, b"{}").await;
        let digest = self.push_blob(name, layer).await;
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},
            "layers":[{{"mediaType":"x","digest":"{digest}","size":{}}}]}}"#,
            layer.len()
        );
        let path = format!("/v2/{name}/manifests/{tag}");
        let answer = self.send("PUT", &path, &[], manifest.as_bytes()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        Digest::of(manifest.as_bytes())
    }
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_push_to_a_repository_that_was_not_created_says_how_to_create_it() {
    let it = fixture();
    for (method, path) in [("POST", "/v2/a/web/blobs/uploads/"), ("GET", "/v2/a/web/manifests/v1")] {
        let answer = it.send(method, path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let text = text(answer).await;
        assert!(text.contains("NAME_UNKNOWN") && text.contains("create-repository"), "{text}");
        assert!(text.contains("'a/web'"), "{text}");
    }
}

#[tokio::test]
async fn content_arrives_in_pieces_and_leaves_in_ranges() {
    let it = fixture();
    it.registry.create_repository("web").await.unwrap();
    let begun = it.send("POST", "/v2/web/blobs/uploads/", &[], b"").await;
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let upload = header(&begun, "location").to_owned();
    let first = it.send("PATCH", &upload, &[("content-range", "0-4")], b"hello").await;
    assert_eq!((first.status(), header(&first, "range")), (StatusCode::ACCEPTED, "0-4"));
    let gap = it.send("PATCH", &upload, &[("content-range", "7-9")], b"???").await;
    assert_eq!(gap.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let asked = it.send("GET", &upload, &[], b"").await;
    assert_eq!((asked.status(), header(&asked, "range")), (StatusCode::NO_CONTENT, "0-4"));
    let digest = Digest::of(b"hello world");
    let done = it.send("PUT", &format!("{upload}?digest={digest}"), &[], b" world").await;
    assert_eq!(done.status(), StatusCode::CREATED);
    assert_eq!(it.send("GET", &upload, &[], b"").await.status(), StatusCode::NOT_FOUND);

    let path = header(&done, "location").to_owned();
    let whole = it.send("GET", &path, &[], b"").await;
    assert_eq!(header(&whole, "docker-content-digest"), digest.as_str());
    assert_eq!(text(whole).await, "hello world");
    for (asked, status, answer) in [
        ("bytes=6-", 206, "world"),
        ("bytes=0-4", 206, "hello"),
        ("bytes=-3", 206, "rld"),
        ("bytes=6-99", 206, "world"),
        ("bytes=11-", 416, ""),
        ("lines=1-2", 200, "hello world"),
    ] {
        let part = it.send("GET", &path, &[("range", asked)], b"").await;
        assert_eq!(part.status(), status, "{asked}");
        let text = text(part).await;
        assert!(status == 416 || text == answer, "{asked}: {text}");
    }
    let head = it.send("HEAD", &path, &[], b"").await;
    assert_eq!((header(&head, "content-length"), head.status()), ("11", StatusCode::OK));
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn content_under_a_wrong_digest_is_refused_and_gone() {
    let it = fixture();
    it.registry.create_repository("web").await.unwrap();
    let digest = Digest::of(b"hello");
    let path = format!("/v2/web/blobs/uploads/?digest={digest}");
    let answer = it.send("POST", &path, &[], b"jello").await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(text(answer).await.contains("DIGEST_INVALID"));
    let asked = it.send("HEAD", &format!("/v2/web/blobs/{digest}"), &[], b"").await;
    assert_eq!(asked.status(), StatusCode::NOT_FOUND);
    assert_eq!(std::fs::read_dir(it.root.join("ingest")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_image_is_found_by_tag_and_digest_and_survives_a_restart() {
    let mut it = fixture();
    it.registry.create_repository("team/web").await.unwrap();
    let digest = it.push_image("team/web", "v1", b"layer one").await;
    it.registry = Registry::new(&it.root).unwrap();
    for reference in ["v1", digest.as_str()] {
        let path = format!("/v2/team/web/manifests/{reference}");
        let head = it.send("HEAD", &path, &[], b"").await;
        assert_eq!(header(&head, "docker-content-digest"), digest.as_str());
        let got = it.send("GET", &path, &[], b"").await;
        assert_eq!(header(&got, "content-type"), crate::manifest::OCI_MANIFEST);
        assert_eq!(Digest::of(text(got).await.as_bytes()), digest);
    }
    let images = it.registry.images("team/web").unwrap();
    assert_eq!((images[0].tags.as_slice(), images[0].size), (&["v1".to_owned()][..], 11));
    assert_eq!(
        text(it.send("GET", "/v2/_catalog", &[], b"").await).await,
        r#"{"repositories":["team/web"]}"#
    );
    let tags = it.send("GET", "/v2/team/web/tags/list", &[], b"").await;
    assert_eq!(text(tags).await, r#"{"name":"team/web","tags":["v1"]}"#);
}

#[tokio::test]
async fn a_manifest_whose_content_is_missing_is_refused() {
    let it = fixture();
    it.registry.create_repository("web").await.unwrap();
    let missing = Digest::of(b"nowhere");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"c","digest":"{missing}","size":7}},"layers":[]}}"#
    );
    let answer = it.send("PUT", "/v2/web/manifests/v1", &[], manifest.as_bytes()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(text(answer).await.contains("MANIFEST_BLOB_UNKNOWN"));
}

#[tokio::test]
async fn deleting_takes_tags_then_images_then_content_then_the_repository() {
    let it = fixture();
    it.registry.create_repository("web").await.unwrap();
    let old = it.push_image("web", "v1", b"old").await;
    let new = it.push_image("web", "v2", b"new").await;
    assert!(matches!(it.registry.delete_repository("web", false).await, Err(RegistryError::NotEmpty(_))));
    it.send("DELETE", &format!("/v2/web/manifests/{old}"), &[], b"").await;
    it.send("DELETE", "/v2/web/manifests/v2", &[], b"").await;
    let images = it.registry.images("web").unwrap();
    assert_eq!((images.len(), &images[0].digest, images[0].tags.len()), (1, &new, 0));
    assert_eq!(it.registry.collect_garbage(Duration::from_secs(3600)).await.unwrap(), 0);
    assert_eq!(it.registry.collect_garbage(Duration::ZERO).await.unwrap(), 2);
    assert!(it.registry.manifest("web", new.as_str()).await.is_ok());
    it.registry.delete_repository("web", true).await.unwrap();
    assert!(Registry::new(&it.root).unwrap().repositories().is_empty());
    it.registry.create_repository("web").await.unwrap();
}

#[tokio::test]
async fn immutable_tags_stay_where_they_are() {
    let it = fixture();
    it.registry.create_repository("web").await.unwrap();
    it.push_image("web", "v1", b"old").await;
    it.registry.set_immutable_tags("web", true).await.unwrap();
    it.push_image("web", "v1", b"old").await;
    let config = it.push_blob("web", b"[]").await;
    let other = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"c","digest":"{config}","size":2}},"layers":[]}}"#
    );
    let answer = it.send("PUT", "/v2/web/manifests/v1", &[], other.as_bytes()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_those_with_a_token_are_let_in() {
    struct Token;
    impl Authorize for Token {
        fn permits(&self, user: &str, password: &str) -> bool {
            (user, password) == ("AWS", "secret")
        }
    }
    let mut it = fixture();
    it.registry = it.registry.with_authorize(Arc::new(Token));
    let basic = |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    for (given, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some(basic("AWS:wrong")), StatusCode::UNAUTHORIZED),
        (Some("Bearer secret".to_owned()), StatusCode::UNAUTHORIZED),
        (Some(basic("AWS:secret")), StatusCode::OK),
    ] {
        let headers: Vec<_> = given.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = it.send("GET", "/v2/", &headers, b"").await;
        assert_eq!(answer.status(), status, "{given:?}");
        let challenged = answer.headers().contains_key(header::WWW_AUTHENTICATE);
        assert_eq!(challenged, status == StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn paths_that_mean_nothing_are_refused() {
    let it = fixture();
    for (method, path, status) in [
        ("GET", "/v2", 200),
        ("POST", "/v2/", 405),
        ("GET", "/v2/web", 404),
        ("GET", "/v2/../etc/manifests/v1", 400),
        ("GET", "/v2/Web/manifests/v1", 400),
        ("GET", "/v2//manifests/v1", 404),
        ("GET", "/v2/_repository.json/tags/list", 400),
    ] {
        assert_eq!(it.send(method, path, &[], b"").await.status(), status, "{method} {path}");
    }
}
