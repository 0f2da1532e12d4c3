//! What a registry, a network or a disk may do to a pull.

use super::*;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lets so many bytes of a body through and then breaks, or falls silent.
fn cut(answer: Response<Body>, after: usize, silent: bool) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let pieces = body.into_data_stream().flat_map(|piece| {
        let piece: Bytes = piece.unwrap();
        futures_util::stream::iter(piece.chunks(16).map(Bytes::copy_from_slice).collect::<Vec<_>>())
    });
    let some = pieces.take(after / 16).map(|piece| Ok(Frame::data(piece)));
    let end = futures_util::stream::once(async move {
        if silent {
            std::future::pending::<()>().await;
        }
        // What is before must have left before the connection breaks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("broken on purpose"))
    });
    Response::from_parts(parts, http_body_util::BodyExt::boxed(StreamBody::new(some.chain(end))))
}

/// Meddles with the first so many answers that carry the large layer.
async fn faulty(
    times: usize,
    meddle: impl Fn(Response<Body>) -> Response<Body> + Send + Sync + 'static,
) -> Server {
    let seen = AtomicUsize::new(0);
    let meddle = move |method: &Method, path: &str, answer: Response<Body>| {
        let length =
            answer.headers().get("content-length").and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let large = method == Method::GET && path.contains("/blobs/") && length > Some(1000);
        if large && seen.fetch_add(1, Ordering::SeqCst) < times { meddle(answer) } else { answer }
    };
    let server = server_with(None, Box::new(meddle)).await;
    server.push("v1", &[("noise", &noise())]).await;
    server
}

/// What cannot be compressed away.
fn noise() -> String {
    (0..50_000_u32).map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 90)).collect()
}

#[tokio::test]
async fn a_broken_or_silent_transfer_goes_on_where_it_stopped() {
    for silent in [false, true] {
        let server = faulty(2, move |answer| cut(answer, 4096, silent)).await;
        let node = node(&server);
        let image = node.puller.pull(&format!("{NAME}:v1")).await.unwrap();
        assert_eq!(std::fs::metadata(image.layers[0].join("noise")).unwrap().len(), 50_000);
        assert_eq!(node.leftovers(), 0);
    }
}

#[tokio::test]
async fn a_registry_that_always_breaks_is_given_up() {
    let server = faulty(usize::MAX, |answer| cut(answer, 64, false)).await;
    let node = node(&server);
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.starts_with("CannotPullContainerError: failed to copy layer sha256:"), "{reason}");
    assert!(reason.contains("tried again 4 time(s)"), "{reason}");
    assert_eq!(node.leftovers(), 0);
}

#[tokio::test]
async fn a_registry_that_continues_at_the_wrong_byte_is_noticed() {
    let first = AtomicUsize::new(0);
    let server = faulty(2, move |answer| {
        if first.fetch_add(1, Ordering::SeqCst) == 0 {
            return cut(answer, 4096, false);
        }
        // The second answer is the right length and the wrong content.
        let (parts, body) = answer.into_parts();
        let wrong = body.map_frame(|frame| frame.map_data(|data| Bytes::from(vec![b'x'; data.len()])));
        Response::from_parts(parts, http_body_util::BodyExt::boxed(wrong))
    })
    .await;
    let node = node(&server);
    assert!(node.puller.pull(&format!("{NAME}:v1")).await.is_ok());
}

#[tokio::test]
async fn content_that_is_not_what_its_name_says_is_never_unpacked() {
    let server = faulty(usize::MAX, |answer| {
        let (parts, body) = answer.into_parts();
        let wrong = body.map_frame(|frame| frame.map_data(|data| Bytes::from(vec![b'x'; data.len()])));
        Response::from_parts(parts, http_body_util::BodyExt::boxed(wrong))
    })
    .await;
    let node = node(&server);
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.contains("igest"), "{reason}");
    assert_eq!(std::fs::read_dir(node.config.root.join("layers")).unwrap().count(), 0);
    assert_eq!(node.leftovers(), 0);
}

#[tokio::test]
async fn a_pull_has_a_deadline() {
    let server = faulty(usize::MAX, |answer| cut(answer, 64, true)).await;
    let limits = PullLimits { deadline: Duration::from_millis(300), ..PullLimits::default() };
    let node = node_with(&server, Arc::new(None), limits);
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.contains("context deadline exceeded"), "{reason}");
}

#[tokio::test]
async fn what_is_missing_is_named_as_ecs_names_it() {
    let server = server().await;
    let node = node(&server);
    let reason = node.reason(&format!("{NAME}:v9")).await;
    assert!(
        reason.starts_with(&format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
             failed to resolve ref {NAME}:v9: "
        )),
        "{reason}"
    );
    assert!(reason.contains("not found"), "{reason}");
    let reason = node.reason("123456789012.dkr.ecr.us-east-1.localhost/nobody:v1").await;
    assert!(reason.contains("not found") && reason.contains("create-repository"), "{reason}");
    let reason = node.reason("Not A Name").await;
    assert!(reason.starts_with("CannotPullContainerError: invalid reference format"), "{reason}");
}

#[tokio::test]
async fn without_its_registry_a_tag_fails_and_a_digest_does_not() {
    let server = server().await;
    let digest = server.push("v1", &[("a", "one")]).await;
    let node = node(&server);
    node.puller.pull(&format!("{NAME}:v1")).await.unwrap();
    server.accepting.abort();
    let _ = (&mut { server.accepting }).await;
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.contains("failed to do request") && reason.contains("refused"), "{reason}");
    assert_eq!(node.puller.pull(&format!("{NAME}@{digest}")).await.unwrap().digest, digest);
}

struct Token(Mutex<String>);

impl Authorize for Token {
    fn permits(&self, user: &str, password: &str) -> bool {
        user == "AWS" && password == *self.0.lock().unwrap()
    }
}

impl Credentials for Token {
    fn login(&self) -> BoxFuture<'_, Result<Option<Login>, String>> {
        let password = self.0.lock().unwrap().clone();
        std::future::ready(Ok(Some(Login { user: "AWS".to_owned(), password }))).boxed()
    }
}

#[tokio::test]
async fn a_token_that_expired_is_replaced_and_none_is_refused() {
    let token = Arc::new(Token(Mutex::new("secret".to_owned())));
    let server = server_with(Some(token.clone()), Box::new(|_, _, answer| answer)).await;
    let digest = server.push("v1", &[("a", "one")]).await;
    let name = format!("{NAME}:v1");
    let node = node_with(&server, token.clone(), PullLimits::default());
    assert_eq!(node.puller.pull(&name).await.unwrap().digest, digest);
    *token.0.lock().unwrap() = "another".to_owned();
    assert_eq!(node.puller.pull(&name).await.unwrap().digest, digest);
    let stranger = node_with(&server, Arc::new(None), PullLimits::default());
    let reason = stranger.reason(&name).await;
    assert!(reason.contains("authorization failed"), "{reason}");
}

#[tokio::test]
async fn what_is_no_image_for_us_is_said() {
    let server = server().await;
    let config = server.blob("application/vnd.oci.image.config.v1+json", b"{}").await;
    let chart = server.blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"chart").await;
    let manifest = |layer: &serde_json::Value| serde_json::json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    server.manifest("chart", &manifest(&chart)).await;
    let node = node(&server);
    let reason = node.reason(&format!("{NAME}:chart")).await;
    assert!(reason.contains("helm.chart") && reason.contains("not a usable image"), "{reason}");
    let layer = server.blob("application/vnd.oci.image.layer.v1.tar", b"").await;
    server.manifest("empty", &manifest(&layer)).await;
    let reason = node.reason(&format!("{NAME}:empty")).await;
    assert!(reason.contains("rootfs"), "{reason}");
    server.push_tars("hostile", &[tar_climbing()], OCI_MANIFEST).await;
    let reason = node.reason(&format!("{NAME}:hostile")).await;
    assert!(reason.contains("failed to extract layer") && reason.contains(".."), "{reason}");
    assert_eq!(node.leftovers(), 0);
}

fn tar_climbing() -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..9].copy_from_slice(b"../escape");
    header.set_size(0);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append(&header, b"".as_slice()).unwrap();
    tar.into_inner().unwrap()
}

/// A small file system that goes away with the test.
struct SmallDisk(Utf8PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let server = server().await;
    server.push("v1", &[("zeros", &"\0".repeat(4 << 20))]).await;
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&root).status();
    assert!(mounted.unwrap().success());
    let disk = SmallDisk(root.clone());
    let local = Some(LocalRegistry { endpoint: server.endpoint.clone(), credentials: Arc::new(None) });
    let puller =
        Puller::new(PullerConfig { root: root.clone(), local, limits: PullLimits::default() }).unwrap();
    let reason = puller.pull(&format!("{NAME}:v1")).await.unwrap_err().reason();
    assert!(reason.contains("no space left on device") && reason.contains(root.as_str()), "{reason}");
    assert_eq!(std::fs::read_dir(root.join("unpacking")).unwrap().count(), 0);
    drop(disk);
}

/// Answers the first so many requests for content with a status instead, and those for its head meanwhile.
async fn busy(times: usize, status: u16, wish: Option<&'static str>) -> Server {
    let seen = AtomicUsize::new(0);
    let meddle = move |method: &Method, path: &str, answer: Response<Body>| {
        let large = path.contains("/blobs/")
            && answer.headers().get("content-length").is_some_and(|length| length.len() > 3);
        let before = if method == Method::GET && large {
            seen.fetch_add(1, Ordering::SeqCst)
        } else {
            seen.load(Ordering::SeqCst).saturating_sub(1)
        };
        if !large || before >= times {
            return answer;
        }
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        let body = http_body_util::Full::new(Bytes::from(body)).map_err(|never| match never {});
        let mut answer = Response::builder().status(status);
        if let Some(wish) = wish {
            answer = answer.header("retry-after", wish);
        }
        answer.body(http_body_util::BodyExt::boxed(body)).unwrap()
    };
    let server = server_with(None, Box::new(meddle)).await;
    server.push("v1", &[("noise", &noise())]).await;
    server
}

#[tokio::test]
async fn a_registry_that_says_how_long_to_wait_is_left_alone_for_that_long() {
    for status in [429, 503] {
        let server = busy(2, status, Some("1")).await;
        let limits = PullLimits { pause: Duration::from_millis(1), ..PullLimits::default() };
        let node = node_with(&server, Arc::new(None), limits);
        let began = Instant::now();
        assert!(node.puller.pull(&format!("{NAME}:v1")).await.is_ok(), "{status}");
        assert!(began.elapsed() >= Duration::from_secs(2), "{status}: {:?}", began.elapsed());
        assert_eq!(server.count("HEAD", "/blobs/"), 2, "asked once for each refusal");
    }
}

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again_for_longer_than_one_that_breaks() {
    for status in [429, 503] {
        let server = busy(8, status, None).await;
        let node = node(&server);
        assert!(node.puller.pull(&format!("{NAME}:v1")).await.is_ok(), "{status}");
    }
    let server = busy(usize::MAX, 429, Some("0")).await;
    let limits = PullLimits { pause: Duration::from_millis(1), ..PullLimits::default() };
    let node = node_with(&server, Arc::new(None), limits);
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.contains("429") && reason.contains("tried again 11 time(s)"), "{reason}");
}

/// Sends a byte at a time.
fn trickle(answer: Response<Body>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let pieces = body.into_data_stream().flat_map(|piece| {
        let piece: Bytes = piece.unwrap();
        futures_util::stream::iter(piece.chunks(1).map(Bytes::copy_from_slice).collect::<Vec<_>>())
    });
    let slow = pieces.then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, io::Error>(Frame::data(piece))
    });
    Response::from_parts(parts, http_body_util::BodyExt::boxed(StreamBody::new(slow)))
}

#[tokio::test]
async fn a_trickle_is_given_up_by_name_and_holds_nobody_else_up() {
    let server = faulty(usize::MAX, trickle).await;
    let limits = PullLimits {
        pause: Duration::from_millis(5),
        idle_max: Duration::from_millis(200),
        downloads_at_once: std::num::NonZeroUsize::MIN,
        ..PullLimits::default()
    };
    let node = node_with(&server, Arc::new(None), limits);
    // Another registry has room of its own while the first one trickles.
    let other = super::server().await;
    let puller = node.puller.clone();
    let slow = tokio::spawn(async move { puller.pull(&format!("{NAME}:v1")).await });
    let began = Instant::now();
    while node.puller.0.downloads(&server.endpoint).available_permits() > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "the download has begun");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(node.puller.0.downloads(&other.endpoint).available_permits(), 1);
    let reason = slow.await.unwrap().unwrap_err().reason();
    assert!(reason.contains("bytes within"), "{reason}");
}

#[tokio::test]
async fn a_download_that_was_cut_short_goes_on_in_the_next_pull_and_the_next_process() {
    let server = faulty(1, |answer| cut(answer, 4_096, true)).await;
    let limits = PullLimits { deadline: Duration::from_millis(1500), ..PullLimits::default() };
    let node = node_with(&server, Arc::new(None), limits);
    let reason = node.reason(&format!("{NAME}:v1")).await;
    assert!(reason.contains("context deadline exceeded"), "{reason}");
    let parts = |node: &Node| {
        let entries = std::fs::read_dir(node.config.root.join("ingest")).unwrap();
        let mut found =
            entries.map(|entry| entry.unwrap()).filter(|entry| entry.metadata().unwrap().len() > 2_000);
        found.next().map(|entry| entry.metadata().unwrap().len())
    };
    // The pull itself ends with those who wait for it, or a moment later.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let had = parts(&node).expect("the beginning was kept");
    let again = Puller::new(node.config.clone()).unwrap();
    assert_eq!(parts(&node), Some(had), "a new process keeps it too");
    let image = again.pull(&format!("{NAME}:v1")).await.unwrap();
    assert_eq!(std::fs::metadata(image.layers[0].join("noise")).unwrap().len(), 50_000);
    assert_eq!(parts(&node), None, "and nothing of it is left");
}

#[tokio::test]
async fn a_beginning_that_was_damaged_meanwhile_is_noticed_and_brought_anew() {
    let server = faulty(1, |answer| cut(answer, 4_096, true)).await;
    let limits = PullLimits { deadline: Duration::from_millis(1500), ..PullLimits::default() };
    let node = node_with(&server, Arc::new(None), limits);
    node.reason(&format!("{NAME}:v1")).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for entry in std::fs::read_dir(node.config.root.join("ingest")).unwrap() {
        let path = entry.unwrap().path();
        let mut content = std::fs::read(&path).unwrap();
        if let Some(byte) = content.first_mut() {
            *byte ^= 0xff;
        }
        std::fs::write(&path, content).unwrap();
    }
    // With all the time that a busy machine may take.
    let config = PullerConfig { limits: PullLimits::default(), ..node.config.clone() };
    let again = Puller::new(config).unwrap();
    assert!(again.pull(&format!("{NAME}:v1")).await.is_ok());
}
