use super::{Asked, Parts, location};

const SAME: Parts<'static> =
    Parts { protocol: "#{protocol}", host: "#{host}", port: "#{port}", path: "/#{path}", query: "#{query}" };

fn check(parts: Parts<'_>, query: &str, expected: &str) {
    let asked = Asked { secure: false, host: "shop.example", port: 8080, path: "/a/b", query };
    assert_eq!(location(parts, asked), expected);
}

#[test]
fn https_keeps_the_rest() {
    let parts = Parts { protocol: "HTTPS", port: "443", ..SAME };
    check(parts, "x=1", "https://shop.example:443/a/b?x=1");
}

#[test]
fn an_empty_query_has_no_question_mark() {
    check(Parts { path: "/new/#{path}", ..SAME }, "", "http://shop.example:8080/new/a/b");
}

#[test]
fn host_and_query_may_be_given_around_the_old_ones() {
    let parts = Parts { host: "www.#{host}", query: "from=old&#{query}", ..SAME };
    check(parts, "x=1", "http://www.shop.example:8080/a/b?from=old&x=1");
}
