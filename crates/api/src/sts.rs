//! Security Token Service: who am I.

use wharf_aws::Empty;
use wharf_aws::sts::GetCallerIdentityOutput;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(caller: &Caller, operation: &str, body: Body) -> Result<Answer, Fault> {
    match operation {
        "GetCallerIdentity" => answer(body, async |_: Empty| Ok::<_, Fault>(caller_identity(caller))).await,
        _ => Err(Fault::unknown_operation()),
    }
}

fn caller_identity(caller: &Caller) -> GetCallerIdentityOutput {
    GetCallerIdentityOutput {
        arn: caller.principal.clone(),
        user_id: caller.user_id.clone(),
        account: caller.account.clone(),
    }
}
