//! The generated contracts: a JSON Schema per event type and version, and of what is imported, the OpenAPI and AsyncAPI documents, the authorization
//! table.

use std::path::{Path, PathBuf};

use dossier_domain::{CATEGORIES, EventSchema};

use crate::import::line::ImportedCase;
use crate::{asyncapi, authorization, openapi};

/// Every generated file, by its path below the folder of schemas.
pub fn files() -> Vec<(PathBuf, String)> {
    let mut files = vec![
        (PathBuf::from("openapi.json"), openapi::rendered()),
        (PathBuf::from("asyncapi.json"), asyncapi::rendered()),
        (PathBuf::from("authorization.txt"), authorization::rendered()),
    ];
    files.push((PathBuf::from("import/case.json"), rendered(&schemars::schema_for!(ImportedCase))));
    for category in &CATEGORIES {
        files.extend((category.schemas)().iter().map(|schema| event_file(category.name, schema)));
    }
    files
}

fn event_file(category: &str, schema: &EventSchema) -> (PathBuf, String) {
    let path =
        Path::new("events").join(category).join(format!("{}.v{}.json", schema.event_type, schema.version));
    (path, rendered(&schema.schema))
}

fn rendered(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes every file below a folder and answers their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (path, text) in files() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}
