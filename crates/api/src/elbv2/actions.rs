//! Actions: shapes to model and back.

use wharf_aws::elbv2::{Action, FixedResponse, Forward, GroupStickiness, Redirect, WeightedGroup};
use wharf_model::routing;

use super::given::{arn, invalid, number, required, unsupported};
use crate::Fault;

/// The kinds of action that are served.
const KINDS: [&str; 3] = ["forward", "fixed-response", "redirect"];

/// Returns the one action of a listener or rule; `member` is where it was given.
pub(super) fn parse(member: &str, given: &[Action]) -> Result<routing::Action, Fault> {
    const OTHERS: &str = "use 'forward', 'fixed-response' or 'redirect'";
    if let Some(action) = given.iter().find(|action| !KINDS.contains(&action.kind.as_str())) {
        return Err(unsupported(&format!("{member}.Type"), &action.kind, OTHERS));
    }
    let [action] = given else {
        return Err(invalid(format!("{member} must have exactly one action, not {}", given.len())));
    };
    let unread = [
        ("AuthenticateOidcConfig", action.authenticate_oidc_config.0),
        ("AuthenticateCognitoConfig", action.authenticate_cognito_config.0),
        ("JwtValidationConfig", action.jwt_validation_config.0),
        ("FixedResponseConfig", action.fixed_response_config.is_some() && action.kind != "fixed-response"),
        ("RedirectConfig", action.redirect_config.is_some() && action.kind != "redirect"),
        ("ForwardConfig", action.forward_config.is_some() && action.kind != "forward"),
        ("TargetGroupArn", action.target_group_arn.is_some() && action.kind != "forward"),
    ];
    if let Some((config, _)) = unread.into_iter().find(|(_, given)| *given) {
        return Err(invalid(format!("You cannot specify {config} in an action of type '{}'", action.kind)));
    }
    match action.kind.as_str() {
        "forward" => forward(action),
        "fixed-response" => {
            let config = action.fixed_response_config.as_ref();
            let config =
                config.ok_or_else(|| invalid("A fixed-response action must have a FixedResponseConfig"))?;
            let code = &config.status_code;
            let status_code =
                code.parse().map_err(|_| invalid(format!("The status code '{code}' is not a number")))?;
            Ok(routing::Action::FixedResponse {
                status_code,
                content_type: config.content_type.clone(),
                message_body: config.message_body.clone(),
            })
        }
        "redirect" => {
            let config = action.redirect_config.as_ref();
            let config = config.ok_or_else(|| invalid("A redirect action must have a RedirectConfig"))?;
            redirect(config)
        }
        other => Err(unsupported(&format!("{member}.Type"), other, OTHERS)),
    }
}

fn forward(action: &Action) -> Result<routing::Action, Fault> {
    let single = action.target_group_arn.iter().map(|arn| (arn, None));
    let several = action.forward_config.iter().flat_map(|config| &config.target_groups);
    let several: Vec<_> = several.map(|group| (&group.target_group_arn, group.weight)).collect();
    let stickiness =
        action.forward_config.as_ref().and_then(|config| config.target_group_stickiness_config.as_ref());
    let sticky_secs = match stickiness {
        Some(GroupStickiness { enabled: true, duration_seconds }) => {
            let member = "ForwardConfig.TargetGroupStickinessConfig.DurationSeconds";
            Some(number(member, required(member, *duration_seconds)?)?)
        }
        Some(GroupStickiness { enabled: false, .. }) | None => None,
    };
    let given: Vec<_> = match (several.as_slice(), &action.target_group_arn) {
        ([], _) => single.collect(),
        // Both may be given if they say the same.
        ([(arn, _)], Some(other)) if *arn == other => several,
        (_, None) => several,
        (_, Some(_)) => {
            return Err(invalid("You cannot specify both TargetGroupArn and other groups in ForwardConfig"));
        }
    };
    let alone = given.len() == 1;
    let groups = given.into_iter().map(|(group, weight)| {
        let weight = match weight {
            Some(weight) => number("ForwardConfig.TargetGroups.Weight", weight)?,
            None if alone => 1,
            None => return Err(invalid("ForwardConfig.TargetGroups.Weight must be specified")),
        };
        Ok((arn("targetgroup", "target group", group)?, weight))
    });
    Ok(routing::Action::Forward { target_groups: groups.collect::<Result<_, Fault>>()?, sticky_secs })
}

fn redirect(config: &Redirect) -> Result<routing::Action, Fault> {
    let or = |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
    let status_code = match config.status_code.as_str() {
        "HTTP_301" => 301,
        "HTTP_302" => 302,
        other => {
            return Err(invalid(format!("RedirectConfig.StatusCode '{other}' must be HTTP_301 or HTTP_302")));
        }
    };
    let protocol = or(&config.protocol, "#{protocol}");
    if !["HTTP", "HTTPS", "#{protocol}"].contains(&protocol.as_str()) {
        return Err(invalid(format!(
            "RedirectConfig.Protocol '{protocol}' must be HTTP, HTTPS or #{{protocol}}"
        )));
    }
    let port = or(&config.port, "#{port}");
    if port != "#{port}" && port.parse::<u16>().is_err() {
        return Err(invalid(format!("RedirectConfig.Port '{port}' must be 1 to 65535 or #{{port}}")));
    }
    Ok(routing::Action::Redirect {
        status_code,
        protocol,
        port,
        host: or(&config.host, "#{host}"),
        path: or(&config.path, "/#{path}"),
        query: or(&config.query, "#{query}"),
    })
}

/// Returns an action as it is shown.
pub(super) fn show(action: &routing::Action) -> Vec<Action> {
    let shown = match action {
        routing::Action::Forward { target_groups, sticky_secs } => Action {
            kind: "forward".to_owned(),
            target_group_arn: match target_groups.as_slice() {
                [(only, _)] => Some(only.to_string()),
                _ => None,
            },
            forward_config: Some(Forward {
                target_groups: target_groups
                    .iter()
                    .map(|(group, weight)| WeightedGroup {
                        target_group_arn: group.to_string(),
                        weight: Some(i64::from(*weight)),
                    })
                    .collect(),
                target_group_stickiness_config: Some(GroupStickiness {
                    enabled: sticky_secs.is_some(),
                    duration_seconds: sticky_secs.map(i64::from),
                }),
            }),
            ..Action::default()
        },
        routing::Action::FixedResponse { status_code, content_type, message_body } => Action {
            kind: "fixed-response".to_owned(),
            fixed_response_config: Some(FixedResponse {
                message_body: message_body.clone(),
                status_code: status_code.to_string(),
                content_type: content_type.clone(),
            }),
            ..Action::default()
        },
        routing::Action::Redirect { status_code, protocol, host, port, path, query } => Action {
            kind: "redirect".to_owned(),
            redirect_config: Some(Redirect {
                protocol: Some(protocol.clone()),
                port: Some(port.clone()),
                host: Some(host.clone()),
                path: Some(path.clone()),
                query: Some(query.clone()),
                status_code: format!("HTTP_{status_code}"),
            }),
            ..Action::default()
        },
    };
    vec![Action { order: Some(1), ..shown }]
}
