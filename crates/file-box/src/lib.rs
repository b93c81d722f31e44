//! FILE BOX: files as values, wherever their bytes are; what `say` takes and what messages hold.
//!
//! A [`FileBox`] knows where its bytes are (a path, a URL, memory, a stream, base64, a QR code's text, a UUID in a
//! store) and gives them as a stream. Its JSON is Wechaty's, both ways.

mod address;
mod boxed;
mod content;
mod data_url;
mod deadline;
mod error;
mod export;
#[cfg(feature = "http")]
mod http;
mod json;
mod load;
mod name;
mod options;
mod pieces;
mod qr;
#[cfg(feature = "qr-decode")]
mod qr_decode;
mod spill;
mod temp_file;
mod uuid_store;

pub use address::is_public;
pub use boxed::{FileBox, FileBoxType};
pub use content::FileSource;
pub use error::FileBoxError;
pub use load::ByteStream;
pub use name::base_name;
pub use options::LoadOptions;
pub use spill::Spill;
pub use uuid_store::{FolderUuidStore, UuidStore};

/// Result of file box operations.
pub type Result<T, E = FileBoxError> = std::result::Result<T, E>;
