//! The end of a task: who is told to end when, and what is given back in which order.

use super::{Container, Effect, Ending, Life, Stage, Stop, Task};
use wharf_model::Timestamp;

impl Task {
    /// Begins the stop: containers that run are told to end, those that do not yet never will.
    pub(super) fn halt(&mut self, stop: Stop, at: Timestamp) -> Vec<Effect> {
        self.stage = Stage::Stopping(stop);
        self.times.stopping_at = Some(at);
        for found in &mut self.containers {
            match &found.life {
                Life::Pulling | Life::Pulled => found.life = Life::Ended(Ending::default()),
                Life::Resetting(last) => found.life = Life::Ended(last.clone()),
                // One that is being started is told once it runs.
                Life::Starting | Life::Running | Life::Stopping { .. } | Life::Ended(_) => {}
            }
        }
        self.ended_while_stopping(at)
    }

    /// Tells those containers to end that no living one depends on.
    pub(super) fn terminate_due(&mut self, at: Timestamp) -> Vec<Effect> {
        let running = |found: &Container| found.life == Life::Running;
        let needed = |task: &Task, container: usize| {
            let needs = |found: &Container| {
                !found.ended() && found.depends_on.iter().any(|dependency| dependency.container == container)
            };
            task.containers.iter().any(needs)
        };
        let all: Vec<usize> =
            (0..self.containers.len()).filter(|container| running(&self.containers[*container])).collect();
        let mut due: Vec<usize> = all.iter().copied().filter(|container| !needed(self, *container)).collect();
        let under_way = |found: &Container| matches!(found.life, Life::Starting | Life::Stopping { .. });
        if due.is_empty() && !self.containers.iter().any(under_way) {
            // They wait for each other, which no definition says that is registered today.
            due = all;
        }
        due.into_iter().map(|container| self.terminate(container, at)).collect()
    }

    fn terminate(&mut self, container: usize, at: Timestamp) -> Effect {
        let found = &mut self.containers[container];
        let kill_at = at + found.stop_timeout;
        found.life = Life::Stopping { kill_at };
        Effect::Terminate { container, kill_at }
    }

    pub(super) fn ended_while_stopping(&mut self, at: Timestamp) -> Vec<Effect> {
        if !self.all_ended() {
            let mut effects = self.terminate_due(at);
            effects.push(Effect::Report);
            return effects;
        }
        self.times.execution_stopped_at = Some(at);
        vec![Effect::Report, Effect::CleanUp]
    }

    pub(super) fn all_ended(&self) -> bool {
        self.containers.iter().all(Container::ended)
    }

    pub(super) fn containers_gone(&mut self) -> Option<Vec<Effect>> {
        match &self.stage {
            Stage::Stopping(stop) if self.all_ended() => {
                self.stage = Stage::Deprovisioning(stop.clone());
                Some(vec![Effect::Report, Effect::ReleaseNetwork])
            }
            Stage::Deprovisioning(_) | Stage::Stopped(_) => Some(Vec::new()),
            Stage::Pending | Stage::Activating { .. } | Stage::Running | Stage::Stopping(_) => None,
        }
    }

    pub(super) fn network_gone(&mut self, at: Timestamp) -> Option<Vec<Effect>> {
        match &self.stage {
            Stage::Deprovisioning(stop) => {
                self.stage = Stage::Stopped(stop.clone());
                self.times.stopped_at = Some(at);
                Some(vec![Effect::Report])
            }
            Stage::Stopped(_) => Some(Vec::new()),
            Stage::Pending | Stage::Activating { .. } | Stage::Running | Stage::Stopping(_) => None,
        }
    }
}
