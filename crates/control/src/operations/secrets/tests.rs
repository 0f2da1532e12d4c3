use super::values::choose;
use super::*;
use wharf_model::secret::Sealed;

/// Returns versions written `id stage stage, id stage`.
fn versions(text: &str) -> Vec<SecretVersion> {
    let version = |text: &str| {
        let mut words = text.split_whitespace().map(str::to_owned);
        SecretVersion {
            id: words.next().unwrap(),
            stages: words.collect(),
            created_at: Timestamp(0),
            binary: false,
            value: Sealed::new(String::new()),
        }
    };
    text.split(',').map(version).collect()
}

fn check(before: &str, stage: &str, to: &str, after: &str) {
    let mut versions = versions(before);
    stages::attach(&mut versions, stage, to);
    let show = |version: &SecretVersion| format!("{} {}", version.id, version.stages.join(" "));
    let shown: Vec<String> = versions.iter().map(|version| show(version).trim().to_owned()).collect();
    assert_eq!(shown.join(", "), after, "{stage} to {to}");
}

#[test]
fn what_was_current_becomes_previous_and_what_was_previous_nothing() {
    check("a", CURRENT, "a", "a AWSCURRENT");
    check("a AWSCURRENT, b", CURRENT, "b", "a AWSPREVIOUS, b AWSCURRENT");
    check("a AWSPREVIOUS, b AWSCURRENT, c", CURRENT, "c", "a, b AWSPREVIOUS, c AWSCURRENT");
    check("a AWSPREVIOUS, b AWSCURRENT", CURRENT, "a", "a AWSCURRENT, b AWSPREVIOUS");
    check("a AWSCURRENT", CURRENT, "a", "a AWSCURRENT");
}

#[test]
fn other_labels_only_move() {
    check("a mine, b AWSCURRENT", "mine", "b", "a, b AWSCURRENT mine");
    check("a AWSCURRENT, b", "AWSPENDING", "b", "a AWSCURRENT, b AWSPENDING");
}

#[test]
fn a_version_is_chosen_by_id_by_stage_or_is_the_current_one() {
    let place = wharf_model::Place { region: "us-east-1".into(), account: "123456789012".into() };
    let secret = Secret {
        name: "db".into(),
        arn: place.arn("secretsmanager", "secret:db-AbCdEf"),
        description: None,
        tags: Vec::new(),
        created_at: Timestamp(0),
        changed_at: Timestamp(0),
        deletion: None,
        versions: versions("a AWSPREVIOUS, b AWSCURRENT, c AWSPENDING"),
    };
    let chosen = |version: &str, stage: &str| {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let wanted = Wanted { version: given(version), stage: given(stage) };
        choose(&secret, &wanted).map_or_else(|error| error.to_string(), |version| version.id.clone())
    };
    assert_eq!(chosen("", ""), "b");
    assert_eq!(chosen("", "AWSPREVIOUS"), "a");
    assert_eq!(chosen("c", ""), "c");
    assert_eq!(chosen("c", "AWSPENDING"), "c");
    assert!(chosen("c", "AWSCURRENT").contains("not associated"));
    assert!(chosen("", "none").ends_with("for staging label: none"));
    assert!(chosen("d", "").ends_with("for VersionId: d"));
}
