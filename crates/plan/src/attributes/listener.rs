//! Those of listeners with HTTP: what they change in answers.

use super::{Attributes, flag, invalid};
use wharf_model::load_balancer::Listener;

/// The attributes of listeners.
#[derive(Debug, Clone, Copy)]
pub struct Listeners;

const SERVER: &str = "routing.http.response.server.enabled";

/// The longest value of a header.
const VALUE_LENGTH_MAX: usize = 1024;

impl Attributes for Listeners {
    type Of = Listener;
    const WHAT: &'static str = "Listener";
    const KEYS: &'static [&'static str] = &[
        SERVER,
        "routing.http.response.strict_transport_security.header_value",
        "routing.http.response.access_control_allow_origin.header_value",
        "routing.http.response.access_control_allow_methods.header_value",
        "routing.http.response.access_control_allow_headers.header_value",
        "routing.http.response.access_control_allow_credentials.header_value",
        "routing.http.response.access_control_expose_headers.header_value",
        "routing.http.response.access_control_max_age.header_value",
        "routing.http.response.content_security_policy.header_value",
        "routing.http.response.x_content_type_options.header_value",
        "routing.http.response.x_frame_options.header_value",
    ];

    fn get(of: &Listener, key: &str) -> String {
        if key == SERVER {
            return of.attributes.server_header.to_string();
        }
        let name = header(key);
        let headers = &of.attributes.response_headers;
        headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn set(of: &mut Listener, key: &str, value: &str) -> Result<(), String> {
        if key == SERVER {
            of.attributes.server_header = flag(key, value)?;
            return Ok(());
        }
        let allowed: Option<&[&str]> = match header(key).as_str() {
            "access-control-allow-credentials" => Some(&["true"]),
            "x-content-type-options" => Some(&["nosniff"]),
            "x-frame-options" => Some(&["DENY", "SAMEORIGIN"]),
            _ => None,
        };
        if let Some(allowed) = allowed.filter(|allowed| !value.is_empty() && !allowed.contains(&value)) {
            return Err(invalid(key, value, &format!("empty or one of {}", allowed.join(", "))));
        }
        if value.len() > VALUE_LENGTH_MAX || !value.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
            return Err(invalid(key, value, "a header's value of at most 1024 visible characters"));
        }
        let headers = &mut of.attributes.response_headers;
        let name = header(key);
        headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            headers.push((name, value.to_owned()));
            headers.sort();
        }
        Ok(())
    }

    fn check(_: &Listener) -> Result<(), String> {
        Ok(())
    }
}

/// Returns the header that an attribute is about.
fn header(key: &str) -> String {
    let name = key.strip_prefix("routing.http.response.").and_then(|key| key.strip_suffix(".header_value"));
    name.unwrap_or_default().replace('_', "-")
}
