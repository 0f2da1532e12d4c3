//! Tags.

use serde::{Deserialize, Serialize};

/// A key and value that a caller put on a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The key; unique on its resource.
    pub key: String,
    /// The value; may be empty.
    pub value: String,
}
