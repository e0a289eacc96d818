//! Files that are articles, files that are none, and what the sample articles answer.

use std::collections::BTreeSet;

use dossier_projections::help_articles::HelpArticles;

use super::*;
use crate::system::load_catalogue;

const GOOD: &str = "+++\ntitle = \"Restart\"\nlanguage = \"en\"\nproducts = [\"compute\"]\nkeywords = [\"reboot\"]\n+++\nChoose restart.\n";

fn refused(name: &str, text: &str) -> String {
    let refused = parse(name, text, &load_catalogue(None).unwrap()).unwrap_err().to_string();
    assert!(
        refused.starts_with("articles: ") && refused.contains(name) && !refused.contains('\n'),
        "{refused}"
    );
    refused
}

#[test]
fn r_help_1_a_file_tells_all_of_an_article() {
    let catalogue = load_catalogue(None).unwrap();
    let article = parse("restart.en.md", GOOD, &catalogue).unwrap();
    assert_eq!((article.id.as_str(), article.title.as_str()), ("restart", "Restart"));
    assert_eq!((article.body.as_str(), article.audience), ("Choose restart.", ArticleAudience::Entitled));
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert_eq!(parse("restart.en.md", &windows, &catalogue).unwrap(), article);
}

#[test]
fn a_file_that_is_no_article_is_refused_in_one_sentence_that_says_what_to_do() {
    for text in ["", "Choose restart.", "+++\ntitle = \"x\"\n", "---\ntitle: x\n---\n"] {
        assert!(refused("a.en.md", text).contains("between two lines +++"), "{text}");
    }
    let bad = |from: &str, to: &str| refused("restart.en.md", &GOOD.replace(from, to));
    assert!(bad("title = \"Restart\"\n", "").contains("title"));
    assert!(bad("\"Restart\"", "Restart").contains("line 2"), "{}", bad("\"Restart\"", "Restart"));
    assert!(bad("keywords", "keyword").contains("keyword"));
    assert!(bad("\"Restart\"", "\" \"").contains("title is empty"));
    assert!(bad("compute", "toaster").contains("product toaster"));
    assert!(bad("keywords", "problem_kind = \"odd\"\nkeywords").contains("problem kind odd"));
    assert!(bad("language = \"en\"", "language = \"fr\"").contains("call it ID.fr.md"));
    assert!(refused("restart.md", GOOD).contains("call it ID.en.md"));
    let unknown = GOOD.replace("\"en\"", "\"xx\"");
    assert!(refused("restart.xx.md", &unknown).contains("language \"xx\""));
}

#[test]
fn articles_are_read_from_the_folder_beside_the_catalogue() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalogue = load_catalogue(None).unwrap();
    let file = directory.path().join("catalogue.toml");
    assert!(load(&catalogue, Some(&file)).unwrap().is_empty(), "none is named");
    catalogue.articles = Some("help".to_owned());
    let missing = load(&catalogue, Some(&file)).unwrap_err().to_string();
    assert!(missing.contains("cannot be read") && missing.contains("help"), "{missing}");
    std::fs::create_dir(directory.path().join("help")).unwrap();
    std::fs::write(directory.path().join("help/restart.en.md"), GOOD).unwrap();
    std::fs::write(directory.path().join("help/notes.txt"), "not an article").unwrap();
    let ids: Vec<_> = load(&catalogue, Some(&file)).unwrap().into_iter().map(|article| article.id).collect();
    assert_eq!(ids, ["restart"]);
    std::fs::write(directory.path().join("help/bad.en.md"), [0xff, 0xfe]).unwrap();
    assert!(load(&catalogue, Some(&file)).unwrap_err().to_string().contains("bad.en.md"));
}

/// R-HELP-1: what somebody says, in which language, entitled to what, and the three articles that come first.
const EXPECTED: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "en",
        "My virtual machine hangs and I cannot reach it",
        BOTH,
        &["compute-restart", "compute-slow", "compute-disk-full"],
    ),
    ("en", "Performance is bad: every request has a high latency", BOTH, &["compute-slow", "plans-channels"]),
    ("en", "I get: no space left on device", BOTH, &["compute-disk-full"]),
    ("en", "403 Forbidden when reading from our bucket", BOTH, &["storage-denied"]),
    ("en", "Uploading a big file fails with a timeout", BOTH, &["storage-upload"]),
    ("en", "I forgot my password", BOTH, &["account-sign-in"]),
    ("en", "Which charge is this on my bill?", BOTH, &["billing-invoice", "plans-channels"]),
    (
        "fr",
        "La machine virtuelle est bloquée, elle ne répond plus",
        BOTH,
        &["compute-restart", "account-sign-in", "compute-slow"],
    ),
    ("fr", "Lenteurs depuis ce matin, le processeur est à cent pour cent", BOTH, &["compute-slow"]),
    ("fr", "Plus d'espace sur le disque", BOTH, &["compute-disk-full", "compute-slow"]),
    ("fr", "On me refuse l'accès au compartiment (403)", BOTH, &["storage-denied"]),
    ("fr", "L'envoi d'un gros fichier est interrompu", BOTH, &["storage-upload"]),
    ("fr", "J'ai oublié mon mot de passe", BOTH, &["account-sign-in"]),
    (
        "ja",
        "仮想マシンが固まって応答しません",
        BOTH,
        &["compute-restart", "compute-slow", "compute-disk-full"],
    ),
    ("ja", "サーバーがとても重くて遅いです", BOTH, &["compute-slow", "storage-denied", "compute-disk-full"]),
    ("ja", "ディスクの空き容量がありません", BOTH, &["compute-disk-full"]),
    ("ja", "バケットにアクセスする権限がないと言われる", BOTH, &["storage-denied", "compute-restart"]),
    ("ja", "大きいファイルをアップロードすると途中で切れます", BOTH, &["storage-upload"]),
    ("ja", "パスワードを忘れました", BOTH, &["account-sign-in", "storage-upload"]),
    ("de", "machine hangs", BOTH, &["compute-restart", "compute-slow", "compute-disk-full"]),
    ("ja", "Which phone support does silver bring?", BOTH, &["plans-channels"]),
];
const BOTH: &[&str] = &["compute", "storage"];

async fn best_three(articles: &HelpArticles, language: &str, text: &str, products: &[&str]) -> Vec<String> {
    let entitled: BTreeSet<_> = products.iter().map(|id| ProductId::new(id).unwrap()).collect();
    let passes = |article: &HelpArticle| article.may_be_suggested(&entitled);
    let found = articles.search(text, language, passes, 3).await.unwrap();
    found.iter().map(|article| article.id.clone()).collect()
}

async fn sample_articles() -> HelpArticles {
    HelpArticles::index(load(&load_catalogue(None).unwrap(), None).unwrap()).await.unwrap()
}

#[tokio::test]
async fn r_help_1_the_sample_articles_answer_with_the_expected_top_three() {
    let articles = sample_articles().await;
    let mut wrong = Vec::new();
    for (language, text, products, expected) in EXPECTED {
        let found = best_three(&articles, language, text, products).await;
        if found != *expected {
            wrong.push(format!("{language} {text}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn r_help_1_articles_of_products_that_one_is_not_entitled_to_are_never_suggested() {
    let articles = sample_articles().await;
    let sync = "Directory synchronization stops: token expired, 401";
    assert!(!best_three(&articles, "en", sync, BOTH).await.contains(&"identity-sync".to_owned()));
    assert_eq!(best_three(&articles, "en", sync, &["identity"]).await[0], "identity-sync");
    let hangs = "My virtual machine hangs, and there is a 403 on the bucket";
    assert!(
        best_three(&articles, "en", hangs, &["storage"]).await.iter().all(|id| !id.starts_with("compute"))
    );
    let nothing = best_three(&articles, "en", hangs, &[]).await;
    assert!(
        nothing.iter().all(|id| ["account", "billing", "plans"].iter().any(|public| id.starts_with(public)))
    );
}
