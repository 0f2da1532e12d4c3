use super::*;

#[test]
fn a_task_id_is_thirty_two_lower_case_hexadecimal_digits() {
    assert!("0123456789abcdef0123456789abcdef".parse::<TaskId>().is_ok());
    for wrong in ["", "0123", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdeg"] {
        assert_eq!(
            wrong.parse::<TaskId>(),
            Err(InvalidName { kind: "task id", given: wrong.to_owned() }),
            "{wrong}"
        );
    }
}

#[test]
fn a_cluster_name_takes_letters_digits_hyphens_and_underscores() {
    assert!("web_1-a".parse::<ClusterName>().is_ok());
    for wrong in ["", "a b", "a/b", "ü", &"x".repeat(256)] {
        assert!(wrong.parse::<ClusterName>().is_err(), "{wrong}");
    }
}

#[test]
fn a_repository_name_has_lower_case_parts() {
    for right in ["fastapi", "team/app", "a1.b-c_d/e2"] {
        assert!(right.parse::<RepositoryName>().is_ok(), "{right}");
    }
    for wrong in ["a", "App", "/app", "app/", "-app", "app//x"] {
        assert!(wrong.parse::<RepositoryName>().is_err(), "{wrong}");
    }
}

#[test]
fn a_name_read_from_json_is_checked_too() {
    assert!(serde_json::from_str::<SubnetId>("\"subnet-0123456789abcdef0\"").is_ok());
    assert!(serde_json::from_str::<SubnetId>("\"subnet-1\"").is_err());
}
