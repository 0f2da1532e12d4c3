//! Wharf as its users meet it. Each test has a Wharf of its own and leaves nothing behind; they run one at a time.

mod bad_input;
mod hello;
mod readme;
mod restarts;
mod tasks;
mod tutorial;
