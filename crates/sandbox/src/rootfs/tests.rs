use super::user::resolve;
use super::{RootfsError, User};

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/sh\n# comment:x:9:9\napp:x:1000:1001::/home/app:/bin/sh\nbroken\n";
const GROUP: &str = "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n";

fn check(given: &str, uid: u32, gid: u32, groups: &[u32]) {
    assert_eq!(resolve(given, PASSWD, GROUP).unwrap(), User { uid, gid, groups: groups.to_vec() }, "{given}");
}

#[test]
fn users_are_names_or_numbers_with_or_without_group() {
    check("", 0, 0, &[]);
    check("app", 1000, 1001, &[1002]);
    check("1000", 1000, 1001, &[1002]);
    check("app:extra", 1000, 1002, &[]);
    check("app:7", 1000, 7, &[]);
    check("4000", 4000, 0, &[]);
    check("4000:4000", 4000, 4000, &[]);
    check(":app", 0, 1001, &[]);
}

#[test]
fn unknown_name_is_named_in_dockers_words() {
    let error = resolve("nobody", PASSWD, GROUP).unwrap_err();
    assert!(matches!(error, RootfsError::UnknownUser { .. }));
    assert_eq!(error.to_string(), "unable to find user nobody: no matching entries in passwd file");
    assert!(resolve("app:nobody", PASSWD, GROUP).is_err());
}
