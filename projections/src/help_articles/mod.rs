//! Finding help articles by what somebody says of their problem (R-HELP-1). Articles are files, not events: they are indexed in
//! memory when a process starts, and there is nothing to rebuild.
//!
//! Relevance is BM25 as FTS5 computes it, over title, keywords and text, with the words of [`crate::words`]: the same that
//! cases are found by, in every script. Each language has an index of its own, so that how rare a word is is judged among
//! texts that could have it.

mod ranking;

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_domain::help_article::HelpArticle;

use crate::error::QueryError;
use ranking::Ranking;

/// The language that stands in for any other.
const FALLBACK: &str = "en";

/// All help articles, and how they are found.
pub struct HelpArticles {
    /// By id, then by language.
    articles: BTreeMap<String, BTreeMap<String, Arc<HelpArticle>>>,
    /// By language: the articles in the order in which they are indexed.
    indexed: BTreeMap<String, (String, Vec<Arc<HelpArticle>>)>,
    ranking: Ranking,
}

impl HelpArticles {
    /// An index of articles. Of two with one id and language the later one counts.
    ///
    /// # Errors
    /// [`QueryError`] when there is no memory for it.
    pub async fn index(articles: Vec<HelpArticle>) -> Result<Self, QueryError> {
        let mut by_id: BTreeMap<String, BTreeMap<String, Arc<HelpArticle>>> = BTreeMap::new();
        for article in articles {
            let languages = by_id.entry(article.id.clone()).or_default();
            languages.insert(article.language.clone(), Arc::new(article));
        }
        let mut indexed: BTreeMap<String, (String, Vec<Arc<HelpArticle>>)> = BTreeMap::new();
        for article in by_id.values().flat_map(BTreeMap::values) {
            let number = indexed.len();
            let (_, of_language) = indexed
                .entry(article.language.clone())
                .or_insert_with(|| (format!("articles_{number}"), Vec::new()));
            of_language.push(article.clone());
        }
        let ranking = Ranking::open().await?;
        for (table, of_language) in indexed.values() {
            let texts = of_language
                .iter()
                .map(|article| [article.title.clone(), article.keywords.join(" "), article.body.clone()]);
            ranking.fill(table, texts).await?;
        }
        Ok(Self { articles: by_id, indexed, ranking })
    }

    /// An article in a language, or else in English, or else in any that there is.
    pub fn get(&self, id: &str, language: &str) -> Option<&Arc<HelpArticle>> {
        let languages = self.articles.get(id)?;
        languages.get(language).or_else(|| languages.get(FALLBACK)).or_else(|| languages.values().next())
    }

    /// The articles for a kind of problem, each in a language or what stands in for it, by id.
    pub fn of_kind(&self, kind: &str, language: &str) -> impl Iterator<Item = &Arc<HelpArticle>> {
        let articles = self.articles.keys().filter_map(move |id| self.get(id, language));
        articles.filter(move |article| article.problem_kind.as_deref() == Some(kind))
    }

    /// How many there are, in all languages.
    pub fn len(&self) -> usize {
        self.articles.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }

    /// The articles that match a text best, the best first: those in the language, then what is there in English only. Only
    /// those that the caller lets pass.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn search(
        &self,
        text: &str,
        language: &str,
        passes: impl Fn(&HelpArticle) -> bool,
        limit: usize,
    ) -> Result<Vec<Arc<HelpArticle>>, QueryError> {
        let mut found: Vec<Arc<HelpArticle>> = Vec::new();
        let fallback = (language != FALLBACK).then_some(FALLBACK);
        for language in [Some(language), fallback].into_iter().flatten() {
            let Some((table, of_language)) = self.indexed.get(language) else { continue };
            for number in self.ranking.best(table, text).await? {
                let Some(article) = of_language.get(number).filter(|article| passes(article)) else {
                    continue;
                };
                if found.len() < limit && found.iter().all(|earlier| earlier.id != article.id) {
                    found.push(article.clone());
                }
            }
        }
        Ok(found)
    }

    /// The numbers of texts, each a title and what it says, that match a text, the best first: for what is found together with
    /// articles and changes too often to be indexed.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn rank(
        &self,
        texts: impl IntoIterator<Item = (String, String)>,
        text: &str,
    ) -> Result<Vec<usize>, QueryError> {
        let texts = texts.into_iter().map(|(title, body)| [title, String::new(), body]);
        self.ranking.best_of(texts, text).await
    }
}

#[cfg(test)]
mod tests;
