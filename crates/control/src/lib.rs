//! The control plane: operations that write intent, loops that bring the world to it.
