//! Placing many tasks that ask for the same, one after the other, without looking at every node for each.
//!
//! Nodes that are alike in what `spread` goes by are in one class, and the best node of each class is on top of its
//! heap. The best of all is the best of these, and the same that [`super::place`] finds by looking at every node.
//!
//! Names and values are read once, when the field is made. From then on nodes, classes and values are numbers.

use super::{Asked, Room, Rule, asked::STRATEGIES_MAX, fits, of_group};
use std::{
    array,
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};
use wharf_model::{
    NodeId, Word,
    placement::{Resource, SpreadBy, Strategy},
};

/// What each strategy gives a node, without the tasks on other nodes.
type Scores = [u64; STRATEGIES_MAX];

/// What decides between two nodes of a class: scores, memory that is left, the node's number.
type Order = (Scores, Reverse<u64>, usize);

/// Where a node stands, and how many looks at it there were before.
type Standing = (Order, usize);

/// The number of the value that each strategy spreads a node's tasks by.
type Values = [usize; STRATEGIES_MAX];

/// The value of a strategy that spreads by no attribute.
const NO_VALUE: usize = 0;

/// The nodes that have room for a task.
#[derive(Debug, Clone)]
pub struct Field {
    /// All nodes by name, so that the less number is the less name.
    nodes: Vec<Node>,
    classes: Vec<Class>,
    /// How many of the group's tasks are on the nodes that fit, by the number of the value.
    spread: Vec<u64>,
}

#[derive(Debug, Clone)]
struct Node {
    id: NodeId,
    class: usize,
    /// How many of the group's tasks are on it; none while it does not fit.
    tasks: u64,
    /// How often it was looked at again.
    looks: usize,
}

#[derive(Debug, Clone)]
struct Class {
    values: Values,
    /// Where nodes stand, and where they stood at earlier looks; what is on top is of the last look.
    heap: BinaryHeap<Reverse<Standing>>,
}

impl Field {
    /// Returns the nodes that fit; nothing when chance decides, because then the order is another each time, and when
    /// there are more strategies than are allowed.
    pub fn of<'a>(rooms: impl IntoIterator<Item = &'a Room>, asked: &Asked<'_>) -> Option<Field> {
        if asked.strategies.contains(&Strategy::Random) || asked.strategies.len() > STRATEGIES_MAX {
            return None;
        }
        let mut rooms: Vec<&Room> = rooms.into_iter().collect();
        rooms.sort_by(|one, other| one.node.cmp(&other.node));
        let mut numbers = Numbers::default();
        let mut nodes = Vec::with_capacity(rooms.len());
        let mut standings: Vec<Vec<Reverse<Standing>>> = Vec::new();
        for (number, room) in rooms.into_iter().enumerate() {
            let class = numbers.class(room, asked);
            standings.resize_with(numbers.classes.len(), Vec::new);
            let mut node = Node { id: room.node.clone(), class, tasks: 0, looks: 0 };
            if let Some((order, tasks)) = look(number, room, asked) {
                standings[class].push(Reverse((order, 0)));
                node.tasks = tasks;
            }
            nodes.push(node);
        }
        let spread = vec![0; numbers.values.len() + 1];
        let class = |standings: Vec<_>| Class { values: [NO_VALUE; _], heap: standings.into() };
        let classes = standings.into_iter().map(class).collect();
        let mut field = Field { nodes, classes, spread };
        for (values, class) in numbers.classes {
            field.classes[class].values = values;
        }
        for number in 0..field.nodes.len() {
            let Node { class, tasks, .. } = field.nodes[number];
            field.count(class, |sum| sum + tasks);
        }
        Some(field)
    }

    /// Returns the node for the next task.
    pub fn best(&self) -> Option<&NodeId> {
        let first = |class: &Class| {
            let Reverse(((scores, memory, node), _)) = class.heap.peek()?;
            let scores: Scores = array::from_fn(|place| scores[place] + self.spread[class.values[place]]);
            Some((scores, *memory, *node))
        };
        let (.., best) = self.classes.iter().filter_map(first).min()?;
        Some(&self.nodes[best].id)
    }

    /// Looks at one of the nodes again, after a task was placed on it. Its attributes are as they were.
    pub fn update(&mut self, room: &Room, asked: &Asked<'_>) {
        let Ok(number) = self.nodes.binary_search_by(|node| node.id.cmp(&room.node)) else { return };
        let looked = look(number, room, asked);
        let node = &mut self.nodes[number];
        node.looks += 1;
        let (class, looks, before) = (node.class, node.looks, node.tasks);
        node.tasks = looked.map_or(0, |(_, tasks)| tasks);
        let now = node.tasks;
        self.count(class, |sum| sum - before + now);
        let heap = &mut self.classes[class].heap;
        heap.extend(looked.map(|(order, _)| Reverse((order, looks))));
        while heap.peek().is_some_and(|Reverse(((.., node), looks))| self.nodes[*node].looks != *looks) {
            heap.pop();
        }
    }

    /// Changes how many tasks there are of the values that a class has.
    fn count(&mut self, class: usize, change: impl Fn(u64) -> u64) {
        for value in self.classes[class].values.into_iter().filter(|value| *value != NO_VALUE) {
            self.spread[value] = change(self.spread[value]);
        }
    }
}

/// The numbers that stand for what nodes have in common.
#[derive(Default)]
struct Numbers<'a> {
    /// By the strategy's place and the attribute's value. Not having the attribute is a value too.
    values: BTreeMap<(usize, Option<&'a Option<Word>>), usize>,
    classes: BTreeMap<Values, usize>,
}

impl<'a> Numbers<'a> {
    fn class(&mut self, room: &'a Room, asked: &Asked<'_>) -> usize {
        let mut values = [NO_VALUE; STRATEGIES_MAX];
        for (place, strategy) in asked.strategies.iter().enumerate() {
            if let Strategy::Spread(SpreadBy::Attribute(name)) = strategy {
                let next = self.values.len() + 1;
                values[place] = *self.values.entry((place, room.facts.attributes.get(name))).or_insert(next);
            }
        }
        let next = self.classes.len();
        *self.classes.entry(values).or_insert(next)
    }
}

/// Returns what decides about a node, and how many of the group's tasks are on it; nothing when it does not fit.
fn look(number: usize, room: &Room, asked: &Asked<'_>) -> Option<(Order, u64)> {
    if !fits(room, asked) {
        return None;
    }
    let is_spread = asked.strategies.iter().any(|strategy| matches!(strategy, Strategy::Spread(_)));
    // Where no two of them may be, there is none on a node that fits.
    let is_alone = asked.rules.contains(&Rule::Distinct);
    let tasks = if is_spread && !is_alone { of_group(room, asked) } else { 0 };
    let memory = room.free_memory(asked.holding);
    let mut scores = [0; STRATEGIES_MAX];
    for (score, strategy) in scores.iter_mut().zip(asked.strategies) {
        *score = match strategy {
            Strategy::Binpack(Resource::Cpu) => room.free_cpu(asked.holding),
            Strategy::Binpack(Resource::Memory) => memory,
            Strategy::Spread(SpreadBy::Instance) => tasks,
            Strategy::Spread(SpreadBy::Attribute(_)) | Strategy::Random => 0,
        };
    }
    Some(((scores, Reverse(memory), number), tasks))
}
