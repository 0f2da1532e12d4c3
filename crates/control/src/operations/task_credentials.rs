//! Temporary access keys of tasks, for what their roles may: made when a task asks, recognised without being stored.
//!
//! A key's id and secret follow from the task and the end of its life, by a secret that only control has; the session
//! token carries task and end, and proves that control made it. Whether the task still runs is looked up each time, so
//! a key ends with its task.

use crate::Control;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{sync::Arc, time::Duration};
use wharf_model::{
    Timestamp,
    task::{DesiredStatus, Task, TaskStatus},
    task_definition::{LogDriver, TaskDefinition},
};
use wharf_store::{OwnSecret, StoreError};

use super::{task_definitions, tasks};
use crate::look::Look;

/// How long a key is good, as on AWS.
const LIFE: Duration = Duration::from_secs(6 * 3600);
const SECRET_NAME: &str = "task credentials";

/// A temporary access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCredentials {
    /// The task's role.
    pub role_arn: String,
    /// `ASIA` and 16 characters.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: String,
    /// What proves it.
    pub token: String,
    /// The end of its life.
    pub expires_at: Timestamp,
}

/// Whose a temporary access key is.
#[derive(Debug, Clone)]
pub struct KeyOwner {
    /// The task.
    pub task: Arc<Task>,
    /// Its role.
    pub role_arn: String,
    /// What signs.
    pub secret_access_key: String,
    /// The log groups that its containers write to.
    pub log_groups: Vec<String>,
}

/// Why a temporary access key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    /// It was never made, or its task has stopped.
    Unknown,
    /// Its life is over.
    Expired,
}

/// Returns a task's role.
pub(crate) fn role_of(look: &impl Look, task: &Task) -> Option<String> {
    let definition = task_definitions::get(look, &task.definition)?;
    role(&definition, task)
}

fn role(definition: &TaskDefinition, task: &Task) -> Option<String> {
    let overridden = task.overrides.task_role_arn.clone();
    overridden.or_else(|| definition.task_role_arn.clone()).filter(|role| !role.is_empty())
}

/// Makes a key for a task; nothing when it has no role or does not run.
pub async fn issue(control: &Control, task: &Task) -> Result<Option<TaskCredentials>, StoreError> {
    let role = role_of(&control.store().view(), task);
    let Some(role_arn) = role.filter(|_| runs(task)) else { return Ok(None) };
    let secret = secret(control).await?;
    let expires_at = control.now() + LIFE;
    let payload = format!("{}/{} {}", task.cluster, task.id, expires_at.0);
    let key = Key::of(&secret, &payload);
    Ok(Some(TaskCredentials {
        role_arn,
        token: URL_SAFE_NO_PAD.encode([key.proof.as_slice(), payload.as_bytes()].concat()),
        access_key_id: key.id,
        secret_access_key: key.secret,
        expires_at,
    }))
}

/// Returns whose key this is, by its id and its session token.
pub fn recognise(control: &Control, access_key_id: &str, token: &str) -> Result<KeyOwner, NotAccepted> {
    let unknown = || NotAccepted::Unknown;
    let view = control.store().view();
    let secret = view.get::<OwnSecret>(SECRET_NAME).ok_or_else(unknown)?;
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
    let (proof, payload) = bytes.split_at_checked(32).ok_or_else(unknown)?;
    let payload = std::str::from_utf8(payload).map_err(|_| unknown())?;
    // Compares in a time that does not tell where the difference is.
    mac(secret.value.as_bytes(), "proof", payload).verify_slice(proof).map_err(|_| unknown())?;
    let key = Key::of(&secret.value, payload);
    let (task, end) = payload.split_once(' ').ok_or_else(unknown)?;
    let end: i64 = end.parse().map_err(|_| unknown())?;
    if key.id != access_key_id {
        return Err(NotAccepted::Unknown);
    }
    if control.now().0 > end {
        return Err(NotAccepted::Expired);
    }
    let task = view.get::<Task>(task).filter(|task| runs(task)).ok_or_else(unknown)?;
    owner(&view, task, key.secret).ok_or_else(unknown)
}

/// Returns what a task with a role may, for a caller that is known to be it by other means than a key.
pub fn of_task(control: &Control, id: &str) -> Option<KeyOwner> {
    let view = control.store().view();
    let task = tasks::of_id(&view, &id.parse().ok()?).filter(|task| runs(task))?;
    owner(&view, task, String::new())
}

fn owner(look: &impl Look, task: Arc<Task>, secret_access_key: String) -> Option<KeyOwner> {
    let definition = task_definitions::get(look, &task.definition)?;
    let role_arn = role(&definition, &task)?;
    let logs = definition.containers.iter().filter_map(|container| container.log_configuration.as_ref());
    let groups = logs.filter(|log| log.driver == LogDriver::Awslogs);
    let log_groups = groups.filter_map(|log| log.options.get("awslogs-group").cloned()).collect();
    Some(KeyOwner { task, role_arn, secret_access_key, log_groups })
}

fn runs(task: &Task) -> bool {
    // A task that is told to stop may still say what it has to say.
    task.last_status < TaskStatus::Deprovisioning || task.desired_status == DesiredStatus::Running
}

struct Key {
    id: String,
    secret: String,
    proof: [u8; 32],
}

impl Key {
    fn of(secret: &str, payload: &str) -> Key {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let code = |purpose: &str| -> [u8; 32] {
            mac(secret.as_bytes(), purpose, payload).finalize().into_bytes().into()
        };
        let letters = code("id").into_iter().take(16).map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        Key {
            id: "ASIA".chars().chain(letters).collect(),
            secret: URL_SAFE_NO_PAD.encode(code("secret"))[..40].to_owned(),
            proof: code("proof"),
        }
    }
}

fn mac(secret: &[u8], purpose: &str, payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(payload.as_bytes());
    mac
}

/// Returns the secret that keys follow from, made the first time.
async fn secret(control: &Control) -> Result<String, StoreError> {
    if let Some(known) = control.store().view().get::<OwnSecret>(SECRET_NAME) {
        return Ok(known.value.clone());
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
    let made = OwnSecret { name: SECRET_NAME.to_owned(), value: URL_SAFE_NO_PAD.encode(bytes) };
    control
        .store()
        .change(|draft| match draft.get::<OwnSecret>(SECRET_NAME) {
            // Two tasks may ask for the first key at once.
            Some(known) => known.value.clone(),
            None => {
                draft.put(made.clone());
                made.value.clone()
            }
        })
        .await
}
