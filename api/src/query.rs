//! The query string as a list of decoded pairs.
//!
//! Names may hold `$` and `.` (`$alt`, `product.productLine`) and come in camelCase or snake_case. Parameters
//! that nobody asks for never break a call.

use percent_encoding::percent_decode_str;

use crate::path::escapes_are_whole;
use crate::proto_json::{EnumEncoding, EnumTable, parse_enum_text, snake_case};
use crate::status::{ApiError, excerpt};

/// Page size when none is asked for.
pub const DEFAULT_PAGE_SIZE: u32 = 10;
/// The largest page that is served.
pub const MAX_PAGE_SIZE: u32 = 100;

/// The parameters of a call, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string (without the `?`) or a form body: pairs joined by `&`, `+` for a blank.
    ///
    /// # Errors
    /// 400 with reason INVALID_QUERY for an escape that is none, for text that is not UTF-8, for U+0000.
    pub fn parse(raw: Option<&str>) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for pair in raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter, named in camelCase; of several the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// The value of a parameter unless it is empty, which for text means unset.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values of a repeated parameter, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let snake = snake_case(name);
        self.pairs
            .iter()
            .filter(move |(key, _)| *key == name || *key == snake)
            .map(|(_, value)| value.as_str())
    }

    /// All pairs, decoded, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// A boolean parameter.
    ///
    /// # Errors
    /// 400 naming the parameter unless it is `true`, `false`, `1` or `0`.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(invalid(name, format!("{} is neither true nor false", excerpt(other)))),
        }
    }

    /// An enum parameter, by name or number; the answer is the number.
    ///
    /// # Errors
    /// 400 naming the parameter and the allowed names.
    pub fn enumeration(&self, name: &str, table: &EnumTable) -> Result<Option<i32>, ApiError> {
        self.get(name).map(|text| parse_enum_text(name, text, table)).transpose()
    }

    /// `pageSize` as a number of items: 0 or missing is `default`, above `max` is `max`.
    ///
    /// # Errors
    /// 400 when it is negative or not a 32-bit integer.
    pub fn page_size(&self, default: u32, max: u32) -> Result<u32, ApiError> {
        let Some(text) = self.get("pageSize") else { return Ok(default) };
        match text.parse::<i32>().map(u32::try_from) {
            Ok(Ok(0)) => Ok(default),
            Ok(Ok(size)) => Ok(size.min(max)),
            Ok(Err(_)) => Err(invalid("pageSize", format!("{text} is negative"))),
            Err(_) => Err(invalid("pageSize", format!("{} is not a 32-bit integer", excerpt(text)))),
        }
    }

    /// How the caller wants enums written.
    pub fn enum_encoding(&self) -> EnumEncoding {
        EnumEncoding::from_alt(self.get("$alt"))
    }
}

fn invalid(name: &str, description: String) -> ApiError {
    ApiError::invalid_field(name, description).with_reason("INVALID_QUERY")
}

fn decode(raw: &str) -> Result<String, ApiError> {
    let refuse = |what: &str| {
        Err(ApiError::invalid_argument(format!("The query string cannot be read: {} {what}.", excerpt(raw)))
            .with_reason("INVALID_QUERY"))
    };
    if !escapes_are_whole(raw) {
        return refuse("holds a % without two hexadecimal digits");
    }
    let blanks = raw.replace('+', " ");
    match percent_decode_str(&blanks).decode_utf8() {
        Ok(text) if text.contains('\0') => refuse("holds U+0000"),
        Ok(text) => Ok(text.into_owned()),
        Err(_) => refuse("is not UTF-8 once decoded"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).unwrap()
    }

    fn page_size(raw: &str) -> Result<u32, ApiError> {
        query(raw).page_size(10, 100)
    }

    #[test]
    fn values_are_decoded_and_a_plus_is_a_blank() {
        let read = query("filter=state%3DOPEN+AND+%28priority%3DP0%29&q=a%2Bb=c&empty=&bare");
        assert_eq!(read.get("filter"), Some("state=OPEN AND (priority=P0)"));
        assert_eq!(read.get("q"), Some("a+b=c"));
        assert_eq!((read.get("empty"), read.text("empty")), (Some(""), None));
        assert_eq!(read.get("bare"), Some(""));
        assert_eq!(read.get("missing"), None);
        assert_eq!(Query::parse(None).unwrap(), Query::default());
    }

    #[test]
    fn names_come_in_both_spellings_and_may_hold_dots_and_dollars() {
        assert_eq!(query("page_token=x").get("pageToken"), Some("x"));
        assert_eq!(query("product.product_line=1").get("product.productLine"), Some("1"));
        assert_eq!(query("product.productLine=1").get("product.productLine"), Some("1"));
        assert_eq!(query("%24alt=json%3Benum-encoding=int").enum_encoding(), EnumEncoding::Integer);
        assert_eq!(query("alt=json").enum_encoding(), EnumEncoding::Name);
    }

    #[test]
    fn of_several_values_the_last_counts_and_all_can_be_had() {
        let read = query("a=1&b=x&a=2");
        assert_eq!(read.get("a"), Some("2"));
        assert_eq!(read.all("a").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn text_that_cannot_be_decoded_is_refused() {
        for raw in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%C3", "a=%00"] {
            let error = Query::parse(Some(raw)).expect_err(raw);
            assert_eq!(
                (error.code().http_status().as_u16(), error.reason()),
                (400, "INVALID_QUERY"),
                "{raw}"
            );
        }
    }

    #[test]
    fn page_sizes_follow_the_published_rules() {
        assert_eq!(page_size("").unwrap(), 10);
        assert_eq!(page_size("pageSize=0").unwrap(), 10);
        assert_eq!(page_size("page_size=7").unwrap(), 7);
        assert_eq!(page_size("pageSize=100").unwrap(), 100);
        assert_eq!(page_size("pageSize=2147483647").unwrap(), 100);
        for raw in
            ["pageSize=-1", "pageSize=2147483648", "pageSize=ten", "pageSize=", "pageSize=1.5", "pageSize=+1"]
        {
            let error = page_size(raw).expect_err(raw);
            assert_eq!(error.violations()[0].field, "pageSize");
        }
    }

    #[test]
    fn booleans_and_enums_are_checked() {
        const LINES: &EnumTable = &[("PRODUCT_LINE_UNSPECIFIED", 0), ("GOOGLE_CLOUD", 1)];
        assert_eq!(query("showDeleted=true").bool("showDeleted").unwrap(), Some(true));
        assert_eq!(query("show_deleted=0").bool("showDeleted").unwrap(), Some(false));
        assert!(query("showDeleted=yes").bool("showDeleted").is_err());
        assert_eq!(query("productLine=1").enumeration("productLine", LINES).unwrap(), Some(1));
        assert_eq!(query("productLine=GOOGLE_CLOUD").enumeration("productLine", LINES).unwrap(), Some(1));
        assert!(query("productLine=7").enumeration("productLine", LINES).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(raw in "(&|=|\\+|%|%[0-9a-f]{2}|pageSize|\\PC){0,24}") {
            if let Ok(read) = Query::parse(Some(&raw)) {
                let _ = read.page_size(10, 100);
                let _ = read.bool("a");
            }
        }

        #[test]
        fn what_is_encoded_comes_back(value in "[^\\x00]{0,24}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let raw = format!("a={encoded}");
            let read = query(&raw);
            prop_assert_eq!(read.get("a"), Some(value.as_str()));
        }
    }
}
