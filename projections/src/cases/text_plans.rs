//! How the engines find what is searched for among many cases: never by reading them all, and of a common word's matches
//! no more than a page shows.

use std::path::Path;

use uuid::Uuid;

use super::*;
use crate::cases::Cases;
use crate::location::ReadLocation;
use crate::model::ReadModel;
use crate::reseller_visibility::ResellerVisibility;

const CASES: u32 = 120_000;

/// Half of the cases are acme's; every fifth text has a word that is common, three have one that is rare.
pub(super) async fn filled(location: &ReadLocation) -> ReadDatabase {
    let database = ReadDatabase::open(location).await.unwrap();
    database.open_model(&Cases, Uuid::nil()).await.unwrap();
    database.open_model(&ResellerVisibility, Uuid::nil()).await.unwrap();
    let organization = "CASE WHEN i % 2 = 0 THEN 'acme' ELSE 'o' || CAST(i % 1000 AS TEXT) END";
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CASES})");
    let values = Cases.tables()[0].columns.iter().map(|column| match column.name {
        "case_id" => "CAST(i AS TEXT)",
        "sequence" => "i",
        "organization" => organization,
        "product" => "'compute'",
        "status" => "CASE WHEN i % 10 = 0 THEN 'NEW' ELSE 'CLOSED' END",
        "priority" => "i % 5",
        // Every tenth case is open; half of those nobody has, the others an agent of fifty.
        "provider" => "CASE i % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'south' ELSE '' END",
        "assignee" => "CASE WHEN i % 20 = 0 THEN 'a' || CAST(i / 20 % 50 AS TEXT) END",
        "response_due_micros" => "CASE WHEN i % 10 = 0 THEN CAST(i AS BIGINT) * 1000000 END",
        "escalated" | "test_case" | "default_queue" | "response_missed" => "FALSE",
        "first_response_on_time" => "NULL",
        name if name.ends_with("micros") || name.ends_with("revision") => "0",
        _ => "'x'",
    });
    let values: Vec<&str> = values.collect();
    let mut writer = database.writer().await.unwrap();
    let mut transaction = writer.begin().await.unwrap();
    for statement in [
        format!("INSERT INTO cases_g1 {numbers} SELECT {} FROM n", values.join(", ")),
        format!(
            "INSERT INTO case_texts_g1 {numbers} SELECT i, 1, ' w' || CAST(i % 1000 AS TEXT)
             || CASE WHEN i % 5 = 0 THEN ' common' ELSE '' END
             || CASE WHEN i % 40000 = 0 THEN ' rare' ELSE '' END || ' :o:' || {organization} || ' ' FROM n"
        ),
        "ANALYZE".to_owned(),
    ] {
        // SQLite is never told: it has to do without.
        if statement != "ANALYZE" || database.engine() == Engine::Postgres {
            transaction.define(statement).await.unwrap();
        }
    }
    transaction.commit().await.unwrap();
    drop(writer);
    database
}

fn query(engine: Engine, of: &str, text: &str, before: Option<i64>) -> Sql {
    let organization = OrganizationId::new(of).unwrap();
    let scope = VisibilityScope::Organization { organization: organization.clone(), products: None };
    let condition = CaseCondition::And(vec![CaseCondition::Text(text.to_owned())]);
    let question = Question { scope: &scope, organization: Some(&organization), condition: &condition };
    list_query(engine, question, Place::Newest(before), 50)
}

async fn answers(database: &ReadDatabase) {
    for (of, text, count) in [
        ("acme", "common", 51),
        ("acme", "rare", 3),
        ("o7", "common", 0),
        ("o5", "common", 51),
        ("o7", "w7", 51),
    ] {
        let query = query(database.engine(), of, text, None);
        let rows: Vec<CaseRow> = database.fetch_all(&query).await.unwrap();
        assert_eq!(rows.len(), count, "{text} of {of}");
        assert!(rows.windows(2).all(|pair| pair[0].sequence > pair[1].sequence), "newest first");
    }
}

#[tokio::test]
async fn sqlite_reads_the_index_newest_first_and_looks_each_case_up() {
    let directory = tempfile::tempdir().unwrap();
    let path: &Path = directory.path();
    let database = filled(&ReadLocation::sqlite(path.join("read.db"))).await;
    answers(&database).await;
    for text in ["common", "rare", "w1 com"] {
        for before in [None, Some(60_000)] {
            let query = query(Engine::Sqlite, "acme", text, before).explained(Engine::Sqlite);
            let plan: Vec<(i64, i64, i64, String)> = database.fetch_all(&query).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(.., detail)| detail).collect();
            let plan = plan.join("; ");
            assert!(plan.starts_with("SCAN case_words_g1 VIRTUAL TABLE INDEX"), "{plan}");
            assert!(
                plan.contains("SEARCH cases_g1 USING INDEX cases_g1_i0 (organization=? AND sequence=?)"),
                "{plan}"
            );
            assert!(!plan.contains("ORDER BY"), "{plan}");
        }
    }
}

/// A word that one in a hundred of the newest cases has is met soon along the list; one that few have is looked up.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_follows_the_list_for_a_common_word_and_looks_the_cases_of_a_rare_one_up() {
    use dossier_eventlog::contract::servers::Postgres;

    let url = Postgres::shared().fresh_database();
    let location = ReadLocation::Postgres(crate::location::PostgresOptions::new(&url));
    let database = std::sync::Arc::new(filled(&location).await);
    answers(&database).await;
    let organization = OrganizationId::new("acme").unwrap();
    let scope = VisibilityScope::Organization { organization: organization.clone(), products: None };
    let anything = CaseCondition::anything();
    let question = Question { scope: &scope, organization: Some(&organization), condition: &anything };
    let marks = marks(&scope, Some(&organization));
    for (text, is_many) in [("common", true), ("rare", false), ("w7", false), ("comm", true)] {
        let phrase = Phrase::of(text).unwrap();
        let found: Vec<(i64,)> = database.fetch_all(&found_query(&phrase, &marks)).await.unwrap();
        assert_eq!(found.len() > 2_000, is_many, "{text}: {}", found.len());
        let texts = Texts::of(&phrase, &marks, &found);
        for before in [None, Some(60_000)] {
            let place = Place::Newest(before);
            let query = searched_query(Engine::Postgres, question, &texts, place, 50);
            let plan: Vec<(String,)> = database.fetch_all(&query.explained(Engine::Postgres)).await.unwrap();
            let plan = plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n");
            assert!(!plan.contains("Seq Scan") && plan.contains("Index"), "{text}:\n{plan}");
            if is_many {
                assert!(!plan.contains("Sort") && !plan.contains("Bitmap"), "{text}:\n{plan}");
                assert!(plan.contains("Index Scan Backward using cases_g1_i"), "{text}:\n{plan}");
                assert!(plan.contains("using case_texts_g1_pkey"), "each case is asked:\n{plan}");
            }
        }
    }
    // Both ways give the same pages.
    let queries = CaseQueries::new(database.clone());
    for text in ["common", "rare", "w7", "w10 common"] {
        let condition = CaseCondition::Text(text.to_owned());
        let own = Question { condition: &condition, ..question };
        let as_asked = list_query(Engine::Postgres, own, Place::Newest(Some(90_000)), 50);
        let mut wanted: Vec<CaseRow> = database.fetch_all(&as_asked).await.unwrap();
        let wanted_next = cut(&mut wanted, 50, |case| case.sequence);
        let page = queries.list(&scope, Some(&organization), &condition, Some(90_000), 50).await.unwrap();
        assert_eq!((page.cases, page.next_before), (wanted, wanted_next), "{text}");
    }
}
