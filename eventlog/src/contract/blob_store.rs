//! The blob store's contract: what was uploaded is read again, by whom it was meant for, and nothing else is ever seen.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join_all;
use jiff::Timestamp;

use crate::blobs::{BlobError, BlobStore, Stored, Swept};
use crate::sealing::Sealer;

/// Runs every check of the blob store's contract against what a factory makes: an `async fn() -> Fresh<Blobs>`.
#[macro_export]
macro_rules! blob_store_contract {
    ($factory:expr) => {
        $crate::contract_tests!(
            $factory,
            $crate::contract::blob_store,
            [
                content_of_any_size_is_read_again_whatever_pieces_it_came_in,
                any_range_is_read_by_itself,
                no_piece_is_larger_than_a_chunk,
                an_upload_over_its_limit_is_refused,
                an_upload_is_visible_when_it_is_finished_and_not_before,
                an_upload_that_was_given_up_leaves_nothing,
                the_same_upload_twice_is_one_blob,
                the_same_content_of_two_subjects_is_two_blobs,
                the_same_content_in_two_cases_shares_no_key,
                a_blob_opens_only_under_its_own_case_subject_key_and_size,
                an_erased_subject_reads_as_erased_and_uploads_no_more,
                a_subject_erased_during_its_upload_stores_nothing,
                a_missing_or_deleted_blob_is_not_found,
                many_equal_uploads_at_once_all_succeed_while_they_are_read,
                a_sweep_spares_what_is_young_or_known,
                a_sweep_that_cannot_ask_removes_nothing,
            ]
        );
    };
}

/// A blob store under test, and the sealer that it was opened with.
pub struct Blobs {
    /// The store.
    pub store: BlobStore,
    /// Its sealer.
    pub sealer: Arc<Sealer>,
}

/// Bytes of content in a chunk.
const CHUNK: usize = 64 * 1024;
const NO_LIMIT: u64 = u64::MAX;

/// Content that differs everywhere, so that a piece in the wrong place shows.
pub fn content(bytes: usize) -> Bytes {
    let mut content = Vec::with_capacity(bytes + 8);
    let mut state = bytes as u64;
    while content.len() < bytes {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        content.extend_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
    }
    content.truncate(bytes);
    content.into()
}

/// Uploads content in pieces of a size.
///
/// # Errors
/// Whatever the store answers.
pub async fn upload(
    store: &BlobStore,
    case: &str,
    subject: &str,
    content: &Bytes,
    piece_bytes: usize,
) -> Result<Stored, BlobError> {
    let mut writer = store.writer(case, subject, NO_LIMIT).await?;
    for piece in content.chunks(piece_bytes) {
        writer.write(content.slice_ref(piece)).await?;
    }
    writer.finish().await
}

/// Reads a range as one.
///
/// # Errors
/// Whatever the store answers.
pub async fn read(
    store: &BlobStore,
    case: &str,
    subject: &str,
    stored: &Stored,
    range: Range<u64>,
) -> Result<Vec<u8>, BlobError> {
    let pieces = store.read(case, &stored.key, subject, stored.size_bytes, range).await?;
    Ok(pieces.try_collect::<Vec<_>>().await?.concat())
}

async fn read_all(blobs: &Blobs, subject: &str, stored: &Stored) -> Result<Vec<u8>, BlobError> {
    read(&blobs.store, "case-1", subject, stored, 0..stored.size_bytes).await
}

async fn stored(blobs: &Blobs, content: &Bytes) -> Stored {
    upload(&blobs.store, "case-1", "account-1", content, 10_000).await.expect("stored")
}

async fn is_empty(blobs: &Blobs) -> bool {
    blobs.store.usage().await.expect("the store answers") == (0, 0)
}

/// Around the borders of chunks, in pieces smaller and larger than one.
pub async fn content_of_any_size_is_read_again_whatever_pieces_it_came_in(blobs: Arc<Blobs>) {
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 1024 * 1024] {
        let content = content(size);
        for piece in [977, 300_000] {
            let stored = upload(&blobs.store, "case-1", "account-1", &content, piece).await.expect("stored");
            assert_eq!(stored.size_bytes, size as u64);
            assert_eq!(stored.sha256, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&content)));
            let read = read_all(&blobs, "account-1", &stored).await.expect("read");
            assert!(read == content, "{size} bytes in pieces of {piece}");
        }
    }
}

/// Every pair of positions around the borders of chunks, beyond the end too.
pub async fn any_range_is_read_by_itself(blobs: Arc<Blobs>) {
    let content = content(2 * CHUNK + 100);
    let stored = stored(&blobs, &content).await;
    let positions =
        [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 99, 2 * CHUNK + 100, 2 * CHUNK + 101];
    for start in positions {
        for end in positions {
            let read = read(&blobs.store, "case-1", "account-1", &stored, start as u64..end as u64);
            let end_within = end.min(content.len());
            let wanted = content.get(start.min(end_within)..end_within).unwrap_or_default();
            assert!(read.await.expect("read") == wanted, "{start}..{end}");
        }
    }
}

/// Memory is bounded on the way out.
pub async fn no_piece_is_larger_than_a_chunk(blobs: Arc<Blobs>) {
    let stored = stored(&blobs, &content(20 * CHUNK + 1)).await;
    let pieces = blobs.store.read("case-1", &stored.key, "account-1", stored.size_bytes, 5..u64::MAX).await;
    let pieces = pieces.expect("read").try_collect::<Vec<_>>().await.expect("read");
    assert_eq!(pieces.len(), 21);
    assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= CHUNK));
}

/// To the byte; and nothing of it stays.
pub async fn an_upload_over_its_limit_is_refused(blobs: Arc<Blobs>) {
    let mut writer = blobs.store.writer("case-1", "account-1", 100_000).await.expect("begun");
    writer.write(content(99_999)).await.expect("within the limit");
    let too_large = BlobError::TooLarge { limit: 100_000 };
    assert_eq!(writer.write(content(2)).await, Err(too_large.clone()));
    assert_eq!(writer.write(content(1)).await, Err(too_large.clone()), "it is over");
    assert_eq!(writer.finish().await, Err(too_large));
    assert!(is_empty(&blobs).await);

    let mut writer = blobs.store.writer("case-1", "account-1", 100_000).await.expect("begun");
    writer.write(content(100_000)).await.expect("just within the limit");
    assert_eq!(writer.finish().await.expect("stored").size_bytes, 100_000);
}

/// Complete or not there.
pub async fn an_upload_is_visible_when_it_is_finished_and_not_before(blobs: Arc<Blobs>) {
    let content = content(7_000_000);
    let mut writer = blobs.store.writer("case-1", "account-1", NO_LIMIT).await.expect("begun");
    assert!(is_empty(&blobs).await);
    writer.write(content.clone()).await.expect("written");
    assert_eq!(writer.size_bytes(), 7_000_000);
    assert!(is_empty(&blobs).await);
    let stored = writer.finish().await.expect("stored");
    assert!(read_all(&blobs, "account-1", &stored).await.expect("read") == content);
    let (count, bytes) = blobs.store.usage().await.expect("the store answers");
    assert_eq!(count, 1);
    assert!((7_000_000..7_010_000).contains(&bytes), "{bytes} bytes are stored");
}

/// Nothing visible at all; temporaries at most until the next sweep.
pub async fn an_upload_that_was_given_up_leaves_nothing(blobs: Arc<Blobs>) {
    for size in [0, 10, 700_000] {
        let mut dropped = blobs.store.writer("case-1", "account-1", NO_LIMIT).await.expect("begun");
        dropped.write(content(size)).await.expect("written");
        drop(dropped);
        let mut aborted = blobs.store.writer("case-1", "account-1", NO_LIMIT).await.expect("begun");
        aborted.write(content(size)).await.expect("written");
        aborted.abort().await.expect("given up");
    }
    assert!(is_empty(&blobs).await);
}

/// A repeated request finds the same key, and neither upload is lost.
pub async fn the_same_upload_twice_is_one_blob(blobs: Arc<Blobs>) {
    let content = content(CHUNK + 3);
    let (first, second) = (stored(&blobs, &content).await, stored(&blobs, &content).await);
    assert_eq!(first, second);
    assert_eq!(blobs.store.usage().await.expect("the store answers").0, 1);
    assert!(read_all(&blobs, "account-1", &first).await.expect("read") == content);
}

/// Erasing one of them leaves the other's upload readable.
pub async fn the_same_content_of_two_subjects_is_two_blobs(blobs: Arc<Blobs>) {
    let content = content(1000);
    let one = upload(&blobs.store, "case-1", "account-1", &content, 1000).await.expect("stored");
    let two = upload(&blobs.store, "case-1", "account-2", &content, 1000).await.expect("stored");
    assert_ne!(one.key, two.key);
    blobs.sealer.erase("account-1").await.expect("erased");
    assert_eq!(read_all(&blobs, "account-1", &one).await, Err(BlobError::Erased));
    assert_eq!(read_all(&blobs, "account-2", &two).await.expect("read"), content);
}

/// Nobody learns from a path what others uploaded.
pub async fn the_same_content_in_two_cases_shares_no_key(blobs: Arc<Blobs>) {
    let content = content(1000);
    let one = upload(&blobs.store, "case-1", "account-1", &content, 1000).await.expect("stored");
    let two = upload(&blobs.store, "case-2", "account-1", &content, 1000).await.expect("stored");
    let name = |stored: &Stored| stored.key.rsplit('/').next().map(str::to_owned);
    assert_ne!(name(&one), name(&two));
    let digest = data_encoding::HEXLOWER.encode(&one.sha256);
    assert!(![&one, &two].iter().any(|stored| stored.key.contains(&digest)), "the digest stands in a path");
}

/// Whatever of it is wrong.
pub async fn a_blob_opens_only_under_its_own_case_subject_key_and_size(blobs: Arc<Blobs>) {
    let (small, large) = (content(1000), content(3 * CHUNK));
    let (one, two) = (stored(&blobs, &small).await, stored(&blobs, &large).await);
    blobs.sealer.prepare_seal(&["account-2".to_owned()]).await.expect("a key");
    for (case, subject, key, size_bytes) in [
        ("case-2", "account-1", &one.key, 1000),
        ("case", "account-1", &one.key, 1000),
        ("case-1", "account-2", &one.key, 1000),
        ("case-1", "account-1", &two.key, 1000),
        ("case-1", "account-1", &one.key, 999),
        ("case-1", "account-1", &one.key, 1001),
        ("case-1", "account-1", &one.key, u64::MAX),
        ("case-1", "account-1", &two.key, 0),
        ("case-1", "nobody", &one.key, 1000),
    ] {
        let read = blobs.store.read(case, key, subject, size_bytes, 0..10).await.map(drop);
        let wrong = matches!(read, Err(BlobError::Damaged(_) | BlobError::NotFound));
        assert!(wrong, "{case} {subject} {key} {size_bytes}: {read:?}");
    }
}

/// Here and after a restart.
pub async fn an_erased_subject_reads_as_erased_and_uploads_no_more(blobs: Arc<Blobs>) {
    let stored = stored(&blobs, &content(1000)).await;
    blobs.sealer.erase("account-1").await.expect("erased");
    assert_eq!(read_all(&blobs, "account-1", &stored).await, Err(BlobError::Erased));
    let writer = blobs.store.writer("case-1", "account-1", NO_LIMIT).await.map(drop);
    assert_eq!(writer, Err(BlobError::Erased));
    blobs.store.delete(&stored.key).await.expect("deleted");
    assert_eq!(
        read_all(&blobs, "account-1", &stored).await,
        Err(BlobError::Erased),
        "erased goes before missing"
    );
}

/// Its log will never mention it.
pub async fn a_subject_erased_during_its_upload_stores_nothing(blobs: Arc<Blobs>) {
    let mut writer = blobs.store.writer("case-1", "account-1", NO_LIMIT).await.expect("begun");
    writer.write(content(1000)).await.expect("written");
    blobs.sealer.erase("account-1").await.expect("erased");
    assert_eq!(writer.finish().await, Err(BlobError::Erased));
    assert!(is_empty(&blobs).await);
}

/// Never stored, deleted, or no key at all.
pub async fn a_missing_or_deleted_blob_is_not_found(blobs: Arc<Blobs>) {
    let stored = stored(&blobs, &content(1000)).await;
    for key in ["cases/case-1/none", "cases/case-1", "", "../x", "cases/case-1/../x", "pending/x"] {
        let stored = Stored { key: key.to_owned(), ..stored.clone() };
        assert_eq!(read_all(&blobs, "account-1", &stored).await, Err(BlobError::NotFound), "{key}");
        assert_eq!(blobs.store.delete(key).await, Ok(()), "{key}");
    }
    for _ in 0..2 {
        blobs.store.delete(&stored.key).await.expect("deleted, however often");
        assert_eq!(read_all(&blobs, "account-1", &stored).await, Err(BlobError::NotFound));
    }
}

/// Each reader sees one of them, whole.
pub async fn many_equal_uploads_at_once_all_succeed_while_they_are_read(blobs: Arc<Blobs>) {
    let content = content(3 * CHUNK);
    let first = stored(&blobs, &content).await;
    let uploads = join_all((0..16).map(|_| stored(&blobs, &content)));
    let reads = join_all((0..32).map(|_| read_all(&blobs, "account-1", &first)));
    let (uploads, reads) = futures::future::join(uploads, reads).await;
    assert!(uploads.iter().all(|stored| *stored == first));
    for read in reads {
        assert!(read.expect("read") == content);
    }
    assert_eq!(blobs.store.usage().await.expect("the store answers").0, 1);
}

/// Old and unknown: both, or it stays.
pub async fn a_sweep_spares_what_is_young_or_known(blobs: Arc<Blobs>) {
    let (known, unknown) = (stored(&blobs, &content(10)).await, stored(&blobs, &content(20)).await);
    let young = blobs.store.sweep(Timestamp::UNIX_EPOCH, async |_| Ok(false)).await;
    assert_eq!(young, Ok(Swept::default()));
    let is_known = |key: String| futures::future::ready(Ok(key == known.key));
    let swept = blobs.store.sweep(Timestamp::MAX, is_known).await;
    assert_eq!(swept, Ok(Swept { pending: 0, blobs: 1 }));
    assert_eq!(read_all(&blobs, "account-1", &known).await.expect("read"), content(10));
    assert_eq!(read_all(&blobs, "account-1", &unknown).await, Err(BlobError::NotFound));
}

/// Not knowing is not "no".
pub async fn a_sweep_that_cannot_ask_removes_nothing(blobs: Arc<Blobs>) {
    let stored = stored(&blobs, &content(10)).await;
    let cannot = BlobError::Unavailable("the log does not answer".to_owned());
    let swept = blobs.store.sweep(Timestamp::MAX, async |_| Err(cannot.clone())).await;
    assert_eq!(swept, Err(cannot));
    assert_eq!(read_all(&blobs, "account-1", &stored).await.expect("read"), content(10));
}
