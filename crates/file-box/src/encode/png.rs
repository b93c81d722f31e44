//! The smallest PNG encoder that will do: square, black and white, uncompressed.
//!
//! Its own, because a QR code is all this crate draws, and a general encoder brings a compressor along.

/// Largest stored block of deflate.
const BLOCK: usize = 0xFFFF;

/// A square picture of `side` pixels, black where `dark(x, y)`.
pub(crate) fn bitmap(side: usize, dark: impl Fn(usize, usize) -> bool) -> Vec<u8> {
    let mut header = Vec::with_capacity(13);
    for _ in 0..2 {
        header.extend((side as u32).to_be_bytes());
    }
    // One bit per pixel, greyscale, the only compression and filter method, not interlaced.
    header.extend([1, 0, 0, 0, 0]);

    let mut rows = Vec::with_capacity(side * (side / 8 + 2));
    for y in 0..side {
        rows.push(0);
        for left in (0..side).step_by(8) {
            let white = |bit: usize| left + bit < side && !dark(left + bit, y);
            rows.push((0..8).fold(0, |byte, bit| byte << 1 | u8::from(white(bit))));
        }
    }

    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &stored(&rows));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend(kind);
    png.extend(data);
    let sum = crc32(&png[from..]);
    png.extend(sum.to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let len = block.len() as u16;
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    out.extend(adler32(data).to_be_bytes());
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn a_picture_is_laid_out_as_rows_of_bits() {
        let png = bitmap(9, |x, y| x == y);
        let rows = &png[8 + 25 + 8 + 2 + 5..][..27];
        assert_eq!(rows[..6], [0, 0b0111_1111, 0b1000_0000, 0, 0b1011_1111, 0b1000_0000]);
        assert_eq!(rows[24..], [0, 0b1111_1111, 0]);
        assert_eq!(&png[png.len() - 12..], b"\0\0\0\0IEND\xAE\x42\x60\x82");
    }
}
