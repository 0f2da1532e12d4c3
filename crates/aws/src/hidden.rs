//! A member that is not to be seen.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that is sent and received like any other and not shown, also not for debugging.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(not shown)")
    }
}
