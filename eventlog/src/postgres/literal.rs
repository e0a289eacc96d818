//! Arrays as text of SQL, so that a statement and the commit after it go to the server in one message.

use std::fmt::{Display, Write as _};

use data_encoding::HEXLOWER;

/// Adds `'{1,2,3}'`, for what needs no quotes: numbers and UUIDs.
pub(super) fn plain<T: Display>(sql: &mut String, values: impl Iterator<Item = T>) {
    array(sql, values, |sql, value| {
        // Writing into a text cannot fail.
        let _ = write!(sql, "{value}");
    });
}

/// Adds `'{"one","two"}'`. A text without the letter zero, which PostgreSQL has no way to hold.
pub(super) fn texts<'a>(sql: &mut String, values: impl Iterator<Item = &'a str>) {
    array(sql, values, |sql, value| {
        sql.push('"');
        for letter in value.chars() {
            match letter {
                '"' | '\\' => sql.extend(['\\', letter]),
                '\'' => sql.push_str("''"),
                _ => sql.push(letter),
            }
        }
        sql.push('"');
    });
}

/// Adds `'{"\\x00ff"}'`.
pub(super) fn blobs<'a>(sql: &mut String, values: impl Iterator<Item = &'a [u8]>) {
    array(sql, values, |sql, value| {
        sql.push_str(r#""\\x"#);
        HEXLOWER.encode_append(value, sql);
        sql.push('"');
    });
}

fn array<T>(sql: &mut String, values: impl Iterator<Item = T>, mut each: impl FnMut(&mut String, T)) {
    sql.push_str("'{");
    for (index, value) in values.enumerate() {
        if index > 0 {
            sql.push(',');
        }
        each(sql, value);
    }
    sql.push_str("}'");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut sql = String::new();
        write(&mut sql);
        sql
    }

    #[test]
    fn what_could_end_a_literal_is_escaped() {
        let values = ["it's", r#"a "quote""#, r"back\slash", "{,}", "", "NULL", "ä"];
        let literal = text(|sql| texts(sql, values.into_iter()));
        assert_eq!(literal, r#"'{"it''s","a \"quote\"","back\\slash","{,}","","NULL","ä"}'"#);
    }

    #[test]
    fn numbers_and_bytes_are_written_as_postgresql_reads_them() {
        assert_eq!(text(|sql| plain(sql, [1, -2].into_iter())), "'{1,-2}'");
        let bytes = [&b"\0\xff"[..], b""];
        assert_eq!(text(|sql| blobs(sql, bytes.into_iter())), r#"'{"\\x00ff","\\x"}'"#);
    }
}
