//! Every command that the README shows under "The first five minutes" works, in its order.

use std::{os::unix::fs::PermissionsExt, process::Command};
use wharf_e2e::{Wharf, run};

#[test]
fn the_first_five_minutes_of_the_readme_work_as_written() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let readme = std::fs::read_to_string(format!("{checkout}/README.md")).expect("the README is there");
    let port = wharf.endpoint().rsplit(':').next().unwrap_or_default().to_owned();
    let shell: String = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .map(|block| block.replace(":4566", &format!(":{port}")))
        .collect();
    assert!(shell.contains("create-service") && shell.contains("delete-target-group"), "{shell}");

    // `wharf` as the reader has it, but for the options of this test's own Wharf.
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let shim = dir.path().join("wharf");
    let env = wharf.command("env");
    let words: Vec<String> = env.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let binary = env.get_program().to_string_lossy().into_owned();
    let text = format!("#!/bin/sh\n[ \"$1\" = env ] && exec '{binary}' {}\nexit 2\n", words.join(" "));
    std::fs::write(&shim, text).expect("the shim can be written");
    std::fs::set_permissions(&shim, std::fs::Permissions::from_mode(0o755)).expect("a mode can be set");
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap_or_default());
    let said = run(Command::new("bash")
        .args(["-euo", "pipefail", "-c", &shell])
        .env("PATH", path)
        .env("AWS_PAGER", "")
        .env("REGISTRY_AUTH_FILE", dir.path().join("auth.json"))
        .current_dir(checkout));
    assert!(said.contains("\"task_arn\":\"arn:aws:ecs:us-east-1:123456789012:task/web/"), "{said}");
    assert!(said.contains("GET /info"), "{said}");
    wharf.down();
}
