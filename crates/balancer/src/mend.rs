//! What is made of a request in the mode `monitor`, which lets pass what others may read differently.
//!
//! Such a request goes on in words that only have one reading, so a target sees one request for one; and its
//! connection ends with it, so what follows is nobody's. What has no reading at all is refused in every mode.

use crate::strict::names_framing;

/// Returns how far the head in `bytes` goes, whose lines may end without a carriage return; nothing while it is not
/// whole.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut empty = None;
    let mut from = 0;
    while let Some(newline) = bytes[from..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[from..from + newline];
        from += newline + 1;
        // Empty lines before the first are passed over.
        if matches!(line, b"" | b"\r") {
            if empty.is_some() {
                return Some(from);
            }
        } else {
            empty = Some(());
        }
    }
    None
}

/// Returns the head in words that have one reading; nothing when it has none. A missing host becomes `host`.
pub(crate) fn mend(head: &[u8], host: &str) -> Option<Vec<u8>> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.find(|line| !line.is_empty())?;
    let mut made = request_line(first)?;
    let one_one = made.ends_with(b"HTTP/1.1");
    made.extend_from_slice(b"\r\n");
    let mut seen = Framing::default();
    for (name, value) in headers(lines) {
        let kind = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
        let kind: Vec<u8> = kind.collect();
        match kind.as_slice() {
            b"contentlength" if name.eq_ignore_ascii_case(b"content-length") => seen.length(&value)?,
            b"transferencoding" if name.eq_ignore_ascii_case(b"transfer-encoding") => seen.coding(&value)?,
            b"host" if name.eq_ignore_ascii_case(b"host") => seen.host(&value)?,
            // Some would take it for the header that it is nearly called.
            b"contentlength" | b"transferencoding" | b"host" => {}
            b"connection" if names_framing(&value) => {}
            _ => {
                made.extend_from_slice(&name);
                made.extend_from_slice(b": ");
                made.extend_from_slice(&value);
                made.extend_from_slice(b"\r\n");
            }
        }
    }
    let Framing { length, chunked, host: named } = seen;
    let named = named.unwrap_or_else(|| host.as_bytes().to_vec());
    made.extend([b"Host: ".as_slice(), &named, b"\r\n"].concat());
    match (chunked, length) {
        (true, _) if !one_one => return None,
        (true, _) => made.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        (false, Some(length)) => made.extend(format!("Content-Length: {length}\r\n").into_bytes()),
        (false, None) => {}
    }
    made.extend_from_slice(b"\r\n");
    Some(made)
}

/// What was said of a body's extent and of the host.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    host: Option<Vec<u8>>,
}

impl Framing {
    fn length(&mut self, value: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(value).ok()?;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| plain)?;
        let same = self.length.is_none_or(|before| before == length);
        self.length = Some(length);
        same.then_some(())
    }

    fn coding(&mut self, value: &[u8]) -> Option<()> {
        if value.eq_ignore_ascii_case(b"identity") {
            return Some(());
        }
        let once = !std::mem::replace(&mut self.chunked, true);
        (once && value.eq_ignore_ascii_case(b"chunked")).then_some(())
    }

    fn host(&mut self, value: &[u8]) -> Option<()> {
        let same = self.host.as_ref().is_none_or(|before| before == value);
        self.host = Some(value.to_vec());
        same.then_some(())
    }
}

/// Returns the request line with every odd character of the path escaped.
fn request_line(line: &[u8]) -> Option<Vec<u8>> {
    let text = line.trim_ascii();
    let (method, rest) = text.split_at(text.iter().position(u8::is_ascii_whitespace)?);
    let at = rest.iter().rposition(u8::is_ascii_whitespace)?;
    let (target, version) = (rest[..at].trim_ascii(), &rest[at + 1..]);
    if !matches!(version, b"HTTP/1.1" | b"HTTP/1.0") || target.is_empty() {
        return None;
    }
    let mut made = [method, b" "].concat();
    for byte in target {
        if *byte <= b' ' || *byte >= 0x7f || *byte == b'#' {
            made.extend(format!("%{byte:02X}").into_bytes());
        } else {
            made.push(*byte);
        }
    }
    made.extend([b" ".as_slice(), version].concat());
    Some(made)
}

/// Returns the headers, folded lines put together; those that are none are left out.
fn headers<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    // Whether a folded line belongs to the last header, and not to one that was left out.
    let mut last = false;
    for line in lines {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let (true, Some((_, value))) = (last, headers.last_mut()) {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            last = false;
            continue;
        };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let fine = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        last = !name.is_empty() && name.iter().all(|byte| is_token(*byte)) && value.iter().all(fine);
        if last {
            headers.push((name.to_vec(), value.to_vec()));
        }
    }
    headers
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
