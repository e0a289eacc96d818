//! Which articles are found, in which order; the corpus of the sample data is tested where it is.

use std::collections::BTreeSet;

use dossier_domain::ProductId;
use dossier_domain::help_article::ArticleAudience;

use super::*;

fn article(id: &str, language: &str, title: &str, keywords: &[&str], body: &str) -> HelpArticle {
    HelpArticle {
        id: id.to_owned(),
        title: title.to_owned(),
        language: language.to_owned(),
        products: BTreeSet::new(),
        audience: ArticleAudience::Public,
        problem_kind: None,
        keywords: keywords.iter().map(|word| (*word).to_owned()).collect(),
        body: body.to_owned(),
    }
}

async fn corpus() -> HelpArticles {
    let articles = vec![
        article(
            "restart",
            "en",
            "Restarting a machine",
            &["reboot"],
            "Choose restart. The machine stops first.",
        ),
        article(
            "disk",
            "en",
            "A disk is full",
            &["space"],
            "The machine stops writing when its disk is full.",
        ),
        article(
            "invoice",
            "en",
            "Reading an invoice",
            &[],
            "Every invoice names the machine that it is for.",
        ),
        article("restart", "fr", "Redémarrer une machine", &["relancer"], "Choisissez redémarrer."),
        article("restart", "ja", "仮想マシンの再起動", &["リブート"], "再起動を選びます。"),
        article("disk", "ja", "ディスクがいっぱいです", &["容量不足"], "ディスクの容量を増やします。"),
    ];
    HelpArticles::index(articles).await.unwrap()
}

async fn found(articles: &HelpArticles, text: &str, language: &str) -> Vec<String> {
    let found = articles.search(text, language, |_| true, 3).await.unwrap();
    found.iter().map(|article| format!("{} {}", article.id, article.language)).collect()
}

#[tokio::test]
async fn r_help_1_a_word_in_the_title_counts_more_than_one_in_the_text() {
    let articles = corpus().await;
    assert_eq!(found(&articles, "my disk!", "en").await, ["disk en"]);
    assert_eq!(found(&articles, "The machine is to restart", "en").await[0], "restart en");
    assert_eq!(found(&articles, "REBOOT", "en").await, ["restart en"], "a keyword");
    assert_eq!(found(&articles, "invoices", "en").await, ["invoice en"], "what a longer word begins with");
}

#[tokio::test]
async fn r_help_1_the_language_of_the_user_comes_first_and_english_stands_in() {
    let articles = corpus().await;
    assert_eq!(found(&articles, "redemarrage machine", "fr").await, ["restart fr", "invoice en", "disk en"]);
    assert_eq!(found(&articles, "ディスクの容量が足りません", "ja").await, ["disk ja"]);
    assert_eq!(found(&articles, "invoice", "de").await, ["invoice en"]);
    assert_eq!(articles.get("restart", "fr").unwrap().language, "fr");
    assert_eq!(articles.get("invoice", "fr").unwrap().language, "en");
    assert!(articles.get("nothing", "fr").is_none());
}

#[tokio::test]
async fn r_help_1_what_may_not_be_suggested_leaves_its_place_to_the_next() {
    let articles = corpus().await;
    let compute: BTreeSet<_> = [ProductId::new("compute").unwrap()].into();
    let hidden = HelpArticle {
        audience: ArticleAudience::Entitled,
        products: compute.clone(),
        ..article("secret", "en", "Disk disk disk", &["disk"], "disk")
    };
    let mut all: Vec<HelpArticle> =
        articles.articles.values().flat_map(BTreeMap::values).map(|article| (**article).clone()).collect();
    all.push(hidden);
    let articles = HelpArticles::index(all).await.unwrap();
    let ids = async |entitled: &BTreeSet<ProductId>| {
        let passes = |article: &HelpArticle| article.may_be_suggested(entitled);
        let found = articles.search("disk", "en", passes, 1).await.unwrap();
        found.iter().map(|article| article.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&compute).await, ["secret"]);
    assert_eq!(ids(&BTreeSet::new()).await, ["disk"]);
}

#[tokio::test]
async fn any_text_can_be_asked() {
    let articles = corpus().await;
    let long = "disk NEAR \"quoted\" AND (OR) * ^ - : ".repeat(5_000);
    for text in ["", " ", "\"", "🦀", "a\0b", "NOT", "disk*", &long] {
        articles.search(text, "en", |_| true, 3).await.unwrap();
    }
    assert!(found(&articles, "🦀 %", "en").await.is_empty());
    let none = HelpArticles::index(Vec::new()).await.unwrap();
    assert!(none.is_empty() && found(&none, "disk", "en").await.is_empty());
}

#[tokio::test]
async fn passing_texts_are_ranked_and_forgotten() {
    let articles = corpus().await;
    let texts = || {
        [("Network slow", "Since noon."), ("Disks fail", "New disks fail."), ("Mail", "All well.")]
            .map(|(title, body)| (title.to_owned(), body.to_owned()))
    };
    for _ in 0..2 {
        assert_eq!(articles.rank(texts(), "a disk fails").await.unwrap(), [1]);
    }
}
