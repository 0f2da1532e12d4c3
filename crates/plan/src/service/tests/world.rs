//! Deployments in a world where things go wrong, tried with many seeds.

use super::*;
use std::{collections::HashMap, fmt::Write};

/// How many zones there are.
const ZONES: usize = 3;

/// A small generator, so that a seed is a story.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

struct World {
    dice: Dice,
    desired: Desired,
    live: Vec<Observed>,
    /// The zone of each task.
    zones: HashMap<TaskId, usize>,
    /// Whether whoever checks the tasks has been restarted and knows nothing yet.
    blind: bool,
    made: usize,
    story: String,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let count = dice.below(6);
        let (min, max) = [(100, 200), (50, 100), (50, 150), (0, 100), (100, 150)][dice.below(5)];
        let mut world = World {
            dice,
            desired: service(0, 0, 0),
            live: Vec::new(),
            zones: HashMap::new(),
            blind: false,
            made: 0,
            story: String::new(),
        };
        world.want(count, min, max);
        world
    }

    fn want(&mut self, count: usize, min: u32, max: u32) {
        let percent = DeploymentBounds { healthy_min_percent: min, live_max_percent: max };
        let bounds = Bounds::new(percent, u32::try_from(count).unwrap());
        let even_zones = self.dice.below(2) * ZONES;
        self.desired = Desired { count, bounds, starts: Starts::Now, even_zones };
        let _ = writeln!(self.story, "want {count} within {bounds:?}");
    }

    /// A new task goes where the fewest are.
    fn join(&mut self, task: TaskId) {
        let there = |zone: &usize| self.live.iter().filter(|task| self.zones[&task.task] == *zone).count();
        let zone = (0..ZONES).min_by_key(there).unwrap();
        self.zones.insert(task.clone(), zone);
        self.live.push(Observed { task, deployment: 0, health: Health::Pending, protected: false, crowd: 0 });
    }

    fn count_crowds(&mut self) {
        let mut seen = [0; ZONES];
        for task in &mut self.live {
            let zone = &mut seen[self.zones[&task.task]];
            task.crowd = *zone;
            *zone += 1;
        }
    }

    fn healthy(&self) -> usize {
        self.live.iter().filter(|task| task.health == Health::Healthy).count()
    }

    /// A task comes up, fails or dies, or a new deployment is asked for.
    fn mishap(&mut self) {
        let chance = self.dice.below(10);
        self.blind = chance == 3;
        if chance == 0 {
            self.live.iter_mut().for_each(|task| task.deployment += 1);
            let _ = writeln!(self.story, "new deployment");
        }
        if self.live.is_empty() {
            return;
        }
        let which = self.dice.below(self.live.len());
        if chance == 1 {
            let gone = self.live.remove(which);
            let _ = writeln!(self.story, "{} died", gone.task);
        } else {
            let task = &mut self.live[which];
            task.health = match (task.health, chance) {
                (Health::Healthy | Health::Starting, 2) => Health::Failing,
                (Health::Pending, _) => Health::Starting,
                (Health::Starting, _) => Health::Healthy,
                (same, _) => same,
            };
            let _ = writeln!(self.story, "{} is {:?}", task.task, task.health);
        }
    }

    /// Does what the plan says; returns whether it said anything.
    fn reconcile(&mut self) -> bool {
        self.count_crowds();
        let mut seen = self.live.clone();
        if self.blind {
            let _ = writeln!(self.story, "blind");
            let known = seen.iter_mut().filter(|task| task.health == Health::Healthy);
            known.for_each(|task| task.health = Health::Starting);
        }
        let step = plan(&self.desired, &seen);
        let _ = writeln!(self.story, "{step:?}");
        for (task, _) in &step.stops {
            let place = self.live.iter().position(|seen| seen.task == *task);
            self.live.remove(place.unwrap_or_else(|| panic!("stopped twice\n{}", self.story)));
        }
        for _ in 0..step.starts {
            self.made += 1;
            let task = format!("{:032x}", self.made).parse().unwrap();
            self.join(task);
        }
        step.starts > 0 || !step.stops.is_empty()
    }
}

#[test]
fn no_seed_breaks_the_bounds_and_all_settle() {
    for seed in 0..2_000 {
        let mut world = World::new(seed);
        for _ in 0..60 {
            world.mishap();
            let (before, live) = (world.healthy(), world.live.len());
            world.reconcile();
            let Bounds { healthy_min, live_max } = world.desired.bounds;
            assert!(world.healthy() >= before.min(healthy_min), "seed {seed}\n{}", world.story);
            let limit = live_max.max(world.desired.count).max(live);
            assert!(world.live.len() <= limit, "seed {seed}\n{}", world.story);
        }
        world.blind = false;
        for _ in 0..50 {
            for task in &mut world.live {
                // From here on nothing goes wrong any more, and what failed does not get well.
                if task.health != Health::Failing {
                    task.health = Health::Healthy;
                }
            }
            world.reconcile();
        }
        let Desired { count, bounds, .. } = world.desired;
        if plan(&world.desired, &world.live).stuck {
            assert!(bounds.healthy_min >= count && bounds.live_max <= count, "seed {seed}\n{}", world.story);
            continue;
        }
        let settled = world.live.iter().all(|task| task.deployment == 0 && task.health == Health::Healthy);
        assert!(settled && world.live.len() == world.desired.count, "seed {seed}\n{}", world.story);
        assert!(!world.reconcile(), "a plan for a settled service, seed {seed}\n{}", world.story);
    }
}
