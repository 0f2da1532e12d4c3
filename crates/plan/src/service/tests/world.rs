//! Deployments in a world where things go wrong, tried with many seeds.

use super::*;
use std::{
    collections::HashMap,
    fmt::{Arguments, Write},
};

/// How many zones there are.
const ZONES: usize = 3;
const SEEDS: u64 = 10_000;

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
    /// What happened, when somebody wants to know.
    story: Option<String>,
}

/// What is wrong.
type Wrong = &'static str;

impl World {
    fn new(seed: u64, telling: bool) -> World {
        let mut world = World {
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            desired: service(0, 0, 0),
            live: Vec::new(),
            zones: HashMap::new(),
            blind: false,
            made: 0,
            story: telling.then(String::new),
        };
        world.want();
        world
    }

    fn tell(&mut self, what: Arguments<'_>) {
        if let Some(story) = &mut self.story {
            let _ = writeln!(story, "{what}");
        }
    }

    /// The owner asks for another number of tasks, within other bounds.
    fn want(&mut self) {
        let count = self.dice.below(6);
        let (healthy_min_percent, live_max_percent) =
            [(100, 200), (50, 100), (50, 150), (0, 100), (100, 150)][self.dice.below(5)];
        let percent = DeploymentBounds { healthy_min_percent, live_max_percent };
        let bounds = Bounds::new(percent, u32::try_from(count).unwrap());
        let even_zones = self.dice.below(2) * ZONES;
        self.desired = Desired { count, bounds, starts: self.desired.starts, even_zones };
        self.tell(format_args!("want {count} within {bounds:?}"));
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

    /// A task comes up, fails, dies or protects itself; a deployment is made, held up or given up; the owner wants more or
    /// less; a check knows nothing for a while.
    fn mishap(&mut self) {
        let chance = self.dice.below(14);
        self.blind = chance == 3;
        match chance {
            0 => {
                self.live.iter_mut().for_each(|task| task.deployment += 1);
                self.desired.starts = Starts::Now;
                self.tell(format_args!("new deployment"));
            }
            4 => self.want(),
            5 => {
                self.desired.starts = [Starts::Now, Starts::Later, Starts::Never][self.dice.below(3)];
                let starts = self.desired.starts;
                self.tell(format_args!("starts {starts:?}"));
            }
            _ => {}
        }
        if self.live.is_empty() {
            return;
        }
        let which = self.dice.below(self.live.len());
        if chance == 1 {
            let gone = self.live.remove(which);
            self.tell(format_args!("{} died", gone.task));
            return;
        }
        let task = &mut self.live[which];
        task.protected ^= chance == 6;
        task.health = match (task.health, chance) {
            (Health::Healthy | Health::Starting, 2) => Health::Failing,
            (Health::Pending, _) => Health::Starting,
            (Health::Starting, _) => Health::Healthy,
            (same, _) => same,
        };
        let task = task.clone();
        self.tell(format_args!("{task:?}"));
    }

    /// Does what the plan says; returns whether it said anything.
    fn reconcile(&mut self) -> Result<bool, Wrong> {
        self.count_crowds();
        let mut seen = self.live.clone();
        if self.blind {
            self.tell(format_args!("blind"));
            let known = seen.iter_mut().filter(|task| task.health == Health::Healthy);
            known.for_each(|task| task.health = Health::Starting);
        }
        let step = plan(&self.desired, &seen);
        self.tell(format_args!("{step:?}"));
        for (task, why) in &step.stops {
            let place =
                self.live.iter().position(|seen| seen.task == *task).ok_or("a task is stopped twice")?;
            let stopped = self.live.remove(place);
            if stopped.protected && *why != Why::Failing {
                return Err("a protected task is stopped");
            }
        }
        if step.starts > 0 && self.desired.starts != Starts::Now {
            return Err("a task is started when none may be");
        }
        for _ in 0..step.starts {
            self.made += 1;
            let task = format!("{:032x}", self.made).parse().unwrap();
            self.join(task);
        }
        Ok(step.starts > 0 || !step.stops.is_empty())
    }

    /// Goes wrong for a while, and then is left in peace.
    fn live_through(&mut self) -> Result<(), Wrong> {
        for _ in 0..60 {
            self.mishap();
            let (before, live) = (self.healthy(), self.live.len());
            self.reconcile()?;
            let Bounds { healthy_min, live_max } = self.desired.bounds;
            if self.healthy() < before.min(healthy_min) {
                return Err("too few are healthy by our own doing");
            }
            if self.live.len() > live_max.max(self.desired.count).max(live) {
                return Err("too many are live");
            }
        }
        self.blind = false;
        self.desired.starts = Starts::Now;
        self.live.iter_mut().for_each(|task| task.protected = false);
        for _ in 0..50 {
            // From here on nothing goes wrong any more, and what failed does not get well.
            for task in self.live.iter_mut().filter(|task| task.health != Health::Failing) {
                task.health = Health::Healthy;
            }
            self.reconcile()?;
        }
        let Desired { count, bounds, .. } = self.desired;
        if plan(&self.desired, &self.live).stuck {
            let no_way = bounds.healthy_min >= count && bounds.live_max <= count;
            return if no_way { Ok(()) } else { Err("it is stuck for no reason") };
        }
        let well = self.live.iter().all(|task| task.deployment == 0 && task.health == Health::Healthy);
        if !well || self.live.len() != count {
            return Err("it does not settle");
        }
        if self.reconcile()? { Err("there is a plan for a settled service") } else { Ok(()) }
    }
}

#[test]
fn no_seed_breaks_the_bounds_and_all_settle() {
    for seed in 0..SEEDS {
        if World::new(seed, false).live_through().is_err() {
            let mut again = World::new(seed, true);
            let wrong = again.live_through().unwrap_err();
            panic!("{wrong}, seed {seed}\n{}", again.story.unwrap_or_default());
        }
    }
}
