//! What an instance has under names: attributes, and groups of tasks.

use wharf_model::Word;

/// A few values, each under a name.
///
/// For a single task thousands of instances are asked for the same name. So names are told apart by their ends first,
/// which are numbers side by side; a name itself is read only where the end is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    /// In their order.
    ends: Vec<u64>,
    /// In the same order, then in that of the names.
    items: Vec<(Word, T)>,
}

impl<T> Named<T> {
    /// Returns what is under a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.find(name).ok().map(|at| &self.items[at].1)
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|(name, _)| name.as_str())
    }

    /// Returns what is under a name, to be changed, where it is nothing yet the default.
    pub fn entry(&mut self, name: &str) -> &mut T
    where
        T: Default,
    {
        let at = self.find(name).unwrap_or_else(|at| {
            self.ends.insert(at, end(name));
            self.items.insert(at, (name.into(), T::default()));
            at
        });
        &mut self.items[at].1
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        let end = end(name);
        let first = self.ends.partition_point(|other| *other < end);
        let same = self.ends[first..].iter().take_while(|other| **other == end).count();
        let at = self.items[first..first + same].binary_search_by(|(other, _)| other.as_str().cmp(name));
        at.map(|at| first + at).map_err(|at| first + at)
    }
}

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named { ends: Vec::new(), items: Vec::new() }
    }
}

/// Of values under the same name the last one stays.
impl<N: AsRef<str>, T: Default> FromIterator<(N, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(items: I) -> Named<T> {
        let mut named = Named::default();
        items.into_iter().for_each(|(name, value)| *named.entry(name.as_ref()) = value);
        named
    }
}

/// Returns the end of a name as a number: names begin alike more often than they end alike.
fn end(name: &str) -> u64 {
    match name.as_bytes().last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => name.bytes().fold(0, |sum, byte| sum << 8 | u64::from(byte)),
    }
}
