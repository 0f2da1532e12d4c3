//! What the balancer counts, as Prometheus reads it. The metrics are those of Amazon CloudWatch, in Prometheus' words.

use std::fmt::{Display, Write};

use wharf_model::Arn;
use wharf_model::measures::{
    LoadBalancerMeasures, Measures, RESPONSE_TIME_BOUNDS_MS, ResponseTimes, TargetGroupMeasures,
};

/// Returns the text.
pub(crate) fn text(measures: &Measures) -> String {
    let mut text = Text(String::new());
    let balancers = &measures.load_balancers;
    let of_balancer = |of: &LoadBalancerMeasures| labels(Some(&of.arn), None);
    let (counter, gauge) = ("counter", "gauge");
    text.family("requests_total", counter, "Requests that came to a rule.");
    text.samples("requests_total", balancers.iter().map(|of| (of_balancer(of), of.requests)));
    text.family("http_code_elb_total", counter, "Answers of the load balancer's own (HTTPCode_ELB_*_Count).");
    text.codes("http_code_elb_total", balancers.iter().map(|of| (of_balancer(of), of.statuses.as_slice())));
    text.family("new_connections_total", counter, "Connections of clients (NewConnectionCount).");
    text.samples("new_connections_total", balancers.iter().map(|of| (of_balancer(of), of.connections)));
    text.family("active_connections", gauge, "Connections of clients that are open (ActiveConnectionCount).");
    text.samples("active_connections", balancers.iter().map(|of| (of_balancer(of), of.connections_active)));
    text.family("received_bytes_total", counter, "Bytes of requests (a part of ProcessedBytes).");
    text.samples("received_bytes_total", balancers.iter().map(|of| (of_balancer(of), of.received_bytes)));
    text.family("sent_bytes_total", counter, "Bytes of answers (a part of ProcessedBytes).");
    text.samples("sent_bytes_total", balancers.iter().map(|of| (of_balancer(of), of.sent_bytes)));

    let groups = &measures.target_groups;
    let of_group = |of: &TargetGroupMeasures| labels(of.load_balancer.as_ref(), Some(&of.arn));
    text.family("target_requests_total", counter, "Requests for which a target was chosen (RequestCount).");
    text.samples("target_requests_total", groups.iter().map(|of| (of_group(of), of.requests)));
    text.family("http_code_target_total", counter, "Answers of targets (HTTPCode_Target_*_Count).");
    text.codes("http_code_target_total", groups.iter().map(|of| (of_group(of), of.statuses.as_slice())));
    let errors = "target_connection_errors_total";
    text.family(errors, counter, "Connections to targets that failed (TargetConnectionErrorCount).");
    text.samples(errors, groups.iter().map(|of| (of_group(of), of.connection_errors)));
    text.family("healthy_hosts", gauge, "Targets that are healthy (HealthyHostCount).");
    text.samples("healthy_hosts", groups.iter().map(|of| (of_group(of), of.healthy)));
    text.family("unhealthy_hosts", gauge, "Targets that are unhealthy (UnHealthyHostCount).");
    text.samples("unhealthy_hosts", groups.iter().map(|of| (of_group(of), of.unhealthy)));
    let times = "target_response_time_seconds";
    text.family(times, "histogram", "How long targets took to answer (TargetResponseTime).");
    for of in groups {
        text.histogram(times, &of_group(of), &of.response_times);
    }
    text.0
}

/// Returns the labels of what belongs to these. Nothing in an ARN needs to be escaped.
fn labels(load_balancer: Option<&Arn>, target_group: Option<&Arn>) -> String {
    let name = |arn: &Arn| arn.resource.strip_prefix("loadbalancer/").unwrap_or(&arn.resource).to_owned();
    let load_balancer = load_balancer.map(|arn| format!("load_balancer=\"{}\"", name(arn)));
    let target_group = target_group.map(|arn| format!("target_group=\"{}\"", name(arn)));
    load_balancer.into_iter().chain(target_group).collect::<Vec<_>>().join(",")
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP wharf_alb_{name} {help}"));
        self.line(format_args!("# TYPE wharf_alb_{name} {kind}"));
    }

    fn samples(&mut self, name: &str, samples: impl Iterator<Item = (String, u64)>) {
        for (labels, value) in samples {
            self.line(format_args!("wharf_alb_{name}{{{labels}}} {value}"));
        }
    }

    fn codes<'a>(&mut self, name: &str, samples: impl Iterator<Item = (String, &'a [(u16, u64)])>) {
        for (labels, counts) in samples {
            let each = counts.iter().map(|(code, count)| (format!("{labels},code=\"{code}\""), *count));
            self.samples(name, each);
        }
    }

    fn histogram(&mut self, name: &str, labels: &str, times: &ResponseTimes) {
        let bounds = RESPONSE_TIME_BOUNDS_MS.iter().map(|ms| (f64::from(*ms) / 1000.0).to_string());
        let mut sum = 0;
        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&times.counts) {
            sum += count;
            self.line(format_args!("wharf_alb_{name}_bucket{{{labels},le=\"{bound}\"}} {sum}"));
        }
        let (secs, micros) = (times.sum_us / 1_000_000, times.sum_us % 1_000_000);
        self.line(format_args!("wharf_alb_{name}_sum{{{labels}}} {secs}.{micros:06}"));
        self.line(format_args!("wharf_alb_{name}_count{{{labels}}} {sum}"));
    }

    fn line(&mut self, line: impl Display) {
        // A string takes all that is written.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests;
