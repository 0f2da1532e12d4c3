//! The puller against our own registry over loopback.

mod cleaning;
mod faults;
mod skopeo;

use super::*;
use crate::manifest::{DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST};
use crate::registry::{Authorize, Body, Registry};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::io::Write as _;
use std::time::Instant;
use tokio::net::TcpListener;

const NAME: &str = "123456789012.dkr.ecr.us-east-1.localhost/team/web";

/// What a server does with an answer before it leaves: look, change, or break it.
type Meddle = dyn Fn(&Method, &str, Response<Body>) -> Response<Body> + Send + Sync;

struct Server {
    registry: Arc<Registry>,
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

async fn server() -> Server {
    server_with(None, Box::new(|_, _, answer| answer)).await
}

async fn server_with(authorize: Option<Arc<dyn Authorize>>, meddle: Box<Meddle>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let mut registry = Registry::new(&root).unwrap();
    if let Some(authorize) = authorize {
        registry = registry.with_authorize(authorize);
    }
    let registry = Arc::new(registry);
    registry.create_repository("team/web").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let meddle: Arc<Meddle> = Arc::from(meddle);
    let accepting = tokio::spawn({
        let (registry, requests) = (Arc::clone(&registry), Arc::clone(&requests));
        async move {
            // Connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (registry, requests, meddle) = (registry.clone(), requests.clone(), meddle.clone());
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (registry, requests, meddle) = (registry.clone(), requests.clone(), meddle.clone());
                    async move {
                        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                        requests.lock().unwrap().push(format!("{method} {path}"));
                        let answer = registry.handle(request).await;
                        Ok::<_, std::convert::Infallible>(meddle(&method, &path, answer))
                    }
                });
                connections.spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        }
    });
    Server { registry, endpoint, requests, accepting, _folder: folder }
}

impl Server {
    fn count(&self, method: &str, part: &str) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|line| line.starts_with(method) && line.contains(part)).count()
    }

    /// Pushes an image whose layers hold one file each, and returns the manifest's digest.
    async fn push(&self, tag: &str, layers: &[(&str, &str)]) -> Digest {
        let layers: Vec<Vec<u8>> = layers.iter().map(|(path, content)| tar(path, content)).collect();
        self.push_tars(tag, &layers, OCI_MANIFEST).await
    }

    async fn push_tars(&self, tag: &str, layers: &[Vec<u8>], media_type: &str) -> Digest {
        let mut descriptors = Vec::new();
        for (number, tar) in layers.iter().enumerate() {
            // One of each compression.
            let (suffix, content) = match number % 3 {
                0 => ("tar+gzip", gzip(tar)),
                1 => ("tar+zstd", zstd::encode_all(tar.as_slice(), 1).unwrap()),
                _ => ("tar", tar.clone()),
            };
            let media_type = format!("application/vnd.oci.image.layer.v1.{suffix}");
            descriptors.push(self.blob(&media_type, &content).await);
        }
        let config = serde_json::json!({
            "os": "linux", "architecture": "amd64",
            "config": { "Entrypoint": ["/web"], "Env": ["A=b"] },
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|tar| Digest::of(tar)).collect::<Vec<_>>() },
        });
        let config_type = "application/vnd.oci.image.config.v1+json";
        let config = self.blob(config_type, config.to_string().as_bytes()).await;
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": descriptors,
        });
        self.manifest(tag, &manifest).await
    }

    async fn blob(&self, media_type: &str, content: &[u8]) -> serde_json::Value {
        let digest = Digest::of(content);
        let path = format!("/v2/team/web/blobs/uploads/?digest={digest}");
        let body = http_body_util::Full::new(bytes::Bytes::copy_from_slice(content));
        let authorization = "Basic QVdTOnNlY3JldA==";
        let request = Request::post(path).header("authorization", authorization).body(body).unwrap();
        assert_eq!(self.registry.handle(request).await.status(), 201);
        serde_json::json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    async fn manifest(&self, tag: &str, manifest: &serde_json::Value) -> Digest {
        let content = manifest.to_string();
        let pushed = self.registry.put_manifest("team/web", tag, None, content.as_bytes()).await;
        pushed.unwrap().digest
    }
}

fn tar(path: &str, content: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

struct Node {
    puller: Puller,
    config: PullerConfig,
    _folder: tempfile::TempDir,
}

fn node(server: &Server) -> Node {
    let limits = PullLimits {
        pause: Duration::from_millis(5),
        idle_max: Duration::from_millis(800),
        ..PullLimits::default()
    };
    node_with(server, Arc::new(None), limits)
}

fn node_with(server: &Server, credentials: Arc<dyn Credentials>, limits: PullLimits) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let local = Some(LocalRegistry { endpoint: server.endpoint.clone(), credentials });
    let config = PullerConfig { root, local, limits };
    Node { puller: Puller::new(config.clone()).unwrap(), config, _folder: folder }
}

impl Node {
    async fn reason(&self, reference: &str) -> String {
        self.puller.pull(reference).await.expect_err(reference).reason()
    }

    /// What is under way, or was left behind; not the beginnings of downloads, which wait to be continued.
    fn leftovers(&self) -> usize {
        let entries = |folder| std::fs::read_dir(self.config.root.join(folder)).unwrap();
        let drafts = entries("ingest").map(|entry| entry.unwrap().file_name().into_string().unwrap());
        drafts.filter(|name| !name.ends_with(".part")).count() + entries("unpacking").count()
    }

    fn layers(&self) -> usize {
        std::fs::read_dir(self.config.root.join("layers")).unwrap().count()
    }
}

#[tokio::test]
async fn an_image_arrives_layer_by_layer_with_its_settings() {
    let server = server().await;
    let digest = server.push("v1", &[("a", "one"), ("b/c", "two"), ("d", "three")]).await;
    let node = node(&server);
    let image = node.puller.pull(&format!("{NAME}:v1")).await.unwrap();
    assert_eq!((&image.digest, &image.manifest), (&digest, &digest));
    assert_eq!(
        (&image.config.entrypoint[..], &image.config.env[..]),
        (&["/web".into()][..], &["A=b".into()][..])
    );
    let read = |layer: usize, path| std::fs::read_to_string(image.layers[layer].join(path)).unwrap();
    assert_eq!((read(0, "a"), read(1, "b/c"), read(2, "d")), ("one".into(), "two".into(), "three".into()));
    assert_eq!((node.leftovers(), image.size > 0), (0, true));
    assert_eq!(node.puller.cached(&digest).unwrap().layers, image.layers);
    // The compressed layers are not kept beside the unpacked ones.
    assert_eq!(std::fs::read_dir(node.config.root.join("blobs/sha256")).unwrap().count(), 1);
    let amazon = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:v1";
    assert_eq!(node.puller.pull(amazon).await.unwrap().digest, digest);
}

#[tokio::test]
async fn a_second_pull_asks_only_what_the_tag_stands_for() {
    let server = server().await;
    let old = server.push("v1", &[("a", "one")]).await;
    let node = node(&server);
    let name = format!("{NAME}:v1");
    node.puller.pull(&name).await.unwrap();
    let before = server.count("GET", "manifests") + server.count("GET", "blobs");
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(node.puller.pull(&name).await.unwrap().digest, old);
        took.push(began.elapsed());
    }
    took.sort();
    println!("warm pull: median {:?}, 99th percentile {:?}", took[100], took[197]);
    assert_eq!(server.count("GET", "manifests") + server.count("GET", "blobs"), before);
    let new = server.push("v1", &[("a", "two")]).await;
    let image = node.puller.pull(&name).await.unwrap();
    assert_eq!(image.digest, new);
    assert_eq!(node.puller.pull(&format!("{NAME}@{old}")).await.unwrap().digest, old);
    assert_eq!(node.puller.resolve(&name).await.unwrap(), new);
}

#[tokio::test]
async fn many_who_want_the_same_image_share_one_download() {
    let server = server().await;
    server.push("v1", &[("a", "one"), ("b", "two")]).await;
    let node = node(&server);
    let name = format!("{NAME}:v1");
    let pulls = (0..200).map(|_| node.puller.pull(&name));
    let images = futures_util::future::try_join_all(pulls).await.unwrap();
    assert!(images.iter().all(|image| image.layers == images[0].layers));
    assert_eq!(server.count("GET", "/blobs/"), 3, "two layers and the configuration");
}

#[tokio::test]
async fn a_layer_that_two_images_share_comes_once() {
    let server = server().await;
    server.push("v1", &[("base", "same"), ("a", "one")]).await;
    server.push("v2", &[("base", "same"), ("a", "two")]).await;
    let node = node(&server);
    let (v1, v2) = (format!("{NAME}:v1"), format!("{NAME}:v2"));
    let (one, two) = tokio::join!(node.puller.pull(&v1), node.puller.pull(&v2));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.layers[0], two.layers[0]);
    assert_eq!(server.count("GET", "/blobs/"), 5, "three layers and two configurations");
    assert_eq!(node.puller.prune(&[]).await.unwrap(), 0, "both are held");
    let digest = one.digest.clone();
    drop(one);
    assert_eq!(node.puller.prune(&[]).await.unwrap(), 1);
    assert!(node.puller.cached(&digest).is_none() && node.puller.cached(&two.digest).is_some());
    assert!(two.layers.iter().all(|layer| layer.exists()));
    node.puller.pull(&v1).await.unwrap();
}

#[tokio::test]
async fn an_index_yields_the_image_for_this_platform() {
    let server = server().await;
    let amd64 = server.push("amd64", &[("a", "ours")]).await;
    let arm64 = server.push_tars("arm64", &[tar("a", "theirs")], DOCKER_MANIFEST).await;
    let entry = |digest: &Digest, architecture: &str| {
        serde_json::json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": 1,
                            "platform": { "os": "linux", "architecture": architecture } })
    };
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST,
        "manifests": [entry(&arm64, "arm64"), entry(&amd64, "amd64")] });
    let digest = server.manifest("v1", &index).await;
    let node = node(&server);
    let image = node.puller.pull(&format!("{NAME}:v1")).await.unwrap();
    assert_eq!((image.digest, image.manifest), (digest, amd64));
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST,
        "manifests": [entry(&arm64, "arm64")] });
    server.manifest("v2", &index).await;
    let reason = node.reason(&format!("{NAME}:v2")).await;
    assert!(reason.contains("no match for platform in manifest"), "{reason}");
}

#[tokio::test]
async fn what_is_here_survives_a_restart_and_what_was_half_done_does_not() {
    let server = server().await;
    let digest = server.push("v1", &[("a", "one")]).await;
    let node = node(&server);
    let name = format!("{NAME}:v1");
    node.puller.pull(&name).await.unwrap();
    std::fs::create_dir_all(node.config.root.join("unpacking/3/etc")).unwrap();
    std::fs::write(node.config.root.join("ingest/3"), "half").unwrap();
    let before = server.count("GET", "");
    let again = Puller::new(node.config.clone()).unwrap();
    assert_eq!(node.leftovers(), 0);
    assert_eq!(again.pull(&name).await.unwrap().digest, digest);
    assert_eq!(server.count("GET", "/manifests/") + server.count("GET", "/blobs/"), {
        let requests = server.requests.lock().unwrap();
        requests.iter().take(before + 1).filter(|line| line.starts_with("GET /v2/team")).count()
    });
    // A layer that somebody removed is brought again.
    std::fs::remove_dir_all(node.config.root.join("layers")).unwrap();
    std::fs::create_dir(node.config.root.join("layers")).unwrap();
    assert!(again.cached(&digest).is_none());
    assert!(again.pull(&name).await.unwrap().layers[0].join("a").exists());
}
