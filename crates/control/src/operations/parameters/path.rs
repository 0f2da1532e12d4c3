//! Parameters below a path.

/// Returns whether a text may be a path: slashes before each part.
pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains("//")
}

/// Returns whether a name is below a path: directly, or `deep`, anywhere below it.
pub fn is_below(name: &str, path: &str, deep: bool) -> bool {
    let path = path.trim_end_matches('/');
    // A name without slashes is one of the root's.
    let rest = if name.starts_with('/') {
        name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'))
    } else {
        path.is_empty().then_some(name)
    };
    rest.is_some_and(|rest| !rest.is_empty() && (deep || !rest.contains('/')))
}
