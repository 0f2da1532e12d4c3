//! Attributes of load balancers, listeners and target groups: shapes to values and back.

use wharf_aws::elbv2::{Attribute, AttributesOutput};

/// Returns attributes as they are shown.
pub(super) fn show(attributes: Vec<(&'static str, String)>) -> AttributesOutput {
    let shown = |(key, value): (&'static str, String)| Attribute { key: key.to_owned(), value };
    AttributesOutput { attributes: attributes.into_iter().map(shown).collect() }
}

/// Returns attributes as they are given.
pub(super) fn given(attributes: Vec<Attribute>) -> Vec<(String, String)> {
    attributes.into_iter().map(|Attribute { key, value }| (key, value)).collect()
}
