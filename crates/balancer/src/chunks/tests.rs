use super::*;

/// Passes the body in pieces of each size; returns how much of it was the body's.
fn check(bytes: &str, expected: Result<usize, Malformed>) {
    for size in 1..=bytes.len() {
        let mut chunks = Chunks::new();
        let passed = bytes.as_bytes().chunks(size).try_fold(0, |sum, piece| Ok(sum + chunks.pass(piece)?));
        assert_eq!(passed, expected, "{bytes:?} in pieces of {size}");
        assert_eq!(chunks.is_done(), passed.is_ok());
    }
}

#[test]
fn a_body_ends_after_its_last_chunk_and_trailers() {
    check("5\r\nhello\r\n0\r\n\r\n", Ok(15));
    check("A;name=value\r\n0123456789\r\n00\r\n\r\n", Ok(32));
    check("0\r\nExpires: never\r\nA: b\r\n\r\n", Ok(27));
    check("1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK", Ok(11));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for bytes in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "1\nx\r\n0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "1;a\nb\r\nx\r\n0\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "11111111111111111\r\n",
    ] {
        check(bytes, Err(Malformed));
    }
}
