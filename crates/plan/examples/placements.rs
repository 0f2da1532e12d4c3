//! Prints how many placements one processor decides in a second: 5,000 nodes, 100,000 tasks of 1,000 services with
//! mixed constraints. `cargo run --profile dist -p wharf-plan --example placements`

use std::{collections::BTreeSet, time::Instant};
use wharf_model::{
    CpuUnits, Mebibytes,
    placement::{Constraint, Placement, Resource, SpreadBy, Strategy},
};
use wharf_plan::{
    placement::{Asked, Field, Holding, Room, Size, read},
    query::Facts,
};

const NODES: u32 = 5_000;
const SERVICES: u32 = 1_000;
const EACH: u32 = 100;

fn room(number: u32) -> Room {
    let zone = format!("us-east-1{}", ["a", "b", "c"][number as usize % 3]);
    let mut facts = Facts::default();
    facts.attributes.insert("ecs.availability-zone".to_owned(), Some(zone));
    Room {
        node: format!("{number:032x}").parse().expect("thirty-two hexadecimal digits are an id"),
        offered: Size { cpu: CpuUnits(16_384), memory: Mebibytes(65_536) },
        taken_cpu: 0,
        taken_memory: 0,
        ports: BTreeSet::new(),
        facts,
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

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints the number")]
fn main() {
    let mut rooms: Vec<Room> = (0..NODES).map(room).collect();
    let began = Instant::now();
    let mut placed = 0_u32;
    for service in 0..SERVICES {
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
        let mut field = Field::of(&rooms, &asked).expect("chance does not decide");
        for _ in 0..EACH {
            let Some(best) = field.best() else { break };
            let at = rooms.binary_search_by(|room| room.node.cmp(best)).expect("it is one of them");
            rooms[at].take(asked.size, asked.ports, asked.group);
            field.update(&rooms[at], &asked);
            placed += 1;
        }
    }
    let per_second = f64::from(placed) / began.elapsed().as_secs_f64();
    println!("{{\"placed\": {placed}, \"per_second\": {per_second:.0}}}");
}
