//! Files of environment variables. A bucket is a directory: `<state directory>/buckets/<bucket>/<key>`.

use crate::Control;
use camino::Utf8PathBuf;
use wharf_model::{Arn, secret::Plain, task_definition::EnvironmentFile};

#[cfg(test)]
mod tests;

/// The largest file.
const BYTES_MAX: u64 = 1 << 20;

/// Returns the variables in files, in their order; of one that several name, the first.
pub(super) async fn read(
    control: &Control,
    files: &[EnvironmentFile],
) -> Result<Vec<(String, Plain)>, String> {
    let mut variables: Vec<(String, Plain)> = Vec::new();
    for file in files {
        let failed = |why: String| {
            format!(
                "ResourceInitializationError: failed to download env files: file download command: {}: {why}",
                file.value
            )
        };
        let path = control.config().state_dir.join("buckets").join(path(&file.value).map_err(failed)?);
        for (name, value) in parse(&text(path).await.map_err(failed)?) {
            if !variables.iter().any(|(known, _)| *known == name) {
                variables.push((name, Plain::new(value)));
            }
        }
    }
    Ok(variables)
}

async fn text(path: Utf8PathBuf) -> Result<String, String> {
    let found = tokio::fs::metadata(&path).await;
    let found = found.map_err(|error| format!("there is no file {path} ({error})"))?;
    if !found.is_file() || found.len() > BYTES_MAX {
        return Err(format!("{path} is not a file of at most {BYTES_MAX} bytes"));
    }
    tokio::fs::read_to_string(&path).await.map_err(|error| format!("read {path}: {error}"))
}

/// Returns where an object is, below the directory of buckets.
fn path(object: &str) -> Result<String, String> {
    let wrong = || "it is not an object's ARN, arn:aws:s3:::bucket/key".to_owned();
    let arn: Arn = object.parse().map_err(|_| wrong())?;
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if arn.service != "s3" || !arn.resource.contains('/') || !arn.resource.split('/').all(plain) {
        return Err(wrong());
    }
    Ok(arn.resource)
}

/// Returns the variables in a file: each in a line of its own, `NAME=VALUE`. Lines that begin with `#`, and those without
/// a name or a value, are left out.
fn parse(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let whole = pairs.filter(|(name, value)| !name.is_empty() && !value.is_empty());
    whole.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
