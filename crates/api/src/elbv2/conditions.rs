//! Conditions and transforms of rules: shapes to model and back.

use wharf_aws::elbv2::{
    HttpHeaderConfig, PatternsConfig, QueryStringConfig, QueryStringPair, Rewrite, RewritesConfig,
    RuleCondition, RuleTransform, ValuesConfig,
};
use wharf_model::rule::{Condition, Patterns, QueryPattern, RewrittenPart, Transform};

use super::given::{invalid, required, unsupported};
use crate::Fault;

/// Returns the conditions of a rule.
pub(super) fn parse(given: &[RuleCondition]) -> Result<Vec<Condition>, Fault> {
    given.iter().map(condition).collect()
}

fn condition(given: &RuleCondition) -> Result<Condition, Fault> {
    let field = given.field.as_str();
    let configs = [
        ("host-header", "HostHeaderConfig", given.host_header_config.is_some()),
        ("path-pattern", "PathPatternConfig", given.path_pattern_config.is_some()),
        ("http-header", "HttpHeaderConfig", given.http_header_config.is_some()),
        ("query-string", "QueryStringConfig", given.query_string_config.is_some()),
        ("http-request-method", "HttpRequestMethodConfig", given.http_request_method_config.is_some()),
        ("source-ip", "SourceIpConfig", given.source_ip_config.is_some()),
    ];
    if !configs.iter().any(|(known, _, _)| *known == field) {
        return Err(invalid(format!("Condition field '{field}' must be one of '[{}]'", FIELDS.join(", "))));
    }
    if let Some((_, config, _)) = configs.iter().find(|(of, _, there)| *there && *of != field) {
        return Err(invalid(format!("You cannot specify {config} in a condition on '{field}'")));
    }
    let values = given.values.as_slice();
    if !values.is_empty() && !matches!(field, "host-header" | "path-pattern") {
        return Err(invalid(format!("Specify the values of a '{field}' condition in its configuration")));
    }
    let missing = |config: &str| invalid(format!("A condition on '{field}' must have a {config}"));
    match field {
        "host-header" => {
            Ok(Condition::HostHeader(patterns_of(field, values, given.host_header_config.as_ref())?))
        }
        "path-pattern" => {
            Ok(Condition::PathPattern(patterns_of(field, values, given.path_pattern_config.as_ref())?))
        }
        "http-header" => {
            let config = given.http_header_config.as_ref().ok_or_else(|| missing("HttpHeaderConfig"))?;
            Ok(Condition::HttpHeader {
                name: required("HttpHeaderConfig.HttpHeaderName", config.http_header_name.clone())?,
                patterns: patterns(field, &config.values, &config.regex_values)?,
            })
        }
        "query-string" => {
            let config = given.query_string_config.as_ref().ok_or_else(|| missing("QueryStringConfig"))?;
            let pairs = config.values.iter().map(|pair| {
                let value = required("QueryStringConfig.Values.Value", pair.value.clone())?;
                Ok(QueryPattern { key: pair.key.clone().filter(|key| !key.is_empty()), value })
            });
            Ok(Condition::QueryString(pairs.collect::<Result<_, Fault>>()?))
        }
        "http-request-method" => {
            let config = given.http_request_method_config.as_ref();
            let config = config.ok_or_else(|| missing("HttpRequestMethodConfig"))?;
            Ok(Condition::HttpRequestMethod(config.values.clone()))
        }
        _ => {
            let config = given.source_ip_config.as_ref().ok_or_else(|| missing("SourceIpConfig"))?;
            let blocks = config.values.iter().map(|block| {
                let bad = || invalid(format!("Condition value '{block}' is not a valid CIDR block"));
                block.parse().map_err(|_| bad())
            });
            Ok(Condition::SourceIp(blocks.collect::<Result<_, Fault>>()?))
        }
    }
}

const FIELDS: [&str; 6] =
    ["path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip"];

fn patterns_of(field: &str, values: &[String], config: Option<&PatternsConfig>) -> Result<Patterns, Fault> {
    match config {
        // Both may be given if they say the same, as they do in an answer.
        Some(config) if values.is_empty() || values == config.values => {
            patterns(field, &config.values, &config.regex_values)
        }
        Some(_) => Err(invalid(format!(
            "You cannot specify both Values and a configuration in a condition on '{field}'"
        ))),
        None => patterns(field, values, &[]),
    }
}

fn patterns(field: &str, values: &[String], regexes: &[String]) -> Result<Patterns, Fault> {
    match (values, regexes) {
        ([_, ..], [_, ..]) => Err(invalid(format!(
            "You cannot specify both Values and RegexValues in a condition on '{field}'"
        ))),
        ([], [_, ..]) => Ok(Patterns::Regexes(regexes.to_vec())),
        _ => Ok(Patterns::Wildcards(values.to_vec())),
    }
}

/// Returns the transforms of a rule.
pub(super) fn transforms(given: &[RuleTransform]) -> Result<Vec<Transform>, Fault> {
    let transforms = given.iter().map(|transform| {
        let (part, member, config, other) = match transform.kind.as_str() {
            "host-header-rewrite" => (
                RewrittenPart::HostHeader,
                "HostHeaderRewriteConfig",
                &transform.host_header_rewrite_config,
                &transform.url_rewrite_config,
            ),
            "url-rewrite" => (
                RewrittenPart::Url,
                "UrlRewriteConfig",
                &transform.url_rewrite_config,
                &transform.host_header_rewrite_config,
            ),
            other => {
                return Err(unsupported("Transforms.Type", other, "use 'host-header-rewrite' or 'url-rewrite'"));
            }
        };
        let rewrites = config.as_ref().map(|config| config.rewrites.as_slice()).unwrap_or_default();
        let ([Rewrite { regex, replace }], None) = (rewrites, other) else {
            return Err(invalid(format!(
                "A transform of type '{}' must have a {member} with exactly one rewrite and no other configuration",
                transform.kind
            )));
        };
        Ok(Transform {
            part,
            regex: required("Rewrites.Regex", regex.clone())?,
            replace: replace.clone().unwrap_or_default(),
        })
    });
    transforms.collect()
}

/// Returns a condition as it is shown.
pub(super) fn show(condition: &Condition) -> RuleCondition {
    let shown = |patterns: &Patterns| match patterns {
        Patterns::Wildcards(values) => PatternsConfig { values: values.clone(), regex_values: Vec::new() },
        Patterns::Regexes(values) => PatternsConfig { values: Vec::new(), regex_values: values.clone() },
    };
    let base = RuleCondition { field: condition.field().to_owned(), ..RuleCondition::default() };
    match condition {
        Condition::HostHeader(patterns) => {
            let config = shown(patterns);
            RuleCondition { values: config.values.clone(), host_header_config: Some(config), ..base }
        }
        Condition::PathPattern(patterns) => {
            let config = shown(patterns);
            RuleCondition { values: config.values.clone(), path_pattern_config: Some(config), ..base }
        }
        Condition::HttpHeader { name, patterns } => {
            let PatternsConfig { values, regex_values } = shown(patterns);
            let config = HttpHeaderConfig { http_header_name: Some(name.clone()), values, regex_values };
            RuleCondition { http_header_config: Some(config), ..base }
        }
        Condition::HttpRequestMethod(values) => RuleCondition {
            http_request_method_config: Some(ValuesConfig { values: values.clone() }),
            ..base
        },
        Condition::QueryString(pairs) => {
            let pairs = pairs.iter().map(|QueryPattern { key, value }| QueryStringPair {
                key: key.clone(),
                value: Some(value.clone()),
            });
            RuleCondition { query_string_config: Some(QueryStringConfig { values: pairs.collect() }), ..base }
        }
        Condition::SourceIp(blocks) => {
            let values = blocks.iter().map(ToString::to_string).collect();
            RuleCondition { source_ip_config: Some(ValuesConfig { values }), ..base }
        }
    }
}

/// Returns a transform as it is shown.
pub(super) fn show_transform(transform: &Transform) -> RuleTransform {
    let Transform { part, regex, replace } = transform;
    let rewrite = Rewrite { regex: Some(regex.clone()), replace: Some(replace.clone()) };
    let config = Some(RewritesConfig { rewrites: vec![rewrite] });
    match part {
        RewrittenPart::HostHeader => RuleTransform {
            kind: "host-header-rewrite".to_owned(),
            host_header_rewrite_config: config,
            url_rewrite_config: None,
        },
        RewrittenPart::Url => RuleTransform {
            kind: "url-rewrite".to_owned(),
            host_header_rewrite_config: None,
            url_rewrite_config: config,
        },
    }
}
