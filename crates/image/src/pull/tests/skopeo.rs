//! The registry as others speak to it, where `skopeo` is installed.

use super::*;
use crate::import::import_layout;
use tokio::process::Command;

fn layout(server: &Server, folder: &camino::Utf8Path, tag: &str) -> Command {
    let mut command = Command::new("skopeo");
    command.kill_on_drop(true);
    command.arg("copy").arg("--src-tls-verify=false");
    command.arg(format!("docker://{}/team/web:{tag}", server.endpoint)).arg(format!("oci:{folder}:{tag}"));
    command
}

#[tokio::test]
async fn skopeo_pulls_what_we_serve_and_we_pull_what_it_pushes() {
    if std::process::Command::new("skopeo").arg("--version").output().is_err() {
        println!("skopeo is not installed: nothing tried");
        return;
    }
    let server = server().await;
    // Docker's own format knows gzip only, which is what a first layer gets here.
    server.push("v2s2", &[("a", "one")]).await;
    server.push("oci", &[("a", "one"), ("b", "two"), ("c", "three")]).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8PathBuf::from_path_buf(folder.path().join("layout")).unwrap();
    for tag in ["v2s2", "oci"] {
        let copied = layout(&server, &folder, tag).output().await.unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    }

    let other = super::server().await;
    for format in ["oci", "v2s2"] {
        let mut push = Command::new("skopeo");
        push.kill_on_drop(true).args(["copy", "--dest-tls-verify=false", "--format", format]);
        push.arg(format!("oci:{folder}:{format}"))
            .arg(format!("docker://{}/team/web:{format}", other.endpoint));
        let pushed = push.output().await.unwrap();
        assert!(pushed.status.success(), "{format}: {}", String::from_utf8_lossy(&pushed.stderr));
        let node = node(&other);
        let image = node.puller.pull(&format!("{NAME}:{format}")).await.unwrap();
        let read = |(layer, path): (&Utf8PathBuf, &str)| std::fs::read_to_string(layer.join(path)).unwrap();
        let all: Vec<_> = image.layers.iter().zip(["a", "b", "c"]).map(read).collect();
        assert_eq!(all, ["one", "two", "three"][..image.layers.len()]);
        assert_eq!(image.config.entrypoint, ["/web"]);
    }
    let mut push = Command::new("skopeo");
    push.kill_on_drop(true).args(["copy", "--dest-tls-verify=false"]);
    push.arg(format!("oci:{folder}:oci")).arg(format!("docker://{}/nobody:v1", other.endpoint));
    let refused = push.output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("create-repository"), "{said}");

    let third = super::server().await;
    let imported = import_layout(&third.registry, "team/web", &folder, Some("oci"), "imported").await;
    let node = node(&third);
    let image = node.puller.pull(&format!("{NAME}:imported")).await.unwrap();
    assert_eq!(image.digest, imported.unwrap());
    assert_eq!(std::fs::read_to_string(image.layers[0].join("a")).unwrap(), "one");
}
