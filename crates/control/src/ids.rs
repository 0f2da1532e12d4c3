//! Random ids in the shapes that AWS uses.

use std::fmt::Write;
use wharf_model::{DeploymentId, EniId, TaskId};

/// Returns `N` random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
    bytes
}

/// Returns `digits` random hexadecimal digits, at most 32.
pub fn hex(digits: usize) -> String {
    let mut text = ::hex::encode(random::<16>());
    text.truncate(digits);
    text
}

/// Returns `digits` random decimal digits, at most 19, the first of them not zero.
pub fn decimal(digits: u32) -> String {
    let low = 10_u64.pow(digits - 1);
    let span = low * 9;
    (low + u64::from_ne_bytes(random()) % span).to_string()
}

/// Returns `count` random letters and digits.
pub fn letters(count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The few values past the last whole alphabet are thrown away, so that none is likelier than another.
    let fair = |byte: &u8| usize::from(*byte) < 256 - 256 % ALPHABET.len();
    let bytes = std::iter::from_fn(|| Some(random::<32>())).flatten().filter(fair);
    bytes.take(count).map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect()
}

/// Returns any number.
pub fn dice() -> u64 {
    u64::from_ne_bytes(random())
}

/// Returns the id of a service deployment: 21 letters and digits.
pub fn service_deployment() -> String {
    letters(21)
}

/// Returns a random UUID (version 4).
pub fn uuid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes.iter().enumerate().fold(String::with_capacity(36), |mut text, (place, byte)| {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns a task's id.
pub fn task() -> TaskId {
    hex(32).parse().expect("32 hexadecimal digits are a task id")
}

/// Returns a deployment's id.
pub fn deployment() -> DeploymentId {
    format!("ecs-svc/{}", decimal(19)).parse().expect("19 digits make a deployment id")
}

/// Returns a network interface's id.
pub fn interface() -> EniId {
    format!("eni-{}", hex(17)).parse().expect("17 hexadecimal digits make an interface id")
}
