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
async fn filled(location: &ReadLocation) -> ReadDatabase {
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
    list_query(engine, &scope, Some(&organization), &condition, before, 50)
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

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_follows_the_list_for_a_common_word_and_the_index_of_words_for_a_rare_one() {
    use dossier_eventlog::contract::servers::Postgres;

    let url = Postgres::shared().fresh_database();
    let location = ReadLocation::Postgres(crate::location::PostgresOptions::new(&url));
    let database = filled(&location).await;
    answers(&database).await;
    for (of, text, by) in [
        // By the organization's list or, as half of all cases are acme's, by everybody's.
        ("acme", "common", "Index Scan Backward using cases_g1_i"),
        ("acme", "rare", "Bitmap Index Scan on case_words_g1"),
        // By its list, or by the word and then by the place in the list.
        ("o7", "w7", "using cases_g1_i"),
    ] {
        for before in [None, Some(60_000)] {
            let query = query(Engine::Postgres, of, text, before).explained(Engine::Postgres);
            let plan: Vec<(String,)> = database.fetch_all(&query).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(line,)| line).collect();
            let plan = plan.join("\n");
            assert!(plan.contains(by) && !plan.contains("Seq Scan"), "{text} of {of}:\n{plan}");
        }
    }
}
