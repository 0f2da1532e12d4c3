//! The messages between the control plane and the processes of a node, with their version and framing.
