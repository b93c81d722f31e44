//! QR codes out of pictures.

use std::io::Cursor;

use png::ColorType;
use rqrr::PreparedImage;
use zune_jpeg::{
    JpegDecoder,
    zune_core::{colorspace::ColorSpace, options::DecoderOptions},
};

use crate::{FileBox, FileBoxError, LoadOptions, Result};

/// A picture of more pixels is not decoded: what a phone takes is below that.
const MAX_PIXELS: usize = 1 << 24;

impl FileBox {
    /// The text of the QR code in a PNG or JPEG picture, within the default bounds; of a QR code box, its text.
    ///
    /// # Errors
    /// [`FileBoxError::NoQrCode`] where none is found; as reading; [`FileBoxError::Invalid`] for another format or more
    /// than 16 million pixels.
    #[doc(alias = "toQRCode")]
    pub async fn to_qr_code(&self) -> Result<String> {
        self.to_qr_code_with(&LoadOptions::default()).await
    }

    /// As [`to_qr_code`](Self::to_qr_code), within these bounds.
    ///
    /// # Errors
    /// As [`to_qr_code`](Self::to_qr_code).
    pub async fn to_qr_code_with(&self, options: &LoadOptions) -> Result<String> {
        if let Some(text) = self.qr_code() {
            return Ok(text.to_owned());
        }
        let (bytes, name) = (self.to_bytes_with(options).await?, self.name().to_owned());
        let decode = move || Picture::decode(&bytes)?.qr_code().ok_or(FileBoxError::NoQrCode { name });
        // A decoder that panics over a hostile picture has not read it, no more.
        tokio::task::spawn_blocking(decode).await.unwrap_or_else(|_| Err(invalid("the decoder gave up on it")))
    }
}

/// A picture in grey, eight bits a pixel.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn decode(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Self::from_png(bytes),
            [0xff, 0xd8, ..] => Self::from_jpeg(bytes),
            _ => Err(invalid("it is neither PNG nor JPEG")),
        }
    }

    fn from_png(bytes: &[u8]) -> Result<Self> {
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: 8 * MAX_PIXELS });
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(invalid)?;
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        check_size(width, height)?;
        let mut pixels = vec![0; reader.output_buffer_size().ok_or_else(|| invalid("it is too large"))?];
        let frame = reader.next_frame(&mut pixels).map_err(invalid)?;
        pixels.truncate(frame.buffer_size());
        let pixels = match frame.color_type {
            ColorType::Grayscale | ColorType::Indexed => pixels,
            ColorType::GrayscaleAlpha => pixels.chunks_exact(2).map(|p| on_white(p[0], p[1])).collect(),
            ColorType::Rgb => pixels.chunks_exact(3).map(grey).collect(),
            ColorType::Rgba => pixels.chunks_exact(4).map(|p| on_white(grey(p), p[3])).collect(),
        };
        Self::new(width, height, pixels)
    }

    fn from_jpeg(bytes: &[u8]) -> Result<Self> {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
        decoder.decode_headers().map_err(invalid)?;
        let (width, height) = decoder.dimensions().ok_or_else(|| invalid("it has no size"))?;
        check_size(width, height)?;
        Self::new(width, height, decoder.decode().map_err(invalid)?)
    }

    fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        if pixels.len() != width * height {
            return Err(invalid("it is cut off"));
        }
        Ok(Self { width, height, pixels })
    }

    /// The text of the first code that can be read.
    fn qr_code(&self) -> Option<String> {
        let at = |x, y| self.pixels[y * self.width + x];
        let mut image = PreparedImage::prepare_from_greyscale(self.width, self.height, at);
        image.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
    }
}

fn check_size(width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(1..=MAX_PIXELS) => Ok(()),
        _ => Err(invalid(format!("it is {width} × {height}, at most {MAX_PIXELS} pixels are decoded"))),
    }
}

fn invalid(reason: impl ToString) -> FileBoxError {
    FileBoxError::Invalid { what: "picture", reason: reason.to_string() }
}

fn grey(rgb: &[u8]) -> u8 {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
    ((r * 299 + g * 587 + b * 114) / 1000) as u8
}

/// What is transparent is seen on white.
fn on_white(grey: u8, alpha: u8) -> u8 {
    255 - (u32::from(255 - grey) * u32::from(alpha) / 255) as u8
}
