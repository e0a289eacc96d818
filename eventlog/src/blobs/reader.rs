//! Reading: the seal first, then only the chunks that the range touches, one at a time.

use std::ops::Range;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt};

use super::seal::{CHUNK_BYTES, Layout, SEAL_BYTES, SEALED_CHUNK_BYTES, Seal};
use super::{BlobError, CASES, Inner, path_of, unavailable};
use crate::sealing::{SealedStream, TAG_BYTES};

/// The content of a blob or a part of it, in pieces of at most 64 KiB.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, BlobError>> + Send>>;

/// How often a blob is looked at again when an equal upload replaced it between two looks.
const LOOKS: u32 = 5;

/// What the log says of a blob.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) case: &'a str,
    pub(super) key: &'a str,
    pub(super) subject: &'a str,
    pub(super) size_bytes: u64,
}

pub(super) async fn read(
    inner: &Inner,
    wanted: Wanted<'_>,
    range: Range<u64>,
) -> Result<BlobStream, BlobError> {
    // An erased subject is told apart from a missing blob, whichever went first.
    inner.sealer.check_key(wanted.subject).await?;
    let path = path_of(wanted.key).ok_or(BlobError::NotFound)?;
    if !path.prefix_matches(&Path::from_iter([CASES, wanted.case])) {
        return Err(BlobError::NotFound);
    }
    let layout = Layout::new(wanted.size_bytes).ok_or_else(|| wrong_size(&"too large to be one"))?;
    let range = range.start..range.end.min(wanted.size_bytes);
    for _ in 0..LOOKS {
        let (sealed, version) = open_seal(inner, &path, wanted, layout).await?;
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let (numbers, stored) = layout.chunks_of(&range);
        let options =
            GetOptions { if_match: version, range: Some(GetRange::Bounded(stored)), ..GetOptions::default() };
        let found = match inner.place.store.get_opts(&path, options).await {
            Ok(found) => found,
            Err(object_store::Error::Precondition { .. }) => continue,
            Err(error) => return Err(missing_or_unavailable(&error)),
        };
        let mut chunks = Chunks::new(found, sealed, layout, numbers, range);
        let Some(first) = chunks.next().await? else { return Ok(stream::empty().boxed()) };
        let rest = stream::try_unfold(chunks, async |mut chunks| {
            Ok(chunks.next().await?.map(|content| (content, chunks)))
        });
        return Ok(stream::once(async { Ok(first) }).chain(rest).boxed());
    }
    Err(BlobError::Unavailable("the blob is being replaced all the time".to_owned()))
}

/// Reads and checks the seal; answers what opens the chunks and the version of the object that it belongs to.
async fn open_seal(
    inner: &Inner,
    path: &Path,
    wanted: Wanted<'_>,
    layout: Layout,
) -> Result<(SealedStream, Option<String>), BlobError> {
    let store = &inner.place.store;
    let options = GetOptions { range: Some(GetRange::Suffix(SEAL_BYTES as u64)), ..GetOptions::default() };
    let found = match store.get_opts(path, options).await {
        Ok(found) => found,
        Err(error @ object_store::Error::NotFound { .. }) => return Err(missing_or_unavailable(&error)),
        // Some stores have no last bytes of an object without any: its size tells whether that is why.
        Err(error) => {
            return Err(match store.head(path).await {
                Ok(meta) if meta.size < SEAL_BYTES as u64 => wrong_size(&meta.size),
                _ => unavailable(&error),
            });
        }
    };
    if found.meta.size != layout.stored_bytes() {
        return Err(wrong_size(&found.meta.size));
    }
    let version = found.meta.e_tag.clone();
    let stored = found.bytes().await.map_err(|error| missing_or_unavailable(&error))?;
    let seal = Seal::decode(&stored)?;
    let sealed = inner.sealer.open_stream(wanted.subject, wanted.case, seal.prefix).await?;
    seal.check(&sealed, wanted.key, wanted.size_bytes)?;
    Ok((sealed, version))
}

/// The chunks of a range, opened one by one.
struct Chunks {
    stored: Pin<Box<dyn Stream<Item = object_store::Result<Bytes>> + Send>>,
    /// Received and not opened yet: less than one chunk and one piece of the storage's.
    received: BytesMut,
    sealed: SealedStream,
    layout: Layout,
    /// The chunks still to come, by number.
    numbers: Range<u64>,
    range: Range<u64>,
}

impl Chunks {
    fn new(
        found: GetResult,
        sealed: SealedStream,
        layout: Layout,
        numbers: Range<u64>,
        range: Range<u64>,
    ) -> Self {
        Self { stored: found.into_stream(), received: BytesMut::new(), sealed, layout, numbers, range }
    }

    /// The content that the next chunk has in the range; `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let Some(number) = self.numbers.next() else { return Ok(None) };
        let last = number == self.layout.last();
        let begins = number * CHUNK_BYTES as u64;
        let length = if last {
            self.layout.seal_at() - number * SEALED_CHUNK_BYTES as u64
        } else {
            SEALED_CHUNK_BYTES as u64
        };
        let cut = || BlobError::Damaged(format!("chunk {number} is cut"));
        let length = usize::try_from(length).map_err(|_| cut())?;
        while self.received.len() < length {
            let piece = self.stored.try_next().await.map_err(|error| missing_or_unavailable(&error))?;
            // A file that was cut while it is read gives empty pieces without end.
            let piece = piece.filter(|piece| !piece.is_empty()).ok_or_else(cut)?;
            self.received.extend_from_slice(&piece);
        }
        let mut chunk = self.received.split_to(length).to_vec();
        let position = u32::try_from(number).map_err(|_| cut())?;
        self.sealed
            .open(position, last, &mut chunk)
            .map_err(|_| BlobError::Damaged(format!("chunk {number} does not open")))?;
        debug_assert_eq!(chunk.len() + TAG_BYTES, length);
        let from = within_chunk(self.range.start, begins);
        let to = within_chunk(self.range.end, begins).min(chunk.len());
        Ok(Some(Bytes::from(chunk).slice(from..to)))
    }
}

/// A position of the content as a position in the chunk that begins at `begins`.
fn within_chunk(position: u64, begins: u64) -> usize {
    usize::try_from(position.saturating_sub(begins)).unwrap_or(usize::MAX)
}

fn missing_or_unavailable(error: &object_store::Error) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::NotFound,
        error => unavailable(error),
    }
}

fn wrong_size(found: &dyn std::fmt::Display) -> BlobError {
    BlobError::Damaged(format!("its stored size, {found}, does not fit the size of its content"))
}
