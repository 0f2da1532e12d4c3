//! What the command line asks of this node.

use crate::{error::Error, image::Images};
use std::{os::unix::fs::PermissionsExt, sync::Arc};
use tokio::net::UnixListener;
use wharf_nodelink::local;

/// Answers for ever at the socket of this node.
pub(crate) fn serve(socket: &camino::Utf8Path, images: Arc<Images>) -> Result<(), Error> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::file("remove", socket)(error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(Error::file("listen at", socket))?;
    let root_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(socket, root_only).map_err(Error::file("protect", socket))?;
    tokio::spawn(local::serve(listener, move |asked| images.clone().answer(asked)));
    Ok(())
}
