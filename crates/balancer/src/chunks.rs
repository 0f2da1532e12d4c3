//! Where a chunked body ends. The bytes are passed on as they come, trailers and all; they are only counted here.

/// How far a chunked body has been seen.
#[derive(Debug)]
pub(crate) struct Chunks {
    at: At,
    left: u64,
}

/// The body is not chunked as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size,
    Digits,
    Extension,
    SizeEnd,
    Data,
    DataReturn,
    DataEnd,
    Trailer,
    TrailerLine,
    TrailerEnd,
    LastEnd,
    Done,
}

impl Chunks {
    /// Starts before the first chunk.
    pub(crate) fn new() -> Chunks {
        Chunks { at: At::Size, left: 0 }
    }

    /// Returns how many of these bytes are the body's: all of them, unless it ends among them.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut seen = 0;
        while seen < bytes.len() && !self.is_done() {
            if self.at == At::Data {
                let here = bytes.len() - seen;
                let step = usize::try_from(self.left).map_or(here, |left| left.min(here));
                seen += step;
                self.left -= step as u64;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
                continue;
            }
            self.at = self.after(bytes[seen])?;
            seen += 1;
        }
        Ok(seen)
    }

    /// Returns whether the body has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    fn after(&mut self, byte: u8) -> Result<At, Malformed> {
        let digit = char::from(byte).to_digit(16);
        match (self.at, byte) {
            (At::Size | At::Digits, _) if digit.is_some() => {
                let size = self.left.checked_mul(16).ok_or(Malformed)?;
                self.left = size | u64::from(digit.unwrap_or_default());
                Ok(At::Digits)
            }
            (At::Digits, b';' | b' ' | b'\t') => Ok(At::Extension),
            (At::Digits | At::Extension, b'\r') => Ok(At::SizeEnd),
            (At::Trailer, b'\r') => Ok(At::LastEnd),
            (At::TrailerLine, b'\r') => Ok(At::TrailerEnd),
            (At::Extension, byte) if byte != b'\n' => Ok(At::Extension),
            (At::Trailer | At::TrailerLine, byte) if byte != b'\n' => Ok(At::TrailerLine),
            (At::SizeEnd, b'\n') if self.left == 0 => Ok(At::Trailer),
            (At::SizeEnd, b'\n') => Ok(At::Data),
            (At::DataReturn, b'\r') => Ok(At::DataEnd),
            (At::DataEnd, b'\n') => Ok(At::Size),
            (At::TrailerEnd, b'\n') => Ok(At::Trailer),
            (At::LastEnd, b'\n') => Ok(At::Done),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests;
