//! The block of load balancer names in `/etc/hosts`, for programs that do not take `*.localhost` to loopback by
//! themselves. Only lines between our two marks are ever changed.

use anyhow::Context;
use camino::Utf8Path;
use std::collections::BTreeSet;

/// The file.
pub(crate) const HOSTS: &str = "/etc/hosts";

/// Makes the block hold these names, each at 127.0.0.1; removes it when there are none.
///
/// `owner` tells blocks of several Wharfs apart. Nothing is written when nothing changes.
pub(crate) fn set(file: &Utf8Path, owner: &Utf8Path, names: &BTreeSet<String>) -> anyhow::Result<()> {
    let before = std::fs::read_to_string(file).with_context(|| format!("read {file}"))?;
    let after = with_block(&before, owner.as_str(), names);
    if after != before {
        // In place: /etc/hosts is often a mount of its own, which cannot be renamed over.
        std::fs::write(file, after).with_context(|| format!("write {file}"))?;
    }
    Ok(())
}

fn with_block(text: &str, owner: &str, names: &BTreeSet<String>) -> String {
    let (begin, end) = (format!("# wharf {owner}: begin"), format!("# wharf {owner}: end"));
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        match line.trim_end() {
            mark if mark == begin => inside = true,
            mark if mark == end => inside = false,
            _ if inside => {}
            _ => kept.push_str(line),
        }
    }
    if names.is_empty() {
        return kept;
    }
    if !kept.is_empty() && !kept.ends_with('\n') {
        kept.push('\n');
    }
    let lines: String = names.iter().map(|name| format!("127.0.0.1 {name}\n")).collect();
    format!("{kept}{begin}\n{lines}{end}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_block_is_put_after_what_is_there_and_taken_away_again() {
        let before = "127.0.0.1 localhost\n";
        let with = with_block(before, "/run/wharf", &names(&["b.localhost", "a.localhost"]));
        assert_eq!(
            with,
            "127.0.0.1 localhost\n# wharf /run/wharf: begin\n127.0.0.1 a.localhost\n127.0.0.1 b.localhost\n# wharf \
             /run/wharf: end\n"
        );
        assert_eq!(with_block(&with, "/run/wharf", &names(&[])), before);
    }

    #[test]
    fn another_owners_block_and_lines_after_ours_stay() {
        let first = with_block("x\n", "/run/a", &names(&["a.localhost"]));
        let both = with_block(&first, "/run/b", &names(&["b.localhost"])) + "mine\n";
        let changed = with_block(&both, "/run/a", &names(&["c.localhost"]));
        assert!(changed.contains("127.0.0.1 b.localhost\n") && changed.contains("mine\n"));
        assert!(changed.contains("c.localhost") && !changed.contains("a.localhost\n"));
    }
}
