//! Log lines on standard error, as text or JSON.
//!
//! A log line never holds personal data: no addresses, names or free text, only ids. Libraries that would write
//! requests or statements at `debug` are held back unless the filter names them.

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Why logging was not set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error("the log filter cannot be read")]
    Filter(#[from] BadFilter),
    /// Somebody else in this process set logging up before.
    #[error("logging is set up already")]
    Already(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// A log filter that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no log filter")]
pub struct BadFilter;

/// These write addresses, requests or statements below their given level.
const HELD_BACK: &str =
    "sqlx=warn,hyper=info,hyper_util=info,h2=info,reqwest=info,rustls=info,tower_http=info";

/// Sends the log lines of the whole process to standard error. `filter` is one of `EnvFilter`, such as `info` or
/// `info,dossier_api=debug`.
///
/// # Errors
/// [`LoggingError`] for a filter that cannot be read, or when called a second time.
pub fn init(filter: &str, format: LogFormat) -> Result<(), LoggingError> {
    let colours = std::io::stderr().is_terminal();
    match format {
        LogFormat::Text => tracing::subscriber::set_global_default(text(filter, colours, std::io::stderr)?)?,
        LogFormat::Json => tracing::subscriber::set_global_default(json(filter, std::io::stderr)?)?,
    }
    Ok(())
}

/// Reads a filter.
///
/// # Errors
/// When it is none.
pub fn parse_filter(filter: &str) -> Result<EnvFilter, BadFilter> {
    // The parser below panics on some texts beyond ASCII (it cuts inside a character).
    if !filter.is_ascii() {
        return Err(BadFilter);
    }
    EnvFilter::try_new(format!("{HELD_BACK},{filter}")).map_err(|_| BadFilter)
}

fn text<W>(filter: &str, colours: bool, writer: W) -> Result<impl Subscriber + use<W>, BadFilter>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(parse_filter(filter)?).with_writer(writer);
    // Where a line cannot be written (a full disk), saying so on standard error would panic, in the middle of a request.
    Ok(builder.with_ansi(colours).log_internal_errors(false).finish())
}

fn json<W>(filter: &str, writer: W) -> Result<impl Subscriber + use<W>, BadFilter>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(parse_filter(filter)?).with_writer(writer);
    Ok(builder.json().flatten_event(true).log_internal_errors(false).finish())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat, write: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = {
            let buffer = buffer.clone();
            move || buffer.clone()
        };
        match format {
            LogFormat::Text => tracing::subscriber::with_default(text(filter, false, writer).unwrap(), write),
            LogFormat::Json => tracing::subscriber::with_default(json(filter, writer).unwrap(), write),
        }
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_are_objects_with_their_fields() {
        let line = logged("info", LogFormat::Json, || tracing::info!(stream = "case-1", "appended"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((value["stream"].as_str(), value["message"].as_str()), (Some("case-1"), Some("appended")));
        assert_eq!(value["level"], "INFO");
    }

    #[test]
    fn text_lines_obey_the_filter() {
        let lines = logged("warn", LogFormat::Text, || {
            tracing::info!("quiet");
            tracing::warn!("loud");
        });
        assert!(lines.contains("loud") && !lines.contains("quiet"));
    }

    #[test]
    fn libraries_are_held_back_unless_they_are_named() {
        let write = || {
            tracing::debug!(target: "hyper::proto", "GET /v2/...");
            tracing::debug!(target: "dossier_api", "ours");
        };
        let lines = logged("debug", LogFormat::Text, write);
        assert!(lines.contains("ours") && !lines.contains("GET"));
        assert!(logged("debug,hyper=debug", LogFormat::Text, write).contains("GET"));
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        assert!(parse_filter("a=b=c").is_err());
        assert!(parse_filter("\u{2000}\u{1772}=").is_err());
        assert!(parse_filter("info,dossier_api=debug").is_ok());
    }
}
