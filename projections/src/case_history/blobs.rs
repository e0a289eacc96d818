//! Which content is in use, for sweeping what is not.

use std::sync::Arc;

use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::sql::Sql;

/// Tells which blobs are content of an attachment, of a case or of a note. It shows nothing of any of them.
#[derive(Clone)]
pub struct BlobReferences {
    database: Arc<ReadDatabase>,
}

impl BlobReferences {
    /// References in a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// Whether any attachment has its content in this blob, whoever may see it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn refers_to(&self, blob: &str) -> Result<bool, QueryError> {
        let mut query = Sql::new("SELECT 1 FROM ");
        query.push_live("case_attachments").push(" WHERE blob = ").push_bind(blob);
        query.push(" UNION ALL SELECT 1 FROM ");
        query.push_live("case_note_attachments").push(" WHERE blob = ").push_bind(blob);
        query.push(" LIMIT 1");
        let found: Option<(i32,)> = self.database.fetch_optional(&query).await?;
        Ok(found.is_some())
    }
}
