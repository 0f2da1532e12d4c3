use super::*;

const DAY: i64 = 86_400_000;

/// Images as `name:days-old:tag,tag`.
fn images(given: &str) -> Vec<Image> {
    let image = |text: &str| {
        let mut parts = text.split(':');
        let (name, days, tags) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or(""));
        Image {
            digest: name.to_owned(),
            tags: tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
            pushed_at: Timestamp((100 - days.parse::<i64>().unwrap()) * DAY),
            needed: name.starts_with('_'),
        }
    };
    given.split_whitespace().map(image).collect()
}

fn words(given: &str) -> Vec<String> {
    given.split(' ').map(str::to_owned).collect()
}

#[track_caller]
fn check(rules: &[(u32, Tags, Expires)], given: &str, expected: &str) {
    let rules: Vec<Rule> = rules
        .iter()
        .map(|(priority, tags, expires)| Rule { priority: *priority, tags: tags.clone(), expires: *expires })
        .collect();
    let found = expired(&rules, &images(given), Timestamp(100 * DAY));
    assert_eq!(found.into_iter().collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn the_newest_stay_and_the_rest_goes() {
    check(&[(1, Tags::Any, Expires::MoreThan(2))], "a:1 b:2 c:3 d:4", "c d");
    check(&[(1, Tags::Any, Expires::MoreThan(9))], "a:1 b:2", "");
}

#[test]
fn untagged_images_go_when_they_are_old() {
    let old = Expires::OlderThan(Duration::from_secs(14 * 86_400));
    check(&[(1, Tags::Untagged, old)], "a:15 b:14 c:20:v1 d:99", "a d");
}

#[test]
fn an_image_must_have_a_tag_for_every_prefix_or_pattern() {
    let rule = |tags| [(1, tags, Expires::MoreThan(0))];
    check(&rule(Tags::Prefixes(words("prod"))), "a:1:prod-1 b:1:dev-1 c:1", "a");
    check(&rule(Tags::Prefixes(words("prod beta"))), "a:1:prod-1 b:1:prod-2,beta-2", "b");
    check(&rule(Tags::Patterns(words("v*.1"))), "a:1:v2.1 b:1:v2.12 c:1:xv2.1 d:1:v.1", "a d");
}

#[test]
fn what_an_earlier_rule_has_selected_a_later_one_never_expires() {
    let prod = Tags::Prefixes(words("prod"));
    let rules = [(2, Tags::Any, Expires::MoreThan(1)), (1, prod, Expires::MoreThan(1))];
    check(&rules, "a:1:prod-1 b:2:prod-2 c:3:x d:4:y", "b c d");
    let keep =
        [(1, Tags::Prefixes(words("keep")), Expires::MoreThan(999)), (2, Tags::Any, Expires::MoreThan(1))];
    check(&keep, "a:1 b:2:keep-1 c:3", "c");
}

#[test]
fn what_an_index_names_goes_only_with_the_index() {
    check(&[(1, Tags::Untagged, Expires::MoreThan(0))], "_child:9 alone:9", "alone");
}
