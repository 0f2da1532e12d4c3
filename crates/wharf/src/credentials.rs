//! The account's access key: made at the first start, printed once, kept in a file that only root reads.

use crate::options::{Auth, Options};
use anyhow::Context;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::{io::Write, os::unix::fs::OpenOptionsExt};

/// An access key and the secrets of this Wharf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// `AKIA` and 16 characters.
    pub(crate) access_key_id: String,
    /// 40 characters.
    pub(crate) secret_access_key: String,
    /// What image registry passwords are derived from.
    pub(crate) registry_secret: String,
}

impl Credentials {
    /// Returns the kept credentials, or new ones, and whether they are new.
    pub(crate) fn ensure(options: &Options) -> anyhow::Result<(Credentials, bool)> {
        let file = file(options);
        match std::fs::read(&file) {
            Ok(bytes) => {
                let kept = serde_json::from_slice(&bytes).with_context(|| format!("understand {file}"))?;
                Ok((kept, false))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let made = Credentials {
                    access_key_id: format!("AKIA{}", random_text(16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
                    secret_access_key: random_text(
                        40,
                        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                    ),
                    registry_secret: random_text(40, b"abcdefghijklmnopqrstuvwxyz0123456789"),
                };
                made.write(&file)?;
                Ok((made, true))
            }
            Err(error) => Err(error).with_context(|| format!("read {file}")),
        }
    }

    /// Returns the kept credentials; fails when this Wharf was never started.
    pub(crate) fn kept(options: &Options) -> anyhow::Result<Credentials> {
        let file = file(options);
        let bytes = std::fs::read(&file)
            .with_context(|| format!("read {file}; has `wharf up` been run, and are you root?"))?;
        serde_json::from_slice(&bytes).with_context(|| format!("understand {file}"))
    }

    fn write(&self, file: &Utf8PathBuf) -> anyhow::Result<()> {
        let new = file.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut out =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            out.write_all(&serde_json::to_vec_pretty(self)?)?;
            out.sync_all()?;
            std::fs::rename(&new, file)
        };
        write().with_context(|| format!("write {file}"))
    }

    /// Returns the shell commands that point the AWS CLI and SDKs here.
    pub(crate) fn exports(&self, options: &Options) -> String {
        format!(
            "export AWS_ENDPOINT_URL=http://{}\nexport AWS_DEFAULT_REGION={}\nexport AWS_ACCESS_KEY_ID={}\nexport \
             AWS_SECRET_ACCESS_KEY={}\n",
            options.endpoint, options.region, self.access_key_id, self.secret_access_key
        )
    }
}

/// Prints the exports; fails when this Wharf was never started.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn print_environment(options: &Options) -> anyhow::Result<()> {
    print!("{}", Credentials::kept(options)?.exports(options));
    if options.auth == Auth::Off {
        println!("# signatures are not verified");
    }
    Ok(())
}

fn file(options: &Options) -> Utf8PathBuf {
    options.state_dir.join("credentials.json")
}

fn random_text(length: usize, alphabet: &[u8]) -> String {
    let mut text = String::with_capacity(length);
    let fair = 256 - 256 % alphabet.len();
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
        let fit = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(fit.map(|byte| char::from(alphabet[byte % alphabet.len()])).take(length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_the_length_and_only_the_letters_asked_for() {
        let text = random_text(40, b"abc");
        assert_eq!(text.len(), 40);
        assert!(text.bytes().all(|byte| b"abc".contains(&byte)));
        assert_ne!(random_text(40, b"abc"), text);
    }
}
