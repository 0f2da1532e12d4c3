//! The key by which secrets lie encrypted in the state file, and its use.
//!
//! AES-256-GCM with a random nonce per value. What a value belongs to is authenticated with it, so that a value that was
//! moved to another secret's record does not open. The key is in a file of its own that only root reads: the state file
//! alone, in a backup for instance, gives nothing away.

use base64::{Engine, engine::general_purpose::STANDARD};
use camino::{Utf8Path, Utf8PathBuf};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
};
use thiserror::Error;
use wharf_model::secret::{Plain, Sealed};

#[cfg(test)]
mod tests;

const KEY_LEN: usize = 32;

/// Why values cannot be encrypted or decrypted.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The key's file cannot be used.
    #[error("use the key of secrets in {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key's file does not hold a key.
    #[error("{0} does not hold a key of 64 hexadecimal digits")]
    Key(Utf8PathBuf),
    /// A value is damaged, or was encrypted by another key or for something else.
    #[error("the value of {0} cannot be decrypted by the key of this Wharf")]
    Sealed(String),
}

/// Encrypts and decrypts values.
pub struct Vault(LessSafeKey);

impl Vault {
    /// Reads the key from a file, or makes one.
    pub fn open(path: &Utf8Path) -> Result<Vault, VaultError> {
        let file = |source| VaultError::File { path: path.to_owned(), source };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => make(path).map_err(file)?,
            Err(error) => return Err(file(error)),
        };
        let mut bytes = [0; KEY_LEN];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| VaultError::Key(path.to_owned()))?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::Key(path.to_owned()))?;
        Ok(Vault(LessSafeKey::new(key)))
    }

    /// Encrypts a value that belongs to `of`.
    pub fn seal(&self, value: &Plain, of: &str) -> Sealed {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the kernel gives random bytes once it has booted");
        let mut bytes = value.reveal().as_bytes().to_vec();
        let sealed = self.0.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(of.as_bytes()),
            &mut bytes,
        );
        sealed.expect("a value is shorter than the 64 GiB that the cipher takes");
        Sealed::new(STANDARD.encode([nonce.as_slice(), &bytes].concat()))
    }

    /// Decrypts a value that belongs to `of`.
    pub fn unseal(&self, sealed: &Sealed, of: &str) -> Result<Plain, VaultError> {
        let open = || {
            let mut bytes = STANDARD.decode(sealed.as_str()).ok()?;
            let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let plain = self.0.open_in_place(nonce, Aad::from(of.as_bytes()), rest).ok()?;
            String::from_utf8(plain.to_vec()).ok()
        };
        open().map(Plain::new).ok_or_else(|| VaultError::Sealed(of.to_owned()))
    }
}

/// Writes a new key, durably and never half, and returns it as text.
fn make(path: &Utf8Path) -> std::io::Result<String> {
    let mut bytes = [0; KEY_LEN];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
    let text = hex::encode(bytes);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let new = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(text)
}
