//! Wharf as its users meet it.
