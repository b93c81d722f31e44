//! QR codes as pictures.

use bytes::Bytes;

use crate::{FileBoxError, Result};

/// Pixels a module.
const SCALE: usize = 8;
/// Modules of white around the code.
const QUIET: usize = 4;

/// The code as a greyscale PNG.
pub(crate) fn png(text: &str) -> Result<Bytes> {
    let invalid = |reason: String| FileBoxError::Invalid { what: "QR code", reason };
    let code = qrcode::QrCode::new(text).map_err(|error| invalid(format!("{} bytes: {error}", text.len())))?;
    let (width, modules) = (code.width(), code.to_colors());
    let side = (width + 2 * QUIET) * SCALE;
    let mut pixels = vec![0xff_u8; side * side];
    for (i, module) in modules.iter().enumerate().filter(|(_, module)| **module == qrcode::Color::Dark) {
        let _ = module;
        let (x, y) = ((i % width + QUIET) * SCALE, (i / width + QUIET) * SCALE);
        for row in y..y + SCALE {
            pixels[row * side + x..row * side + x + SCALE].fill(0);
        }
    }
    let mut out = Vec::new();
    let side = u32::try_from(side).map_err(|error| invalid(error.to_string()))?;
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| invalid(error.to_string()))?;
    Ok(out.into())
}
