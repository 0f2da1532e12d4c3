//! Shapes of the account settings.

use serde::{Deserialize, Serialize};

/// Input of `PutAccountSetting`, `PutAccountSettingDefault` and `DeleteAccountSetting`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountSettingInput {
    /// The setting.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whose; the caller's when absent.
    pub principal_arn: Option<String>,
}

/// Output of the operations on one setting.
#[derive(Debug, Clone, Serialize)]
pub struct AccountSettingOutput {
    /// The setting.
    pub setting: Setting,
}

/// Input of `ListAccountSettings`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListAccountSettingsInput {
    /// The one of this name.
    pub name: Option<String>,
    /// Those of this value.
    pub value: Option<String>,
    /// Whose; the caller's when absent.
    pub principal_arn: Option<String>,
    /// Whether defaults count.
    pub effective_settings: bool,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `ListAccountSettings`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAccountSettingsOutput {
    /// The settings.
    pub settings: Vec<Setting>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A setting.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whose it is.
    pub principal_arn: String,
    /// `user` or `aws_managed`.
    pub r#type: &'static str,
}
