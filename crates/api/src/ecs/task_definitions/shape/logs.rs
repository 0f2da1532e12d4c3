//! Where a container's output goes.

use super::container::secret;
use wharf_aws::ecs;
use wharf_model::task_definition::{FirelensConfiguration, FirelensKind, LogConfiguration};

pub(super) fn configuration(log: &LogConfiguration) -> ecs::LogConfiguration {
    ecs::LogConfiguration {
        log_driver: log.driver.as_str().to_owned(),
        options: log.options.clone(),
        secret_options: log.secret_options.iter().map(secret).collect(),
    }
}

pub(super) fn firelens(given: &FirelensConfiguration) -> ecs::FirelensConfiguration {
    let kind = match given.kind {
        FirelensKind::Fluentd => "fluentd",
        FirelensKind::Fluentbit => "fluentbit",
    };
    ecs::FirelensConfiguration { kind: kind.to_owned(), options: given.options.clone() }
}
