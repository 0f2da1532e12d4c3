//! ExecuteCommand.

use crate::Caller;
use wharf_aws::ecs::{ExecuteCommandInput, ExecuteCommandOutput, Session};
use wharf_control::{
    Control,
    operations::{
        Error,
        commands::{self, ExecuteCommand},
        references,
    },
};

pub(super) fn execute(
    control: &Control,
    caller: &Caller,
    input: ExecuteCommandInput,
) -> Result<ExecuteCommandOutput, Error> {
    let config = control.config();
    let interactive = input.interactive.ok_or_else(|| Error::invalid("interactive must be specified."))?;
    let request = ExecuteCommand {
        cluster: references::cluster(input.cluster.as_deref(), &config.place)?,
        task: input.task,
        container: input.container,
        command: input.command,
        interactive,
    };
    let offered = commands::execute(control, &request)?;
    // Who looked into what is told in full, with the request's id around it.
    tracing::info!(
        principal = caller.principal,
        task = %offered.task.id,
        container = offered.container.name,
        command = request.command,
        session = offered.offer.session_id,
        "command offered"
    );
    let session_id = offered.offer.session_id;
    Ok(ExecuteCommandOutput {
        cluster_arn: offered.cluster_arn.to_string(),
        container_arn: offered.container.arn.to_string(),
        container_name: offered.container.name,
        interactive,
        session: Session {
            stream_url: format!(
                "ws://{}/v1/data-channel/{session_id}?role=publish_subscribe",
                config.endpoint
            ),
            session_id,
            token_value: offered.offer.token,
        },
        task_arn: offered.task.arn.to_string(),
    })
}
