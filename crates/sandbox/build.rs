//! Builds the small init that containers can begin with; see `init/main.rs`.

use std::env::var_os;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=init");
    let given = |name: &str| var_os(name).ok_or_else(|| format!("cargo did not set {name}"));
    let out = PathBuf::from(given("OUT_DIR")?).join("init");
    let mut rustc = Command::new(given("RUSTC")?);
    rustc.args(["--edition", "2024", "--crate-type", "bin", "--crate-name", "init", "init/main.rs"]);
    rustc.arg("--target").arg(given("TARGET")?).arg("-o").arg(&out);
    let codegen = ["opt-level=s", "panic=abort", "strip=symbols", "relocation-model=static"];
    let link = ["link-arg=-nostartfiles", "link-arg=-nostdlib", "link-arg=-static"];
    for option in codegen.iter().chain(&link) {
        rustc.args(["-C", option]);
    }
    let status = rustc.status().map_err(|error| format!("run {rustc:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{rustc:?}: {status}")) }
}
