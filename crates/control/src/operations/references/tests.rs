use super::*;

fn place() -> Place {
    Place { region: "us-east-1".into(), account: "123456789012".into() }
}

#[test]
fn a_name_and_an_arn_mean_the_same() {
    let web: ClusterName = "web".parse().unwrap();
    for given in ["web", "arn:aws:ecs:us-east-1:123456789012:cluster/web"] {
        assert_eq!(cluster(Some(given), &place()).unwrap(), web);
    }
    assert_eq!(cluster(None, &place()).unwrap().as_str(), "default");
    for given in ["shop", "arn:aws:ecs:us-east-1:123456789012:service/web/shop"] {
        assert_eq!(service(given, &web, &place()).unwrap().as_str(), "shop");
    }
    let other = service("arn:aws:ecs:us-east-1:123456789012:service/other/shop", &web, &place());
    assert!(matches!(other, Err(Error::ServiceNotFound)));
}

#[test]
fn an_arn_of_another_account_is_refused_by_name() {
    let error = cluster(Some("arn:aws:ecs:us-east-1:999999999999:cluster/web"), &place()).unwrap_err();
    assert_eq!(error.to_string(), "Identifier is for 999999999999. Your accountId is 123456789012");
}

#[test]
fn a_definition_may_be_named_with_and_without_its_revision() {
    let exact = definition("arn:aws:ecs:us-east-1:123456789012:task-definition/web:3", &place()).unwrap();
    assert_eq!(exact.exact().unwrap().to_string(), "web:3");
    assert_eq!(definition("web", &place()).unwrap().revision, None);
    for wrong in ["web:0", "web:x", "web:1:2", "", "a b"] {
        assert_eq!(definition(wrong, &place()), None, "{wrong}");
    }
}
