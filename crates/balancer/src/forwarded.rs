//! What the load balancer adds to a request's headers.

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The most addresses in `X-Forwarded-For`.
const ADDRESSES_MAX: usize = 30;

/// Returns `X-Forwarded-For`: what came, and the client at its end.
pub(crate) fn forwarded_for(came: Option<&str>, client: &str) -> String {
    match came.map(str::trim) {
        Some(came) if !came.is_empty() => format!("{came}, {client}"),
        _ => client.to_owned(),
    }
}

/// Returns whether `X-Forwarded-For` names more addresses than an application load balancer takes.
pub(crate) fn too_many(came: &[&str]) -> bool {
    came.iter().map(|value| value.split(',').count()).sum::<usize>() > ADDRESSES_MAX
}

/// Returns how a client is named, with or without its port.
pub(crate) fn client(from: SocketAddr, port: bool) -> String {
    if port { from.to_string() } else { from.ip().to_string() }
}

/// Returns `X-Amzn-Trace-Id`: a new root, or what came with this load balancer's own part.
pub(crate) fn trace_id(came: Option<&str>, now_secs: u64, random: (u64, u64)) -> String {
    let fresh = |key: &str| {
        format!("{key}=1-{:08x}-{:08x}{:016x}", now_secs & 0xffff_ffff, random.0 & 0xffff_ffff, random.1)
    };
    let Some(came) = came.map(str::trim).filter(|came| !came.is_empty()) else {
        return fresh("Root");
    };
    let is = |field: &str, key: &str| {
        field.split_once('=').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key))
    };
    let kept: Vec<_> = came.split(';').map(str::trim).filter(|field| !is(field, "Self")).collect();
    let key = if kept.iter().any(|field| is(field, "Root")) { "Self" } else { "Root" };
    std::iter::once(fresh(key).as_str()).chain(kept).collect::<Vec<_>>().join(";")
}

/// Returns a number that is unlike the others of this and other processes; for ids and weights, not for secrets.
pub(crate) fn random() -> u64 {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    // splitmix64: a counter, well stirred.
    let drawn = DRAWN.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let stirred = SEED.wrapping_add(drawn);
    let stirred = (stirred ^ (stirred >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    stirred ^ (stirred >> 31)
}

#[cfg(test)]
mod tests;
