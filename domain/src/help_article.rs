//! Help articles (R-HELP-1): what one is, and to whom it may be suggested. Where they are read from, and how one that
//! matches is found, is no business of this crate.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::ProductId;

/// To whom an article may be suggested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArticleAudience {
    /// To organizations that are entitled to support of one of its products.
    #[default]
    Entitled,
    /// To everybody.
    Public,
}

/// A help article in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpArticle {
    /// Stable key, of all its languages the same: `compute-restart`.
    pub id: String,
    /// Title to show.
    pub title: String,
    /// The language that it is written in, BCP 47.
    pub language: String,
    /// What it is about; empty: no product in particular.
    pub products: BTreeSet<ProductId>,
    /// To whom it may be suggested.
    pub audience: ArticleAudience,
    /// The kind of problem that it helps with, of the catalogue's.
    pub problem_kind: Option<String>,
    /// Words that people use for it and that it does not use itself.
    pub keywords: Vec<String>,
    /// The text, Markdown.
    pub body: String,
}

impl HelpArticle {
    /// Whether it may be suggested to an organization that is entitled to products (R-HELP-1). What is about no product in
    /// particular is for whoever is entitled to any.
    pub fn may_be_suggested(&self, entitled: &BTreeSet<ProductId>) -> bool {
        match self.audience {
            ArticleAudience::Public => true,
            ArticleAudience::Entitled if self.products.is_empty() => !entitled.is_empty(),
            ArticleAudience::Entitled => !self.products.is_disjoint(entitled),
        }
    }

    /// Whether it may help with a product; `None`: with any.
    pub fn is_about(&self, product: Option<&ProductId>) -> bool {
        self.products.is_empty() || product.is_none_or(|product| self.products.contains(product))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(ids: &[&str]) -> BTreeSet<ProductId> {
        ids.iter().map(|id| ProductId::new(id).unwrap()).collect()
    }

    fn article(audience: ArticleAudience, about: &[&str]) -> HelpArticle {
        HelpArticle {
            id: "a".to_owned(),
            title: "A".to_owned(),
            language: "en".to_owned(),
            products: products(about),
            audience,
            problem_kind: None,
            keywords: Vec::new(),
            body: String::new(),
        }
    }

    /// R-HELP-1.
    #[test]
    fn r_help_1_an_article_is_suggested_to_whoever_is_entitled_to_one_of_its_products_or_to_everybody() {
        let suggested = |audience, about: &[&str], entitled: &[&str]| {
            article(audience, about).may_be_suggested(&products(entitled))
        };
        assert!(suggested(ArticleAudience::Entitled, &["compute", "storage"], &["storage"]));
        assert!(!suggested(ArticleAudience::Entitled, &["compute"], &["storage"]));
        assert!(!suggested(ArticleAudience::Entitled, &["compute"], &[]));
        assert!(suggested(ArticleAudience::Entitled, &[], &["storage"]));
        assert!(!suggested(ArticleAudience::Entitled, &[], &[]), "entitled to nothing at all");
        assert!(suggested(ArticleAudience::Public, &["compute"], &[]));
    }

    #[test]
    fn an_article_about_no_product_may_help_with_any() {
        let compute = ProductId::new("compute").unwrap();
        let about = |about: &[&str]| article(ArticleAudience::Public, about).is_about(Some(&compute));
        assert!(about(&[]) && about(&["compute"]) && !about(&["storage"]));
        assert!(article(ArticleAudience::Public, &["storage"]).is_about(None));
    }
}
