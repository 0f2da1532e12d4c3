//! Flow logs: inputs, filters and shapes.

use wharf_aws::Protocol;
use wharf_aws::Timestamp;
use wharf_aws::ec2::{
    CreateFlowLogsInput, CreateFlowLogsOutput, DeleteFlowLogsOutput, DescribeFlowLogsOutput, FlowLog,
    FlowLogsInput, UnsuccessfulItem, UnsuccessfulItemError,
};
use wharf_control::Control;
use wharf_control::operations::networks::flow_logs::{self, NewFlowLogs};
use wharf_control::operations::networks::{Error, Kind, Once};
use wharf_model::network::{self, FlowFormat, FlowLogResource, InvalidFormat, TrafficType};
use wharf_model::{Arn, FlowLogId, Place};

use super::{filters, given, page_of, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 6] = [
    "deliver-log-status",
    "flow-log-id",
    "log-destination-type",
    "log-group-name",
    "resource-id",
    "traffic-type",
];
/// The only kind of destination.
const LOG_GROUP: &str = "cloud-watch-logs";
const INTERVAL_DEFAULT_SECS: u32 = 600;
/// The most resources of one request, as on AWS.
const RESOURCES_MAX: usize = 25;

pub(super) async fn create(
    control: &Control,
    input: CreateFlowLogsInput,
) -> Result<CreateFlowLogsOutput, Fault> {
    let fingerprint = format!("{input:?}");
    given::refuse(input.deliver_cross_account_role.is_some(), "DeliverCrossAccountRole")?;
    given::refuse(input.destination_options.is_some(), "DestinationOptions")?;
    let destination_type = input.log_destination_type.as_deref().unwrap_or(LOG_GROUP);
    match destination_type {
        LOG_GROUP => {}
        "s3" | "kinesis-data-firehose" => {
            let message = format!("The LogDestinationType {destination_type} is not supported.");
            return Err(Fault::caller("UnsupportedOperation", message));
        }
        other => return Err(unknown(other, "LogDestinationType")),
    }
    let new = NewFlowLogs {
        resources: resources(&input)?,
        traffic: match input.traffic_type.as_deref() {
            Some("ACCEPT") => TrafficType::Accept,
            Some("REJECT") => TrafficType::Reject,
            Some("ALL") => TrafficType::All,
            Some(other) => return Err(unknown(other, "TrafficType")),
            None => return Err(given::missing("TrafficType")),
        },
        group: group(&input, &control.config().place)?,
        role: role(input.deliver_logs_permission_arn.as_deref())?,
        interval_secs: match input.max_aggregation_interval {
            None => INTERVAL_DEFAULT_SECS,
            Some(60) => 60,
            Some(600) => 600,
            Some(_) => return Err(invalid("Invalid Flow Log Max Aggregation Interval")),
        },
        format: format(input.log_format.as_deref())?,
        tags: given::tags(&input.tag_specification, "vpc-flow-log")?,
    };
    refuse_dry_run(input.dry_run)?;
    let token = input.client_token.clone();
    let once = Once { operation: "CreateFlowLogs", token, fingerprint, now: control.now() };
    let created = flow_logs::create(control, new, once).await?;
    Ok(CreateFlowLogsOutput {
        client_token: input.client_token,
        flow_log_id_set: created.made.iter().map(ToString::to_string).collect(),
        unsuccessful: created.failed.into_iter().map(unsuccessful).collect(),
    })
}

pub(super) async fn delete(control: &Control, input: FlowLogsInput) -> Result<DeleteFlowLogsOutput, Fault> {
    if input.flow_log_id.is_empty() {
        return Err(given::missing("FlowLogId"));
    }
    let ids = ids(&input)?;
    refuse_dry_run(input.dry_run)?;
    flow_logs::delete(control, &ids).await?;
    Ok(DeleteFlowLogsOutput { unsuccessful: Vec::new() })
}

pub(super) async fn describe(
    control: &Control,
    input: FlowLogsInput,
) -> Result<DescribeFlowLogsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    // An id that names nothing is no error here.
    let ids = ids(&input)?;
    let view = control.store().view();
    let all = view.list::<network::FlowLog>("");
    let wanted = all.iter().filter(|log| ids.is_empty() || ids.contains(&log.id));
    let shown = wanted.map(|log| show(log, &control.config().place)).filter(|log| {
        filters::pass(&input.filter, &log.tag_set, |name| {
            vec![match name {
                "deliver-log-status" => log.deliver_logs_status.to_owned(),
                "flow-log-id" => log.flow_log_id.clone(),
                "log-destination-type" => log.log_destination_type.to_owned(),
                "log-group-name" => log.log_group_name.clone(),
                "resource-id" => log.resource_id.clone(),
                "traffic-type" => log.traffic_type.to_owned(),
                _ => return Vec::new(),
            }]
        })
    });
    let key = |log: &FlowLog| log.flow_log_id.clone();
    let (flow_log_set, next_token) =
        page_of(shown.collect(), key, input.max_results, input.next_token.as_deref())?;
    Ok(DescribeFlowLogsOutput { flow_log_set, next_token })
}

fn ids(input: &FlowLogsInput) -> Result<Vec<FlowLogId>, Fault> {
    input.flow_log_id.iter().map(|id| given::id(Kind::FlowLog, id)).collect()
}

fn resources(input: &CreateFlowLogsInput) -> Result<Vec<FlowLogResource>, Fault> {
    if input.resource_id.is_empty() {
        return Err(given::missing("ResourceId"));
    }
    if input.resource_id.len() > RESOURCES_MAX {
        return Err(invalid(format!("At most {RESOURCES_MAX} resources can be named.")));
    }
    let kind = input.resource_type.as_str();
    let resource = |id: &String| match kind {
        "VPC" => Ok(id.parse().map(FlowLogResource::Vpc)),
        "Subnet" => Ok(id.parse().map(FlowLogResource::Subnet)),
        "NetworkInterface" => Ok(id.parse().map(FlowLogResource::Interface)),
        "TransitGateway" | "TransitGatewayAttachment" | "RegionalNatGateway" => {
            Err(Fault::caller("UnsupportedOperation", format!("The ResourceType {kind} is not supported.")))
        }
        "" => Err(given::missing("ResourceType")),
        other => Err(unknown(other, "ResourceType")),
    };
    let mut resources = Vec::new();
    for id in &input.resource_id {
        let found = resource(id)?;
        let found =
            found.map_err(|_| invalid(format!("Invalid Resource id {id} for resource-type {kind}")))?;
        if !resources.contains(&found) {
            resources.push(found);
        }
    }
    Ok(resources)
}

fn group(input: &CreateFlowLogsInput, place: &Place) -> Result<String, Fault> {
    let name = match (&input.log_group_name, &input.log_destination) {
        (Some(name), None) => name.clone(),
        (None, Some(given)) => {
            let arn: Option<Arn> = given.parse().ok();
            let arn = arn.filter(|arn| {
                arn.service == "logs" && arn.region == place.region && arn.account == place.account
            });
            let name = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("log-group:"));
            let name = name.map(|name| name.strip_suffix(":*").unwrap_or(name));
            name.ok_or_else(|| {
                invalid(format!("LogDestination: {given} is not a log group of this account."))
            })?
            .to_owned()
        }
        (Some(_), Some(_)) => {
            return Err(invalid("Please only provide LogGroupName or only provide LogDestination."));
        }
        (None, None) => {
            return Err(invalid("LogDestination can't be empty if LogGroupName is not provided."));
        }
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if name.is_empty() || name.len() > 512 || !name.bytes().all(fits) {
        return Err(invalid(format!("The log group name '{name}' is not valid.")));
    }
    Ok(name)
}

fn role(given: Option<&str>) -> Result<Arn, Fault> {
    let Some(given) = given else {
        return Err(invalid(
            "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        ));
    };
    let arn: Option<Arn> = given.parse().ok();
    arn.filter(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
        .ok_or_else(|| invalid(format!("DeliverLogsPermissionArn: {given} is not the ARN of a role.")))
}

fn format(given: Option<&str>) -> Result<FlowFormat, Fault> {
    let Some(given) = given else { return Ok(FlowFormat::default()) };
    given.parse().map_err(|error| match error {
        InvalidFormat::Shape => {
            given::invalid(format!("Value '{given}' at 'logFormat' has an invalid format"))
        }
        InvalidFormat::Field(field) => Fault::caller(
            "UnsupportedOperation",
            format!("The field {field} of LogFormat is not supported: only those of version 2 are."),
        ),
    })
}

fn show(log: &network::FlowLog, place: &Place) -> FlowLog {
    FlowLog {
        flow_log_id: log.id.to_string(),
        resource_id: log.resource.to_string(),
        traffic_type: match log.traffic {
            TrafficType::Accept => "ACCEPT",
            TrafficType::Reject => "REJECT",
            TrafficType::All => "ALL",
        },
        flow_log_status: "ACTIVE",
        deliver_logs_status: "SUCCESS",
        deliver_logs_permission_arn: log.role.to_string(),
        log_destination_type: LOG_GROUP,
        log_destination: place.arn("logs", format_args!("log-group:{}", log.group)).to_string(),
        log_group_name: log.group.clone(),
        log_format: log.format.to_string(),
        max_aggregation_interval: log.interval_secs,
        creation_time: Timestamp::from_millis(log.created_at.0),
        tag_set: shown_tags(&log.tags),
    }
}

fn unsuccessful((resource, error): (FlowLogResource, Error)) -> UnsuccessfulItem {
    let fault = Fault::from(error);
    let error = UnsuccessfulItemError {
        code: fault.code(Protocol::Ec2).to_owned(),
        message: fault.message().to_owned(),
    };
    UnsuccessfulItem { resource_id: resource.to_string(), error }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameter", message)
}

fn unknown(given: &str, parameter: &str) -> Fault {
    given::invalid(format!("Value ({given}) for parameter {parameter} is invalid."))
}
