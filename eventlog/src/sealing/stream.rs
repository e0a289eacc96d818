//! Sealing of what is too large for one piece: the STREAM construction over XChaCha20-Poly1305, chunk by chunk, each of
//! which opens by itself.

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use chacha20poly1305::XChaCha20Poly1305;

use super::SealError;

/// Random bytes that all nonces of one sealed stream begin with; the rest is the chunk's number and whether it is the
/// last.
pub(crate) const PREFIX_BYTES: usize = 19;
/// By how much each sealed chunk is longer than the plain one.
pub(crate) const TAG_BYTES: usize = 16;
/// Authenticated with every chunk, before subject and context: no chunk ever opens as a sealed value, nor the reverse.
const AAD_V1: &[u8] = b"dossier sealed stream 1\0";
/// A chunk number that no chunk has: the nonce of [`SealedStream::stamp`].
const STAMP: u32 = u32::MAX;

/// Seals or opens the chunks of one stream. A chunk opens only at its own place, in its own stream, for its own subject
/// and context.
pub(crate) struct SealedStream {
    stream: StreamBE32<XChaCha20Poly1305>,
    subject: String,
    aad: Vec<u8>,
}

impl SealedStream {
    pub(super) fn new(
        cipher: XChaCha20Poly1305,
        prefix: [u8; PREFIX_BYTES],
        subject: &str,
        context: &str,
    ) -> Self {
        let mut aad = AAD_V1.to_vec();
        // Lengths before texts, so that no two pairs give the same bytes.
        for part in [subject, context] {
            aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
            aad.extend_from_slice(part.as_bytes());
        }
        Self { stream: StreamBE32::from_aead(cipher, &prefix.into()), subject: subject.to_owned(), aad }
    }

    /// Seals a chunk where it lies; it grows by [`TAG_BYTES`]. A number is used once.
    pub(crate) fn seal(&self, number: u32, last: bool, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        self.in_order(number)?;
        self.stream.encrypt_in_place(number, last, &self.aad, chunk).map_err(|_| self.damaged())
    }

    /// Opens a chunk where it lies; it shrinks by [`TAG_BYTES`].
    pub(crate) fn open(&self, number: u32, last: bool, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        self.in_order(number)?;
        self.stream.decrypt_in_place(number, last, &self.aad, chunk).map_err(|_| self.damaged())
    }

    /// Proof that whoever sealed this stream meant it to go by this name; made once per stream.
    pub(crate) fn stamp(&self, name: &[u8]) -> Result<[u8; TAG_BYTES], SealError> {
        let mut tag = vec![];
        self.stream
            .encrypt_in_place(STAMP, false, &self.named(name), &mut tag)
            .map_err(|_| self.damaged())?;
        tag.try_into().map_err(|_| self.damaged())
    }

    /// Checks what [`SealedStream::stamp`] made.
    pub(crate) fn check_stamp(&self, name: &[u8], stamp: [u8; TAG_BYTES]) -> Result<(), SealError> {
        let mut stamp = stamp.to_vec();
        self.stream.decrypt_in_place(STAMP, false, &self.named(name), &mut stamp).map_err(|_| self.damaged())
    }

    fn named(&self, name: &[u8]) -> Vec<u8> {
        [&self.aad[..], name].concat()
    }

    fn in_order(&self, number: u32) -> Result<(), SealError> {
        if number == STAMP { Err(self.damaged()) } else { Ok(()) }
    }

    fn damaged(&self) -> SealError {
        SealError::Damaged(self.subject.clone())
    }
}
