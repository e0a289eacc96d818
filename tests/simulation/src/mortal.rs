//! A read model whose process dies, or whose database fails, inside the transaction: after its rows are written and before
//! they are committed.

use std::sync::Arc;

use async_trait::async_trait;
use dossier_projections::{Generation, ProjectedEvent, ProjectionError, ReadModel, Table, WriteTransaction};

use crate::part::Part;

/// The real model, in a process that may die.
pub struct Mortal {
    /// The model.
    pub model: Box<dyn ReadModel>,
    /// The process.
    pub part: Arc<Part>,
}

#[async_trait]
impl ReadModel for Mortal {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn schema_version(&self) -> i64 {
        self.model.schema_version()
    }

    fn categories(&self) -> &'static [&'static str] {
        self.model.categories()
    }

    fn tables(&self) -> &'static [Table] {
        self.model.tables()
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        self.model.project(transaction, generation, events).await?;
        if self.part.chance(3) {
            self.part.says("dies in its transaction");
            self.part.dies().await;
        }
        if self.part.chance(3) {
            self.part.says("its database fails");
            self.part.errs();
            return Err(ProjectionError::Unavailable("simulated".to_owned()));
        }
        Ok(())
    }
}
