//! Why a plugin cannot be had.

/// Why there are no bytes, or none that may be used. Each says who is at fault, at which stage, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Nothing says which bytes the source stands for.
    #[error(
        "{source_text}: nothing says which bytes it stands for: run meterbox lock, or write their digest into the config"
    )]
    NotLocked {
        /// The source.
        source_text: String,
    },
    /// What the config says about a registry or about keys cannot be used.
    #[error("{what}: {why}")]
    Config {
        /// The key.
        what: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// It could not be pulled.
    #[error("{from}, pull of {stage}: {why}")]
    Pull {
        /// The registry or the server.
        from: String,
        /// What was asked for.
        stage: String,
        /// What came instead, and what to do.
        why: String,
    },
    /// What was sent is not what was asked for. Nothing of it is used.
    #[error("{from}, check of {stage}: {why}")]
    Verify {
        /// The registry, the server or the file.
        from: String,
        /// What was asked for.
        stage: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// It could not be pushed.
    #[error("{from}, push of {stage}: {why}")]
    Push {
        /// The registry.
        from: String,
        /// What was sent.
        stage: String,
        /// What became of it, and what to do.
        why: String,
    },
    /// The policy wants a signature, and there is none that holds.
    #[error("the signature of {of} does not hold, and signatures.policy requires one: {why}")]
    Signature {
        /// What should be signed.
        of: String,
        /// What is wrong, and what to do.
        why: String,
    },
}
