//! Placing many tasks that ask for the same, one after the other, without looking at every node for each.
//!
//! Nodes that are alike in what `spread` goes by are in one class, ordered by all that decides within it. The best node
//! is the best of the classes' first ones, and the same that [`super::place`] finds by looking at all of them.

use super::{Asked, Room, lack, of_group};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};
use wharf_model::{
    NodeId,
    placement::{Resource, SpreadBy, Strategy},
};

/// What decides between two nodes of a class: scores, memory that is left, name.
type Order = (Vec<u64>, Reverse<u64>, NodeId);

/// The values of the attributes that tasks are spread by; where a strategy goes by none, there is none.
type Class = Vec<Option<Option<String>>>;

/// The nodes that have room for a task.
#[derive(Debug, Clone, Default)]
pub struct Field {
    classes: BTreeMap<Class, BTreeSet<Order>>,
    /// How many of the group's tasks there are, by the place of the strategy and the attribute's value.
    spread: HashMap<(usize, Option<Option<String>>), u64>,
    fitting: HashMap<NodeId, (Class, Order, u64)>,
}

impl Field {
    /// Returns the nodes that fit; nothing when chance decides, because then the order is another each time.
    pub fn of<'a>(rooms: impl IntoIterator<Item = &'a Room>, asked: &Asked<'_>) -> Option<Field> {
        if asked.strategies.contains(&Strategy::Random) {
            return None;
        }
        let mut field = Field::default();
        rooms.into_iter().for_each(|room| field.enter(room, asked));
        Some(field)
    }

    /// Returns the node for the next task.
    pub fn best(&self) -> Option<&NodeId> {
        let first = |(class, order): (&Class, &BTreeSet<Order>)| {
            let (scores, memory, node) = order.first()?.clone();
            let spread = |place: usize, value: &Option<Option<String>>| {
                self.spread.get(&(place, value.clone())).copied().unwrap_or(0)
            };
            let scores: Vec<u64> = scores
                .iter()
                .enumerate()
                .map(|(place, own)| own + class[place].as_ref().map_or(0, |_| spread(place, &class[place])))
                .collect();
            Some((scores, memory, node))
        };
        let best = self.classes.iter().filter_map(first).min()?;
        self.fitting.get_key_value(&best.2).map(|(node, _)| node)
    }

    /// Looks at a node again, after a task was placed on it.
    pub fn update(&mut self, room: &Room, asked: &Asked<'_>) {
        self.leave(&room.node);
        self.enter(room, asked);
    }

    fn enter(&mut self, room: &Room, asked: &Asked<'_>) {
        if lack(room, asked).is_some() {
            return;
        }
        let tasks = of_group(room, asked);
        let value = |strategy: &Strategy| match strategy {
            // Not having the attribute is a value too.
            Strategy::Spread(SpreadBy::Attribute(name)) => {
                Some(room.facts.attributes.get(name).cloned().unwrap_or_else(|| Some("\0".to_owned())))
            }
            _ => None,
        };
        let score = |strategy: &Strategy| match strategy {
            Strategy::Binpack(Resource::Cpu) => room.free_cpu(asked.holding),
            Strategy::Binpack(Resource::Memory) => room.free_memory(asked.holding),
            Strategy::Spread(SpreadBy::Instance) => tasks,
            Strategy::Spread(SpreadBy::Attribute(_)) | Strategy::Random => 0,
        };
        let class: Class = asked.strategies.iter().map(value).collect();
        let scores = asked.strategies.iter().map(score).collect();
        let order = (scores, Reverse(room.free_memory(asked.holding)), room.node.clone());
        for (place, value) in class.iter().enumerate().filter(|(_, value)| value.is_some()) {
            *self.spread.entry((place, value.clone())).or_default() += tasks;
        }
        self.classes.entry(class.clone()).or_default().insert(order.clone());
        self.fitting.insert(room.node.clone(), (class, order, tasks));
    }

    fn leave(&mut self, node: &NodeId) {
        let Some((class, order, tasks)) = self.fitting.remove(node) else { return };
        for (place, value) in class.iter().enumerate().filter(|(_, value)| value.is_some()) {
            if let Some(sum) = self.spread.get_mut(&(place, value.clone())) {
                *sum -= tasks;
            }
        }
        if let Some(nodes) = self.classes.get_mut(&class) {
            nodes.remove(&order);
            if nodes.is_empty() {
                self.classes.remove(&class);
            }
        }
    }
}
