//! How the engines find support's queues among many cases: each from an index that has its cases alone, in the order that is
//! shown. What an agent sees lies in two places, with their provider and with none; both are read in order and merged.

use dossier_domain::{ProviderId, VisibilityScope};
use jiff::Timestamp;

use super::text_plans::filled;
use super::*;
use crate::cases::condition::{Compared, Moment};
use crate::cases::queues::count_query;
use crate::location::ReadLocation;

/// A queue's condition, whether it begins with what is due first, and columns of the index that it is read from.
fn queues() -> [(&'static str, CaseCondition, bool, &'static str); 5] {
    let all = CaseCondition::And;
    let assignee = |who: Option<&str>| CaseCondition::Assignee(who.map(str::to_owned));
    let soon = Timestamp::from_second(20_000).unwrap();
    [
        ("everything", CaseCondition::anything(), false, "provider=?"),
        ("open", CaseCondition::Open, false, "provider=?"),
        ("mine", all(vec![assignee(Some("a1")), CaseCondition::Open]), false, "assignee=? AND provider=?"),
        ("unassigned", all(vec![assignee(None), CaseCondition::Open]), false, "provider=?"),
        ("due", CaseCondition::At(Moment::ResponseDue, Compared::Before, soon), true, "provider=? AND "),
    ]
}

fn agent(name: &str) -> VisibilityScope {
    VisibilityScope::Provider { provider: ProviderId::new(name).ok(), organization: None }
}

fn places(is_due: bool) -> [Place; 2] {
    if is_due {
        [Place::SoonestDue(None), Place::SoonestDue(Some((15_000_000_000, 15_000)))]
    } else {
        [Place::Newest(None), Place::Newest(Some(60_000))]
    }
}

async fn plan(database: &ReadDatabase, query: Sql) -> String {
    let query = query.explained(database.engine());
    match database.engine() {
        Engine::Sqlite => {
            let plan: Vec<(i64, i64, i64, String)> = database.fetch_all(&query).await.unwrap();
            plan.into_iter().map(|(.., detail)| detail).collect::<Vec<_>>().join("; ")
        }
        Engine::Postgres => {
            let plan: Vec<(String,)> = database.fetch_all(&query).await.unwrap();
            plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Both engines give the same pages, in order and without a case of another provider.
async fn answers(database: &ReadDatabase) {
    let scope = agent("north");
    for (name, condition, is_due, _) in queues() {
        let question = Question { scope: &scope, organization: None, condition: &condition };
        for place in places(is_due) {
            let query = list_query(database.engine(), question, place, 20);
            let rows: Vec<CaseRow> = database.fetch_all(&query).await.unwrap();
            assert_eq!(rows.len(), 21, "{name} {place:?}");
            let in_order = |pair: &[CaseRow]| match place {
                Place::Newest(_) => pair[0].sequence > pair[1].sequence,
                Place::SoonestDue(_) => pair[0].response_due_micros < pair[1].response_due_micros,
            };
            assert!(rows.windows(2).all(in_order), "{name} {place:?}");
            assert!(rows.iter().all(|row| row.provider.as_deref() != Some("south")), "{name}");
            assert!(rows.iter().any(|row| row.provider.is_none()), "{name}: those of no provider too");
        }
    }
}

#[tokio::test]
async fn sqlite_reads_every_queue_from_its_index_and_sorts_none() {
    let directory = tempfile::tempdir().unwrap();
    let database = filled(&ReadLocation::sqlite(directory.path().join("read.db"))).await;
    answers(&database).await;
    for (name, condition, is_due, by) in queues() {
        for (scope, parts) in [(agent("north"), 2), (agent("-"), 1)] {
            let question = Question { scope: &scope, organization: None, condition: &condition };
            for place in places(is_due) {
                let plan = plan(&database, list_query(Engine::Sqlite, question, place, 50)).await;
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{name}: {plan}");
                assert_eq!(plan.matches(&format!("({by}")).count(), parts, "{name}: {plan}");
            }
            let plan = plan(&database, count_query(question, Engine::Sqlite)).await;
            assert!(!plan.contains("SCAN cases"), "{name}: {plan}");
        }
        let everywhere = VisibilityScope::AllOrganizations;
        let question = Question { scope: &everywhere, organization: None, condition: &condition };
        let plan = plan(&database, list_query(Engine::Sqlite, question, places(is_due)[0], 50)).await;
        // One person has few cases, which may be sorted.
        assert!(!plan.contains("TEMP B-TREE") || name == "mine", "{name}: {plan}");
        assert!(plan.contains("USING INDEX"), "{name}: {plan}");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_reads_every_queue_from_its_index_and_sorts_none() {
    use dossier_eventlog::contract::servers::Postgres;

    let url = Postgres::shared().fresh_database();
    let location = ReadLocation::Postgres(crate::location::PostgresOptions::new(&url));
    let database = filled(&location).await;
    answers(&database).await;
    for (name, condition, is_due, _) in queues() {
        for (scope, parts) in [(agent("north"), 2), (agent("-"), 1)] {
            let question = Question { scope: &scope, organization: None, condition: &condition };
            for place in places(is_due) {
                let plan = plan(&database, list_query(Engine::Postgres, question, place, 20)).await;
                // Two short parts are merged; one person's few cases may be sorted.
                let sorts = plan.lines().filter(|line| line.contains("Sort  (")).count();
                assert!(sorts < parts || name == "mine", "{name}:\n{plan}");
                assert!(plan.contains("Index Scan") && !plan.contains("Seq Scan"), "{name}:\n{plan}");
                assert!(!plan.contains("Bitmap") || name == "mine", "{name}:\n{plan}");
            }
        }
    }
}
