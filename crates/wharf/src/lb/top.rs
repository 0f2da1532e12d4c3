//! The table of `wharf lb top`, made of what was counted at two moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

/// What was counted at a moment: values by metric and labels, as Prometheus reads them.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<(String, String), f64>);

impl Samples {
    /// Reads what the endpoint says.
    pub(super) fn read(text: &str) -> Samples {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, rest) = line.split_once('{')?;
            let (labels, value) = rest.rsplit_once("} ")?;
            Some(((name.strip_prefix("wharf_alb_")?.to_owned(), labels.to_owned()), value.parse().ok()?))
        };
        Samples(lines.filter_map(sample).collect())
    }

    fn get(&self, name: &str, labels: &str) -> f64 {
        self.0.get(&(name.to_owned(), labels.to_owned())).copied().unwrap_or_default()
    }

    /// Returns the values of a metric whose labels begin so, with what the labels are besides.
    fn under<'a>(&'a self, name: &'a str, labels: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let of = self.0.iter().filter(move |((known, _), _)| known == name);
        of.filter_map(move |((_, known), value)| {
            Some((known.strip_prefix(labels)?.strip_prefix(',')?, *value))
        })
    }

    /// Returns the labels that a metric has.
    fn labels(&self, name: &str) -> BTreeSet<&str> {
        self.0.keys().filter(|(known, _)| known == name).map(|(_, labels)| labels.as_str()).collect()
    }
}

/// Returns the table of what happened between two moments.
pub(super) fn table(before: &Samples, now: &Samples, elapsed: Duration) -> String {
    let mut table = String::new();
    // A balancer that was restarted counts from the beginning.
    let grown = |name: &str, labels: &str| match now.get(name, labels) - before.get(name, labels) {
        grown if grown < 0.0 => now.get(name, labels),
        grown => grown,
    };
    let rate = |count: f64| count / elapsed.as_secs_f64().max(0.001);
    let codes = |name: &str, labels: &str| {
        let mut classes = [0.0; 4];
        for (code, _) in now.under(name, labels) {
            let digit = code.strip_prefix("code=\"").and_then(|code| code.bytes().next());
            let class = digit.and_then(|digit| digit.checked_sub(b'2')).map(usize::from);
            if let Some(class) = class.and_then(|class| classes.get_mut(class)) {
                *class += rate(grown(name, &format!("{labels},{code}")));
            }
        }
        classes
    };
    let row = |table: &mut String, cells: [String; 9]| {
        let [name, rest @ ..] = cells;
        // A string takes all that is written.
        let _ = write!(table, "{name:<40}");
        for cell in rest {
            let _ = write!(table, " {cell:>8}");
        }
        table.push('\n');
    };
    let number = |value: f64| format!("{value:.1}");
    let title = ["", "req/s", "2xx/s", "3xx/s", "4xx/s", "5xx/s", "p50 ms", "p99 ms", "healthy"];
    row(&mut table, title.map(str::to_owned));
    for balancer in now.labels("requests_total") {
        let [two, three, four, five] = codes("http_code_elb_total", balancer).map(number);
        let active = format!("{} open", now.get("active_connections", balancer));
        let requests = number(rate(grown("requests_total", balancer)));
        let cells = [
            label(balancer, "load_balancer"),
            requests,
            two,
            three,
            four,
            five,
            active,
            String::new(),
            String::new(),
        ];
        row(&mut table, cells);
        for group in now.labels("target_requests_total") {
            if group.split(',').next() != Some(balancer) {
                continue;
            }
            let name = "target_response_time_seconds_bucket";
            let mut times: Vec<(f64, f64)> = now
                .under(name, group)
                .filter_map(|(bound, _)| {
                    let secs = bound.strip_prefix("le=\"")?.strip_suffix('"')?;
                    Some((secs.parse().ok()?, grown(name, &format!("{group},{bound}"))))
                })
                .collect();
            times.sort_by(|one, other| one.0.total_cmp(&other.0));
            let [two, three, four, five] = codes("http_code_target_total", group).map(number);
            let (healthy, unhealthy) = (now.get("healthy_hosts", group), now.get("unhealthy_hosts", group));
            let cells = [
                format!("  {}", label(group, "target_group")),
                number(rate(grown("target_requests_total", group))),
                two,
                three,
                four,
                five,
                quantile(&times, 0.5),
                quantile(&times, 0.99),
                format!("{healthy}/{}", healthy + unhealthy),
            ];
            row(&mut table, cells);
        }
    }
    table
}

/// Returns the value of a label.
fn label(labels: &str, name: &str) -> String {
    let value = labels.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix("=\""));
    value.and_then(|value| value.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// Returns the bound, in milliseconds, below which this part of the times is; `times` counts those up to each bound.
fn quantile(times: &[(f64, f64)], part: f64) -> String {
    let all = times.last().map_or(0.0, |(_, count)| *count);
    if all < 1.0 {
        return "-".to_owned();
    }
    match times.iter().find(|(_, count)| *count >= part * all) {
        Some((bound, _)) if bound.is_finite() => format!("≤{}", bound * 1000.0),
        _ => "longer".to_owned(),
    }
}

#[cfg(test)]
mod tests;
