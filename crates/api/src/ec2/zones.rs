//! Availability zones.

use wharf_aws::ec2::{AvailabilityZone, DescribeAvailabilityZonesOutput, DescribeInput};
use wharf_control::Control;
use wharf_control::operations::networks;

use super::{filters, refuse_dry_run};
use crate::Fault;

const FILTERS: [&str; 8] =
    ["group-name", "message", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeAvailabilityZonesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let region = &control.config().place.region;
    let zones: Vec<AvailabilityZone> = networks::zones(region)
        .into_iter()
        .map(|name| AvailabilityZone {
            zone_id: id(region, &name),
            zone_name: name,
            zone_state: "available",
            region_name: region.clone(),
            group_name: format!("{region}-zg-1"),
            network_border_group: region.clone(),
            opt_in_status: "opt-in-not-required",
            zone_type: "availability-zone",
            message_set: Vec::new(),
        })
        .collect();
    let unknown = |given: &[String], known: fn(&AvailabilityZone) -> &String| {
        given.iter().find(|given| !zones.iter().any(|zone| known(zone) == *given)).cloned()
    };
    let missing = unknown(&input.zone_name, |zone| &zone.zone_name)
        .or_else(|| unknown(&input.zone_id, |zone| &zone.zone_id));
    if let Some(missing) = missing {
        return Err(Fault::caller(
            "InvalidParameterValue",
            format!("Invalid availability zone: [{missing}]"),
        ));
    }
    let wanted = |zone: &AvailabilityZone| {
        (input.zone_name.is_empty() || input.zone_name.contains(&zone.zone_name))
            && (input.zone_id.is_empty() || input.zone_id.contains(&zone.zone_id))
            && filters::pass(&input.filter, &[], |name| {
                vec![match name {
                    "group-name" => zone.group_name.clone(),
                    "opt-in-status" => zone.opt_in_status.to_owned(),
                    "region-name" => zone.region_name.clone(),
                    "state" => zone.zone_state.to_owned(),
                    "zone-id" => zone.zone_id.clone(),
                    "zone-name" => zone.zone_name.clone(),
                    "zone-type" => zone.zone_type.to_owned(),
                    _ => return Vec::new(),
                }]
            })
    };
    let availability_zone_info = zones.iter().filter(|zone| wanted(zone)).cloned().collect();
    Ok(DescribeAvailabilityZonesOutput { availability_zone_info })
}

/// Returns a zone's id, such as `use1-az1` for `us-east-1a`.
pub(super) fn id(region: &str, zone: &str) -> String {
    let mut short = String::new();
    for (place, part) in region.split('-').enumerate() {
        if place == 0 || part.bytes().all(|byte| byte.is_ascii_digit()) {
            short.push_str(part);
            continue;
        }
        // `southeast` is two directions.
        for direction in ["north", "south", "east", "west", "central"] {
            if part.contains(direction) {
                short.push_str(&direction[..1]);
            }
        }
    }
    let letter = zone.bytes().last().filter(u8::is_ascii_lowercase).unwrap_or(b'a');
    format!("{short}-az{}", letter - b'a' + 1)
}
