//! On whose behalf a request is made.

use crate::access::TaskScope;
use std::sync::Arc;

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";

/// Who calls, and which region they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account: twelve digits.
    pub account: String,
    /// The region, from the signature's credential scope.
    pub region: String,
    /// The access key that signed.
    pub access_key: String,
    /// The ARN of the user or assumed role that the key belongs to.
    pub principal: String,
    /// The unique id of that user or role, as `GetCallerIdentity` gives it.
    pub user_id: String,
    /// The task that calls; nothing when it is the account's owner.
    pub task: Option<Arc<TaskScope>>,
}

impl Caller {
    /// Returns the account's own caller, for tests and for requests that need no signature.
    pub fn root(region: &str, access_key: &str) -> Caller {
        Caller {
            account: ACCOUNT.to_owned(),
            region: region.to_owned(),
            access_key: access_key.to_owned(),
            principal: format!("arn:aws:iam::{ACCOUNT}:root"),
            user_id: ACCOUNT.to_owned(),
            task: None,
        }
    }
}
