//! Request and response shapes of the Security Token Service.

use serde::Serialize;

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityOutput {
    /// The ARN of the user or assumed role.
    pub arn: String,
    /// The unique id of the user or role.
    pub user_id: String,
    /// The account that the keys belong to.
    pub account: String,
}
