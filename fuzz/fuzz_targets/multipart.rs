//! A body gives the same pieces whole and however it was cut: the first line of the input names the content type, the
//! bytes after it how long the pieces are, up to an empty line; the rest is the body.
#![no_main]

use bytes::Bytes;
use dossier_api::multipart::{Headers, Piece, Related};
use dossier_api::status::ApiError;
use libfuzzer_sys::fuzz_target;

/// What was read before the end or the refusal: each part with its content and whether it was complete.
type Parts = Vec<(Headers, Vec<u8>, bool)>;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let (Some(content_type), Some(lengths), Some(body)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let Ok(content_type) = std::str::from_utf8(content_type) else { return };
    let Ok(whole) = Related::new(content_type) else { return };
    let Ok(cut) = Related::new(content_type) else { panic!("the same content type was read before") };
    let whole = read(whole, std::iter::once(body));
    let in_pieces = read(cut, pieces(body, lengths));
    let byte_by_byte = Related::new(content_type).map(|related| read(related, body.chunks(1)));
    assert_eq!(whole, in_pieces);
    assert_eq!(Ok(whole), byte_by_byte);
});

/// The body cut into pieces of these lengths, over and over; an empty piece is pushed too.
fn pieces<'a>(body: &'a [u8], lengths: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().map(|length| usize::from(*length)).chain([1]).cycle();
    let mut rest = body;
    std::iter::from_fn(move || {
        let length = lengths.next()?.min(rest.len());
        let (piece, after) = rest.split_at(length);
        let more = !rest.is_empty();
        rest = after;
        more.then_some(piece)
    })
}

/// The parts, or the refusal.
fn read<'a>(mut related: Related, pieces: impl Iterator<Item = &'a [u8]>) -> Result<Parts, ApiError> {
    let mut parts: Parts = vec![];
    let mut ended = false;
    for bytes in pieces {
        for piece in related.push(Bytes::copy_from_slice(bytes))? {
            assert!(!ended, "nothing follows the end");
            match (piece, parts.last_mut()) {
                (Piece::PartHeaders(headers), last) => {
                    assert!(
                        last.is_none_or(|(.., complete)| *complete),
                        "a part begins after the one before it"
                    );
                    parts.push((headers, vec![], false));
                }
                (Piece::Data(data), Some((_, content, false))) => {
                    assert!(!data.is_empty(), "a piece of content is never empty");
                    content.extend_from_slice(&data);
                }
                (Piece::PartEnd, Some((.., complete @ false))) => *complete = true,
                (Piece::End, Some((.., true))) => ended = true,
                (other, _) => panic!("{other:?} is out of place"),
            }
        }
    }
    related.finish()?;
    assert!(ended, "a body that was taken has an end");
    Ok(parts)
}
