//! Percent-decoding, for names in URLs and headers and for data URLs.

/// Decodes `%XX`; anything malformed stays as it is.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at] == b'%').then(|| hex(bytes.get(at + 1)).zip(hex(bytes.get(at + 2)))).flatten();
        if let Some((high, low)) = pair {
            out.push(high << 4 | low);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_pairs_and_leaves_the_rest() {
        for (text, plain) in [("a%20b", "a b"), ("%e5%9B%be", "图"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("", "")] {
            assert_eq!(decode(text), plain.as_bytes(), "{text}");
        }
    }
}
