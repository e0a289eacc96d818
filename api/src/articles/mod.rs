//! Help articles from a folder: Markdown with TOML between two lines `+++` in front of it, one file for each article and
//! language, called `ID.LANGUAGE.md`. A file that does not fit stops the start with one sentence.

mod built_in;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dossier_domain::help_article::{ArticleAudience, HelpArticle};
use dossier_domain::{Catalogue, ProductId};
use serde::Deserialize;

/// What stands before and after the front matter.
const FENCE: &str = "+++";

/// Why articles cannot be used, in one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// The folder cannot be read.
    #[error("articles: the folder {path} cannot be read ({cause}); name one in the catalogue, or none", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        cause: String,
    },
    /// A file is no article.
    #[error("articles: {file} is not usable: {cause}")]
    File {
        /// Name of the file.
        file: String,
        /// What is wrong with it, and what would do.
        cause: String,
    },
}

/// What stands before an article's text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    language: String,
    #[serde(default)]
    products: BTreeSet<ProductId>,
    #[serde(default)]
    audience: ArticleAudience,
    problem_kind: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
}

/// The articles of a catalogue: from the folder that it names, beside its own file; those of the sample data with the
/// built-in catalogue.
///
/// # Errors
/// [`ArticleError`].
pub fn load(catalogue: &Catalogue, file: Option<&Path>) -> Result<Vec<HelpArticle>, ArticleError> {
    match (file, &catalogue.articles) {
        (None, _) => built_in::BUILT_IN.iter().map(|(name, text)| parse(name, text, catalogue)).collect(),
        (Some(_), None) => Ok(Vec::new()),
        (Some(file), Some(folder)) => {
            read_folder(&file.parent().unwrap_or(Path::new("")).join(folder), catalogue)
        }
    }
}

fn read_folder(folder: &Path, catalogue: &Catalogue) -> Result<Vec<HelpArticle>, ArticleError> {
    let unreadable =
        |cause: std::io::Error| ArticleError::Folder { path: folder.to_owned(), cause: cause.to_string() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    // Of two that say the same the message names the same one every time.
    files.sort();
    let articles = files.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path);
        let text =
            text.map_err(|error| ArticleError::File { file: name.clone(), cause: error.to_string() })?;
        parse(&name, &text, catalogue)
    });
    articles.collect()
}

/// An article from a file's name and text.
fn parse(name: &str, text: &str, catalogue: &Catalogue) -> Result<HelpArticle, ArticleError> {
    let wrong = |cause: String| ArticleError::File { file: name.to_owned(), cause };
    let (front, body) = split(text)
        .ok_or_else(|| wrong(format!("it does not begin with TOML between two lines {FENCE}; add them")))?;
    let front_matter: FrontMatter = toml::from_str(front).map_err(|error| {
        // The first line is the fence.
        let line =
            error.span().map_or(2, |span| front[..span.start.min(front.len())].matches('\n').count() + 2);
        wrong(format!("line {line}: {}", error.message().replace('\n', ", ")))
    })?;
    let FrontMatter { title, language, products, audience, problem_kind, keywords } = front_matter;
    let id = name.strip_suffix(&format!(".{language}.md")).filter(|id| !id.is_empty()).ok_or_else(|| {
        wrong(format!("it is in {language:?}; call it ID.{language}.md, or change the language"))
    })?;
    if title.trim().is_empty() {
        return Err(wrong("the title is empty; give it one".to_owned()));
    }
    if !catalogue.languages.contains(&language) {
        return Err(wrong(format!("the catalogue does not list the language {language:?}; add it there")));
    }
    if let Some(odd) = products.iter().find(|product| catalogue.product(product).is_none()) {
        return Err(wrong(format!("the catalogue does not list the product {odd}; add it there")));
    }
    if let Some(odd) = problem_kind.as_ref().filter(|kind| catalogue.problem_kind(kind).is_none()) {
        return Err(wrong(format!("the catalogue does not list the problem kind {odd}; add it there")));
    }
    let (id, body) = (id.to_owned(), body.trim().to_owned());
    Ok(HelpArticle { id, title, language, products, audience, problem_kind, keywords, body })
}

/// What stands between the fences, and what follows.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != FENCE {
        return None;
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return Some((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests;
