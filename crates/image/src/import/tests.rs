use super::*;
use std::fs;
use std::process::Command;

struct Fixture {
    folder: tempfile::TempDir,
    registry: Registry,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().join("registry")).unwrap();
    let registry = Registry::new(&root).unwrap();
    registry.create_repository("web").await.unwrap();
    Fixture { folder, registry }
}

impl Fixture {
    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join(name)).unwrap()
    }

    fn leftovers(&self) -> usize {
        fs::read_dir(self.path("registry/ingest")).unwrap().count()
    }

    async fn import(&self, path: &Utf8Path, start: Option<&Start>, name: Option<&str>) -> Digest {
        let prepared = prepare(&self.registry, path, start).unwrap();
        let digest = prepared.import(&self.registry, "web", name, "v1").await.unwrap();
        drop(prepared);
        assert_eq!(self.leftovers(), 0);
        digest
    }

    /// Returns the manifest's layers and the configuration.
    async fn image(&self, digest: &Digest) -> (Vec<serde_json::Value>, serde_json::Value) {
        let stored = self.registry.manifest("web", digest.as_str()).await.unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&stored.content).unwrap();
        let config = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
        let config = self.registry.blobs().read(&config).await.unwrap().unwrap();
        (manifest["layers"].as_array().unwrap().clone(), serde_json::from_slice(&config).unwrap())
    }
}

fn tar(entries: &[(&str, &[u8])], links: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *content).unwrap();
    }
    for (path, target) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, path, target).unwrap();
    }
    tar.into_inner().unwrap()
}

fn config(layers: &[&[u8]]) -> String {
    let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::of(layer)).collect();
    serde_json::json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": diff_ids } })
        .to_string()
}

/// What `docker save` wrote for years: a folder for each layer, a layer that two images share as a link.
fn saved(layer: &[u8], config: &str) -> Vec<u8> {
    let manifest = serde_json::json!([{
        "Config": "c.json", "RepoTags": ["docker.io/team/web:v7"], "Layers": ["1/layer.tar", "2/layer.tar"],
    }]);
    tar(
        &[
            ("1/layer.tar", layer),
            ("c.json", config.as_bytes()),
            ("manifest.json", manifest.to_string().as_bytes()),
        ],
        &[("2/layer.tar", "../1/layer.tar")],
    )
}

#[tokio::test]
async fn an_archive_of_docker_arrives_with_its_name_and_its_shared_layers() {
    let it = fixture().await;
    let layer = tar(&[("etc/name", b"one")], &[]);
    let path = it.path("saved.tar");
    let content = saved(&layer, &config(&[&layer, &layer]));
    for compressed in [false, true] {
        let content =
            if compressed { zstd::encode_all(content.as_slice(), 1).unwrap() } else { content.clone() };
        fs::write(&path, content).unwrap();
        assert_eq!(prepare(&it.registry, &path, None).unwrap().names(), ["docker.io/team/web:v7"]);
        let digest = it.import(&path, None, None).await;
        let (layers, config) = it.image(&digest).await;
        assert_eq!((layers.len(), &layers[0]), (2, &layers[1]));
        assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&layer).as_str());
    }
}

#[tokio::test]
async fn names_in_an_archive_are_never_paths() {
    let it = fixture().await;
    let canary = it.path("canary");
    fs::write(&canary, "alive").unwrap();
    let layer = tar(&[("a", b"1")], &[]);
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":null,"Layers":["{canary}"]}}]"#);
    let path = it.path("hostile.tar");
    let cases: [Vec<u8>; 3] = [
        // A layer that is a file of this machine, by its path and by a link to it.
        tar(&[("c.json", config(&[&layer]).as_bytes()), ("manifest.json", manifest.as_bytes())], &[]),
        tar(
            &[
                ("c.json", config(&[&layer]).as_bytes()),
                ("manifest.json", br#"[{"Config":"c.json","Layers":["l"]}]"#),
            ],
            &[("l", "../../../../../../../etc/passwd")],
        ),
        tar(&[("manifest.json", br#"[{"Config":"l","Layers":[]}]"#)], &[("l", "m"), ("m", "l")]),
    ];
    for content in cases {
        fs::write(&path, content).unwrap();
        let refused = prepare(&it.registry, &path, None).unwrap_err();
        assert!(
            matches!(&refused, ImportError::NotAnImage { why, .. } if why.contains("missing")),
            "{refused}"
        );
        assert_eq!(it.leftovers(), 0);
    }
    assert_eq!(fs::read_to_string(&canary).unwrap(), "alive");
    fs::write(&path, b"no archive at all, but long enough to be one".repeat(50)).unwrap();
    assert!(matches!(prepare(&it.registry, &path, None), Err(ImportError::Read { .. })));
}

#[tokio::test]
async fn a_root_file_system_becomes_an_image_that_runs_what_it_was_told() {
    let it = fixture().await;
    let root = it.path("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("etc/name"), "mine").unwrap();
    std::os::unix::fs::symlink("/nowhere/sh", root.join("bin/sh")).unwrap();
    let start = Start { command: vec!["/bin/sh".into()], env: vec!["A=b".into()] };
    let digest = it.import(&root, Some(&start), None).await;
    let (layers, config) = it.image(&digest).await;
    assert_eq!((layers.len(), &config["config"]["Cmd"][0]), (1, &serde_json::json!("/bin/sh")));
    let layer = layers[0]["digest"].as_str().unwrap().parse().unwrap();
    let content = it.registry.blobs().read(&layer).await.unwrap().unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(content.as_slice()), &mut plain).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&plain).as_str());
    let refused = prepare(&it.registry, &root, None).unwrap_err();
    assert!(refused.to_string().contains("say what its containers run"), "{refused}");
}

#[tokio::test]
async fn what_skopeo_writes_is_read_in_every_form() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        println!("skopeo is not installed: nothing tried");
        return;
    }
    let it = fixture().await;
    let layer = tar(&[("etc/name", b"one")], &[]);
    fs::write(it.path("saved.tar"), saved(&layer, &config(&[&layer, &layer]))).unwrap();
    let from = format!("docker-archive:{}", it.path("saved.tar"));
    for (form, name) in [
        ("oci", "layout:v1"),
        ("oci-archive", "layout.tar:v1"),
        ("dir", "folder"),
        ("docker-archive", "again.tar"),
    ] {
        let to = format!("{form}:{}", it.path(name));
        let copied = Command::new("skopeo").args(["copy", "--quiet", &from, &to]).output().unwrap();
        assert!(copied.status.success(), "{form}: {}", String::from_utf8_lossy(&copied.stderr));
        let path = it.path(name.split(':').next().unwrap());
        let digest = it.import(&path, None, None).await;
        let (layers, config) = it.image(&digest).await;
        assert_eq!(layers.len(), 2, "{form}");
        assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&layer).as_str(), "{form}");
    }
}
