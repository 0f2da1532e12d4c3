//! The attributes of load balancers, listeners and target groups by the names that the API gives them.
//!
//! Each can be read; a value that would not be honoured is refused. What only AWS has (a web application firewall,
//! zonal shifts, failover by DNS) can only be what it is at first.

mod listener;
mod load_balancer;
mod target_group;

pub use listener::Listeners;
pub use load_balancer::LoadBalancers;
pub use target_group::TargetGroups;

/// The attributes of a kind of resource.
pub trait Attributes {
    /// What has them.
    type Of;
    /// What that is called.
    const WHAT: &'static str;
    /// Their names, in the order in which they are listed.
    const KEYS: &'static [&'static str];

    /// Returns the value of an attribute.
    fn get(of: &Self::Of, key: &str) -> String;
    /// Sets an attribute to a value; the error says why it cannot be.
    fn set(of: &mut Self::Of, key: &str, value: &str) -> Result<(), String>;
    /// Checks what came of setting several.
    fn check(of: &Self::Of) -> Result<(), String>;
}

/// Returns all attributes with their values.
pub fn list<A: Attributes>(of: &A::Of) -> Vec<(&'static str, String)> {
    A::KEYS.iter().map(|key| (*key, A::get(of, key))).collect()
}

/// Sets some attributes.
pub fn change<'a, A: Attributes>(
    of: &mut A::Of,
    given: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), String> {
    for (key, value) in given {
        if !A::KEYS.contains(&key) {
            return Err(format!("{} attribute key '{key}' is not recognized", A::WHAT));
        }
        A::set(of, key, value)?;
    }
    A::check(of)
}

/// Returns the error of a value that is not allowed.
fn invalid(key: &str, value: &str, allowed: &str) -> String {
    format!("The value '{value}' of attribute '{key}' is not valid; it must be {allowed}")
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| invalid(key, value, "true or false"))
}

fn number(key: &str, value: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    let allowed = || invalid(key, value, &format!("a number between {} and {}", range.start(), range.end()));
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|number| plain && range.contains(number)).ok_or_else(allowed)
}

/// Takes only the value that an attribute has at first.
fn only(key: &str, value: &str, default: &str) -> Result<(), String> {
    if value == default {
        Ok(())
    } else {
        Err(format!(
            "The attribute '{key}' cannot be '{value}' here; only its default '{default}' is supported"
        ))
    }
}

#[cfg(test)]
mod tests;
