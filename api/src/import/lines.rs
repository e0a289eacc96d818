//! Reads a file line by line, counting, without taking in what cannot be a line.

use std::io::{BufRead, Read as _};

/// Longest line: many times what the log takes of one case.
const MAX_LINE_BYTES: u64 = 64 * 1024 * 1024;

/// A line that is not empty, as it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    /// Which one, from 1; empty ones count.
    pub(super) number: u64,
    /// Without its end.
    pub(super) bytes: Vec<u8>,
}

/// The lines of a file.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    bytes_read: u64,
    pushed_back: Option<Raw>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0, bytes_read: 0, pushed_back: None }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Has a line come once more, before those that follow it.
    pub(super) fn push_back(&mut self, line: Raw) {
        self.pushed_back = Some(line);
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Raw>> {
        if let Some(line) = self.pushed_back.take() {
            return Ok(Some(line));
        }
        loop {
            let mut bytes = Vec::new();
            let read = self.reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes_read += read;
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            } else if read == MAX_LINE_BYTES {
                let why = format!("line {} is longer than {MAX_LINE_BYTES} bytes", self.number);
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Raw { number: self.number, bytes }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_with_the_empty_ones_and_the_last_needs_no_end() {
        let mut lines = Lines::new(&b"one\r\n\n  \ntwo\nthree"[..]);
        let mut told = Vec::new();
        while let Some(Raw { number, bytes }) = lines.next().unwrap() {
            told.push((number, String::from_utf8(bytes).unwrap()));
        }
        let expected = [(1, "one\r"), (4, "two"), (5, "three")];
        assert_eq!(told, expected.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(lines.bytes_read(), 18);
    }

    #[test]
    fn a_line_that_was_pushed_back_comes_once_more() {
        let mut lines = Lines::new(&b"one\ntwo\n"[..]);
        let one = lines.next().unwrap().unwrap();
        lines.push_back(one.clone());
        assert_eq!(lines.next().unwrap(), Some(one));
        assert_eq!(lines.next().unwrap().unwrap().number, 2);
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_no_line() {
        let mut lines = Lines::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert!(lines.next().unwrap_err().to_string().contains("line 1 is longer"));
    }
}
