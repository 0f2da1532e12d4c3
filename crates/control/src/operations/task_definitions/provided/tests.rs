use super::*;
use wharf_model::task_definition::Secret;

fn definition(change: impl FnOnce(&mut ContainerDefinition)) -> NewDefinition {
    let mut container = ContainerDefinition::new("web", "web");
    change(&mut container);
    let mut new = NewDefinition::new("web".parse().unwrap(), vec![container], "me".to_owned());
    new.execution_role_arn = Some("arn:aws:iam::123456789012:role/run".to_owned());
    new
}

fn secret(name: &str) -> Secret {
    Secret { name: name.to_owned(), value_from: "/prod/db".to_owned() }
}

#[test]
fn secrets_need_a_role_and_names_of_their_own() {
    let mut new = definition(|web| web.secrets = vec![secret("DB"), secret("KEY")]);
    assert!(check(&new).is_ok());
    new.execution_role_arn = None;
    assert!(check(&new).unwrap_err().to_string().contains("executionRoleArn"));
    let twice = definition(|web| web.secrets = vec![secret("DB"), secret("DB")]);
    assert!(check(&twice).unwrap_err().to_string().ends_with("such as 'DB'."));
    let shared = definition(|web| {
        web.secrets = vec![secret("DB")];
        web.environment = vec![("DB".to_owned(), "x".to_owned())];
    });
    assert!(check(&shared).unwrap_err().to_string().ends_with("such as 'DB'."));
    let container = &definition(|web| web.secrets = vec![secret("DB")]).containers[0];
    assert!(overridden(container, &[("OTHER".to_owned(), "x".to_owned())]).is_ok());
    assert!(overridden(container, &[("DB".to_owned(), "x".to_owned())]).is_err());
}

#[test]
fn environment_files_are_objects_with_the_extension() {
    let with = |value: &str| {
        let files = vec![EnvironmentFile { value: value.to_owned() }];
        check(&definition(|web| web.environment_files = files))
    };
    assert!(with("arn:aws:s3:::config/prod/web.env").is_ok());
    for bad in
        ["web.env", "arn:aws:s3:::config", "arn:aws:s3:::config/../web.env", "arn:aws:s3:::config/web.txt"]
    {
        assert!(with(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_disk_has_21_to_200_gibibytes() {
    for (given, good) in
        [(None, true), (Some(20), false), (Some(21), true), (Some(200), true), (Some(201), false)]
    {
        assert_eq!(disk(given).is_ok(), good, "{given:?}");
    }
}
