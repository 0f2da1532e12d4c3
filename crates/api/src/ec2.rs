//! The describe calls of EC2 that containers need: action name to operation.

mod filters;
mod interfaces;
mod networks;
mod zones;

use std::str::FromStr;

use wharf_aws::ec2::DescribeInput;
use wharf_control::Control;
use wharf_model::tag;

use crate::{Answer, Body, Caller, Fault, answer};

/// The largest page, which is also the default.
const PAGE_SIZE_MAX: usize = 1000;

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "DescribeVpcs" => answer(body, |input| networks::describe_vpcs(control, input)).await,
        "DescribeSubnets" => answer(body, |input| networks::describe_subnets(control, input)).await,
        "DescribeSecurityGroups" => {
            answer(body, |input| networks::describe_security_groups(control, input)).await
        }
        "DescribeNetworkInterfaces" => answer(body, |input| interfaces::describe(control, input)).await,
        "DescribeAvailabilityZones" => answer(body, |input| zones::describe(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

/// A kind of thing that is described, with what is said of ids that name none.
struct Kind {
    /// The start of its ids.
    prefix: &'static str,
    /// The start of its error codes.
    code: &'static str,
    /// What it is called in messages.
    name: &'static str,
}

impl Kind {
    /// Returns the ids that were given, each well formed and there.
    fn ids<T: FromStr + AsRef<str>>(
        &self,
        given: &[String],
        exists: impl Fn(&str) -> bool,
    ) -> Result<Vec<T>, Fault> {
        given
            .iter()
            .map(|given| {
                let malformed = || {
                    let message = format!("Invalid id: \"{given}\" (expecting \"{}-...\")", self.prefix);
                    Fault::caller(format!("{}.Malformed", self.code), message)
                };
                let id: T = given.parse().map_err(|_| malformed())?;
                if exists(id.as_ref()) { Ok(id) } else { Err(self.not_found(given)) }
            })
            .collect()
    }

    fn not_found(&self, given: &str) -> Fault {
        let message = format!("The {} '{given}' does not exist", self.name);
        Fault::caller(format!("{}.NotFound", self.code), message)
    }
}

/// Answers a trial run: it would have worked.
fn refuse_dry_run(input: &DescribeInput) -> Result<(), Fault> {
    if input.dry_run {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::caller("DryRunOperation", message).status(http::StatusCode::PRECONDITION_FAILED));
    }
    Ok(())
}

/// Returns a page of items, which are in the order of their keys.
fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    input: &DescribeInput,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let limit = match input.max_results {
        None => PAGE_SIZE_MAX,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (5..=PAGE_SIZE_MAX).contains(limit)).ok_or_else(
            || {
                let message = format!("Value ( {limit} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
                Fault::caller("InvalidParameterValue", message)
            },
        )?,
    };
    let page = wharf_aws::page::page(items, key, input.next_token.as_deref(), limit)
        .map_err(|_| Fault::caller("InvalidParameterValue", "Unable to parse pagination token"))?;
    Ok((page.items, page.next))
}

fn tags(tags: &[tag::Tag]) -> Vec<wharf_aws::ec2::Tag> {
    tags.iter().map(|tag| wharf_aws::ec2::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

#[cfg(test)]
mod tests;
