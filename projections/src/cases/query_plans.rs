//! How SQLite finds what is listed: by an index, in the index's order.

use std::path::Path;

use dossier_domain::case::Status;
use dossier_domain::catalogue::Priority;
use dossier_domain::{ProductId, ProviderId};
use uuid::Uuid;

use super::*;
use crate::cases::Cases;
use crate::location::ReadLocation;
use crate::reseller_visibility::ResellerVisibility;

async fn plan_of(
    directory: &Path,
    scope: &VisibilityScope,
    organization: Option<&str>,
    condition: &CaseCondition,
) -> String {
    let database = ReadDatabase::open(&ReadLocation::sqlite(directory.join("read.db"))).await.unwrap();
    database.open_model(&Cases, Uuid::nil()).await.unwrap();
    database.open_model(&ResellerVisibility, Uuid::nil()).await.unwrap();
    let organization = organization.map(|name| OrganizationId::new(name).unwrap());
    let mut plans = Vec::new();
    for before in [None, Some(7)] {
        let question = Question { scope, organization: organization.as_ref(), condition };
        let query = list_query(Engine::Sqlite, question, Place::Newest(before), 50);
        let query = query.explained(Engine::Sqlite);
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
            let plan = plan_of(directory.path(), scope, Some("acme"), condition).await;
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{condition:?}: {plan}");
            assert!(plan.contains("SEARCH") && plan.contains("USING INDEX"), "{condition:?}: {plan}");
            assert!(plan.contains(&format!("({by})")), "{condition:?}: {plan}");
            assert!(plan.contains(&format!("({by} AND sequence<?)")), "{condition:?}: {plan}");
        }
    }
}

/// R-RES-3: from the newest of a reseller's cases on, each asked whether its customer lets the reseller in.
#[tokio::test]
async fn a_resellers_list_follows_the_index_of_its_cases_and_looks_each_customer_up() {
    let directory = tempfile::tempdir().unwrap();
    let name = |name: &str| OrganizationId::new(name).unwrap();
    let products = [ProductId::new("compute").unwrap(), ProductId::new("storage").unwrap()];
    let scope = |customer: Option<&str>| VisibilityScope::Reseller {
        reseller: name("nimbus"),
        customer: customer.map(name),
        products: products.clone().into(),
    };
    for (scope, organization, by) in [
        (scope(None), None, "manager=?"),
        (scope(Some("acme")), None, "organization=?"),
        (scope(None), Some("acme"), "organization=?"),
        (scope(Some("acme")), Some("acme"), "organization=?"),
    ] {
        for condition in [CaseCondition::anything(), CaseCondition::Open] {
            let plan = plan_of(directory.path(), &scope, organization, &condition).await;
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{scope:?}: {plan}");
            assert!(plan.contains(&format!("({by})")), "{scope:?} {organization:?}: {plan}");
            assert!(plan.contains(&format!("({by} AND sequence<?)")), "{scope:?} {organization:?}: {plan}");
            let looked_up =
                "COVERING INDEX reseller_visibility_g1_i0 (reseller=? AND until_sequence=? AND customer=?)";
            assert!(plan.contains(looked_up), "{scope:?}: {plan}");
        }
    }
}

/// R-ROUTE-1: newest first from an index, whoever has the cases; none is sorted.
#[tokio::test]
async fn supports_lists_are_read_in_the_order_that_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let acme = OrganizationId::new("acme").unwrap();
    let of_provider = |name: Option<&str>, organization: Option<&OrganizationId>| VisibilityScope::Provider {
        provider: name.map(|name| ProviderId::new(name).unwrap()),
        organization: organization.cloned(),
    };
    for of in [None, Some(&acme)] {
        for scope in
            [of_provider(Some("north"), of), of_provider(None, of), VisibilityScope::AllOrganizations]
        {
            let asked = of.map(OrganizationId::as_str);
            for condition in [CaseCondition::anything(), CaseCondition::Open] {
                let plan = plan_of(directory.path(), &scope, asked, &condition).await;
                assert!(!plan.contains("TEMP B-TREE"), "{scope:?} {condition:?}: {plan}");
            }
        }
    }
}
