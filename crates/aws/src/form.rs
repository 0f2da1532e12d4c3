//! Form bodies of `awsQuery` and `ec2Query`, decoded into serde types.
//!
//! `Listeners.member.1.Port=80` and EC2's flattened `Filter.1.Name=vpc-id` both become a tree by their
//! dotted names, and the tree is deserialised: text turns into whatever number or boolean the type asks
//! for. A list's items are taken in the order of their numbers; numbers may have gaps, so a form with
//! `X.4000000000` costs no more than any other.

use std::collections::BTreeMap;

use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use crate::DecodeError;

mod tree;

/// Deeper names than any input has.
const DEPTH_LIMIT: usize = 24;

/// A node of the tree that dotted names make.
#[derive(Debug, Default)]
struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
}

/// Returns the decoded `name=value` pairs of a form or a query string, in order.
pub fn pairs(form: &[u8]) -> Result<Vec<(String, String)>, DecodeError> {
    form.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            Ok((unescape(name)?, unescape(value)?))
        })
        .collect()
}

/// Returns the value of the first pair with this name.
pub fn value(form: &[u8], name: &str) -> Option<String> {
    pairs(form).ok()?.into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

/// Returns the input that a form holds.
pub fn decode<T: DeserializeOwned>(form: &[u8]) -> Result<T, DecodeError> {
    let mut root = Tree::default();
    for (name, value) in pairs(form)? {
        root.insert(&name, value)?;
    }
    serde_path_to_error::deserialize(tree::Node(&root)).map_err(|error| {
        let path = error.path().to_string();
        let member = path.replace('[', ".").replace(']', "");
        let message = error.into_inner().to_string();
        match message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(field) if path == "." => DecodeError::Missing { member: field.to_owned() },
            Some(field) => DecodeError::Missing { member: format!("{member}.{field}") },
            None => DecodeError::WrongType { member, reason: message },
        }
    })
}

impl Tree {
    fn insert(&mut self, name: &str, value: String) -> Result<(), DecodeError> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == DEPTH_LIMIT {
                let start: String = name.chars().take(64).collect();
                return Err(DecodeError::Malformed { reason: format!("the name {start}… is too deep") });
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(value);
        Ok(())
    }

    /// Returns the items of a list, whichever way it was written.
    fn items(&self) -> Vec<(&str, &Tree)> {
        let list = match self.children.get("member") {
            Some(wrapped) if self.children.len() == 1 => wrapped,
            Some(_) | None => self,
        };
        let mut items: Vec<(&str, &Tree)> =
            list.children.iter().map(|(number, item)| (number.as_str(), item)).collect();
        items.sort_by_key(|(number, _)| number.parse::<u64>().unwrap_or(u64::MAX));
        items
    }

    /// Returns the entries of a map: `entry.1.key` and `entry.1.value`, or plain names.
    fn entries(&self) -> Vec<(&str, &Tree)> {
        let Some(wrapped) = self.children.get("entry").filter(|_| self.children.len() == 1) else {
            return self.children.iter().map(|(name, child)| (name.as_str(), child)).collect();
        };
        wrapped
            .items()
            .into_iter()
            .filter_map(|(_, entry)| {
                let key = entry.children.get("key")?.text.as_deref()?;
                Some((key, entry.children.get("value")?))
            })
            .collect()
    }
}

fn unescape(escaped: &[u8]) -> Result<String, DecodeError> {
    let spaced: Vec<u8> = escaped.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| DecodeError::Malformed { reason: "the form is not UTF-8".to_owned() })
}

#[cfg(test)]
mod tests;
