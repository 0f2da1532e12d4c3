//! Managed prefix lists.

use super::{Error, Kind, Once, defaults, tags};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    PrefixListId,
    network::{Cidr, Peer, PrefixEntry, PrefixList, SecurityGroup},
    tag::Tag,
};
use wharf_store::Draft;

/// How many entries a list may have.
const ENTRIES_MAX: u32 = 1000;

/// What a list is made from.
#[derive(Debug, Clone)]
pub struct NewList {
    /// Its name.
    pub name: String,
    /// How many entries it may have.
    pub entries_max: u32,
    /// Its entries.
    pub entries: Vec<PrefixEntry>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What to change of a list.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The version that the caller has seen; needed when entries change.
    pub current_version: Option<u64>,
    /// Another name.
    pub name: Option<String>,
    /// Another size.
    pub entries_max: Option<u32>,
    /// Entries to add, or to describe anew.
    pub add: Vec<PrefixEntry>,
    /// Entries to take away.
    pub remove: Vec<Cidr>,
}

/// Makes a list.
pub async fn create(control: &Control, new: NewList, once: Once) -> Result<Arc<PrefixList>, Error> {
    tags::check(&new.tags)?;
    check_name(&new.name)?;
    let made = control.store().update(|draft| {
        if let Some(id) = once.made_before(draft)? {
            return find(draft, &id);
        }
        let list = PrefixList {
            id: defaults::id("pl"),
            name: new.name.clone(),
            entries_max: new.entries_max,
            version: 1,
            entries: Vec::new(),
            tags: new.tags.clone(),
        };
        let list = changed(list, &new.entries, &[])?;
        once.remember(draft, &list.id);
        draft.put(list.clone());
        Ok(Arc::new(list))
    });
    Ok(made.await?)
}

/// Changes a list.
pub async fn modify(control: &Control, id: &PrefixListId, change: Change) -> Result<Arc<PrefixList>, Error> {
    if let Some(name) = &change.name {
        check_name(name)?;
    }
    let made = control.store().update(|draft| {
        let known = find(draft, id.as_str())?;
        let mut list = (*known).clone();
        if !change.add.is_empty() || !change.remove.is_empty() {
            if change.current_version != Some(known.version) {
                return Err(Error::invalid(format!(
                    "The prefix list has the incorrect version number; it is {}.",
                    known.version
                )));
            }
            list.version += 1;
        }
        list.name = change.name.clone().unwrap_or(list.name);
        list.entries_max = change.entries_max.unwrap_or(list.entries_max);
        let list = changed(list, &change.add, &change.remove)?;
        draft.put(list.clone());
        Ok(Arc::new(list))
    });
    Ok(made.await?)
}

/// Deletes a list that no rule names.
pub async fn delete(control: &Control, id: &PrefixListId) -> Result<Arc<PrefixList>, Error> {
    let deleted = control.store().update(|draft| {
        let list = find(draft, id.as_str())?;
        let peer = Peer::PrefixList(id.clone());
        let named = draft
            .list::<SecurityGroup>("")
            .iter()
            .any(|group| group.rules().any(|rule| rule.permission.peer == peer));
        if named {
            return Err(Error::InUse(format!(
                "The prefix list {id} is referenced by a security group rule."
            )));
        }
        draft.delete::<PrefixList>(id.as_str());
        Ok(list)
    });
    Ok(deleted.await?)
}

fn find(draft: &Draft<'_>, id: &str) -> Result<Arc<PrefixList>, Error> {
    draft.get::<PrefixList>(id).ok_or_else(|| Error::missing(Kind::PrefixList, id))
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.chars().count() > 255 || name.starts_with("com.amazonaws") {
        return Err(Error::invalid(format!("The prefix list name '{name}' is invalid.")));
    }
    Ok(())
}

fn changed(mut list: PrefixList, add: &[PrefixEntry], remove: &[Cidr]) -> Result<PrefixList, Error> {
    for cidr in remove {
        let place = list.entries.iter().position(|entry| entry.cidr == *cidr);
        let missing = || Error::invalid(format!("The CIDR {cidr} is not in the prefix list."));
        list.entries.remove(place.ok_or_else(missing)?);
    }
    for entry in add {
        match list.entries.iter_mut().find(|known| known.cidr == entry.cidr) {
            Some(known) => known.description.clone_from(&entry.description),
            None => list.entries.push(entry.clone()),
        }
    }
    list.entries.sort_by_key(|entry| entry.cidr);
    if !(1..=ENTRIES_MAX).contains(&list.entries_max) {
        return Err(Error::invalid(format!("MaxEntries must be between 1 and {ENTRIES_MAX}.")));
    }
    if list.entries.len() > usize::try_from(list.entries_max).unwrap_or(usize::MAX) {
        return Err(Error::invalid(format!(
            "You've reached the maximum number of entries for the prefix list ({}).",
            list.entries_max
        )));
    }
    Ok(list)
}
