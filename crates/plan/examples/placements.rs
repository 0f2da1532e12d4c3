//! Prints how many placements one processor decides in a second, among 5,000 nodes that are filled with 100,000 tasks of
//! services with mixed constraints. `cargo run --profile dist -p wharf-plan --example placements`
//!
//! A service's tasks are placed together, after one look at every node: so the more of them, the less each costs. Each
//! line is for another number of tasks in such a batch, into nodes that are empty at first; 100 is a service that is
//! started or replaced, 10 the most that one RunTask starts, 1 a single task that stopped.
//!
//! It is the decision alone. What control does around it, reading the nodes and their tasks before a batch and writing
//! each task, is not in it.

use std::{collections::BTreeSet, time::Instant};
use wharf_model::{
    CpuUnits, Mebibytes, Word,
    placement::{Constraint, Placement, Resource, SpreadBy, Strategy},
};
use wharf_plan::{
    placement::{Asked, Field, Holding, Room, Size, read},
    query::Facts,
};

const NODES: u32 = 5_000;
const TASKS: u32 = 100_000;
const SERVICES: u32 = 1_000;
/// How many tasks a batch has, and how many batches are placed: up to all the tasks.
const BATCHES: [(u32, u32); 3] = [(100, TASKS / 100), (10, TASKS / 10), (1, 5_000)];

/// A node with the attributes that every instance has.
fn room(number: u32) -> Room {
    let zone = format!("us-east-1{}", ["a", "b", "c"][number as usize % 3]);
    let attributes = [
        ("ecs.availability-zone", Some(zone.as_str())),
        ("ecs.cpu-architecture", Some("x86_64")),
        ("ecs.os-type", Some("linux")),
        ("ecs.os-family", Some("LINUX")),
        ("com.amazonaws.ecs.capability.ecr-auth", None),
        ("com.amazonaws.ecs.capability.logging-driver.awslogs", None),
        ("com.amazonaws.ecs.capability.logging-driver.json-file", None),
        ("ecs.capability.task-eni", None),
    ];
    let attributes = attributes.map(|(name, value)| (name, value.map(Word::from)));
    Room {
        node: format!("{number:032x}").parse().expect("thirty-two hexadecimal digits are an id"),
        offered: Size { cpu: CpuUnits(16_384), memory: Mebibytes(65_536) },
        taken_cpu: 0,
        taken_memory: 0,
        ports: BTreeSet::new(),
        facts: Facts { attributes: attributes.into_iter().collect(), ..Facts::default() },
    }
}

fn placement(number: u32) -> Placement {
    let zone = || Strategy::Spread(SpreadBy::Attribute("ecs.availability-zone".to_owned()));
    let (constraints, strategies) = match number % 5 {
        0 => (vec![], vec![]),
        1 => (vec![], vec![zone(), Strategy::Binpack(Resource::Memory)]),
        2 => (vec![Constraint::DistinctInstance], vec![zone(), Strategy::Spread(SpreadBy::Instance)]),
        3 => {
            let east = "attribute:ecs.availability-zone == us-east-1a".to_owned();
            (vec![Constraint::MemberOf(east)], vec![Strategy::Binpack(Resource::Cpu)])
        }
        _ => (vec![], vec![Strategy::Spread(SpreadBy::Instance)]),
    };
    Placement { constraints, strategies }
}

/// Places up to so many tasks of a service; returns how many had room.
fn place_batch(rooms: &mut [Room], service: u32, tasks: u32) -> u32 {
    let placement = placement(service);
    let rules = read(&placement).expect("the expressions are right");
    let group = format!("service:{service}");
    let asked = Asked {
        size: Size { cpu: CpuUnits(256), memory: Mebibytes(512) },
        holding: Holding::Reserved,
        ports: &[],
        rules: &rules,
        strategies: &placement.strategies,
        group: &group,
        dice: 1,
    };
    let mut field = Field::of(&*rooms, &asked).expect("chance does not decide");
    for placed in 0..tasks {
        let Some(best) = field.best() else { return placed };
        let at = rooms.binary_search_by(|room| room.node.cmp(best)).expect("it is one of them");
        rooms[at].take(asked.size, asked.ports, asked.group);
        field.update(&rooms[at], &asked);
    }
    tasks
}

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints the number")]
fn main() {
    for (batch, batches) in BATCHES {
        let mut rooms: Vec<Room> = (0..NODES).map(room).collect();
        let began = Instant::now();
        let placed: u32 = (0..batches).map(|number| place_batch(&mut rooms, number % SERVICES, batch)).sum();
        let per_second = f64::from(placed) / began.elapsed().as_secs_f64();
        println!("{{\"batch\": {batch}, \"placed\": {placed}, \"per_second\": {per_second:.0}}}");
    }
}
