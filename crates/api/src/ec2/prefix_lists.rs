//! Managed prefix lists: inputs, filters and shapes.

use wharf_aws::ec2::{
    DescribeInput, DescribeManagedPrefixListsOutput, ManagedPrefixList, PrefixListEntriesOutput,
    PrefixListEntry, PrefixListInput, PrefixListOutput,
};
use wharf_control::Control;
use wharf_control::operations::networks::prefix_lists::{self, Change, NewList};
use wharf_control::operations::networks::{Kind, Once};
use wharf_model::PrefixListId;
use wharf_model::network::{PrefixEntry, PrefixList};

use super::{filters, given, page, page_of, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 3] = ["owner-id", "prefix-list-id", "prefix-list-name"];

pub(super) async fn create(control: &Control, input: PrefixListInput) -> Result<PrefixListOutput, Fault> {
    let fingerprint = format!("{input:?}");
    let family = input.address_family.as_deref().ok_or_else(|| given::missing("AddressFamily"))?;
    given::refuse(family == "IPv6", "AddressFamily=IPv6")?;
    if family != "IPv4" {
        return Err(given::invalid(format!("Value ({family}) for parameter addressFamily is invalid.")));
    }
    let new = NewList {
        name: input.prefix_list_name.ok_or_else(|| given::missing("PrefixListName"))?,
        entries_max: input.max_entries.ok_or_else(|| given::missing("MaxEntries"))?,
        entries: entries_given(&input.entry)?,
        tags: given::tags(&input.tag_specification, "prefix-list")?,
    };
    refuse_dry_run(input.dry_run)?;
    let token = input.client_token;
    let once = Once { operation: "CreateManagedPrefixList", token, fingerprint, now: control.now() };
    let list = prefix_lists::create(control, new, once).await?;
    Ok(PrefixListOutput { prefix_list: show(control, &list, "create-complete") })
}

pub(super) async fn modify(control: &Control, input: PrefixListInput) -> Result<PrefixListOutput, Fault> {
    let id = named(&input)?;
    let change = Change {
        current_version: input.current_version,
        name: input.prefix_list_name.clone(),
        entries_max: input.max_entries,
        add: entries_given(&input.add_entry)?,
        remove: entries_given(&input.remove_entry)?.into_iter().map(|entry| entry.cidr).collect(),
    };
    refuse_dry_run(input.dry_run)?;
    let list = prefix_lists::modify(control, &id, change).await?;
    Ok(PrefixListOutput { prefix_list: show(control, &list, "modify-complete") })
}

pub(super) async fn delete(control: &Control, input: PrefixListInput) -> Result<PrefixListOutput, Fault> {
    let id = named(&input)?;
    refuse_dry_run(input.dry_run)?;
    let list = prefix_lists::delete(control, &id).await?;
    Ok(PrefixListOutput { prefix_list: show(control, &list, "delete-complete") })
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeManagedPrefixListsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<PrefixList>(id).is_some();
    let ids: Vec<PrefixListId> = given::ids(Kind::PrefixList, &input.prefix_list_id, exists)?;
    let all = view.list::<PrefixList>("");
    let wanted = all.iter().filter(|list| ids.is_empty() || ids.contains(&list.id));
    let shown = wanted.map(|list| show(control, list, "create-complete")).filter(|list| {
        filters::pass(&input.filter, &list.tag_set, |name| {
            vec![match name {
                "owner-id" => list.owner_id.clone(),
                "prefix-list-id" => list.prefix_list_id.clone(),
                "prefix-list-name" => list.prefix_list_name.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let key = |list: &ManagedPrefixList| list.prefix_list_id.clone();
    let (prefix_list_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeManagedPrefixListsOutput { prefix_list_set, next_token })
}

pub(super) async fn entries(
    control: &Control,
    input: PrefixListInput,
) -> Result<PrefixListEntriesOutput, Fault> {
    let id = named(&input)?;
    refuse_dry_run(input.dry_run)?;
    let list = control.store().view().get::<PrefixList>(id.as_str());
    let list = list.ok_or_else(|| given::not_found(Kind::PrefixList, id.as_str()))?;
    given::refuse(input.target_version.is_some_and(|version| version != list.version), "TargetVersion")?;
    let entry = |entry: &PrefixEntry| PrefixListEntry {
        cidr: entry.cidr.to_string(),
        description: entry.description.clone(),
    };
    let shown = list.entries.iter().map(entry).collect();
    let key = |entry: &PrefixListEntry| entry.cidr.clone();
    let (mut max_results, mut shown): (_, Vec<PrefixListEntry>) = (input.max_results, shown);
    // One page here may be smaller than elsewhere.
    max_results = max_results.map(|limit| limit.max(5));
    shown.sort_by_key(key);
    let (entry_set, next_token) = page_of(shown, key, max_results, input.next_token.as_deref())?;
    Ok(PrefixListEntriesOutput { entry_set, next_token })
}

fn named(input: &PrefixListInput) -> Result<PrefixListId, Fault> {
    given::id(Kind::PrefixList, input.prefix_list_id.as_deref().unwrap_or_default())
}

fn entries_given(given: &[PrefixListEntry]) -> Result<Vec<PrefixEntry>, Fault> {
    let entry = |entry: &PrefixListEntry| {
        Ok(PrefixEntry { cidr: given::cidr(&entry.cidr, "cidr")?, description: entry.description.clone() })
    };
    given.iter().map(entry).collect()
}

fn show(control: &Control, list: &PrefixList, state: &'static str) -> ManagedPrefixList {
    let place = &control.config().place;
    ManagedPrefixList {
        prefix_list_id: list.id.to_string(),
        address_family: "IPv4",
        state,
        prefix_list_arn: place.arn("ec2", format_args!("prefix-list/{}", list.id)).to_string(),
        prefix_list_name: list.name.clone(),
        max_entries: list.entries_max,
        version: list.version,
        owner_id: place.account.clone(),
        tag_set: shown_tags(&list.tags),
    }
}
