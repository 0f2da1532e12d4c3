//! Settings of the account. Those that this version honours in one way only can be set to that alone.

use super::Error;
use crate::Control;
use std::collections::BTreeMap;
use wharf_model::account::AccountSetting;

/// A setting: its name, its default, and the values it can be given here.
struct Known {
    name: &'static str,
    default: &'static str,
    values: &'static [&'static str],
    /// What else AWS takes.
    refused: &'static [&'static str],
}

/// The long forms cannot be given up any more on AWS either; interfaces are not limited in number, and nothing is retired.
const KNOWN: [Known; 12] = [
    known("awsvpcTrunking", "disabled", &["enabled", "disabled"], &[]),
    known("containerInsights", "disabled", &["disabled"], &["enabled", "enhanced"]),
    known("containerInstanceLongArnFormat", "enabled", &["enabled"], &["disabled"]),
    known("defaultLogDriverMode", "non-blocking", &["non-blocking"], &["blocking"]),
    known("dualStackIPv6", "disabled", &["disabled"], &["enabled"]),
    known("fargateEventWindows", "disabled", &["disabled"], &["enabled"]),
    known("fargateFIPSMode", "disabled", &["disabled"], &["enabled"]),
    known("fargateTaskRetirementWaitPeriod", "7", &["0", "7", "14"], &[]),
    known("guardDutyActivate", "off", &[], &["on", "off"]),
    known("serviceLongArnFormat", "enabled", &["enabled"], &["disabled"]),
    known("tagResourceAuthorization", "off", &["off"], &["on"]),
    known("taskLongArnFormat", "enabled", &["enabled"], &["disabled"]),
];

const fn known(
    name: &'static str,
    default: &'static str,
    values: &'static [&'static str],
    refused: &'static [&'static str],
) -> Known {
    Known { name, default, values, refused }
}

/// Which settings are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The one of this name.
    pub name: Option<String>,
    /// Those of this value.
    pub value: Option<String>,
    /// Whose.
    pub principal: String,
    /// Whether defaults count.
    pub effective: bool,
}

/// Sets a principal's setting; the default of all for an empty principal.
pub async fn put(
    control: &Control,
    name: &str,
    value: &str,
    principal: &str,
) -> Result<AccountSetting, Error> {
    let known = find(name)?;
    if !known.values.contains(&value) {
        return Err(if known.refused.contains(&value) {
            Error::invalid(format!("not supported by this version of Wharf: account setting {name}={value}"))
        } else {
            Error::invalid(format!("Invalid value '{value}' of account setting {name}."))
        });
    }
    let setting =
        AccountSetting { principal: principal.to_owned(), name: name.to_owned(), value: value.to_owned() };
    let kept = setting.clone();
    control.store().change(|draft| draft.put(kept)).await?;
    Ok(setting)
}

/// Takes a principal's setting back; returns what holds from then on.
pub async fn delete(control: &Control, name: &str, principal: &str) -> Result<AccountSetting, Error> {
    find(name)?;
    control.store().change(|draft| draft.delete::<AccountSetting>(&format!("{name} {principal}"))).await?;
    let filter = Filter { name: Some(name.to_owned()), effective: true, ..Filter::default() };
    let filter = Filter { principal: principal.to_owned(), ..filter };
    list(control, &filter)?.pop().ok_or_else(|| Error::invalid(format!("Invalid account setting '{name}'.")))
}

/// Lists settings by name.
pub fn list(control: &Control, filter: &Filter) -> Result<Vec<AccountSetting>, Error> {
    if let Some(name) = &filter.name {
        find(name)?;
    }
    let mut found: BTreeMap<String, AccountSetting> = BTreeMap::new();
    let mut take = |setting: AccountSetting| found.insert(setting.name.clone(), setting);
    let stored = control.store().view().list::<AccountSetting>("");
    if filter.effective {
        for known in &KNOWN {
            take(AccountSetting {
                principal: filter.principal.clone(),
                name: known.name.to_owned(),
                value: known.default.to_owned(),
            });
        }
        for setting in stored.iter().filter(|setting| setting.principal.is_empty()) {
            take(AccountSetting { principal: filter.principal.clone(), ..(**setting).clone() });
        }
    }
    for setting in stored.iter().filter(|setting| setting.principal == filter.principal) {
        take((**setting).clone());
    }
    let passes = |setting: &AccountSetting| {
        filter.name.as_ref().is_none_or(|name| setting.name == *name)
            && filter.value.as_ref().is_none_or(|value| setting.value == *value)
    };
    Ok(found.into_values().filter(passes).collect())
}

fn find(name: &str) -> Result<&'static Known, Error> {
    KNOWN
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| Error::invalid(format!("Invalid account setting '{name}'.")))
}
