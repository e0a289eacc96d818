//! Files that were cut, mixed and changed behind the store's back.

use bytes::Bytes;

use super::*;
use crate::contract::blob_store::{content, read, upload};
use crate::sealing::TAG_BYTES;

const CHUNK: usize = seal::CHUNK_BYTES;
const SEALED: usize = CHUNK + TAG_BYTES;

struct Stage {
    _folder: TempDir,
    blobs: Blobs,
    root: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let (folder, blobs) = in_folder();
        let root = folder.path().join("new/blobs");
        Self { _folder: folder, blobs, root }
    }

    async fn upload(&self, case: &str, subject: &str, size: usize) -> Stored {
        upload(&self.blobs.store, case, subject, &content(size), 10_000).await.unwrap()
    }

    fn bytes(&self, stored: &Stored) -> Vec<u8> {
        std::fs::read(self.root.join(&stored.key)).unwrap()
    }

    fn replace(&self, stored: &Stored, bytes: &[u8]) {
        std::fs::write(self.root.join(&stored.key), bytes).unwrap();
    }

    async fn read(&self, stored: &Stored, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        read(&self.blobs.store, "case-1", "account-1", stored, range).await
    }

    async fn is_damaged(&self, stored: &Stored, what: &str) {
        let read = self.read(stored, 0..u64::MAX).await;
        assert!(matches!(read, Err(BlobError::Damaged(_))), "{what}: {:?}", read.map(|bytes| bytes.len()));
    }
}

#[tokio::test]
async fn a_cut_or_longer_file_is_damaged_wherever_it_ends() {
    let stage = Stage::new();
    for size in [0, 1, CHUNK, 2 * CHUNK + 5] {
        let stored = stage.upload("case-1", "account-1", size).await;
        let whole = stage.bytes(&stored);
        let interesting =
            [0, 1, seal::SEAL_BYTES, SEALED, SEALED + seal::SEAL_BYTES, 2 * SEALED, whole.len() - 1];
        for length in interesting.into_iter().filter(|length| *length < whole.len()) {
            stage.replace(&stored, &whole[..length]);
            stage.is_damaged(&stored, &format!("{size} bytes cut to {length}")).await;
            // Not even a range in front of the cut, nor an empty one, is answered from half a blob.
            assert!(matches!(stage.read(&stored, 0..0).await, Err(BlobError::Damaged(_))));
        }
        stage.replace(&stored, &[&whole[..], b"x"].concat());
        stage.is_damaged(&stored, "longer").await;
        stage.replace(&stored, &whole);
        assert_eq!(stage.read(&stored, 0..u64::MAX).await.unwrap(), content(size));
    }
}

#[tokio::test]
async fn every_changed_byte_is_noticed() {
    let stage = Stage::new();
    for (size, step) in [(0, 1), (40, 1), (CHUNK + 40, 4099)] {
        let stored = stage.upload("case-1", "account-1", size).await;
        let whole = stage.bytes(&stored);
        for at in (0..whole.len()).step_by(step).chain(whole.len() - 60.min(whole.len())..whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            stage.replace(&stored, &changed);
            // The one chunk of an empty blob has nothing to hand out.
            if size > 0 || at >= TAG_BYTES {
                stage.is_damaged(&stored, &format!("{size} bytes, byte {at}")).await;
            }
        }
    }
}

#[tokio::test]
async fn chunks_open_only_in_their_own_place_and_blob() {
    let stage = Stage::new();
    let (one, two) = (
        stage.upload("case-1", "account-1", 3 * CHUNK).await,
        stage.upload("case-1", "account-1", 3 * CHUNK - 1).await,
    );
    let (whole, other) = (stage.bytes(&one), stage.bytes(&two));
    let chunk = |file: &[u8], number: usize| file[number * SEALED..(number + 1) * SEALED].to_vec();
    let end = whole[3 * SEALED..].to_vec();
    for (what, chunks) in [
        ("reordered", [chunk(&whole, 1), chunk(&whole, 0), chunk(&whole, 2)]),
        ("repeated", [chunk(&whole, 0), chunk(&whole, 0), chunk(&whole, 2)]),
        ("the last one in the middle", [chunk(&whole, 0), chunk(&whole, 2), chunk(&whole, 2)]),
        ("the middle one last", [chunk(&whole, 0), chunk(&whole, 1), chunk(&whole, 1)]),
        ("of another blob", [chunk(&other, 0), chunk(&whole, 1), chunk(&whole, 2)]),
    ] {
        stage.replace(&one, &[&chunks.concat()[..], &end].concat());
        stage.is_damaged(&one, what).await;
    }
    // The last chunk cannot be left out, even where the seal is told of it.
    let shorter = Stored { size_bytes: 2 * CHUNK as u64, ..one.clone() };
    stage.replace(&one, &[&whole[..2 * SEALED], &end].concat());
    stage.is_damaged(&shorter, "shortened by a chunk").await;
}

#[tokio::test]
async fn a_blob_in_the_place_of_another_is_noticed_at_its_first_byte() {
    let stage = Stage::new();
    // Of the same size; and of other content, else they were the same blob.
    let one = stage.upload("case-1", "account-1", 3 * CHUNK).await;
    let different = content(3 * CHUNK).iter().map(|byte| !byte).collect::<Bytes>();
    let store = &stage.blobs.store;
    let same_subject = upload(store, "case-1", "account-1", &different, CHUNK).await.unwrap();
    let other_subject = upload(store, "case-1", "account-2", &different, CHUNK).await.unwrap();
    let other_case = upload(store, "case-2", "account-1", &different, CHUNK).await.unwrap();
    let whole = stage.bytes(&one);
    for other in [&same_subject, &other_subject, &other_case] {
        stage.replace(&one, &stage.bytes(other));
        let read = store.read("case-1", &one.key, "account-1", one.size_bytes, 5..6).await.map(drop);
        assert!(matches!(read, Err(BlobError::Damaged(_))), "{read:?}");
        // Nor with the seal of the right one.
        let mixed = [&stage.bytes(other)[..3 * SEALED], &whole[3 * SEALED..]].concat();
        stage.replace(&one, &mixed);
        stage.is_damaged(&one, "chunks of another under its own seal").await;
    }
}

#[tokio::test]
async fn a_range_does_not_need_the_chunks_beside_it() {
    let stage = Stage::new();
    let stored = stage.upload("case-1", "account-1", 4 * CHUNK).await;
    let mut broken = stage.bytes(&stored);
    for number in [0, 2, 3] {
        broken[number * SEALED + 7] ^= 1;
    }
    stage.replace(&stored, &broken);
    let second = CHUNK as u64..2 * CHUNK as u64;
    assert!(stage.read(&stored, second).await.unwrap() == content(4 * CHUNK)[CHUNK..2 * CHUNK]);
    let (before, after) = (CHUNK as u64 - 1..CHUNK as u64 + 1, 2 * CHUNK as u64 - 1..2 * CHUNK as u64 + 1);
    for range in [before, after] {
        assert!(matches!(stage.read(&stored, range).await, Err(BlobError::Damaged(_))));
    }
}

#[tokio::test]
async fn damage_behind_the_first_chunk_ends_the_stream_with_its_error() {
    let stage = Stage::new();
    let stored = stage.upload("case-1", "account-1", 3 * CHUNK).await;
    let mut broken = stage.bytes(&stored);
    broken[SEALED] ^= 1;
    stage.replace(&stored, &broken);
    let stream =
        stage.blobs.store.read("case-1", &stored.key, "account-1", stored.size_bytes, 0..u64::MAX).await;
    let items = stream.unwrap().collect::<Vec<_>>().await;
    assert!(matches!(&items[..], [Ok(_), Err(BlobError::Damaged(_))]));
}
