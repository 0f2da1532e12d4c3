//! `wharf image`: the images of this machine, and bringing others in.

use crate::{local, options::Options};
use anyhow::{Context, bail};
use clap::Subcommand;
use wharf_nodelink::local::{FromControl, FromNode, NodeImage, RemovedImages, ToControl, ToNode};

/// What is done with images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Lists the images that are unpacked on this machine.
    List,
    /// Brings an image here, before a task needs it.
    Pull {
        /// The image's name.
        name: String,
    },
    /// Puts an image into a repository: an archive that docker, podman or skopeo saved, an OCI layout, or a folder with
    /// a root file system.
    Import {
        /// The archive or folder.
        path: std::path::PathBuf,
        /// The repository, with or without a tag [default: as the image is named there].
        #[arg(long = "as", value_name = "REPOSITORY[:TAG]")]
        target: Option<String>,
        /// Which image of an archive that holds several.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// A variable for the containers of a root file system.
        #[arg(long, value_name = "NAME=VALUE")]
        env: Vec<String>,
        /// What the containers of a root file system run.
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Removes images that no task has.
    Rm {
        /// Their names, or at least 12 digits of their digests.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Removes every image that no task has.
    Prune {
        /// Only those that nobody used for so many seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        unused_for: u64,
    },
}

/// Runs a subcommand against the Wharf that runs.
pub(crate) fn run(options: &Options, command: ImageCommand) -> anyhow::Result<()> {
    let asked = match command {
        ImageCommand::Import { path, target, name, env, command } => {
            return import(options, &path, target, name, command, env);
        }
        ImageCommand::List => ToNode::ListImages,
        ImageCommand::Pull { name } => ToNode::PullImage { name },
        ImageCommand::Rm { names } => ToNode::RemoveImages { names },
        ImageCommand::Prune { unused_for } => ToNode::PruneImages { unused_secs: unused_for },
    };
    match local::ask(&options.agent_socket(), &asked)? {
        FromNode::Images(images) => say(&table(&images)),
        FromNode::Pulled(digest) => say(&format!("{digest}\n")),
        FromNode::Removed(RemovedImages { images, layers, bytes }) => {
            let lines: String = images.iter().map(|digest| format!("{digest}\n")).collect();
            say(&format!(
                "{lines}{} images and {layers} layers removed, about {}\n",
                images.len(),
                size(bytes)
            ));
        }
        FromNode::Refused(why) => bail!("{why}"),
    }
    Ok(())
}

fn import(
    options: &Options,
    path: &std::path::Path,
    target: Option<String>,
    name: Option<String>,
    command: Vec<String>,
    env: Vec<String>,
) -> anyhow::Result<()> {
    let path = std::fs::canonicalize(path).with_context(|| format!("find {}", path.display()))?;
    let path = path.to_str().context("the path is not text")?.to_owned();
    let asked = ToControl::ImportImage { path, name, target, command, env };
    match local::ask(&options.control_socket(), &asked)? {
        FromControl::Imported { name, digest } => say(&format!("{name}\n{digest}\n")),
        FromControl::Refused(why) => bail!("{why}"),
        FromControl::TaskOutput { .. } | FromControl::LogPage { .. } | FromControl::BackedUp { .. } => {
            bail!("another question was answered")
        }
    }
    Ok(())
}

fn table(images: &[NodeImage]) -> String {
    let name = |image: &NodeImage| match image.names.as_slice() {
        [] => "(no name)".to_owned(),
        names => names.join(", "),
    };
    let width = images.iter().map(|image| name(image).len()).max().unwrap_or(0).max(4);
    let mut text = format!("{:<width$}  {:<19}  {:>9}  {:>10}  STATE\n", "NAME", "DIGEST", "SIZE", "UNUSED");
    for image in images {
        let digest = image.digest.get(..19).unwrap_or(&image.digest);
        let state = image.held.as_deref().unwrap_or("unused");
        text += &format!(
            "{:<width$}  {digest}  {:>9}  {:>10}  {state}\n",
            name(image),
            size(image.bytes),
            age(image.unused_secs)
        );
    }
    text
}

/// Returns bytes as people read them.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

fn age(secs: u64) -> String {
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_800 => format!("{} h", secs / 3_600),
        _ => format!("{} days", secs / 86_400),
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    print!("{text}");
}

#[cfg(test)]
mod tests {
    use super::{age, size};

    #[test]
    fn sizes_and_ages_are_short() {
        assert_eq!(
            [0, 999, 1_000, 1_250_000, 3_999_999_999].map(size),
            ["0 B", "999 B", "1.0 kB", "1.2 MB", "3.9 GB"]
        );
        assert_eq!([5, 150, 7_200, 400_000].map(age), ["5 s", "2 min", "2 h", "4 days"]);
    }
}
