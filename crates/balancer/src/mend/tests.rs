use super::{head_end, mend};
use crate::strict::check;

/// A head is mended to these lines, sorted for the eye by nobody; and what is mended is beyond doubt.
fn check_mended(head: &str, expected: Option<&str>) {
    let made = mend(head.as_bytes(), "lb");
    if let Some(made) = &made {
        assert!(check(made).is_ok(), "{head:?}: {}", String::from_utf8_lossy(made));
    }
    let made = made.map(|made| String::from_utf8(made).unwrap().replace("\r\n", "|"));
    assert_eq!(made.as_deref(), expected, "{head:?}");
}

#[test]
fn what_has_two_readings_goes_on_with_one() {
    check_mended("GET / HTTP/1.1\nHost: t\n\n", Some("GET / HTTP/1.1|Host: t||"));
    check_mended("GET /a b HTTP/1.1\r\n\r\n", Some("GET /a%20b HTTP/1.1|Host: lb||"));
    let both = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_mended(both, Some("POST / HTTP/1.1|Host: t|Transfer-Encoding: chunked||"));
    let twice = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length : 3\r\n\r\n";
    check_mended(twice, Some("POST / HTTP/1.1|Host: t|Content-Length: 3||"));
    let near =
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer_Encoding: chunked\r\nContent-Length: 3\r\nX: a\r\n b\r\n\r\n";
    check_mended(near, Some("POST / HTTP/1.1|X: a b|Host: t|Content-Length: 3||"));
    let folded = "GET / HTTP/1.1\r\nHost: t\r\nbad name: 1\r\n Transfer-Encoding: chunked\r\n\r\n";
    check_mended(folded, Some("GET / HTTP/1.1|Host: t||"));
}

#[test]
fn what_has_no_reading_is_refused() {
    for lines in [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: +3",
        "Content-Length: 3, 3",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Host: u",
    ] {
        check_mended(&format!("POST / HTTP/1.1\r\nHost: t\r\n{lines}\r\n\r\n"), None);
    }
    check_mended("POST / HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", None);
    check_mended("GET / HTTP/9\r\nHost: t\r\n\r\n", None);
    check_mended("GET\r\n\r\n", None);
}

#[test]
fn a_head_ends_with_an_empty_line_of_either_kind() {
    assert_eq!(head_end(b"GET / HTTP/1.1\nA: b\n\nrest"), Some(21));
    assert_eq!(head_end(b"\r\nGET / HTTP/1.1\r\n\r\nrest"), Some(20));
    assert_eq!(head_end(b"GET / HTTP/1.1\r\nA: b\r\n"), None);
}
