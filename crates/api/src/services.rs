//! One call, handed to its service's module.

use wharf_aws::Service;
use wharf_control::Control;

use crate::{
    Answer, Body, Caller, Fault, access, acm, ec2, ecr, ecs, efs, elbv2, logs, secrets_manager, ssm, sts,
};

/// A request that has been understood, and whose caller is known.
#[derive(Debug)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// The operation's name, as the caller gave it.
    pub operation: String,
    /// On whose behalf.
    pub caller: Caller,
    /// The input.
    pub body: Body,
}

/// Runs a call.
pub(crate) async fn dispatch(control: &Control, call: Call) -> Result<Answer, Fault> {
    access::check(&call)?;
    let Call { service, operation, caller, body } = call;
    match service {
        Service::Ecs => Box::pin(ecs::dispatch(control, &caller, &operation, body)).await,
        Service::Elbv2 => Box::pin(elbv2::dispatch(control, &caller, &operation, body)).await,
        Service::Ec2 => Box::pin(ec2::dispatch(control, &caller, &operation, body)).await,
        Service::Ecr => Box::pin(ecr::dispatch(control, &caller, &operation, body)).await,
        Service::Logs => Box::pin(logs::dispatch(control, &caller, &operation, body)).await,
        Service::Efs => Box::pin(efs::dispatch(control, &caller, &operation, body)).await,
        Service::SecretsManager => {
            Box::pin(secrets_manager::dispatch(control, &caller, &operation, body)).await
        }
        Service::Ssm => Box::pin(ssm::dispatch(control, &caller, &operation, body)).await,
        Service::Acm => Box::pin(acm::dispatch(control, &caller, &operation, body)).await,
        Service::Sts => sts::dispatch(&caller, &operation, body).await,
    }
}
