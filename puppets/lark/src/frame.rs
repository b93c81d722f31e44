//! FRAME: one message of the long connection, protobuf of nine fields, written and read by hand.
//!
//! A frame that lacks a required field, is cut off, or nests deeper than it may is refused whole.

use bytes::Bytes;

/// Most headers of a frame.
const HEADERS: usize = 64;
/// Method of pings and pongs.
pub(crate) const CONTROL: u64 = 0;
/// Method of events.
pub(crate) const DATA: u64 = 1;

/// A frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Number in its connection.
    pub seq_id: u64,
    /// For the platform's logs.
    pub log_id: u64,
    /// Which service it is for.
    pub service: u64,
    /// 0: control, 1: data.
    pub method: u64,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// How the payload is packed.
    pub encoding: String,
    /// What the payload is.
    pub kind: String,
    /// The payload.
    pub payload: Bytes,
    /// The newer form of the log id.
    pub log_id_new: String,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl Frame {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Sets a header, in the place of one that is there.
    pub fn set(&mut self, name: &str, value: String) {
        match self.headers.iter_mut().find(|(key, _)| key == name) {
            Some(header) => header.1 = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.len() + 256);
        for (number, value) in [(1, self.seq_id), (2, self.log_id), (3, self.service), (4, self.method)] {
            put_varint(&mut out, number << 3);
            put_varint(&mut out, value);
        }
        for (key, value) in &self.headers {
            let mut header = Vec::with_capacity(key.len() + value.len() + 8);
            put_bytes(&mut header, 1, key.as_bytes());
            put_bytes(&mut header, 2, value.as_bytes());
            put_bytes(&mut out, 5, &header);
        }
        for (number, value) in [
            (6, self.encoding.as_bytes()),
            (7, self.kind.as_bytes()),
            (8, &self.payload[..]),
            (9, self.log_id_new.as_bytes()),
        ] {
            if !value.is_empty() {
                put_bytes(&mut out, number, value);
            }
        }
        out
    }

    /// From bytes; the payload is shared, not copied.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(bytes: &Bytes) -> Result<Self, Malformed> {
        let (mut frame, mut rest, mut seen) = (Self::default(), &bytes[..], 0u8);
        while !rest.is_empty() {
            let (number, field) = field(&mut rest)?;
            match (number, field) {
                (1..=4, Field::Number(value)) => {
                    seen |= 1 << number;
                    match number {
                        1 => frame.seq_id = value,
                        2 => frame.log_id = value,
                        3 => frame.service = value,
                        _ => frame.method = value,
                    }
                }
                (5, Field::Bytes(value)) => {
                    if frame.headers.len() == HEADERS {
                        return Err(Malformed("too many headers"));
                    }
                    frame.headers.push(header(value)?);
                }
                (6, Field::Bytes(value)) => frame.encoding = utf8(value)?,
                (7, Field::Bytes(value)) => frame.kind = utf8(value)?,
                (8, Field::Bytes(value)) => frame.payload = bytes.slice_ref(value),
                (9, Field::Bytes(value)) => frame.log_id_new = utf8(value)?,
                (1..=9, _) => return Err(Malformed("a field of another type")),
                // Of a later version.
                _ => {}
            }
        }
        if seen == 0b1_1110 { Ok(frame) } else { Err(Malformed("a required field is missing")) }
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Field<'a>), Malformed> {
    let key = varint(rest)?;
    if key >> 3 == 0 || key >> 3 > 0x1fff_ffff {
        return Err(Malformed("a field without a number"));
    }
    Ok((
        key >> 3,
        match key & 7 {
            0 => Field::Number(varint(rest)?),
            1 => take(rest, 8).map(|_| Field::Other)?,
            2 => {
                let length = varint(rest)?;
                Field::Bytes(take(rest, usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => take(rest, 4).map(|_| Field::Other)?,
            _ => return Err(Malformed("a field of a type that does not exist")),
        },
    ))
}

fn header(mut rest: &[u8]) -> Result<(String, String), Malformed> {
    let (mut key, mut value) = (None, None);
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Field::Bytes(bytes)) => key = Some(utf8(bytes)?),
            (2, Field::Bytes(bytes)) => value = Some(utf8(bytes)?),
            (1 | 2, _) => return Err(Malformed("a header of another type")),
            _ => {}
        }
    }
    key.zip(value).ok_or(Malformed("a header without name or value"))
}

fn utf8(bytes: &[u8]) -> Result<String, Malformed> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed("a text that is no UTF-8"))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (taken, behind) = rest.split_at_checked(length).ok_or(Malformed("it is cut off"))?;
    *rest = behind;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed("a number that is too large"))
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Frame {
        Frame {
            seq_id: 1,
            log_id: u64::MAX,
            service: 33_554_678,
            method: DATA,
            headers: vec![("type".into(), "event".into()), ("sum".into(), "1".into())],
            payload: Bytes::from_static(b"{}"),
            ..Frame::default()
        }
    }

    #[test]
    fn a_ping_has_the_bytes_of_the_schema() {
        let mut ping = Frame { service: 7, ..Frame::default() };
        ping.set("type", "ping".into());
        let wire = b"\x08\x00\x10\x00\x18\x07\x20\x00\x2a\x0c\x0a\x04type\x12\x04ping";
        assert_eq!(ping.to_bytes(), wire);
        assert_eq!(Frame::read(&Bytes::from_static(wire)), Ok(ping));
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        assert_eq!(Frame::read(&sample().to_bytes().into()), Ok(sample()));
    }

    #[test]
    fn no_part_of_a_frame_is_one_and_none_panics() {
        let bytes = Bytes::from(sample().to_bytes());
        for end in 0..bytes.len() {
            // What is cut before an optional field is a frame without it.
            if let Ok(frame) = Frame::read(&bytes.slice(..end)) {
                assert!(frame != sample() && frame.log_id == u64::MAX && frame.method == DATA);
            }
        }
        assert!(Frame::read(&Bytes::new()).is_err());
    }

    #[test]
    fn numbers_without_end_and_too_many_headers_are_refused() {
        assert!(Frame::read(&Bytes::from_static(&[0x08; 1])).is_err());
        assert!(Frame::read(&Bytes::from(vec![0xff; 32])).is_err());
        let mut frame = sample();
        frame.headers = vec![("a".into(), "b".into()); HEADERS + 1];
        assert_eq!(Frame::read(&frame.to_bytes().into()), Err(Malformed("too many headers")));
    }
}
