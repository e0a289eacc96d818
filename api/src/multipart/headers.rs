//! The headers of a part.

use super::invalid;
use crate::status::ApiError;

/// The headers of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header, without the blanks around it; the name in any case of letters.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The part's content type with its parameters, as it was sent; `None` when it has none.
    pub fn content_type(&self) -> Option<&str> {
        self.get("content-type")
    }

    /// The part's content type without parameters, as it was sent; `None` when it has none.
    pub fn mime_type(&self) -> Option<&str> {
        let value = self.content_type()?;
        let mime_type = value.split_once(';').map_or(value, |(mime_type, _)| mime_type).trim();
        (!mime_type.is_empty()).then_some(mime_type)
    }

    /// Whether the part's content type is `application/json`, whatever its parameters.
    pub fn is_json(&self) -> bool {
        self.mime_type().is_some_and(|mime_type| mime_type.eq_ignore_ascii_case("application/json"))
    }

    /// Takes one line of headers.
    pub(super) fn add(&mut self, line: &[u8]) -> Result<(), ApiError> {
        let line = std::str::from_utf8(line).map_err(|_| invalid("a header of a part is not UTF-8"))?;
        if let Some(more) = line.strip_prefix([' ', '\t']) {
            let (_, value) =
                self.0.last_mut().ok_or_else(|| invalid("the headers of a part begin with a blank"))?;
            value.push(' ');
            value.push_str(more.trim());
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header of a part has no colon"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("a header of a part has no proper name"));
        }
        self.0.push((name.to_owned(), value.trim().to_owned()));
        Ok(())
    }

    /// Content is taken as it stands: one that is encoded would be stored in its encoded form.
    pub(super) fn check_encoding(&self) -> Result<(), ApiError> {
        match self.get("content-transfer-encoding") {
            Some(encoding)
                if !["binary", "8bit", "7bit"].iter().any(|known| encoding.eq_ignore_ascii_case(known)) =>
            {
                Err(invalid("a part has a Content-Transfer-Encoding other than binary, 8bit and 7bit"))
            }
            _ => Ok(()),
        }
    }
}
