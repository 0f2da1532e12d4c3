//! What goes back when a request fails.
//!
//! Some failures have a different code in every protocol family (an unknown operation, a body that
//! cannot be read, our own trouble); a [`Fault`] keeps which of these it is, and the code is chosen when it is written.

use std::borrow::Cow;
use std::error::Error;

use http::StatusCode;
use serde_json::{Map, Value};
use wharf_aws::error::ErrorBody;
use wharf_aws::{DecodeError, Protocol, Service};
use wharf_control::StoreError;

use crate::front::Wire;

/// Why a request fails, and what the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    reason: Reason,
    message: String,
    status: StatusCode,
    extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
enum Reason {
    /// The code is the same in whatever protocol.
    Named(Cow<'static, str>),
    /// The service has no such operation.
    UnknownOperation,
    /// The body is not of its protocol, or a member is of the wrong type.
    Undecodable,
    /// A member is absent that has to be there.
    MissingMember(String),
    /// Too many requests in a short time.
    Throttled,
    /// Not the caller's doing. The text is for the log.
    Ours(String),
}

impl Fault {
    /// Returns a fault that the caller can mend, with the code of the service's model.
    pub fn caller(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault::new(Reason::Named(code.into()), message.into(), StatusCode::BAD_REQUEST)
    }

    /// Returns a fault that is ours. The caller learns only that; the log gets the error's whole chain.
    pub fn ours(error: &(dyn Error + 'static)) -> Fault {
        let mut story = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            story.push_str(": ");
            story.push_str(&error.to_string());
            cause = error.source();
        }
        Fault::broken(story)
    }

    /// Returns the fault of a state file that cannot be written. The caller is told why too, because callers of a
    /// Wharf can often mend that.
    pub(crate) fn store(error: &StoreError) -> Fault {
        let fault = Fault::ours(error);
        match error {
            StoreError::Full(_) | StoreError::ReadOnly(_) => Fault { message: error.to_string(), ..fault },
            StoreError::Closed => fault,
        }
    }

    /// Returns a fault that is ours and has no error value; `story` is for the log.
    pub fn broken(story: impl Into<String>) -> Fault {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        Fault::new(Reason::Ours(story.into()), message.to_owned(), StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the fault of an operation that the service does not have.
    pub fn unknown_operation() -> Fault {
        let message = "The action or operation requested is not supported.";
        Fault::new(Reason::UnknownOperation, message.to_owned(), StatusCode::BAD_REQUEST)
    }

    /// Returns the fault of a caller who asks too often.
    pub fn throttled() -> Fault {
        Fault::new(Reason::Throttled, "Rate exceeded".to_owned(), StatusCode::BAD_REQUEST)
    }

    /// Returns the fault of a body that is not the input it should be.
    pub fn undecodable(error: DecodeError) -> Fault {
        let message = error.to_string();
        let reason = match error {
            DecodeError::Malformed { .. } | DecodeError::WrongType { .. } => Reason::Undecodable,
            DecodeError::Missing { member } => Reason::MissingMember(member),
        };
        Fault::new(reason, message, StatusCode::BAD_REQUEST)
    }

    /// Adds a member that the error's shape has beside its message. Only JSON services have such.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Fault {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// Sets the HTTP status, where it is not 400.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Fault {
        self.status = status;
        self
    }

    /// Returns what the log shall say about a fault that is ours.
    pub(crate) fn story(&self) -> Option<&str> {
        match &self.reason {
            Reason::Ours(story) => Some(story),
            Reason::Named(_)
            | Reason::UnknownOperation
            | Reason::Undecodable
            | Reason::MissingMember(_)
            | Reason::Throttled => None,
        }
    }

    /// Returns the code in the words of a protocol family.
    pub fn code(&self, protocol: Protocol) -> &str {
        let [json, query, ec2] = match &self.reason {
            Reason::Named(code) => return code,
            Reason::UnknownOperation => ["UnknownOperationException", "InvalidAction", "InvalidAction"],
            Reason::Undecodable => ["SerializationException", "MalformedInput", "InvalidParameterValue"],
            Reason::MissingMember(_) => ["InvalidParameterException", "ValidationError", "MissingParameter"],
            Reason::Throttled => ["ThrottlingException", "Throttling", "RequestLimitExceeded"],
            Reason::Ours(_) => ["ServerException", "InternalFailure", "InternalError"],
        };
        match protocol {
            Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => json,
            Protocol::Query => query,
            Protocol::Ec2 => ec2,
        }
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the HTTP response, as a client of `service` understands it.
    pub(crate) fn response(&self, wire: Wire, request_id: &str) -> http::Response<Vec<u8>> {
        let Wire { service, protocol, query_mode } = wire;
        let message = match (&self.reason, protocol) {
            (Reason::MissingMember(member), Protocol::Ec2) => {
                Cow::Owned(format!("The request must contain the parameter {member}"))
            }
            (_, _) => Cow::Borrowed(self.message.as_str()),
        };
        let sender = !self.status.is_server_error();
        let error = ErrorBody { code: self.code(protocol), message: &message, sender, extra: &self.extra };
        let namespace = service.map_or("", Service::xml_namespace);
        let mut response = http::Response::new(error.encode(protocol, namespace, request_id));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(protocol.content_type()));
        if let Ok(value) = http::HeaderValue::from_str(&error.query_error_header())
            && protocol.is_json()
            && query_mode
        {
            headers.insert("x-amzn-query-error", value);
        }
        if protocol == Protocol::RestJson
            && let Ok(value) = http::HeaderValue::from_str(error.code)
        {
            headers.insert("x-amzn-errortype", value);
        }
        response
    }

    fn new(reason: Reason, message: String, status: StatusCode) -> Fault {
        Fault { reason, message, status, extra: Map::new() }
    }
}

#[cfg(test)]
mod tests;
