//! The account setting operations.

use super::given;
use crate::{Caller, Fault};
use wharf_aws::ecs::{
    AccountSettingInput, AccountSettingOutput, ListAccountSettingsInput, ListAccountSettingsOutput, Setting,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        account_settings::{self, Filter},
    },
};
use wharf_model::account::AccountSetting;

pub(super) async fn put(
    control: &Control,
    caller: &Caller,
    input: AccountSettingInput,
) -> Result<AccountSettingOutput, Error> {
    let principal = principal(caller, input.principal_arn.as_deref())?;
    let set = account_settings::put(control, &input.name, &input.value, &principal).await?;
    Ok(AccountSettingOutput { setting: shape(set, &principal) })
}

pub(super) async fn put_default(
    control: &Control,
    caller: &Caller,
    input: AccountSettingInput,
) -> Result<AccountSettingOutput, Error> {
    let set = account_settings::put(control, &input.name, &input.value, "").await?;
    Ok(AccountSettingOutput { setting: shape(set, &caller.principal) })
}

pub(super) async fn delete(
    control: &Control,
    caller: &Caller,
    input: AccountSettingInput,
) -> Result<AccountSettingOutput, Error> {
    let principal = principal(caller, input.principal_arn.as_deref())?;
    let left = account_settings::delete(control, &input.name, &principal).await?;
    Ok(AccountSettingOutput { setting: shape(left, &principal) })
}

pub(super) fn list(
    control: &Control,
    caller: &Caller,
    input: ListAccountSettingsInput,
) -> Result<ListAccountSettingsOutput, Fault> {
    if input.value.is_some() && input.name.is_none() {
        return Err(Error::invalid("name must be specified when value is.").into());
    }
    let principal = principal(caller, input.principal_arn.as_deref())?;
    let filter = Filter {
        name: input.name,
        value: input.value,
        principal: principal.clone(),
        effective: input.effective_settings,
    };
    let found = account_settings::list(control, &filter)?;
    let key = |setting: &AccountSetting| setting.name.clone();
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListAccountSettingsOutput {
        settings: page.items.into_iter().map(|setting| shape(setting, &principal)).collect(),
        next_token: page.next,
    })
}

/// Returns whose setting is meant.
fn principal(caller: &Caller, given: Option<&str>) -> Result<String, Error> {
    match given.filter(|given| !given.is_empty()) {
        None => Ok(caller.principal.clone()),
        Some(given) if given.starts_with("arn:") => Ok(given.to_owned()),
        Some(given) => Err(Error::invalid(format!("Invalid principalArn '{given}'."))),
    }
}

fn shape(setting: AccountSetting, principal: &str) -> Setting {
    let managed = setting.name == "guardDutyActivate";
    Setting {
        name: setting.name,
        value: setting.value,
        principal_arn: principal.to_owned(),
        r#type: if managed { "aws_managed" } else { "user" },
    }
}
