//! Durable state: typed tables, guarded transactions, one revision, a watch that is a doorbell.
