//! The stored form of a blob: sealed chunks, then the seal.

use std::ops::Range;

use super::BlobError;
use crate::sealing::{PREFIX_BYTES, SealedStream, TAG_BYTES};

/// Bytes of content in every chunk but the last, which may have less; an empty blob has one empty chunk.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of a whole chunk as stored.
pub(super) const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Bytes of the seal: version, nonce prefix, stamp.
pub(super) const SEAL_BYTES: usize = 1 + PREFIX_BYTES + TAG_BYTES;

const VERSION: u8 = 1;
/// Chunk numbers are 32 bits wide and the last number is the stamp's.
const MOST_CHUNKS: u64 = u32::MAX as u64;

/// The layout of a blob of one size.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    size_bytes: u64,
}

impl Layout {
    /// `None` for a size that no blob can have.
    pub(super) fn new(size_bytes: u64) -> Option<Self> {
        let layout = Self { size_bytes };
        (layout.chunks() <= MOST_CHUNKS).then_some(layout)
    }

    pub(super) fn chunks(self) -> u64 {
        self.size_bytes.div_ceil(CHUNK_BYTES as u64).max(1)
    }

    /// Number of the last chunk.
    pub(super) fn last(self) -> u64 {
        self.chunks() - 1
    }

    /// Where all chunks end and the seal begins.
    pub(super) fn seal_at(self) -> u64 {
        self.size_bytes + self.chunks() * TAG_BYTES as u64
    }

    /// Bytes of the whole object.
    pub(super) fn stored_bytes(self) -> u64 {
        self.seal_at() + SEAL_BYTES as u64
    }

    /// The chunks, by number, that a range of the content that is not empty touches, and where they are stored.
    pub(super) fn chunks_of(self, range: &Range<u64>) -> (Range<u64>, Range<u64>) {
        let numbers = range.start / CHUNK_BYTES as u64..range.end.div_ceil(CHUNK_BYTES as u64);
        let stored = numbers.start * SEALED_CHUNK_BYTES as u64
            ..(numbers.end * SEALED_CHUNK_BYTES as u64).min(self.seal_at());
        (numbers, stored)
    }
}

/// The end of every stored blob.
pub(super) struct Seal {
    pub(super) prefix: [u8; PREFIX_BYTES],
    stamp: [u8; TAG_BYTES],
}

impl Seal {
    /// Stamps a stream with the key and size under which it will be found.
    pub(super) fn new(
        stream: &SealedStream,
        prefix: [u8; PREFIX_BYTES],
        key: &str,
        size_bytes: u64,
    ) -> Result<Self, BlobError> {
        Ok(Self { prefix, stamp: stream.stamp(&name(key, size_bytes))? })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [&[VERSION], &self.prefix[..], &self.stamp[..]].concat()
    }

    pub(super) fn decode(stored: &[u8]) -> Result<Self, BlobError> {
        let cut = || BlobError::Damaged("the seal is cut".to_owned());
        let (version, rest) = stored.split_first().ok_or_else(cut)?;
        if *version != VERSION {
            return Err(BlobError::Damaged(format!(
                "the seal has version {version}, this program reads {VERSION}"
            )));
        }
        let (prefix, rest) = rest.split_first_chunk::<PREFIX_BYTES>().ok_or_else(cut)?;
        let stamp = rest.try_into().map_err(|_| cut())?;
        Ok(Self { prefix: *prefix, stamp })
    }

    /// Whether the stream is what was stored under this key with this size.
    pub(super) fn check(&self, stream: &SealedStream, key: &str, size_bytes: u64) -> Result<(), BlobError> {
        stream.check_stamp(&name(key, size_bytes), self.stamp).map_err(|_| {
            BlobError::Damaged("the seal does not fit the blob's case, subject, key and size".to_owned())
        })
    }
}

fn name(key: &str, size_bytes: u64) -> Vec<u8> {
    [&size_bytes.to_be_bytes(), key.as_bytes()].concat()
}
