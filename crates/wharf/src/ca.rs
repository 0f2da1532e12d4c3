//! The certificate of the own authority, as a file and on standard output.

use crate::options::Options;
use anyhow::Context;
use camino::Utf8PathBuf;
use wharf_control::{Control, operations::certificates::authority};

/// Writes the certificate beside the state, for those who are to trust it.
pub(crate) async fn keep(options: &Options, control: &Control) -> anyhow::Result<()> {
    let certificate = authority::certificate(control).await.context("open the certificate authority")?;
    let file = file(options);
    if std::fs::read_to_string(&file).is_ok_and(|kept| kept == certificate) {
        return Ok(());
    }
    std::fs::write(&file, certificate).with_context(|| format!("write {file}"))
}

/// Prints the certificate; fails when this Wharf was never started.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let file = file(options);
    let certificate = std::fs::read_to_string(&file)
        .with_context(|| format!("read {file}; has `wharf up` been run, and are you root?"))?;
    print!("{certificate}");
    Ok(())
}

fn file(options: &Options) -> Utf8PathBuf {
    options.state_dir.join("ca.pem")
}
