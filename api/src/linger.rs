//! What a refused request still sends.
//!
//! A client reads the answer when it has sent its body, and many never read it when the connection breaks before. So the
//! rest of a body that nobody wants is taken and thrown away, for a while; the connection stays good for the next request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long the rest of a body is taken.
const MOST_TIME: Duration = Duration::from_secs(30);
/// How long its next piece may take to arrive.
const MOST_PAUSE: Duration = Duration::from_secs(5);

/// A body whose rest is read to its end should it be dropped before.
pub fn lingering(headers: &HeaderMap, body: Body) -> Body {
    // Who waits to be told to go on sends nothing after a refusal; reading would tell it to.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return body;
    }
    Body::from_stream(Lingering(Some(body.into_data_stream())))
}

struct Lingering(Option<BodyDataStream>);

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let next = ready!(body.poll_next_unpin(context));
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let (Some(mut rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(timeout(MOST_TIME, async move {
            while let Ok(Some(Ok(_))) = timeout(MOST_PAUSE, rest.next()).await {}
        }));
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures::{SinkExt, channel::mpsc};

    use super::*;

    fn body() -> (mpsc::Sender<Result<Bytes, axum::Error>>, Body) {
        let (sender, receiver) = mpsc::channel(0);
        (sender, Body::from_stream(receiver))
    }

    async fn send(sender: &mut mpsc::Sender<Result<Bytes, axum::Error>>) -> bool {
        sender.send(Ok(Bytes::from_static(b"more"))).await.is_ok()
    }

    #[tokio::test]
    async fn the_rest_of_a_body_that_nobody_wants_is_taken() {
        let (mut sender, body) = body();
        drop(lingering(&HeaderMap::new(), body));
        for _ in 0..100 {
            assert!(send(&mut sender).await, "somebody reads on");
        }
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_told_is_not_told_to_go_on() {
        let (mut sender, body) = body();
        let headers = HeaderMap::from_iter([(EXPECT, HeaderValue::from_static("100-continue"))]);
        drop(lingering(&headers, body));
        assert!(!send(&mut sender).await);
    }

    #[tokio::test]
    async fn a_body_that_is_wanted_arrives_whole() {
        let (mut sender, body) = body();
        let mut body = lingering(&HeaderMap::new(), body).into_data_stream();
        let sent = tokio::spawn(async move { send(&mut sender).await });
        assert_eq!(body.next().await.unwrap().unwrap(), "more");
        assert!(sent.await.unwrap() && body.next().await.is_none());
    }
}
