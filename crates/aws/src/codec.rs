//! One way in and one way out for every protocol.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Protocol, Service, form, json, xml};

/// The input or output of an operation that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Empty {}

/// Why a request's body is not the input it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not of its protocol at all.
    #[error("{reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// A member has a value of another type than it should.
    #[error("{reason} (at '{member}')")]
    WrongType {
        /// Where: `containerDefinitions[0].image`, `Listeners.1.Port`.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A member without which the input makes no sense is absent.
    #[error(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    )]
    Missing {
        /// Which one.
        member: String,
    },
}

/// Why an answer could not be written. Always a mistake in a shape.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The JSON encoder refused.
    #[error("encode the answer as JSON")]
    Json(#[from] serde_json::Error),
    /// The XML encoder refused.
    #[error("encode the answer as XML")]
    Xml(#[from] xml::Error),
}

/// Returns the input that a request's body holds.
pub fn decode<T: DeserializeOwned>(protocol: Protocol, body: &[u8]) -> Result<T, DecodeError> {
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => json::decode(body),
        Protocol::Query | Protocol::Ec2 => form::decode(body),
    }
}

/// Returns the body of an operation's answer.
pub fn encode<T: Serialize>(
    service: Service,
    protocol: Protocol,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, EncodeError> {
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => Ok(json::encode(output)?),
        Protocol::Query => {
            Ok(xml::query_answer(service.xml_namespace(), operation, request_id, output)?.into_bytes())
        }
        Protocol::Ec2 => {
            Ok(xml::ec2_answer(service.xml_namespace(), operation, request_id, output)?.into_bytes())
        }
    }
}
