//! QR codes out of pictures.

use wechaty_file_box::{FileBox, FileBoxError};

/// A PNG of this size and colour type; black where the row is even.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; width.div_ceil(8) as usize * height as usize]).unwrap();
    drop(writer);
    out
}

#[tokio::test]
async fn the_text_of_a_picture_is_the_text_it_was_made_from() {
    for text in ["https://wechaty.js.org/?a=b", "图", &"x".repeat(900)] {
        let code = FileBox::from_qr_code(text).unwrap();
        assert_eq!(code.to_qr_code().await.unwrap(), text);
        let picture = FileBox::from_bytes(code.to_bytes().await.unwrap(), "a.png");
        assert_eq!(picture.to_qr_code().await.unwrap(), text);
    }
}

#[tokio::test]
async fn a_jpeg_and_a_transparent_png_are_read_too() {
    for (name, bytes) in [
        ("a.jpg", &include_bytes!("../pictures/qr.jpg")[..]),
        ("a.png", include_bytes!("../pictures/qr-transparent.png")),
    ] {
        let picture = FileBox::from_bytes(bytes, name);
        assert_eq!(picture.to_qr_code().await.unwrap(), "https://wechaty.js.org", "{name}");
    }
}

#[tokio::test]
async fn a_picture_without_a_code_is_told_from_a_broken_one() {
    let blank = FileBox::from_bytes(png(64, 64), "a.png").to_qr_code().await;
    assert!(matches!(blank, Err(FileBoxError::NoQrCode { .. })), "{blank:?}");
    let whole = png(64, 64);
    for bytes in [&b""[..], b"GIF89a", b"\xff\xd8\xff", &whole[..40]] {
        let broken = FileBox::from_bytes(bytes.to_vec(), "a.png").to_qr_code().await;
        assert!(matches!(broken, Err(FileBoxError::Invalid { .. })), "{broken:?}");
    }
}

#[tokio::test]
async fn a_picture_of_too_many_pixels_is_not_unpacked() {
    let bomb = FileBox::from_bytes(png(16_384, 1025), "a.png").to_qr_code().await;
    assert!(matches!(bomb, Err(FileBoxError::Invalid { .. })), "{bomb:?}");
}
