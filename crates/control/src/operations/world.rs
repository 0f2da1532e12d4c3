//! A control plane for tests.

use crate::Config;
use camino::Utf8PathBuf;
use wharf_model::Place;

/// Returns a configuration like the default one.
pub(crate) fn config(state_dir: Utf8PathBuf) -> Config {
    Config {
        place: Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() },
        endpoint: ([127, 0, 0, 1], 4566).into(),
        state_dir,
        vpc_cidr: "172.31.0.0/16".parse().expect("a block"),
        public_cidr: "198.18.0.0/16".parse().expect("a block"),
        host_addresses: Vec::new(),
        registry_password: "secret".to_owned(),
        healthy_after_secs: 40,
        simulated: false,
    }
}

/// Returns a control plane that keeps nothing but its logs and images, and the directory these are in.
pub(crate) fn control() -> (crate::Control, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("a path in UTF-8");
    let control = crate::Control::new(wharf_store::Store::in_memory(), config(path));
    (control.expect("an empty directory can be opened"), dir)
}
