//! What `docker save` and `podman save` write: `manifest.json`, a configuration and tars of layers.

use super::ImportError;
use super::archive::Files;
use super::layout::Layout;
use crate::manifest::OCI_MANIFEST;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Puts every image of the archive into the layout.
pub(super) fn convert(files: &Files, layout: &mut Layout) -> Result<(), ImportError> {
    let content = files.document("manifest.json")?;
    let items: Vec<Item> = serde_json::from_slice(&content)
        .map_err(|error| files.lacking(format!("\"manifest.json\" is not understood: {error}")))?;
    if items.is_empty() {
        return Err(files.lacking("\"manifest.json\" lists no image".to_owned()));
    }
    for item in items {
        let config = layout.document(&files.document(&item.config)?)?;
        let mut layers = Vec::new();
        for layer in &item.layers {
            layers.push(layout.layer(files.need(layer)?)?);
        }
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
            "layers": layers,
        });
        let manifest = layout.document(manifest.to_string().as_bytes())?;
        layout.add(&manifest, OCI_MANIFEST, item.repo_tags.unwrap_or_default());
    }
    Ok(())
}
