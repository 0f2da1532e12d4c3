//! The terminal that the person sits at.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, stdin, stdout};
use wharf_aws::session::Size;

/// The terminal, passing every key on, until this is dropped.
pub(super) struct Raw {
    before: Termios,
}

impl Raw {
    /// Makes the terminal pass every key on; nothing when standard input is none.
    pub(super) fn begin() -> std::io::Result<Option<Raw>> {
        if !stdin().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Some(Raw { before }))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Whoever sits there would have nobody to complain to.
        let _kept = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// Returns the terminal's size, when standard output is one.
pub(super) fn size() -> Option<Size> {
    let size = tcgetwinsize(stdout()).ok()?;
    Some(Size { cols: size.ws_col.into(), rows: size.ws_row.into() }).filter(|size| size.cols > 0)
}
