//! How SQLite finds what is listed: by an index, in the index's order.

use std::path::Path;

use dossier_domain::ProductId;
use uuid::Uuid;

use super::*;
use crate::cases::Cases;
use crate::location::ReadLocation;

async fn plan_of(directory: &Path, scope: &VisibilityScope, condition: &CaseCondition) -> String {
    let database = ReadDatabase::open(&ReadLocation::sqlite(directory.join("read.db"))).await.unwrap();
    database.open_model(&Cases, Uuid::nil()).await.unwrap();
    let acme = OrganizationId::new("acme").unwrap();
    let mut plans = Vec::new();
    for before in [None, Some(7)] {
        let query = list_query(scope, Some(&acme), condition, before, 50).explained();
        let plan: Vec<(i64, i64, i64, String)> = database.fetch_all(&query).await.unwrap();
        plans.extend(plan.into_iter().map(|(.., detail)| detail));
    }
    plans.join("; ")
}

#[tokio::test]
async fn lists_by_organization_status_priority_and_filer_follow_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let acme = OrganizationId::new("acme").unwrap();
    let product = |name| ProductId::new(name).unwrap();
    let scopes = [
        VisibilityScope::Organization { organization: acme.clone(), products: None },
        VisibilityScope::Organization {
            organization: acme,
            products: Some([product("compute"), product("storage")].into()),
        },
    ];
    let conditions = [
        (CaseCondition::anything(), "organization=?"),
        (CaseCondition::Open, "organization=?"),
        (CaseCondition::Status(Status::New), "organization=? AND status=?"),
        (CaseCondition::Priority(Priority::P1), "organization=? AND priority=?"),
        (CaseCondition::FilerEmail("a@b.example".to_owned()), "organization=? AND filer_email=?"),
        (
            CaseCondition::Or(vec![
                CaseCondition::Status(Status::New),
                CaseCondition::Priority(Priority::P1),
            ]),
            "organization=?",
        ),
    ];
    for scope in &scopes {
        for (condition, by) in &conditions {
            let plan = plan_of(directory.path(), scope, condition).await;
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{condition:?}: {plan}");
            assert!(plan.contains("SEARCH") && plan.contains("USING INDEX"), "{condition:?}: {plan}");
            assert!(plan.contains(&format!("({by})")), "{condition:?}: {plan}");
            assert!(plan.contains(&format!("({by} AND sequence<?)")), "{condition:?}: {plan}");
        }
    }
}
