//! What a registry keeps: manifests, and the blobs that they name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    FetchError,
    client::{Ask, Client},
};
use crate::config::{ContentDigest, Reference};

/// What wkg and others write for components and modules.
pub(super) const LAYER: &str = "application/wasm";
/// What older programs write.
const OLD_LAYERS: [&str; 2] = [
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
];
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest names a handful of blobs. Registries take up to 4 MiB.
pub(super) const MOST_MANIFEST_BYTES: u64 = 1 << 20;

/// A manifest, as far as it matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    schema_version: u32,
    #[serde(default)]
    pub(super) layers: Vec<Layer>,
}

/// A blob that a manifest names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    pub(super) media_type: String,
    digest: String,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// An error is a sentence.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no manifest: {error}"))?;
        match manifest.schema_version {
            2 => Ok(manifest),
            other => Err(format!("it is of schema {other}, and not of schema 2")),
        }
    }

    /// The one layer that is a plugin.
    pub(super) fn plugin(&self) -> Result<&Layer, String> {
        let is_wasm = |layer: &&Layer| {
            layer.media_type == LAYER || OLD_LAYERS.contains(&layer.media_type.as_str())
        };
        let mut found = self.layers.iter().filter(is_wasm);
        match (found.next(), found.next()) {
            (Some(layer), None) => Ok(layer),
            (Some(_), Some(_)) => Err("it has several layers of WebAssembly; push one".to_owned()),
            (None, _) => {
                let types: Vec<_> = self.layers.iter().map(|layer| &*layer.media_type).collect();
                Err(format!(
                    "it has no layer of type {LAYER}, but {types:?}; push the plugin with meterbox push or wkg"
                ))
            }
        }
    }
}

impl Layer {
    pub(super) fn digest(&self) -> Result<ContentDigest, String> {
        self.digest.parse()
    }
}

impl Client {
    /// The manifest under a tag or a digest, whose bytes are not checked yet; nothing if there is none.
    pub(super) async fn manifest(
        &self,
        reference: &Reference,
        tag_or_digest: &str,
        stage: &str,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let Reference { repository, .. } = reference;
        self.get(Ask {
            url: &format!("{}/v2/{repository}/manifests/{tag_or_digest}", self.base),
            accept: ACCEPT,
            scope: &scope(repository),
            most: (MOST_MANIFEST_BYTES, "no manifest of a plugin is that long"),
            stage,
        })
        .await
    }

    /// A blob of exactly this size and digest.
    pub(super) async fn blob(
        &self,
        reference: &Reference,
        layer: &Layer,
        stage: &str,
    ) -> Result<Vec<u8>, FetchError> {
        let Reference { repository, .. } = reference;
        let digest = layer.digest().map_err(|why| self.lied(stage, why))?;
        let url = format!("{}/v2/{repository}/blobs/{digest}", self.base);
        let scope = scope(repository);
        let asked = self.get(Ask {
            url: &url,
            accept: "*/*",
            scope: &scope,
            most: (
                layer.size,
                "that is the size in the manifest; the registry is at fault",
            ),
            stage,
        });
        let bytes = asked.await?.ok_or_else(|| {
            let why = format!(
                "it does not have {digest}, which the manifest names; push the plugin again"
            );
            self.failed(stage, why)
        })?;
        self.is(&bytes, digest, stage)?;
        Ok(bytes)
    }

    /// Whether these bytes have the digest that was asked for.
    pub(super) fn is(
        &self,
        bytes: &[u8],
        wanted: ContentDigest,
        stage: &str,
    ) -> Result<(), FetchError> {
        let found = ContentDigest::of(bytes);
        if found == wanted {
            return Ok(());
        }
        Err(self.lied(
            stage,
            format!("it sent {found} instead of {wanted}: nothing of it is used. The bytes were changed there or on the way; find out by whom"),
        ))
    }
}

fn scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(types: &[&str]) -> Manifest {
        let layers: Vec<_> = types
            .iter()
            .map(|media_type| serde_json::json!({ "mediaType": media_type, "digest": "sha256:", "size": 3 }))
            .collect();
        let text = serde_json::json!({ "schemaVersion": 2, "layers": layers }).to_string();
        Manifest::parse(text.as_bytes()).expect("a manifest")
    }

    #[test]
    fn one_layer_is_the_plugin() {
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        for wasm in [LAYER, OLD_LAYERS[0], OLD_LAYERS[1]] {
            let found = manifest(&[tar, wasm]);
            assert_eq!(found.plugin().expect("a plugin").media_type, wasm);
        }
        for (types, wanted) in [
            (&[LAYER, LAYER][..], "several layers"),
            (&[tar], "no layer of type application/wasm"),
            (&[], "no layer"),
        ] {
            let error = manifest(types).plugin().expect_err("no plugin");
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for (text, wanted) in [
            ("", "no manifest"),
            ("[]", "no manifest"),
            ("{\"layers\": []}", "no manifest"),
            ("{\"schemaVersion\": 1, \"layers\": []}", "schema 1"),
            (
                "{\"schemaVersion\": 2, \"layers\": [{\"size\": -1}]}",
                "no manifest",
            ),
        ] {
            let error = Manifest::parse(text.as_bytes()).expect_err(text);
            assert!(error.contains(wanted), "{error}");
        }
    }
}
