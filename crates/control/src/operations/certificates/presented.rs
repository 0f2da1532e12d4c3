//! What a listener presents: for the balancer's configuration, and for nobody else. No operation of the API shows a key.

use super::{Error, get};
use crate::Control;
use wharf_model::{Arn, Timestamp, secret::Plain};

/// A certificate with its key, as TLS libraries read them.
#[derive(Debug)]
pub struct Presented {
    /// The certificate and those between it and its root, PEM.
    pub chain: String,
    /// Its private key, PEM.
    pub key: Plain,
    /// When this came to be: later once it has been renewed, or imported again.
    pub issued_at: Timestamp,
}

/// Returns the chain and the key that an ARN stands for now.
///
/// An imported certificate that has expired is presented all the same, as AWS does; clients say that it has.
pub fn presented(control: &Control, arn: &Arn) -> Result<Presented, Error> {
    let found = get(&control.store().view(), arn)?;
    let key = control.vault().unseal(&found.key, &arn.to_string())?;
    let mut chain = found.certificate.clone();
    if !chain.ends_with('\n') {
        chain.push('\n');
    }
    chain.push_str(&found.chain);
    Ok(Presented { chain, key, issued_at: found.issued_at })
}
