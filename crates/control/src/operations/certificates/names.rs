//! The names a certificate is for.

/// The most names of a certificate (AWS: 10 unless raised, 100 at most).
const NAMES_MAX: usize = 100;
/// A subject's common name has room for no more.
const DOMAIN_MAX: usize = 64;

/// Returns the names, the first one first and each once, or says which is none.
pub(super) fn checked(domain: &str, alternatives: &[String]) -> Result<Vec<String>, String> {
    if domain.len() > DOMAIN_MAX {
        return Err(format!("The first domain name can have at most {DOMAIN_MAX} characters: {domain}"));
    }
    let mut names: Vec<String> = Vec::new();
    for name in std::iter::once(domain).chain(alternatives.iter().map(String::as_str)) {
        if !is_name(name) {
            return Err(format!("The domain name '{name}' is not a fully qualified domain name."));
        }
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > NAMES_MAX {
        return Err(format!("A certificate can have at most {NAMES_MAX} domain names."));
    }
    Ok(names)
}

/// Whether this is a domain name, perhaps with `*` for its first label; `localhost` is one too.
fn is_name(given: &str) -> bool {
    let name = given.strip_prefix("*.").unwrap_or(given);
    let labels: Vec<&str> = name.split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let numeric = labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    given.len() <= 253
        && labels.iter().all(label)
        && !numeric
        && (labels.len() > 1 || given.eq_ignore_ascii_case("localhost"))
}
