//! Who a container runs as: what the image's own `/etc/passwd` and `/etc/group` say.

use std::io::Read;

use pathrs::Root;
use pathrs::flags::OpenFlags;

use super::{RootfsError, image, is_absent, system};

/// Ids a container's process runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Other groups.
    pub groups: Vec<u32>,
}

pub(super) fn look_up(root: &Root, given: &str) -> Result<User, RootfsError> {
    let passwd = read(root, "/etc/passwd")?;
    let group = read(root, "/etc/group")?;
    resolve(given, &passwd, &group)
}

/// Returns the ids for `user` or `user:group`, each a name or a number. A number needs no entry.
pub(super) fn resolve(given: &str, passwd: &str, group: &str) -> Result<User, RootfsError> {
    let (user, named_group) = match given.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (given, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let entry = entries(passwd).find(|entry| entry[0] == user || entry.get(2) == Some(&user));
    let number = |text: Option<&&str>| text.and_then(|text| text.parse::<u32>().ok());
    let uid = number(entry.as_ref().and_then(|entry| entry.get(2))).or_else(|| user.parse().ok());
    let Some(uid) = uid else {
        return Err(RootfsError::UnknownUser { kind: "user", name: user.to_owned(), file: "passwd file" });
    };
    if let Some(name) = named_group.filter(|name| !name.is_empty()) {
        let entry = entries(group).find(|entry| entry[0] == name || entry.get(2) == Some(&name));
        let gid = number(entry.as_ref().and_then(|entry| entry.get(2))).or_else(|| name.parse().ok());
        let unknown =
            || RootfsError::UnknownUser { kind: "group", name: name.to_owned(), file: "group file" };
        return Ok(User { uid, gid: gid.ok_or_else(unknown)?, groups: Vec::new() });
    }
    let gid = number(entry.as_ref().and_then(|entry| entry.get(3))).unwrap_or(0);
    let name = entry.as_ref().map_or(user, |entry| entry[0]);
    let member =
        |entry: &Vec<&str>| entry.get(3).is_some_and(|names| names.split(',').any(|each| each == name));
    let groups =
        entries(group).filter(member).filter_map(|entry| number(entry.get(2))).filter(|id| *id != gid);
    Ok(User { uid, gid, groups: groups.collect() })
}

fn entries(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(':').collect())
}

fn read(root: &Root, path: &'static str) -> Result<String, RootfsError> {
    let mut file = match root.open_subpath(path, OpenFlags::O_RDONLY | OpenFlags::O_NONBLOCK) {
        Ok(file) => file.take(1024 * 1024),
        Err(error) if is_absent(&error) => return Ok(String::new()),
        Err(error) => return Err(image("open", path)(error)),
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(system("read", path.into()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
