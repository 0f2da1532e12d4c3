//! A record type to play with, random numbers that can be repeated, and what a store should hold.

use crate::{Record, Schema, Store, damaged::Damaged, load::load, medium::Medium, record::Tables};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pot {
    pub(super) name: String,
    pub(super) litres: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) label: String,
}

impl Record for Pot {
    const TABLE: &'static str = "pots";

    fn key(&self) -> String {
        self.name.clone()
    }
}

pub(super) fn pot(name: &str, litres: u32) -> Pot {
    Pot { name: name.to_owned(), litres, label: String::new() }
}

pub(super) fn schema() -> Schema {
    Schema::default().with::<Pot>()
}

/// What a store holds: each pot by its name.
pub(super) type Pots = BTreeMap<String, Pot>;

pub(super) fn pots_of(store: &Store) -> Pots {
    store.view().list::<Pot>("").iter().map(|pot| (pot.name.clone(), (**pot).clone())).collect()
}

/// Opens a medium and returns its revision and pots, or why it is refused.
pub(super) fn read(medium: Arc<dyn Medium>) -> Result<(u64, Pots), Damaged> {
    let (disk, tables) = load(medium, &schema())?;
    drop(disk);
    Ok((tables.revision, pots_in(&tables)))
}

fn pots_in(tables: &Tables) -> Pots {
    let all =
        tables.range("pots", "").map(|(name, value)| (name.to_string(), crate::record::typed::<Pot>(value)));
    all.map(|(name, pot)| (name, (*pot).clone())).collect()
}

/// Numbers without a pattern, the same for the same seed (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// Makes a store of two pots that are never touched again, and returns its file's bytes.
pub(super) fn fresh_file() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(Store::open(&path, schema()).unwrap());
    std::fs::read(path).unwrap()
}
