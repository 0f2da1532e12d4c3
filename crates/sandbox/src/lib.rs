//! What the kernel does for a task: network namespace, addresses, firewall, cgroup, mounts, OCI spec, libcontainer.
