use super::{Rewrites, Unfit};
use wharf_model::rule::{RewrittenPart, Transform};

fn rewrites(part: RewrittenPart, regex: &str, replace: &str) -> Rewrites {
    Rewrites::new(&[Transform { part, regex: regex.to_owned(), replace: replace.to_owned() }])
}

fn url(regex: &str, replace: &str, url: &str) -> Result<Option<String>, Unfit> {
    let made = rewrites(RewrittenPart::Url, regex, replace).url(url.as_bytes());
    made.map(|made| made.map(|made| String::from_utf8(made).unwrap()))
}

#[test]
fn groups_stand_in_the_replacement() {
    assert_eq!(
        url("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1", "/dp/B09"),
        Ok(Some("/product.php?id=B09".into()))
    );
    assert_eq!(url("^/(a)(b)?", "/$1x$2y$0z", "/a/rest"), Ok(Some("/axy/az/rest".into())));
}

#[test]
fn what_does_not_match_stays() {
    assert_eq!(url("^/api/", "/", "/other"), Ok(None));
}

#[test]
fn the_query_is_a_part_of_what_is_rewritten() {
    assert_eq!(url("[?]v=1$", "?v=2", "/a?v=1"), Ok(Some("/a?v=2".into())));
}

#[test]
fn what_is_no_path_any_more_is_unfit() {
    assert_eq!(url("^/api", "", "/api"), Err(Unfit));
    assert_eq!(url("^/(.*)$", "/$1#x", "/a"), Err(Unfit));
}

#[test]
fn a_host_is_rewritten_and_must_stay_one() {
    let made = rewrites(RewrittenPart::HostHeader, "^mywebsite-(.+).com$", "internal.dev.$1.myweb.com");
    assert_eq!(made.host("mywebsite-example.com"), Ok(Some("internal.dev.example.myweb.com".to_owned())));
    assert_eq!(made.host("other"), Ok(None));
    assert_eq!(rewrites(RewrittenPart::HostHeader, "a", "/").host("a"), Err(Unfit));
}
