use super::*;
use wharf_model::{
    CpuUnits, Mebibytes,
    placement::{Constraint, Placement},
};

fn node(letter: &str) -> NodeId {
    letter.repeat(32).parse().unwrap()
}

/// Reads `a cpu 256 memory 512 zone east web 2`: a node with 2 processors and 4 GiB, of which so much is taken, in a
/// zone, with two tasks of the group `web`.
fn room(text: &str) -> Room {
    let mut words = text.split(' ');
    let letter = words.next().unwrap();
    let mut room = Room {
        node: node(letter),
        offered: size(2048, 4096),
        taken_cpu: 0,
        taken_memory: 0,
        ports: BTreeSet::new(),
        facts: Facts::default(),
    };
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        match name {
            "cpu" => room.taken_cpu = value.parse().unwrap(),
            "memory" => room.taken_memory = value.parse().unwrap(),
            "port" => room.ports = BTreeSet::from([(value.parse().unwrap(), Transport::Tcp)]),
            "zone" => {
                *room.facts.attributes.entry("zone") = Some(value.into());
            }
            "web" => *room.facts.groups.entry("web") = value.parse().unwrap(),
            other => panic!("{other}"),
        }
    }
    room
}

fn rooms(text: &str) -> Vec<Room> {
    text.split(", ").filter(|part| !part.is_empty()).map(room).collect()
}

fn size(cpu: u32, memory: u32) -> Size {
    Size { cpu: CpuUnits(cpu), memory: Mebibytes(memory) }
}

/// A task of the group `web`.
struct Task {
    size: Size,
    holding: Holding,
    ports: Vec<(u16, Transport)>,
    placement: Placement,
}

fn task(cpu: u32, memory: u32) -> Task {
    let placement = Placement::default();
    Task { size: size(cpu, memory), holding: Holding::Reserved, ports: Vec::new(), placement }
}

impl Task {
    fn shared(self) -> Task {
        Task { holding: Holding::Shared, ..self }
    }

    fn port(self, port: u16) -> Task {
        Task { ports: vec![(port, Transport::Tcp)], ..self }
    }

    fn constraint(mut self, constraint: Constraint) -> Task {
        self.placement.constraints.push(constraint);
        self
    }

    fn member_of(self, expression: &str) -> Task {
        self.constraint(Constraint::MemberOf(expression.to_owned()))
    }

    fn strategy(mut self, strategy: Strategy) -> Task {
        self.placement.strategies.push(strategy);
        self
    }
}

/// Where a task goes: a node's letter, or `closest <letter> lacks <what>`.
fn goes(task: &Task, text: &str) -> String {
    let rules = read(&task.placement).unwrap();
    let asked = Asked {
        size: task.size,
        holding: task.holding,
        ports: &task.ports,
        rules: &rules,
        strategies: &task.placement.strategies,
        group: "web",
        dice: 7,
    };
    match place(&rooms(text), &asked) {
        Ok(node) => node.as_str()[..1].to_owned(),
        Err(NoRoom::NoNode) => "nowhere".to_owned(),
        Err(NoRoom::Closest(node, lack)) => format!("closest {} lacks {lack:?}", &node.as_str()[..1]),
    }
}

/// Where so many tasks go one after the other.
fn go(task: &Task, tasks: usize, text: &str) -> String {
    let rules = read(&task.placement).unwrap();
    let mut rooms = rooms(text);
    let mut story = String::new();
    for _ in 0..tasks {
        let asked = Asked {
            size: task.size,
            holding: task.holding,
            ports: &task.ports,
            rules: &rules,
            strategies: &task.placement.strategies,
            group: "web",
            dice: 7,
        };
        let node = place(&rooms, &asked).unwrap();
        story.push_str(&node.as_str()[..1]);
        rooms.iter_mut().find(|room| room.node == node).unwrap().take(task.size, &task.ports, "web");
    }
    story
}

fn spread(name: &str) -> Strategy {
    Strategy::Spread(SpreadBy::Attribute(name.to_owned()))
}

#[test]
fn a_task_goes_where_most_memory_is_left() {
    assert_eq!(goes(&task(1024, 512), "a cpu 0 memory 1024, b cpu 1024 memory 512"), "b");
    assert_eq!(goes(&task(2048, 512), "a cpu 0 memory 1024, b cpu 1024 memory 512"), "a");
}

#[test]
fn what_is_short_is_named_with_the_node_that_comes_closest() {
    let world = "a cpu 2000, b memory 4000";
    assert_eq!(goes(&task(256, 512), world), "closest a lacks Cpu");
    assert_eq!(goes(&task(1, 8192), world), "closest a lacks Memory");
    assert_eq!(goes(&task(1, 1).shared(), ""), "nowhere");
    assert_eq!(goes(&task(1, 1).port(80), "a port 80, b port 80 memory 5000"), "closest a lacks Ports");
    assert_eq!(goes(&task(1, 1).port(80), "a port 80, b port 81"), "b");
}

#[test]
fn tasks_that_share_a_node_may_ask_for_more_than_it_has_together_but_not_alone() {
    let world = "a cpu 8192 memory 8192";
    assert_eq!(goes(&task(256, 512).shared(), world), "a");
    assert_eq!(goes(&task(256, 8192).shared(), world), "closest a lacks Memory");
}

#[test]
fn distinct_tasks_each_have_a_node_of_their_own() {
    let distinct = task(1, 1).constraint(Constraint::DistinctInstance);
    assert_eq!(go(&distinct, 2, "a, b"), "ab");
    assert_eq!(goes(&distinct, "a web 1, b web 1"), "closest a lacks Distinct");
}

#[test]
fn an_expression_chooses_the_nodes_that_are_asked() {
    let east = task(1, 1).member_of("attribute:zone == east");
    assert_eq!(goes(&east, "a zone west, b zone east memory 4000"), "b");
    assert_eq!(goes(&east, "a zone west"), "closest a lacks Member");
    assert_eq!(goes(&task(1, 1).member_of("task:group == web"), "a, b web 1"), "b");
}

#[test]
fn the_node_that_lacks_the_fewest_things_is_the_closest() {
    let asked = task(2048, 512).member_of("attribute:zone == east");
    assert_eq!(goes(&asked, "a zone west cpu 1, b zone east cpu 1"), "closest b lacks Cpu");
}

#[test]
fn binpack_fills_one_node_before_the_next() {
    let packed = |by| task(1024, 1024).strategy(Strategy::Binpack(by));
    assert_eq!(go(&packed(Resource::Memory), 4, "a, b memory 512, c"), "bbaa");
    assert_eq!(go(&packed(Resource::Cpu), 4, "a, b cpu 512, c"), "baac");
}

#[test]
fn spread_keeps_the_zones_even_and_then_the_next_strategy_decides() {
    let zones = "a zone east, b zone east, c zone west";
    assert_eq!(go(&task(1, 64).strategy(spread("zone")), 4, zones), "acbc");
    let both = task(1, 64).strategy(spread("zone")).strategy(Strategy::Binpack(Resource::Memory));
    assert_eq!(go(&both, 4, zones), "acac");
    let instances = task(1, 64).strategy(Strategy::Spread(SpreadBy::Instance));
    assert_eq!(go(&instances, 4, "a web 1, b, c"), "bcab");
}

#[test]
fn random_is_any_node_that_fits_and_the_same_for_the_same_dice() {
    let any = task(1, 1).strategy(Strategy::Random);
    let first = goes(&any, "a, b, c");
    assert!(["a", "b", "c"].contains(&first.as_str()));
    assert_eq!(goes(&any, "a, b, c"), first);
    assert_eq!(goes(&any, "a cpu 5000, b cpu 5000, c"), "c");
}

#[test]
fn a_placement_that_cannot_be_followed_is_refused() {
    let many =
        |count| Placement { constraints: vec![Constraint::DistinctInstance; count], ..Placement::default() };
    assert!(read(&many(10)).is_ok());
    assert_eq!(read(&many(11)), Err(InvalidPlacement::Constraints));
    let strategies = Placement { strategies: vec![Strategy::Random; 6], ..Placement::default() };
    assert_eq!(read(&strategies), Err(InvalidPlacement::Strategies));
    assert!(matches!(read(&task(1, 1).member_of("x").placement), Err(InvalidPlacement::Expression(_))));
}

/// Numbers that can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}

fn any_rooms(dice: &mut Dice, count: usize) -> Vec<Room> {
    let mut rooms = Vec::new();
    for number in 0..count {
        let taken = format!("a cpu {} memory {}", dice.below(2048), dice.below(4096));
        let mut any = room(&(taken + dice.pick(&["", " zone east", " zone west", " web 1", " web 3"])));
        any.node = format!("{number:032x}").parse().unwrap();
        rooms.push(any);
    }
    rooms
}

fn any_task(dice: &mut Dice) -> Task {
    let mut any = task(u32::try_from(dice.below(700)).unwrap(), u32::try_from(dice.below(1400)).unwrap());
    if dice.below(3) == 0 {
        any = any.shared();
    }
    if dice.below(4) == 0 {
        any = any.port(80);
    }
    if dice.below(4) == 0 {
        any = any.constraint(Constraint::DistinctInstance);
    }
    if dice.below(3) == 0 {
        let words = ["attribute:zone == east", "attribute:zone exists", "task:group != web"];
        any = any.member_of(dice.pick(&words));
    }
    let strategies = [
        spread("zone"),
        Strategy::Spread(SpreadBy::Instance),
        Strategy::Binpack(Resource::Cpu),
        Strategy::Binpack(Resource::Memory),
    ];
    for _ in 0..dice.below(4) {
        any = any.strategy(dice.pick(&strategies));
    }
    any
}

#[test]
fn the_best_of_the_classes_is_the_best_of_all() {
    for seed in 1..2_000 {
        let mut dice = Dice(seed);
        let count = 1 + usize::try_from(dice.below(12)).unwrap();
        let mut rooms = any_rooms(&mut dice, count);
        let task = any_task(&mut dice);
        let rules = read(&task.placement).unwrap();
        let asked = Asked {
            size: task.size,
            holding: task.holding,
            ports: &task.ports,
            rules: &rules,
            strategies: &task.placement.strategies,
            group: "web",
            dice: 7,
        };
        // In whatever order they are given.
        let mut field = Field::of(rooms.iter().rev(), &asked).unwrap();
        for placed in 0..30 {
            let best = place(&rooms, &asked).ok();
            let story = format!("seed {seed}, task {placed}, {:?}", task.placement);
            assert_eq!(field.best(), best.as_ref(), "{story}");
            let Some(best) = best else { break };
            let room = rooms.iter_mut().find(|room| room.node == best).unwrap();
            room.take(task.size, &task.ports, "web");
            field.update(room, &asked);
        }
    }
}
