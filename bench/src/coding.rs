//! Content codings, and who serves them how.

use crate::peers::Name;

/// What a scraper asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    Identity,
    Gzip,
    /// gzip from a peer that has none of its own, by an application that chose its compressor with care.
    CarefulGzip,
    Zstd,
}

/// A compressor and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// flate2 as it comes: its default backend at its default level.
    Default,
    /// zlib-rs, level 1.
    Fast,
    /// libzstd, level 1.
    Zstd,
}

impl Coding {
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::CarefulGzip, Self::Zstd];

    /// As it stands in `Accept-Encoding` and `Content-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip | Self::CarefulGzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// As Meterbox's bodies have it.
    pub fn of_meterbox(self) -> meterbox_body::Coding {
        match self {
            Self::Identity => meterbox_body::Coding::Identity,
            Self::Gzip | Self::CarefulGzip => meterbox_body::Coding::Gzip,
            Self::Zstd => meterbox_body::Coding::Zstd,
        }
    }

    /// Whether a server of this peer is to be asked for it.
    pub fn is_for(self, peer: Name) -> bool {
        self != Self::CarefulGzip || peer.application_compresses()
    }
}

impl Method {
    /// What a server in this program compresses with; `None` where the peer does not have the coding, or compresses
    /// itself.
    pub fn of(peer: Name, coding: Coding) -> Option<Self> {
        match coding {
            Coding::Identity => None,
            _ if peer == Name::Meterbox => None,
            Coding::Gzip if peer.application_compresses() => Some(Self::Default),
            Coding::Gzip | Coding::CarefulGzip => Some(Self::Fast),
            Coding::Zstd => {
                let has = matches!(peer, Name::Bound | Name::BoundHyper);
                has.then_some(Self::Zstd)
            }
        }
    }
}
