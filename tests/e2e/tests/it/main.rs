//! Wharf as its users meet it. Each test has a Wharf of its own and leaves nothing behind; they run one at a time.

mod addresses;
mod allowed;
mod bad_input;
mod balancer;
mod credentials;
mod exec;
mod firelens;
mod full_disk;
mod given;
mod hello;
mod images;
mod instances;
mod isolation;
mod lives;
mod logs;
mod matrix;
mod network_modes;
mod networks;
mod protection;
mod readme;
mod restarts;
mod rollouts;
mod rules;
mod state;
mod tasks;
mod tutorial;
