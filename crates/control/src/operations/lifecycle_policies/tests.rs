use super::*;

fn rule(selection: &str) -> String {
    format!(r#"{{"rules":[{{"rulePriority":1,"selection":{{{selection}}},"action":{{"type":"expire"}}}}]}}"#)
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let error = parse(text).unwrap_err().to_string();
    assert!(error.contains("Lifecycle policy validation failure") && error.contains(why), "{error}");
}

#[test]
fn rules_are_read() {
    let text =
        rule(r#""tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14"#);
    let expires = Expires::OlderThan(Duration::from_secs(14 * 86_400));
    assert_eq!(parse(&text).unwrap(), [Rule { priority: 1, tags: Tags::Untagged, expires }]);
    let text = rule(
        r#""tagStatus":"tagged","tagPrefixList":["v"],"countType":"imageCountMoreThan","countNumber":3"#,
    );
    let tags = Tags::Prefixes(vec!["v".to_owned()]);
    assert_eq!(parse(&text).unwrap(), [Rule { priority: 1, tags, expires: Expires::MoreThan(3) }]);
}

#[test]
fn what_is_not_understood_whole_is_refused_by_name() {
    refused("{}", "rules");
    refused(r#"{"rules":[]}"#, "1 to 50 rules");
    refused(
        &rule(r#""tagStatus":"some","countType":"imageCountMoreThan","countNumber":3"#),
        "tagStatus 'some'",
    );
    refused(
        &rule(r#""tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":3"#),
        "tagPrefixList",
    );
    refused(&rule(r#""tagStatus":"any","countType":"sinceImagePulled","countNumber":3"#), "sinceImagePulled");
    refused(&rule(r#""tagStatus":"any","countType":"imageCountMoreThan","countNumber":0"#), "countNumber");
    refused(&rule(r#""tagStatus":"any","countType":"sinceImagePushed","countNumber":3"#), "countUnit");
    refused(
        &rule(r#""tagStatus":"any","countType":"imageCountMoreThan","countNumber":3,"storageClass":"x""#),
        "storageClass",
    );
    let text = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",
        "countNumber":3},"action":{"type":"transition"}}]}"#;
    refused(text, "transition");
}
