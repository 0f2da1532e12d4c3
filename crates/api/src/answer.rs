//! From a request's body to a typed input, and from a typed output to an answer's body.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wharf_aws::{Protocol, Service};

use crate::Fault;

/// What a caller sent, with what is needed to understand it and to answer it.
#[derive(Debug, Clone)]
pub struct Body {
    service: Service,
    protocol: Protocol,
    operation: String,
    request_id: String,
    content: Bytes,
}

impl Body {
    /// Returns the body of a request for `operation`.
    pub fn new(
        service: Service,
        protocol: Protocol,
        operation: &str,
        request_id: &str,
        content: Bytes,
    ) -> Body {
        Body {
            service,
            protocol,
            operation: operation.to_owned(),
            request_id: request_id.to_owned(),
            content,
        }
    }

    /// Returns what the caller sent, as it was sent.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Returns the request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// What is sent back when an operation succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, which only REST services vary.
    pub status: StatusCode,
    /// The content type.
    pub content_type: &'static str,
    /// The encoded output.
    pub body: Bytes,
}

impl Answer {
    /// Returns the answer to a request that has made something.
    pub(crate) fn created(self) -> Answer {
        Answer { status: StatusCode::CREATED, ..self }
    }

    /// Returns the answer of an operation that has nothing to say.
    pub(crate) fn silent(self) -> Answer {
        Answer { status: StatusCode::NO_CONTENT, body: Bytes::new(), ..self }
    }
}

/// Decodes the body, runs `act` on the input and encodes what it returns.
pub async fn answer<Input, Output, Error, Running>(
    body: Body,
    act: impl FnOnce(Input) -> Running,
) -> Result<Answer, Fault>
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: Into<Fault>,
    Running: Future<Output = Result<Output, Error>>,
{
    let Body { service, protocol, operation, request_id, content } = body;
    let input = wharf_aws::decode(protocol, &content).map_err(Fault::undecodable)?;
    // Nothing of the request is kept while the operation runs.
    drop(content);
    let output = act(input).await.map_err(Into::into)?;
    let encoded = wharf_aws::encode(service, protocol, &operation, &request_id, &output)
        .map_err(|error| Fault::ours(&error))?;
    Ok(Answer { status: StatusCode::OK, content_type: protocol.content_type(), body: encoded.into() })
}
