//! An incremental reader of `multipart/related`, byte for byte as the official clients send it.
//!
//! - Lines end with LF or with CRLF: the end of the first delimiter line decides, once for the whole body. Exactly one
//!   line break of that kind before a delimiter belongs to the delimiter; all else, a CR before it too, is content.
//! - A delimiter is a whole line: the boundary after `--` at the start of a line, and then the line's end, blanks, or
//!   the `--` that closes the body. A line that only begins like one is content.
//! - Before the first delimiter stands nothing, or one empty line: a body that begins with anything else was most
//!   likely written for another boundary, and saying so at once helps more than skipping it all. After the closing
//!   delimiter anything may follow; it is not looked at.
//! - Header lines may end either way, whatever was decided, since they can hold no line break of their own.
//!
//! Nothing is gathered but headers and what may yet turn out to be a delimiter: at most the boundary and five bytes.

use bytes::{Bytes, BytesMut};

use crate::status::ApiError;

mod content_type;
mod headers;
#[cfg(test)]
mod tests;

use content_type::boundary;
pub use headers::Headers;

/// The reason of every refusal of a body that is no multipart/related as this server reads it.
pub const INVALID_MULTIPART: &str = "INVALID_MULTIPART";
/// The reason when a body ends before its closing delimiter.
pub const BODY_CUT: &str = "BODY_CUT";

/// Bytes that the headers of one part may have together.
const MOST_HEADER_BYTES: usize = 8 * 1024;
/// Longest boundary, in bytes (RFC 2046).
const LONGEST_BOUNDARY: usize = 70;

/// What a body consists of, in order: for each part its headers, its content in any number of pieces (none when it is
/// empty), and its end; then the end of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A part begins.
    PartHeaders(Headers),
    /// More of the part's content; never empty.
    Data(Bytes),
    /// The part is complete.
    PartEnd,
    /// The closing delimiter was read.
    End,
}

/// Which line break the body uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
}

#[derive(Debug)]
enum State {
    /// Before the first delimiter; whether the one empty line was there already.
    Start { skipped: bool },
    /// Behind the boundary of a delimiter that is followed by blanks, or of the first one.
    DelimiterEnd { first: bool },
    /// In a part's headers; what was read of them so far.
    Headers { headers: Headers, bytes: usize },
    /// In a part's content; whether none of it was read yet.
    Data { at_start: bool },
    /// Behind the closing delimiter.
    End,
    /// Refused.
    Failed(ApiError),
}

/// Reads one body, pushed in pieces of any size.
#[derive(Debug)]
pub struct Related {
    /// `--` and the boundary.
    marker: Vec<u8>,
    line_end: LineEnd,
    state: State,
    /// Received and not understood yet.
    held: BytesMut,
}

impl Related {
    /// A reader for a body of this `Content-Type`.
    ///
    /// # Errors
    /// 400 INVALID_MULTIPART when it is not `multipart/related` with a boundary of 1 to 70 printable ASCII characters.
    pub fn new(content_type: &str) -> Result<Self, ApiError> {
        let boundary = boundary(content_type)?;
        Ok(Self {
            marker: [b"--", boundary.as_bytes()].concat(),
            line_end: LineEnd::Lf,
            state: State::Start { skipped: false },
            held: BytesMut::new(),
        })
    }

    /// Takes the next bytes of the body and answers what they complete.
    ///
    /// # Errors
    /// 400 INVALID_MULTIPART, naming what is wrong; from then on always the same.
    pub fn push(&mut self, bytes: Bytes) -> Result<Vec<Piece>, ApiError> {
        let mut input = if self.held.is_empty() {
            bytes
        } else {
            self.held.extend_from_slice(&bytes);
            self.held.split().freeze()
        };
        let mut pieces = vec![];
        loop {
            match self.step(&mut input, &mut pieces) {
                Ok(Step::Again) => {}
                Ok(Step::NeedsMore) => break,
                Err(error) => {
                    self.state = State::Failed(error.clone());
                    return Err(error);
                }
            }
        }
        self.held.extend_from_slice(&input);
        Ok(pieces)
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// 400 BODY_CUT when it ended before its closing delimiter, or the refusal that [`Related::push`] gave.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.state {
            State::End => Ok(()),
            State::Failed(error) => Err(error),
            _ => Err(ApiError::invalid_argument(
                "The body ends before the closing delimiter of its multipart/related",
            )
            .with_reason(BODY_CUT)),
        }
    }

    /// Understands the beginning of the input, and takes it off.
    fn step(&mut self, input: &mut Bytes, pieces: &mut Vec<Piece>) -> Result<Step, ApiError> {
        match &mut self.state {
            State::Start { skipped } => {
                let begins = input.len().min(self.marker.len());
                if input[..begins] == self.marker[..begins] {
                    if begins < self.marker.len() {
                        return Ok(Step::NeedsMore);
                    }
                    self.take_first_delimiter(input)
                } else {
                    skip_empty_line(input, skipped)
                }
            }
            State::DelimiterEnd { first } => {
                let first = *first;
                self.take_delimiter_end(first, input)
            }
            State::Headers { headers, bytes } => {
                let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
                    // The bound holds for a line without end, too.
                    let known = *bytes + input.len();
                    return if known > MOST_HEADER_BYTES {
                        Err(headers_too_long())
                    } else {
                        Ok(Step::NeedsMore)
                    };
                };
                let line = input.split_to(end + 1);
                *bytes += line.len();
                if *bytes > MOST_HEADER_BYTES {
                    return Err(headers_too_long());
                }
                let line = &line[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if line.is_empty() {
                    let headers = std::mem::take(headers);
                    headers.check_encoding()?;
                    pieces.push(Piece::PartHeaders(headers));
                    self.state = State::Data { at_start: true };
                } else if line.starts_with(&self.marker) {
                    return Err(invalid("a part has no empty line after its headers"));
                } else {
                    headers.add(line)?;
                }
                Ok(Step::Again)
            }
            State::Data { at_start } => {
                let at_start = *at_start;
                Ok(self.take_data(at_start, input, pieces))
            }
            State::End => {
                input.clear();
                Ok(Step::NeedsMore)
            }
            State::Failed(error) => Err(error.clone()),
        }
    }

    /// Takes the boundary of the first delimiter; `--` behind it would close a body without parts.
    fn take_first_delimiter(&mut self, input: &mut Bytes) -> Result<Step, ApiError> {
        match input.get(self.marker.len()..self.marker.len() + 2) {
            Some(b"--") => Err(invalid("the body has no part")),
            None if !matches!(input.get(self.marker.len()), Some(b'\n' | b'\r' | b' ' | b'\t')) => {
                Ok(Step::NeedsMore)
            }
            _ => {
                drop(input.split_to(self.marker.len()));
                self.state = State::DelimiterEnd { first: true };
                Ok(Step::Again)
            }
        }
    }

    /// Takes blanks and the line's end behind a boundary.
    fn take_delimiter_end(&mut self, first: bool, input: &mut Bytes) -> Result<Step, ApiError> {
        let blanks = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        drop(input.split_to(blanks));
        let found = match &input[..] {
            [] | [b'\r'] => return Ok(Step::NeedsMore),
            [b'\n', ..] => LineEnd::Lf,
            [b'\r', b'\n', ..] => LineEnd::CrLf,
            _ => return Err(invalid("something follows the boundary in the line of a delimiter")),
        };
        if first {
            self.line_end = found;
        } else if self.line_end != found {
            return Err(invalid("the lines of the delimiters end differently"));
        }
        drop(input.split_to(found.bytes().len()));
        self.state = State::Headers { headers: Headers::default(), bytes: 0 };
        Ok(Step::Again)
    }

    /// Takes content up to the next delimiter, and the delimiter; or all that surely is content.
    fn take_data(&mut self, at_start: bool, input: &mut Bytes, pieces: &mut Vec<Piece>) -> Step {
        let (content, found) = self.find_delimiter(at_start, input);
        if content > 0 {
            pieces.push(Piece::Data(input.split_to(content)));
            self.state = State::Data { at_start: false };
        }
        let Some(Delimiter { bytes, closing }) = found else { return Step::NeedsMore };
        drop(input.split_to(bytes));
        pieces.push(Piece::PartEnd);
        if closing {
            pieces.push(Piece::End);
            self.state = State::End;
        } else {
            self.state = State::DelimiterEnd { first: false };
        }
        Step::Again
    }

    /// How many bytes surely are content, and the delimiter that follows them. Without one, what comes after them may
    /// turn out to be one.
    fn find_delimiter(&self, at_start: bool, input: &[u8]) -> (usize, Option<Delimiter>) {
        if at_start {
            match self.delimiter_at(input) {
                Found::Yes(closing) => {
                    return (
                        0,
                        Some(Delimiter { bytes: self.marker.len() + closing_bytes(closing), closing }),
                    );
                }
                Found::Maybe => return (0, None),
                Found::No => {}
            }
        }
        let line_break = self.line_end.bytes();
        let mut from = 0;
        while let Some(newline) = input[from..].iter().position(|byte| *byte == b'\n') {
            let line = from + newline + 1;
            if input[..line].ends_with(line_break) {
                let content = line - line_break.len();
                match self.delimiter_at(&input[line..]) {
                    Found::Yes(closing) => {
                        let bytes = line_break.len() + self.marker.len() + closing_bytes(closing);
                        return (content, Some(Delimiter { bytes, closing }));
                    }
                    Found::Maybe => return (content, None),
                    Found::No => {}
                }
            }
            from = line;
        }
        // A CR at the end may be half a line break.
        let half = self.line_end == LineEnd::CrLf && input.ends_with(b"\r");
        (input.len() - usize::from(half), None)
    }

    /// Whether a line that begins here is a delimiter.
    fn delimiter_at(&self, line: &[u8]) -> Found {
        let Some(rest) = line.strip_prefix(&self.marker[..]) else {
            return if self.marker.starts_with(line) { Found::Maybe } else { Found::No };
        };
        match (rest, self.line_end) {
            ([b'-', b'-', ..], _) => Found::Yes(true),
            ([b' ' | b'\t', ..], _) | ([b'\n', ..], LineEnd::Lf) | ([b'\r', b'\n', ..], LineEnd::CrLf) => {
                Found::Yes(false)
            }
            ([] | [b'-'], _) | ([b'\r'], LineEnd::CrLf) => Found::Maybe,
            _ => Found::No,
        }
    }
}

enum Step {
    Again,
    NeedsMore,
}

enum Found {
    /// It is; whether it closes the body.
    Yes(bool),
    /// More bytes will tell.
    Maybe,
    No,
}

struct Delimiter {
    /// Length up to the boundary's end or the closing `--`, the line break before it included.
    bytes: usize,
    closing: bool,
}

impl LineEnd {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

fn closing_bytes(closing: bool) -> usize {
    if closing { 2 } else { 0 }
}

/// Takes the one empty line that may stand before the first delimiter.
fn skip_empty_line(input: &mut Bytes, skipped: &mut bool) -> Result<Step, ApiError> {
    let bytes = match &input[..] {
        [b'\r'] if !*skipped => return Ok(Step::NeedsMore),
        [b'\n', ..] if !*skipped => 1,
        [b'\r', b'\n', ..] if !*skipped => 2,
        _ => return Err(invalid("the body does not begin with the boundary that its Content-Type names")),
    };
    drop(input.split_to(bytes));
    *skipped = true;
    Ok(Step::Again)
}

fn headers_too_long() -> ApiError {
    invalid(&format!("the headers of a part are longer than {MOST_HEADER_BYTES} bytes"))
}

fn invalid(what: &str) -> ApiError {
    ApiError::invalid_argument(format!("Not a multipart/related body: {what}")).with_reason(INVALID_MULTIPART)
}
