//! Where a container's output goes.

use super::{container::secret, refuse};
use crate::ecs::given;
use wharf_aws::ecs;
use wharf_control::operations::Error;
use wharf_model::task_definition::{FirelensConfiguration, FirelensKind, LogConfiguration, LogDriver};

pub(super) fn configuration(given: ecs::LogConfiguration, of: &str) -> Result<LogConfiguration, Error> {
    let driver = match given.log_driver.as_str() {
        "awslogs" => LogDriver::Awslogs,
        "json-file" => LogDriver::JsonFile,
        "syslog" => LogDriver::Syslog,
        "awsfirelens" => LogDriver::Awsfirelens,
        "none" => LogDriver::None,
        other => return refuse(Err(given::unsupported("logDriver", &format!(" {other}{of}")))),
    };
    Ok(LogConfiguration {
        driver,
        options: given.options,
        secret_options: given.secret_options.into_iter().map(secret).collect(),
    })
}

pub(super) fn firelens(given: ecs::FirelensConfiguration, of: &str) -> Result<FirelensConfiguration, Error> {
    let kind = match given.kind.as_str() {
        "fluentd" => FirelensKind::Fluentd,
        "fluentbit" => FirelensKind::Fluentbit,
        other => {
            return Err(Error::client(format!("Invalid type '{other}' in firelensConfiguration{of}.")));
        }
    };
    Ok(FirelensConfiguration { kind, options: given.options })
}
