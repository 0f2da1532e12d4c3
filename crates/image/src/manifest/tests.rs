use super::*;

fn entry(digit: char, os: &str, architecture: &str, variant: Option<&str>) -> IndexEntry {
    let digest = format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap();
    let variant = variant.map(str::to_owned);
    let platform = Platform { architecture: architecture.to_owned(), os: os.to_owned(), variant };
    IndexEntry { digest, platform: Some(platform) }
}

#[track_caller]
fn check(index: &[IndexEntry], expected: Option<char>) {
    let chosen = choose(index).ok().and_then(|digest| digest.hex().chars().next());
    assert_eq!(chosen, expected);
}

#[test]
fn the_image_for_linux_on_amd64_is_chosen() {
    let arm = entry('a', "linux", "arm64", Some("v8"));
    let windows = entry('b', "windows", "amd64", None);
    let newer = entry('c', "linux", "amd64", Some("v3"));
    let plain = entry('d', "linux", "amd64", None);
    let bare = IndexEntry { platform: None, ..plain.clone() };
    check(&[arm.clone(), windows.clone(), newer.clone(), plain], Some('d'));
    check(&[arm.clone(), newer], Some('c'));
    check(&[arm, windows], None);
    check(&[bare], Some('d'));
    check(&[], None);
}

#[test]
fn a_manifest_says_what_it_is_and_the_transfer_must_agree() {
    let hex = "0".repeat(64);
    let of = |media_type: &str| {
        format!(
            r#"{{"schemaVersion":2{media_type},"config":{{"mediaType":"c","digest":"sha256:{hex}","size":2}},"layers":[]}}"#
        )
    };
    let plain = of("");
    assert_eq!(parse(plain.as_bytes(), None).unwrap().media_type, OCI_MANIFEST);
    assert_eq!(parse(plain.as_bytes(), Some(DOCKER_MANIFEST)).unwrap().media_type, DOCKER_MANIFEST);
    let oci = of(&format!(r#","mediaType":"{OCI_MANIFEST}""#));
    assert_eq!(parse(oci.as_bytes(), Some("application/octet-stream")).unwrap().media_type, OCI_MANIFEST);
    assert!(matches!(parse(oci.as_bytes(), Some(DOCKER_MANIFEST)), Err(ManifestInvalid::TypesDiffer { .. })));
    assert!(matches!(parse(br#"{"schemaVersion":1}"#, None), Err(ManifestInvalid::Version(1))));
    assert!(matches!(parse(b"<html>", None), Err(ManifestInvalid::Json(_))));
    assert!(matches!(parse(br#"{"schemaVersion":2}"#, None), Err(ManifestInvalid::Json(_))));
}

#[test]
fn a_configuration_may_leave_out_everything_but_the_layers() {
    let parsed =
        parse_config(br#"{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Cmd":null}}"#).unwrap();
    assert_eq!(parsed.settings, ImageConfig::default());
    let parsed = parse_config(
        br#"{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]},
            "config":{"Entrypoint":["/a"],"Cmd":["b"],"Env":["C=d"],"User":"1:2","WorkingDir":"/e",
                      "StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{}}}}"#,
    );
    let settings = parsed.unwrap().settings;
    assert_eq!((settings.entrypoint, settings.cmd), (vec!["/a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(settings.stop_signal.as_deref(), Some("SIGINT"));
    assert_eq!(settings.exposed_ports, ["80/tcp"]);
    let other = br#"{"os":"linux","architecture":"arm64","rootfs":{"diff_ids":[]}}"#;
    assert!(matches!(parse_config(other), Err(ManifestInvalid::Platform(_))));
    assert!(matches!(parse_config(b"{}"), Err(ManifestInvalid::Json(_))));
}
