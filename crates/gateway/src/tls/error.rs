//! What is wrong with certificates and keys, and what to do.

use std::{io, path::PathBuf};

/// Why there is no TLS. No variant holds anything of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system said no.
    #[error("{what} {} failed", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate authority of this host cannot be used.
    #[error(
        "the certificate authority in {} is damaged: {why}. Put its files back from a copy; or delete the folder: a new \
         authority is made then, and clients must be given its ca.pem",
        folder.display()
    )]
    Damaged {
        /// Where it is.
        folder: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Its time is over.
    #[error(
        "the certificate authority in {} was good until {until}. If the clock of this machine is right, delete the folder: \
         a new authority is made then, and clients must be given its ca.pem",
        folder.display()
    )]
    Expired {
        /// Where it is.
        folder: PathBuf,
        /// The last day, as in `2046-11-24`.
        until: String,
    },
    /// What was given as PEM is none.
    #[error("{what} cannot be used: {why}")]
    Pem {
        /// Which of them.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// One without the other.
    #[error("{given} is given, but {missing} is not: a certificate and its key are needed together")]
    Half {
        /// What is there.
        given: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// Certificate and key do not belong together.
    #[error("{certificate} and {key} do not belong together: give the key that the certificate was made for")]
    Mismatch {
        /// Which certificate.
        certificate: String,
        /// Which key.
        key: String,
    },
    /// What can be read cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Unusable(String),
}
