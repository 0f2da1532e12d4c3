use super::*;
use std::os::unix::fs::PermissionsExt;

fn dir() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().join("secrets.key")).unwrap();
    (dir, path)
}

#[test]
fn a_value_opens_for_what_it_was_sealed_for_also_after_a_restart() {
    let (_dir, path) = dir();
    let sealed = Vault::open(&path).unwrap().seal(&Plain::new("s3cret"), "secret db 1");
    assert!(!sealed.as_str().contains("s3cret"));
    let vault = Vault::open(&path).unwrap();
    assert_eq!(vault.unseal(&sealed, "secret db 1").unwrap().reveal(), "s3cret");
    assert_ne!(vault.seal(&Plain::new("s3cret"), "secret db 1"), sealed, "never twice the same");
}

#[test]
fn a_value_does_not_open_for_another_record_by_another_key_or_damaged() {
    let (_dir, path) = dir();
    let vault = Vault::open(&path).unwrap();
    let sealed = vault.seal(&Plain::new("s3cret"), "secret db 1");
    assert!(vault.unseal(&sealed, "secret db 2").is_err());
    let mut bytes = STANDARD.decode(sealed.as_str()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert!(vault.unseal(&Sealed::new(STANDARD.encode(&bytes)), "secret db 1").is_err());
    assert!(vault.unseal(&Sealed::new("AA==".to_owned()), "secret db 1").is_err());
    fs::remove_file(&path).unwrap();
    assert!(Vault::open(&path).unwrap().unseal(&sealed, "secret db 1").is_err());
}

#[test]
fn only_root_reads_the_key_and_a_damaged_one_is_not_replaced() {
    let (_dir, path) = dir();
    Vault::open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "short").unwrap();
    assert!(matches!(Vault::open(&path), Err(VaultError::Key(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "short");
}

#[test]
fn a_hidden_value_is_not_shown_for_debugging() {
    assert_eq!(format!("{:?}", Plain::new("s3cret")), "Plain(not shown)");
}
