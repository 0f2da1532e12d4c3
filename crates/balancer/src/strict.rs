//! Which requests are refused because two programs could read them differently.
//!
//! This is an application load balancer's mode `defensive` (`mend` is about `monitor`): whatever a target might take for another request than this
//! balancer did is answered 400 and the connection is closed. It looks at the bytes as they came, before any parser
//! has made them pretty.

/// The longest line of a request's head.
pub(crate) const LINE_MAX: usize = 16 << 10;
/// The longest head.
pub(crate) const HEAD_MAX: usize = 64 << 10;

/// The most lines of a head; pingora parses no more.
const LINES_MAX: usize = 256;

/// How a request's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// By `Content-Length`, 0 when there is none.
    Length(u64),
    /// By its chunks.
    Chunked,
}

/// What must be known of a request before it is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framing {
    /// Its head's length, with the empty line.
    pub(crate) head: usize,
    /// Its body.
    pub(crate) body: Body,
    /// Whether it asks for a WebSocket on this connection.
    pub(crate) upgrade: bool,
    /// Whether it came in other words, so that its connection ends with it.
    pub(crate) mended: bool,
}

/// A request that is answered with this status and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u16);

const BAD: Refused = Refused(400);

/// Returns how far the head in `bytes` goes; nothing while it is not whole. `seen` bytes were looked at before.
pub(crate) fn head_end(bytes: &[u8], seen: usize) -> Result<Option<usize>, Refused> {
    let mut from = seen;
    while let Some(newline) = bytes[from..].iter().position(|byte| *byte == b'\n') {
        let at = from + newline;
        if at == 0 || bytes[at - 1] != b'\r' {
            return Err(BAD);
        }
        // The empty line; one before the request line is left to be refused as a request line.
        if at >= 3 && bytes[at - 3..at] == *b"\r\n\r" || at == 1 {
            return Ok(Some(at + 1));
        }
        from = at + 1;
    }
    if bytes.len() > HEAD_MAX { Err(BAD) } else { Ok(None) }
}

/// Returns what a whole head says, or that it must be refused.
pub(crate) fn check(head: &[u8]) -> Result<Framing, Refused> {
    let lines = head.strip_suffix(b"\r\n\r\n").ok_or(BAD)?;
    let mut lines = lines.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let one_one = request_line(lines.next().unwrap_or_default())?;
    let (mut length, mut chunked, mut hosts, mut upgrade) = (None, false, 0, false);
    for (index, line) in lines.enumerate() {
        if index >= LINES_MAX {
            return Err(BAD);
        }
        let (name, value) = header(line)?;
        match name {
            name if name.eq_ignore_ascii_case(b"content-length") => {
                let digits = std::str::from_utf8(value).ok().filter(|text| !text.is_empty());
                let digits =
                    digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).ok_or(BAD)?;
                if length.replace(digits.parse::<u64>().map_err(|_| BAD)?).is_some() {
                    return Err(BAD);
                }
            }
            name if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if chunked || value.is_empty() || value.eq_ignore_ascii_case(b"identity") {
                    return Err(BAD);
                }
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refused(501));
                }
                chunked = true;
            }
            name if name.eq_ignore_ascii_case(b"host") => {
                hosts += 1;
                if !value.iter().all(|byte| is_host(*byte)) {
                    return Err(BAD);
                }
            }
            // Others might take it for the header that it is nearly called.
            name if is_nearly_framing(name) => return Err(BAD),
            // Without it the rest would say something else.
            name if name.eq_ignore_ascii_case(b"connection") && names_framing(value) => return Err(BAD),
            // Other protocols are not passed on: such a request is answered as if it had not asked.
            name if name.eq_ignore_ascii_case(b"upgrade") => {
                upgrade = value.eq_ignore_ascii_case(b"websocket");
            }
            _ => {}
        }
    }
    if hosts > 1 || one_one && hosts == 0 || chunked && (length.is_some() || !one_one) {
        return Err(BAD);
    }
    let body = if chunked { Body::Chunked } else { Body::Length(length.unwrap_or(0)) };
    Ok(Framing { head: head.len(), body, upgrade, mended: false })
}

/// The headers that say how far a request goes, and for whom it is.
const FRAMING: [&[u8]; 3] = [b"content-length", b"transfer-encoding", b"host"];

/// Returns whether a name becomes one of those that frame a request when somebody leaves out odd characters.
fn is_nearly_framing(name: &[u8]) -> bool {
    let letters = || name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
    // Few names are as long and begin so.
    matches!(name.len(), 13..=24)
        && FRAMING[..2].iter().any(|known| {
            !name.eq_ignore_ascii_case(known)
                && letters().eq(known.iter().copied().filter(|byte| *byte != b'-'))
        })
}

/// Returns whether a `Connection` header calls one of those that frame a request its own.
pub(crate) fn names_framing(connection: &[u8]) -> bool {
    let tokens = connection.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    tokens.into_iter().any(|token| FRAMING.iter().any(|known| token.eq_ignore_ascii_case(known)))
}

/// Returns whether a head that was found good follows the RFC to the letter, as the mode `strictest` demands.
pub(crate) fn is_spotless(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let bodiless = first.starts_with(b"GET ") || first.starts_with(b"HEAD ");
    lines.filter(|line| !line.is_empty()).all(|line| {
        let Ok((name, value)) = header(line) else { return false };
        let misplaced = bodiless && FRAMING[..2].iter().any(|known| name.eq_ignore_ascii_case(known));
        value.is_ascii() && !value.is_empty() && !misplaced
    })
}

/// Returns whether this is HTTP/1.1 rather than HTTP/1.0.
fn request_line(line: &[u8]) -> Result<bool, Refused> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(BAD);
    };
    if line.len() > LINE_MAX {
        return Err(Refused(414));
    }
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(BAD);
    }
    if method == b"CONNECT" || method == b"TRACE" {
        return Err(Refused(405));
    }
    let absolute = target.len() > 8 && target[..7].eq_ignore_ascii_case(b"http://");
    let form = target.starts_with(b"/") || absolute || (target == b"*" && method == b"OPTIONS");
    if !form || target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b'#') {
        return Err(BAD);
    }
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        _ => Err(BAD),
    }
}

/// Takes a header line apart. A name with a space, a folded line and control characters are refused.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(BAD)?;
    let (name, mut value) = (&line[..colon], &line[colon + 1..]);
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    let fine = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if line.len() > LINE_MAX || name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(BAD);
    }
    if value.iter().all(fine) { Ok((name, value)) } else { Err(BAD) }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

#[cfg(test)]
mod tests;
