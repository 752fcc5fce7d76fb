//! gzip, for those who ask.

use std::sync::{Arc, Mutex, PoisonError};

use ::http::{HeaderMap, header::ACCEPT_ENCODING};
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

/// Up to here a page is compressed where it stands (half a millisecond); a larger one would hold up others that share
/// the thread.
const INLINE: usize = 256 * 1024;

/// Compressors that are kept for the next page; two scrapers at a time are usual.
const KEPT: usize = 4;

/// Compressors for reuse: to set one up is a third of the work on a small page (4 µs of 13 for 5 KB).
#[derive(Debug, Default)]
pub(super) struct Gzip {
    idle: Mutex<Vec<Compress>>,
}

impl Gzip {
    /// The page as gzip; `None` where it could not be compressed, and goes out as it is.
    pub(super) async fn compress(self: &Arc<Self>, page: Bytes) -> Option<Bytes> {
        if page.len() <= INLINE {
            return self.compress_now(&page);
        }
        let pool = Arc::clone(self);
        tokio::task::spawn_blocking(move || pool.compress_now(&page))
            .await
            .ok()
            .flatten()
    }

    fn compress_now(&self, page: &[u8]) -> Option<Bytes> {
        let kept = self.idle().pop();
        let mut stream = kept.unwrap_or_else(|| Compress::new_gzip(Compression::fast(), 15));
        let compressed = run(&mut stream, page);
        stream.reset();
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(stream);
        }
        compressed
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Compress>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(stream: &mut Compress, page: &[u8]) -> Option<Bytes> {
    // Metrics shrink five times or more; a page that does not costs another round.
    let mut out = Vec::with_capacity(page.len() / 4 + 256);
    loop {
        let taken = usize::try_from(stream.total_in()).ok()?;
        let rest = page.get(taken..)?;
        match stream.compress_vec(rest, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Some(out.into()),
            Ok(Status::Ok | Status::BufError) => out.reserve(out.capacity()),
            Err(_) => return None,
        }
    }
}

/// promhttp's rule: identity is offered before gzip, and only a strictly greater weight wins. So `*` alone, or nothing,
/// means identity.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let weight_of = |coding: &str| {
        headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(weighted)
            .filter(|(name, _)| *name == "*" || name.eq_ignore_ascii_case(coding))
            .map(|(_, weight)| weight)
            .fold(-1.0, f32::max)
    };
    let gzip = weight_of("gzip");
    gzip > 0.0 && gzip > weight_of("identity")
}

/// `gzip;q=0.5` → `("gzip", 0.5)`. What has a broken weight counts as not said.
fn weighted(item: &str) -> Option<(&str, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut weight = 1.0;
    for parameter in parts {
        if let Some((key, value)) = parameter.split_once('=')
            && key.trim().eq_ignore_ascii_case("q")
        {
            weight = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&weight) {
                return None;
            }
        }
    }
    Some((name, weight))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::io::Read;

    use ::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_only_when_preferred() {
        let asks = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            wants_gzip(&headers)
        };
        for value in [
            "gzip",
            "GZIP",
            "gzip, zstd",
            "identity;q=0.5, gzip",
            "*;q=0.1, gzip;q=0.2",
            "br , gzip ; q=0.3",
        ] {
            assert!(asks(value), "{value}");
        }
        for value in [
            "",
            "*",
            "identity",
            "zstd",
            "gzip;q=0",
            "gzip, identity",
            "gzip, *",
            "gzip;q=x",
            "gzip;q=2",
        ] {
            assert!(!asks(value), "{value}");
        }
        assert!(!wants_gzip(&HeaderMap::new()));
    }

    #[test]
    fn weights_may_come_in_several_lines() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(wants_gzip(&headers));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        assert!(!wants_gzip(&headers));
    }

    #[tokio::test]
    async fn pages_come_back_whole() {
        let gzip = Arc::new(Gzip::default());
        let text = "http_requests_total{code=\"200\"} 1027\n".repeat(20_000);
        // Bytes without a pattern do not shrink: the output has to grow.
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0])
            .collect();
        for page in [Bytes::new(), Bytes::from(text), Bytes::from(noise)] {
            let compressed = gzip.compress(page.clone()).await.unwrap();
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&compressed[..])
                .read_to_end(&mut plain)
                .unwrap();
            assert!(plain == page);
        }
        assert_eq!(gzip.idle().len(), 1, "one compressor served all pages");
    }
}
