//! Which rules a listener may have, by the limits of an application load balancer.

use wharf_model::rule::{Condition, Patterns, QueryPattern, RewrittenPart, Transform, expression};

/// The most values of a rule's conditions.
pub const VALUES_MAX: usize = 5;
/// The most wildcards of a rule's conditions.
pub const WILDCARDS_MAX: usize = 5;
/// The longest value.
const VALUE_LENGTH_MAX: usize = 128;
/// The longest name of a header or method.
const NAME_LENGTH_MAX: usize = 40;
/// The longest expression and replacement of a transform.
const REWRITE_LENGTH_MAX: usize = 1024;

/// Checks the conditions of a rule; the error says which one does not do.
pub fn check_conditions(conditions: &[Condition]) -> Result<(), String> {
    if conditions.is_empty() {
        return Err("A rule must have at least one condition".to_owned());
    }
    for only_one in ["host-header", "path-pattern", "http-request-method", "source-ip"] {
        if conditions.iter().filter(|condition| condition.field() == only_one).count() > 1 {
            return Err(format!("A rule can only have one '{only_one}' condition"));
        }
    }
    let values: usize = conditions.iter().map(count).sum();
    if values > VALUES_MAX {
        return Err(format!("A rule can only have '{VALUES_MAX}' condition values"));
    }
    let wildcards: usize = conditions.iter().flat_map(wildcard_values).map(wildcards).sum();
    if wildcards > WILDCARDS_MAX {
        return Err(format!("A rule can only have '{WILDCARDS_MAX}' condition wildcards"));
    }
    conditions.iter().try_for_each(check)
}

/// Checks the transforms of a rule.
pub fn check_transforms(transforms: &[Transform]) -> Result<(), String> {
    for (part, name) in
        [(RewrittenPart::HostHeader, "host-header-rewrite"), (RewrittenPart::Url, "url-rewrite")]
    {
        if transforms.iter().filter(|transform| transform.part == part).count() > 1 {
            return Err(format!("A rule can only have one '{name}' transform"));
        }
    }
    for Transform { regex, replace, .. } in transforms {
        if regex.is_empty() || regex.len() > REWRITE_LENGTH_MAX || replace.len() > REWRITE_LENGTH_MAX {
            return Err(format!(
                "The rewrite of '{regex}' to '{replace}' must have a regular expression, and at most \
                 {REWRITE_LENGTH_MAX} characters in each"
            ));
        }
        if replace.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(format!("The replacement '{replace}' can only have visible ASCII characters"));
        }
        check_expression(regex)?;
    }
    Ok(())
}

fn count(condition: &Condition) -> usize {
    match condition {
        Condition::HostHeader(patterns)
        | Condition::PathPattern(patterns)
        | Condition::HttpHeader { patterns, .. } => patterns.values().len(),
        Condition::HttpRequestMethod(values) => values.len(),
        Condition::QueryString(values) => values.len(),
        Condition::SourceIp(blocks) => blocks.len(),
    }
}

/// Returns the values of a condition that may have wildcards.
fn wildcard_values(condition: &Condition) -> Vec<&str> {
    match condition {
        Condition::HostHeader(Patterns::Wildcards(values))
        | Condition::PathPattern(Patterns::Wildcards(values))
        | Condition::HttpHeader { patterns: Patterns::Wildcards(values), .. } => {
            values.iter().map(String::as_str).collect()
        }
        Condition::QueryString(pairs) => {
            let both = pairs.iter().flat_map(|pair| [pair.key.as_deref(), Some(pair.value.as_str())]);
            both.flatten().collect()
        }
        Condition::HostHeader(Patterns::Regexes(_))
        | Condition::PathPattern(Patterns::Regexes(_))
        | Condition::HttpHeader { patterns: Patterns::Regexes(_), .. }
        | Condition::HttpRequestMethod(_)
        | Condition::SourceIp(_) => Vec::new(),
    }
}

fn wildcards(value: &str) -> usize {
    let mut escaped = false;
    let mut count = 0;
    for byte in value.bytes() {
        count += usize::from(!escaped && matches!(byte, b'*' | b'?'));
        escaped = !escaped && byte == b'\\';
    }
    count
}

fn check(condition: &Condition) -> Result<(), String> {
    let field = condition.field();
    if count(condition) == 0 {
        return Err(format!("A condition on '{field}' must have at least one value"));
    }
    match condition {
        Condition::HostHeader(patterns) => {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*?".contains(&byte);
            check_patterns(field, patterns, fine)
        }
        Condition::PathPattern(patterns) => {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$/~\"'@:+&*?\\%=!,;()".contains(&byte);
            check_patterns(field, patterns, fine)
        }
        Condition::HttpHeader { name, patterns } => {
            if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.bytes().all(is_token) {
                return Err(format!("The HTTP header name '{name}' is not valid"));
            }
            if name.eq_ignore_ascii_case("host") {
                return Err("Use a 'host-header' condition for the header 'host'".to_owned());
            }
            check_patterns(field, patterns, is_visible)
        }
        Condition::HttpRequestMethod(methods) => methods.iter().try_for_each(|method| {
            let fine = |byte: u8| byte.is_ascii_uppercase() || b"-_".contains(&byte);
            let length = (1..=NAME_LENGTH_MAX).contains(&method.len());
            if length && method.bytes().all(fine) {
                Ok(())
            } else {
                Err(format!("Condition value '{method}' is not a valid HTTP request method"))
            }
        }),
        Condition::QueryString(pairs) => pairs.iter().try_for_each(|QueryPattern { key, value }| {
            key.iter().chain([value]).try_for_each(|text| check_value(field, text, is_visible))
        }),
        Condition::SourceIp(_) => Ok(()),
    }
}

fn check_patterns(field: &str, patterns: &Patterns, fine: impl Fn(u8) -> bool) -> Result<(), String> {
    match patterns {
        Patterns::Wildcards(values) => values.iter().try_for_each(|value| check_value(field, value, &fine)),
        Patterns::Regexes(values) => values.iter().try_for_each(|value| {
            check_value(field, value, is_visible)?;
            check_expression(value)
        }),
    }
}

fn check_value(field: &str, value: &str, fine: impl Fn(u8) -> bool) -> Result<(), String> {
    if value.is_empty() || value.len() > VALUE_LENGTH_MAX {
        return Err(format!(
            "Condition value '{value}' of '{field}' must have 1 to {VALUE_LENGTH_MAX} characters"
        ));
    }
    match value.bytes().find(|byte| !fine(*byte)) {
        Some(_) => {
            Err(format!("Condition value '{value}' contains a character that is not valid in '{field}'"))
        }
        None => Ok(()),
    }
}

fn check_expression(regex: &str) -> Result<(), String> {
    // One that is for any case may be too large where the other is not.
    match expression(regex, false).and_then(|_| expression(regex, true)) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("The regular expression '{regex}' is not valid")),
    }
}

fn is_visible(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
