//! What an account has by itself: its regions, its attributes, and the network ACL that each VPC begins with.

use wharf_aws::ec2::{
    AccountAttribute, AccountAttributeValue, DescribeAccountAttributesInput, DescribeAccountAttributesOutput,
    DescribeInput, DescribeNetworkAclsOutput, DescribeRegionsOutput, NetworkAcl, NetworkAclAssociation,
    NetworkAclEntry, Region,
};
use wharf_control::Control;
use wharf_control::operations::networks::vpcs;
use wharf_model::network::{Subnet, Vpc};

use super::{filters, given, page, refuse_dry_run};
use crate::Fault;

const REGION_FILTERS: [&str; 3] = ["endpoint", "opt-in-status", "region-name"];

/// The region that ARNs carry is the only one.
pub(super) async fn describe_regions(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeRegionsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &REGION_FILTERS)?;
    let region = Region {
        region_name: control.config().place.region.clone(),
        region_endpoint: control.config().endpoint.to_string(),
        opt_in_status: "opt-in-not-required",
    };
    if let Some(unknown) = input.region_name.iter().find(|name| **name != region.region_name) {
        return Err(given::invalid(format!("Invalid region name(s): [{unknown}]")));
    }
    let wanted = filters::pass(&input.filter, &[], |name| {
        vec![match name {
            "endpoint" => region.region_endpoint.clone(),
            "opt-in-status" => region.opt_in_status.to_owned(),
            "region-name" => region.region_name.clone(),
            _ => return Vec::new(),
        }]
    });
    Ok(DescribeRegionsOutput { region_info: if wanted { vec![region] } else { Vec::new() } })
}

pub(super) async fn describe_attributes(
    control: &Control,
    input: DescribeAccountAttributesInput,
) -> Result<DescribeAccountAttributesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    let default_vpc = vpcs::default_id(&control.store().view());
    let default_vpc = default_vpc.map_or_else(|| "none".to_owned(), |id| id.to_string());
    let all = [
        ("supported-platforms", "VPC".to_owned()),
        ("default-vpc", default_vpc),
        // No instance can be started here.
        ("max-instances", "0".to_owned()),
        ("vpc-max-security-groups-per-interface", "5".to_owned()),
        ("max-elastic-ips", control.config().public_cidr.size().saturating_sub(2).to_string()),
        ("vpc-max-elastic-ips", control.config().public_cidr.size().saturating_sub(2).to_string()),
    ];
    if let Some(unknown) = input.attribute_name.iter().find(|name| all.iter().all(|(known, _)| known != name))
    {
        return Err(given::invalid(format!("Value ({unknown}) for parameter attributeName is invalid.")));
    }
    let wanted = all.into_iter().filter(|(name, _)| {
        input.attribute_name.is_empty() || input.attribute_name.iter().any(|given| given == name)
    });
    let shown = wanted.map(|(attribute_name, attribute_value)| AccountAttribute {
        attribute_name,
        attribute_value_set: vec![AccountAttributeValue { attribute_value }],
    });
    Ok(DescribeAccountAttributesOutput { account_attribute_set: shown.collect() })
}

const ACL_FILTERS: [&str; 5] = ["association.subnet-id", "default", "network-acl-id", "owner-id", "vpc-id"];

/// Network ACLs cannot be changed here: each VPC has one, which lets everything pass.
pub(super) async fn describe_network_acls(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeNetworkAclsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &ACL_FILTERS)?;
    let view = control.store().view();
    let subnets = view.list::<Subnet>("");
    let mut shown: Vec<NetworkAcl> = view
        .list::<Vpc>("")
        .iter()
        .map(|vpc| {
            let of = subnets.iter().filter(|subnet| subnet.vpc == vpc.id).map(AsRef::as_ref);
            show(&control.config().place.account, vpc, of)
        })
        .collect();
    if let Some(unknown) =
        input.network_acl_id.iter().find(|given| shown.iter().all(|acl| acl.network_acl_id != **given))
    {
        let message = format!("The networkAcl ID '{unknown}' does not exist");
        return Err(Fault::caller("InvalidNetworkAclID.NotFound", message));
    }
    shown.retain(|acl| {
        let named = input.network_acl_id.is_empty() || input.network_acl_id.contains(&acl.network_acl_id);
        named
            && filters::pass(&input.filter, &acl.tag_set, |name| match name {
                "association.subnet-id" => {
                    acl.association_set.iter().map(|one| one.subnet_id.clone()).collect()
                }
                "default" => vec![acl.is_default.to_string()],
                "network-acl-id" => vec![acl.network_acl_id.clone()],
                "owner-id" => vec![acl.owner_id.clone()],
                "vpc-id" => vec![acl.vpc_id.clone()],
                _ => Vec::new(),
            })
    });
    let (network_acl_set, next_token) = page(shown, |acl: &NetworkAcl| acl.network_acl_id.clone(), &input)?;
    Ok(DescribeNetworkAclsOutput { network_acl_set, next_token })
}

fn show<'a>(account: &str, vpc: &Vpc, subnets: impl Iterator<Item = &'a Subnet>) -> NetworkAcl {
    let id = vpc.id.as_str().replacen("vpc-", "acl-", 1);
    let entry = |egress, (rule_number, rule_action)| NetworkAclEntry {
        rule_number,
        protocol: "-1",
        rule_action,
        egress,
        cidr_block: "0.0.0.0/0",
    };
    let rules = [(100, "allow"), (32767, "deny")];
    let association = |subnet: &Subnet| NetworkAclAssociation {
        network_acl_association_id: subnet.id.as_str().replacen("subnet-", "aclassoc-", 1),
        network_acl_id: id.clone(),
        subnet_id: subnet.id.to_string(),
    };
    NetworkAcl {
        network_acl_id: id.clone(),
        vpc_id: vpc.id.to_string(),
        owner_id: account.to_owned(),
        is_default: true,
        entry_set: [true, false]
            .into_iter()
            .flat_map(|egress| rules.map(|rule| entry(egress, rule)))
            .collect(),
        association_set: subnets.map(association).collect(),
        tag_set: Vec::new(),
    }
}
