//! QR codes: a text as a PNG picture.

use bytes::Bytes;
use qrcode::{Color, EcLevel, QrCode};

use super::png;
use crate::FileBoxError;

/// Bytes that fit the largest code at the lowest level of error correction.
const MAX_BYTES: usize = 2953;
/// White modules around the code, as the standard asks.
const QUIET: usize = 4;
/// Pixels per module.
const SCALE: usize = 8;

/// Whether the text fits a code.
pub(crate) fn check(value: &str) -> Result<(), FileBoxError> {
    if value.len() > MAX_BYTES { Err(too_long(value)) } else { Ok(()) }
}

/// The PNG of the code: at medium error correction, or low if only that fits.
pub(crate) fn render(value: &str) -> Result<Bytes, FileBoxError> {
    let code = QrCode::with_error_correction_level(value, EcLevel::M)
        .or_else(|_| QrCode::with_error_correction_level(value, EcLevel::L))
        .map_err(|_| too_long(value))?;
    let modules = code.width() + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| (at / SCALE).checked_sub(QUIET).filter(|at| *at < code.width());
        inside(x).zip(inside(y)).is_some_and(|at| code[at] == Color::Dark)
    };
    Ok(png::bitmap(modules * SCALE, dark).into())
}

fn too_long(value: &str) -> FileBoxError {
    FileBoxError::QrTooLong { len: value.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_png_with_a_quiet_zone() {
        let png = render("https://wechaty.js.org").unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let width = u32::from_be_bytes(png[16..20].try_into().unwrap()) as usize;
        assert_eq!(width, (25 + 2 * QUIET) * SCALE);
    }

    #[test]
    fn the_longest_text_fits_and_one_more_byte_does_not() {
        assert!(render(&"x".repeat(MAX_BYTES)).is_ok());
        assert!(matches!(check(&"x".repeat(MAX_BYTES + 1)), Err(FileBoxError::QrTooLong { len: 2954 })));
    }
}
