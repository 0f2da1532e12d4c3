//! The encryption of private keys in the saved table: AES-256-GCM, as control keeps them (`control/vault.rs`).
//!
//! A restarted balancer speaks TLS before control answers, so it must keep the keys; but the table alone, in a backup
//! for instance, gives none away. What a key belongs to is authenticated with it.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};
use wharf_model::{
    routing::{CertificateRoutes, RoutingTable, TlsRoutes},
    secret::Plain,
};

/// The length of what encrypts.
pub(super) const KEY_LENGTH: usize = 32;

/// Encrypts and decrypts the private keys of tables.
pub(super) struct Seal {
    key: LessSafeKey,
    /// What was encrypted last, with what it came from: tables change far more often than keys do.
    known: Mutex<HashMap<String, [Plain; 2]>>,
}

impl Seal {
    /// Encrypts by this; nothing when it is too short.
    pub(super) fn new(key: &[u8]) -> Option<Seal> {
        let key = UnboundKey::new(&AES_256_GCM, key.get(..KEY_LENGTH)?).ok()?;
        Some(Seal { key: LessSafeKey::new(key), known: Mutex::default() })
    }

    /// Encrypts every private key of a table.
    pub(super) fn close(&self, table: &mut RoutingTable) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = HashMap::with_capacity(known.len());
        for certificate in tls(table).flat_map(|tls| &mut tls.certificates) {
            let same = known.get(&certificate.chain).filter(|[plain, _]| *plain == certificate.key);
            let sealed = same.map_or_else(|| self.sealed(certificate), |[_, sealed]| sealed.clone());
            let plain = std::mem::replace(&mut certificate.key, sealed.clone());
            current.insert(certificate.chain.clone(), [plain, sealed]);
        }
        *known = current;
    }

    /// Decrypts every private key of a table. A listener of which one does not open presents nothing; control's
    /// table has it again.
    pub(super) fn open(&self, table: &mut RoutingTable) {
        for tls in tls(table) {
            let opened = tls.certificates.iter().map(|certificate| {
                Some(CertificateRoutes { key: self.opened(certificate)?, ..certificate.clone() })
            });
            tls.certificates = opened.collect::<Option<_>>().unwrap_or_else(|| {
                tracing::warn!("a saved private key cannot be decrypted");
                Vec::new()
            });
        }
    }

    fn sealed(&self, of: &CertificateRoutes) -> Plain {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the kernel gives random bytes once it has booted");
        let mut bytes = of.key.reveal().as_bytes().to_vec();
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(of.chain.as_bytes()));
        let written = *nonce.as_ref();
        let sealed = self.key.seal_in_place_append_tag(nonce, aad, &mut bytes);
        sealed.expect("a key is shorter than the 64 GiB that the cipher takes");
        Plain::new(STANDARD.encode([written.as_slice(), &bytes].concat()))
    }

    fn opened(&self, of: &CertificateRoutes) -> Option<Plain> {
        let mut bytes = STANDARD.decode(of.key.reveal()).ok()?;
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(of.chain.as_bytes()), rest).ok()?;
        String::from_utf8(plain.to_vec()).ok().map(Plain::new)
    }
}

fn tls(table: &mut RoutingTable) -> impl Iterator<Item = &mut TlsRoutes> {
    let listeners = table.load_balancers.iter_mut().flat_map(|balancer| &mut balancer.listeners);
    listeners.filter_map(|listener| listener.tls.as_mut())
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(not shown)")
    }
}
