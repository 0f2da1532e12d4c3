//! Requests that may be sent twice: the second one gets what the first one made.

use super::Error;
use wharf_model::Timestamp;
use wharf_store::{Draft, RequestToken};

/// A request's token, with what tells it from others that bear the same one.
#[derive(Debug, Clone)]
pub struct Once {
    /// The operation.
    pub operation: &'static str,
    /// The caller's token.
    pub token: Option<String>,
    /// The request in a form that is equal for equal requests.
    pub fingerprint: String,
    /// The time.
    pub now: Timestamp,
}

impl Once {
    /// Returns the id that this request made before, if it did.
    pub(super) fn made_before(&self, draft: &Draft<'_>) -> Result<Option<String>, Error> {
        let Some(known) = self.name().and_then(|name| draft.get::<RequestToken>(&name)) else {
            return Ok(None);
        };
        if known.fingerprint == self.fingerprint { Ok(known.made.clone()) } else { Err(Error::TokenReused) }
    }

    /// Remembers what the request made.
    pub(super) fn remember(&self, draft: &mut Draft<'_>, made: impl ToString) {
        if let Some(name) = self.name() {
            draft.put(RequestToken {
                name,
                fingerprint: self.fingerprint.clone(),
                tasks: Vec::new(),
                made: Some(made.to_string()),
                created_at: self.now,
            });
        }
    }

    fn name(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("{} {token}", self.operation))
    }
}
