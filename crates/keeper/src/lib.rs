//! The small process that is every container's parent: spawns, reaps, drains output to files, remembers exits.
