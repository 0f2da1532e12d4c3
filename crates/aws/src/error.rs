//! How an error is written, per protocol.

use serde_json::{Map, Value};

use crate::Protocol;
use crate::xml::{escape, text_element};

/// An error as the caller gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorBody<'a> {
    /// The code: `ClusterNotFoundException`, `LoadBalancerNotFound`.
    pub code: &'a str,
    /// What went wrong, for people.
    pub message: &'a str,
    /// Whether the caller can do something about it.
    pub sender: bool,
    /// Members beside code and message that the error's shape has. Only JSON carries them.
    pub extra: &'a Map<String, Value>,
}

impl ErrorBody<'_> {
    /// Returns the body of an error answer.
    pub fn encode(&self, protocol: Protocol, namespace: &str, request_id: &str) -> Vec<u8> {
        match protocol {
            Protocol::Json10 | Protocol::Json11 => self.json(),
            Protocol::RestJson => self.rest_json(),
            Protocol::Query => self.query(namespace, request_id).into_bytes(),
            Protocol::Ec2 => self.ec2(request_id).into_bytes(),
        }
    }

    /// Returns the value of `x-amzn-query-error`, which clients that speak JSON to a service that used
    /// to be Query ask for with `x-amzn-query-mode: true`.
    pub fn query_error_header(&self) -> String {
        format!("{};{}", self.code, self.kind())
    }

    fn kind(&self) -> &'static str {
        if self.sender { "Sender" } else { "Receiver" }
    }

    fn json(&self) -> Vec<u8> {
        let mut members = self.extra.clone();
        members.insert("__type".to_owned(), Value::from(self.code));
        members.insert("message".to_owned(), Value::from(self.message));
        Value::Object(members).to_string().into_bytes()
    }

    /// The code is in the header `x-amzn-errortype` too.
    fn rest_json(&self) -> Vec<u8> {
        let mut members = self.extra.clone();
        members.insert("ErrorCode".to_owned(), Value::from(self.code));
        members.insert("Message".to_owned(), Value::from(self.message));
        Value::Object(members).to_string().into_bytes()
    }

    fn query(&self, namespace: &str, request_id: &str) -> String {
        let mut out = format!("<ErrorResponse xmlns=\"{namespace}\">");
        text_element(&mut out, "Error", |out| {
            text_element(out, "Type", |out| out.push_str(self.kind()));
            self.code_and_message(out);
        });
        text_element(&mut out, "RequestId", |out| out.push_str(&escape(request_id)));
        out.push_str("</ErrorResponse>");
        out
    }

    fn ec2(&self, request_id: &str) -> String {
        let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        text_element(&mut out, "Response", |out| {
            text_element(out, "Errors", |out| text_element(out, "Error", |out| self.code_and_message(out)));
            text_element(out, "RequestID", |out| out.push_str(&escape(request_id)));
        });
        out
    }

    fn code_and_message(&self, out: &mut String) {
        text_element(out, "Code", |out| out.push_str(&escape(self.code)));
        text_element(out, "Message", |out| out.push_str(&escape(self.message)));
    }
}

#[cfg(test)]
mod tests;
