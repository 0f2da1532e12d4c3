//! The node: one supervisor per task, log delivery, metadata endpoints.
