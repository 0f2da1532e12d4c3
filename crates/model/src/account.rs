//! Settings of the account.

use serde::{Deserialize, Serialize};

/// A setting that a caller made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSetting {
    /// Whose it is: a principal's ARN; empty for everybody's default.
    pub principal: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}
