//! Published known issues, as the help assistant suggests them beside articles (R-HELP-1).

use std::collections::BTreeSet;

use dossier_domain::ProductId;
use dossier_domain::known_issue::KnownIssueStatus;
use dossier_projections::QueryError;
use dossier_projections::known_issues::{KnownIssueQueries, ShownIssueRow};

/// Most issues that are looked through.
const MOST_ISSUES: u32 = 50;

/// A published known issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedIssue {
    /// Its id.
    pub id: String,
    /// Its summary, in English (R-KI-7).
    pub summary: String,
    /// What else is known: the updates, one a line.
    pub details: String,
}

/// Those that are published and not resolved for any of some products, the newest first.
///
/// # Errors
/// [`QueryError`].
pub async fn of_products(
    issues: &KnownIssueQueries,
    products: &BTreeSet<ProductId>,
) -> Result<Vec<PublishedIssue>, QueryError> {
    let page = issues.published(products, true, None, MOST_ISSUES).await?;
    told(issues, page.issues).await
}

/// The one of an id, if it is published, not resolved, and of any of some products.
///
/// # Errors
/// [`QueryError`].
pub async fn of_id(
    issues: &KnownIssueQueries,
    id: &str,
    products: &BTreeSet<ProductId>,
) -> Result<Option<PublishedIssue>, QueryError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let row = issues.get(id).await?.filter(|row| {
        row.issue.status == KnownIssueStatus::Published.as_str()
            && products.iter().any(|product| product.as_str() == row.issue.product)
    });
    Ok(told(issues, row.into_iter().collect()).await?.pop())
}

async fn told(
    issues: &KnownIssueQueries,
    rows: Vec<ShownIssueRow>,
) -> Result<Vec<PublishedIssue>, QueryError> {
    let updates = issues.updates(&rows).await?;
    let told = rows.into_iter().map(|row| {
        let own = updates.iter().filter(|update| update.issue == row.issue.issue);
        let texts: Vec<&str> = own.filter_map(|update| update.text.as_deref()).collect();
        PublishedIssue {
            details: texts.join("\n"),
            summary: row.issue.summary.unwrap_or_default(),
            id: row.issue.issue,
        }
    });
    Ok(told.collect())
}
