//! XML answers of `awsQuery` and `ec2Query`, written from serde types.
//!
//! A struct's fields become elements in their order, `None` becomes nothing, a list becomes one element
//! that holds `<member>` (Query) or `<item>` (EC2) elements, a map holds `<entry>` elements.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

mod element;

use element::Element;

/// Why a type has no XML form. Always a mistake in a shape.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Rust type that no AWS shape maps to.
    #[error("{0} has no XML form")]
    Unsupported(&'static str),
    /// What a type's own serialiser said.
    #[error("{0}")]
    Custom(String),
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::Custom(message.to_string())
    }
}

/// Returns `<XResponse><XResult>…</XResult><ResponseMetadata>…</ResponseMetadata></XResponse>`.
pub fn query_answer<T: Serialize>(
    namespace: &str,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<String, Error> {
    let mut out = open(namespace, operation);
    let result = format!("{operation}Result");
    let before = out.len();
    output.serialize(Element { out: &mut out, name: &result, item: "member" })?;
    if out.len() == before {
        out.push_str(&format!("<{result}/>"));
    }
    text_element(&mut out, "ResponseMetadata", |out| {
        text_element(out, "RequestId", |out| out.push_str(&escape(request_id)));
    });
    out.push_str(&format!("</{operation}Response>"));
    Ok(out)
}

/// Returns `<XResponse><requestId>…</requestId>…</XResponse>`; an answer of `()` says `<return>true</return>`.
pub fn ec2_answer<T: Serialize>(
    namespace: &str,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<String, Error> {
    let mut out = open(namespace, operation);
    text_element(&mut out, "requestId", |out| out.push_str(&escape(request_id)));
    let before = out.len();
    // An element without a name: its fields are written straight into the response.
    output.serialize(Element { out: &mut out, name: "", item: "item" })?;
    if out.len() == before {
        out.push_str("<return>true</return>");
    }
    out.push_str(&format!("</{operation}Response>"));
    Ok(out)
}

/// Returns text that is safe between tags; characters that XML cannot hold become U+FFFD.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.chars().all(allowed) {
        return quick_xml::escape::escape(text);
    }
    let held: String =
        text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
    Cow::Owned(quick_xml::escape::escape(held.as_str()).into_owned())
}

/// Writes an element around what `inside` writes.
pub(crate) fn text_element(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn open(namespace: &str, operation: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{namespace}\">")
}

fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests;
