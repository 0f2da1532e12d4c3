use super::{Body, Framing, HEAD_MAX, Refused, check, head_end, is_spotless};

/// Checks a head written without its ends of lines.
fn read(lines: &str) -> Result<Framing, u16> {
    let head = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
    assert_eq!(head_end(head.as_bytes(), 0), Ok(Some(head.len())), "{lines}");
    check(head.as_bytes()).map_err(|Refused(status)| status)
}

fn refused(lines: &str) {
    assert_eq!(read(lines), Err(400), "{lines}");
}

fn body(lines: &str) -> Body {
    read(lines).unwrap().body
}

#[test]
fn ordinary_requests_pass() {
    assert_eq!(body("GET / HTTP/1.1\nHost: a"), Body::Length(0));
    assert_eq!(body("POST /x?y=1 HTTP/1.1\nHost: a:80\nContent-Length: 12"), Body::Length(12));
    assert_eq!(body("POST / HTTP/1.1\nhost: [::1]:80\ntransfer-encoding: Chunked"), Body::Chunked);
    assert_eq!(body("OPTIONS * HTTP/1.1\nHost: a"), Body::Length(0));
    assert_eq!(body("GET http://a/x HTTP/1.1\nHost: a"), Body::Length(0));
}

#[test]
fn a_websocket_is_seen_and_other_protocols_are_not() {
    assert!(!read("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c").unwrap().upgrade);
    assert!(read("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket").unwrap().upgrade);
}

#[test]
fn http_1_0_needs_no_host() {
    assert_eq!(body("GET / HTTP/1.0"), Body::Length(0));
    refused("GET / HTTP/1.1");
}

#[test]
fn a_length_beside_chunks_is_refused() {
    refused("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked");
}

#[test]
fn two_lengths_are_refused_even_when_they_agree() {
    refused("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 3");
    refused("POST / HTTP/1.1\nHost: a\nContent-Length: 3, 3");
}

#[test]
fn odd_lengths_are_refused() {
    for length in ["", "+3", "-1", "0x10", "3 3", "99999999999999999999"] {
        refused(&format!("POST / HTTP/1.1\nHost: a\nContent-Length: {length}"));
    }
}

#[test]
fn encodings_other_than_chunked_are_refused() {
    for encoding in ["identity", ""] {
        refused(&format!("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: {encoding}"));
    }
    for encoding in ["gzip, chunked", "chunked, identity", "xchunked", "chunked;q=1"] {
        assert_eq!(read(&format!("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: {encoding}")), Err(501));
    }
    refused("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked");
    refused("POST / HTTP/1.0\nTransfer-Encoding: chunked");
}

#[test]
fn strange_hosts_are_refused() {
    refused("GET / HTTP/1.1\nHost: a/b");
    refused("GET / HTTP/1.1\nHost: a@b");
    refused("GET / HTTP/1.1\nHost: a\nHost: a");
}

#[test]
fn strange_request_lines_are_refused() {
    for line in
        ["GET /a b HTTP/1.1", "GET a HTTP/1.1", "GET  / HTTP/1.1", "GET / HTTP/1.2", "GET /\t HTTP/1.1"]
    {
        refused(&format!("{line}\nHost: a"));
    }
    refused("G(T / HTTP/1.1\nHost: a");
    refused("PRI * HTTP/2.0");
}

#[test]
fn folded_lines_and_spaces_before_the_colon_are_refused() {
    refused("GET / HTTP/1.1\nHost: a\n folded: x");
    refused("GET / HTTP/1.1\nHost : a");
    refused("GET / HTTP/1.1\nHost: a\nno colon");
}

#[test]
fn connect_and_trace_are_not_allowed() {
    assert_eq!(read("CONNECT a:80 HTTP/1.1\nHost: a"), Err(405));
    assert_eq!(read("TRACE / HTTP/1.1\nHost: a"), Err(405));
}

#[test]
fn a_bare_line_feed_is_refused() {
    assert_eq!(head_end(b"GET / HTTP/1.1\nHost: a\r\n\r\n", 0), Err(Refused(400)));
    assert_eq!(head_end(b"GET / HTTP/1.1\r\nHost: a\n\r\n", 0), Err(Refused(400)));
}

#[test]
fn a_bare_carriage_return_in_a_value_is_refused() {
    refused("GET / HTTP/1.1\nHost: a\nX: a\rb");
}

#[test]
fn a_head_is_found_in_pieces_and_what_follows_it_is_left() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    for cut in 0..28 {
        let whole = head_end(&bytes[..cut], 0).unwrap();
        assert_eq!(whole, (cut >= 27).then_some(27), "{cut}");
    }
    assert_eq!(head_end(bytes, 20), Ok(Some(27)));
}

#[test]
fn a_head_without_end_is_refused() {
    assert_eq!(head_end(&vec![b'a'; HEAD_MAX + 1], 0), Err(Refused(400)));
}

#[test]
fn a_head_without_a_blemish_is_told_from_others() {
    let spotless = |lines: &str| {
        let head = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        assert!(check(head.as_bytes()).is_ok(), "{lines}");
        is_spotless(head.as_bytes())
    };
    assert!(spotless("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nX: y"));
    assert!(!spotless("GET / HTTP/1.1\nHost: a\nContent-Length: 0"));
    assert!(!spotless("HEAD / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked"));
    assert!(!spotless("GET / HTTP/1.1\nHost: a\nX: \u{e9}"));
    assert!(!spotless("GET / HTTP/1.1\nHost: a\nX:"));
}

#[test]
fn what_is_nearly_a_length_or_takes_one_away_is_refused() {
    for line in
        ["Content_Length: 3", "TransferEncoding: chunked", "Transfer.Encoding: x", "Content--Length: 3"]
    {
        refused(&format!("POST / HTTP/1.1\nHost: a\n{line}"));
    }
    refused("POST / HTTP/1.1\nHost: a\nConnection: close, Content-Length\nContent-Length: 3");
    refused("POST / HTTP/1.1\nHost: a\nConnection: transfer-encoding\nTransfer-Encoding: chunked");
    assert_eq!(body("POST / HTTP/1.1\nHost: a\nContent-Language: de\nX-Content-Length: 3"), Body::Length(0));
}
