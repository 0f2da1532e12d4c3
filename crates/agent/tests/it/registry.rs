//! A registry with one image, `box:1`: busybox and its shell.

use std::net::TcpListener;
use std::sync::Arc;

use camino::Utf8Path;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use wharf_image::{Digest, Registry};

/// Serves for ever.
pub(crate) async fn serve(listener: TcpListener, root: &Utf8Path) {
    let registry = Arc::new(Registry::new(root).unwrap());
    registry.create_repository("box").await.unwrap();
    push(&registry).await;
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let registry = registry.clone();
        let service = hyper::service::service_fn(move |request| {
            let registry = registry.clone();
            async move { Ok::<_, std::convert::Infallible>(registry.handle(request).await) }
        });
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // An agent that was killed does not say goodbye.
            let _gone = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn push(registry: &Registry) {
    let layer = layer();
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "config": { "Entrypoint": ["/bin/sh", "-c"], "Env": ["PATH=/bin"] },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer)] },
    });
    let config =
        blob(registry, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()).await;
    let layers = [blob(registry, "application/vnd.oci.image.layer.v1.tar", &layer).await];
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": layers,
    });
    registry.put_manifest("box", "1", None, manifest.to_string().as_bytes()).await.unwrap();
}

async fn blob(registry: &Registry, media_type: &str, content: &[u8]) -> serde_json::Value {
    let digest = Digest::of(content);
    let body = http_body_util::Full::new(bytes::Bytes::copy_from_slice(content));
    let request = Request::post(format!("/v2/box/blobs/uploads/?digest={digest}")).body(body).unwrap();
    assert_eq!(registry.handle(request).await.status(), 201);
    serde_json::json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
}

fn layer() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find_map(|path| std::fs::read(path).ok());
    let busybox = busybox.expect("busybox-static is installed");
    let mut file = tar::Header::new_gnu();
    file.set_size(busybox.len() as u64);
    file.set_mode(0o755);
    file.set_uid(0);
    file.set_gid(0);
    tar.append_data(&mut file, "bin/busybox", busybox.as_slice()).unwrap();
    for name in ["sh", "sleep", "echo", "cat", "wget", "hostname", "date", "seq", "dd", "tail", "grep", "rm"]
    {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_mode(0o777);
        link.set_uid(0);
        link.set_gid(0);
        tar.append_link(&mut link, format!("bin/{name}"), "busybox").unwrap();
    }
    tar.into_inner().unwrap()
}
