//! Rows kept in memory for as long as their stream has not moved: what is read most is one case.

use std::sync::Arc;

use dossier_domain::{CaseFacts, CaseId, OrganizationId, ProductId, ProviderId, VisibilityScope};
use dossier_eventlog::{EventStore, StreamName};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::query::CaseQueries;
use super::row::CaseRow;
use crate::error::QueryError;

/// Memory for rows, in bytes, roughly.
const CAPACITY_BYTES: u64 = 32 * 1024 * 1024;
/// Rows expected in it.
const EXPECTED_ROWS: usize = 16 * 1024;

/// Gets cases, from memory where that is as new as the log.
///
/// A row knows its stream's revision, and the log knows the stream's head: equal means that the row shows everything that
/// was acknowledged before the question, on whichever node. Anything else is asked of the database.
pub struct CurrentCases {
    queries: CaseQueries,
    store: Arc<dyn EventStore>,
    rows: Cache<CaseId, Arc<CaseRow>, RowBytes>,
}

#[derive(Clone)]
struct RowBytes;

impl Weighter<CaseId, Arc<CaseRow>> for RowBytes {
    fn weight(&self, _: &CaseId, row: &Arc<CaseRow>) -> u64 {
        let long = [&row.title, &row.description, &row.problem]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>();
        (size_of::<CaseRow>() + 256 + long + row.subscribers.len()) as u64
    }
}

impl CurrentCases {
    /// Rows in front of queries.
    pub fn new(queries: CaseQueries, store: Arc<dyn EventStore>) -> Self {
        Self { queries, store, rows: Cache::with_weighter(EXPECTED_ROWS, CAPACITY_BYTES, RowBytes) }
    }

    /// A case of an organization, if the scope shows it. What a reseller sees is never answered from memory, which does not
    /// know whether it is still let in.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
    ) -> Result<Option<Arc<CaseRow>>, QueryError> {
        if matches!(scope, VisibilityScope::Reseller { .. }) {
            return Ok(self.queries.get(scope, organization, case).await?.map(Arc::new));
        }
        if let Some(row) = self.current(case).await {
            let visible = row.organization == organization.as_str() && is_admitted(scope, organization, &row);
            return Ok(visible.then_some(row));
        }
        let row = self.queries.get(scope, organization, case).await?.map(Arc::new);
        if let Some(row) = &row {
            self.rows.insert(case, row.clone());
        }
        Ok(row)
    }

    /// The row in memory, if its stream has not moved since.
    async fn current(&self, case: CaseId) -> Option<Arc<CaseRow>> {
        let row = self.rows.get(&case)?;
        let stream = StreamName::new(&format!("case-{case}")).ok()?;
        // A log that cannot answer now is no reason not to ask the database.
        let head = self.store.stream_head(&stream).await.ok()??;
        (u64::try_from(row.revision) == Ok(head.0)).then_some(row)
    }
}

/// Whether the scope shows a row. Who sees by somebody's leave is not judged by it.
fn is_admitted(scope: &VisibilityScope, organization: &OrganizationId, row: &CaseRow) -> bool {
    let Ok(product) = ProductId::new(&row.product) else { return false };
    let provider = row.provider.as_deref().map(ProviderId::new).transpose();
    provider.is_ok_and(|provider| {
        scope.admits(&CaseFacts {
            organization,
            product: &product,
            manager_at_filing: None,
            allowed_reseller: None,
            provider: provider.as_ref(),
        })
    })
}
