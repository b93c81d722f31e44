//! FRAME: what goes over the long connection, read and written by hand (proto2, package `pbbp2`).

/// A frame: of control (ping, pong) or of data (an event, and its acknowledgement).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// `SeqID`.
    pub seq_id: u64,
    /// `LogID`.
    pub log_id: u64,
    /// `service`: the `service_id` of the connection's URL.
    pub service: i32,
    /// `method`: 0 control, 1 data.
    pub method: i32,
    /// `headers`, in order.
    pub headers: Vec<(String, String)>,
    /// `payload_encoding`.
    pub payload_encoding: Option<String>,
    /// `payload_type`.
    pub payload_type: Option<String>,
    /// `payload`.
    pub payload: Option<Vec<u8>>,
    /// `LogIDNew`.
    pub log_id_new: Option<String>,
}

/// `method` of pings and pongs.
pub const CONTROL: i32 = 0;
/// `method` of events and their acknowledgements.
pub const DATA: i32 = 1;

impl Frame {
    /// The value of a header.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == key).map(|(_, value)| value.as_str())
    }

    /// As bytes. Fields that the schema requires are written even where they are 0.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.payload.as_ref().map_or(0, Vec::len));
        number(&mut out, 1, self.seq_id);
        number(&mut out, 2, self.log_id);
        number(&mut out, 3, signed(self.service));
        number(&mut out, 4, signed(self.method));
        for (key, value) in &self.headers {
            let mut header = Vec::new();
            field(&mut header, 1, key.as_bytes());
            field(&mut header, 2, value.as_bytes());
            field(&mut out, 5, &header);
        }
        let texts = [(6, &self.payload_encoding), (7, &self.payload_type)];
        for (id, text) in texts.into_iter().filter_map(|(id, text)| Some((id, text.as_ref()?))) {
            field(&mut out, id, text.as_bytes());
        }
        if let Some(payload) = &self.payload {
            field(&mut out, 8, payload);
        }
        if let Some(text) = &self.log_id_new {
            field(&mut out, 9, text.as_bytes());
        }
        out
    }

    /// From bytes.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut frame = Self::default();
        let mut seen = [false; 5];
        let mut at = Reader(bytes);
        while !at.0.is_empty() {
            let (id, value) = at.field()?;
            match (id, value) {
                (1, Field::Number(n)) => (frame.seq_id, seen[1]) = (n, true),
                (2, Field::Number(n)) => (frame.log_id, seen[2]) = (n, true),
                (3, Field::Number(n)) => (frame.service, seen[3]) = (n as i32, true),
                (4, Field::Number(n)) => (frame.method, seen[4]) = (n as i32, true),
                (5, Field::Bytes(header)) => frame.headers.push(read_header(header)?),
                (6, Field::Bytes(b)) => frame.payload_encoding = Some(text(b)?),
                (7, Field::Bytes(b)) => frame.payload_type = Some(text(b)?),
                (8, Field::Bytes(b)) => frame.payload = Some(b.to_vec()),
                (9, Field::Bytes(b)) => frame.log_id_new = Some(text(b)?),
                (1..=9, _) => return Err(format!("field {id} has the wrong wire type")),
                _ => {}
            }
        }
        match seen[1..].iter().position(|is| !is) {
            Some(missing) => Err(format!("the required field {} is missing", missing + 1)),
            None => Ok(frame),
        }
    }
}

fn read_header(bytes: &[u8]) -> Result<(String, String), String> {
    let (mut key, mut value) = (None, None);
    let mut at = Reader(bytes);
    while !at.0.is_empty() {
        match at.field()? {
            (1, Field::Bytes(b)) => key = Some(text(b)?),
            (2, Field::Bytes(b)) => value = Some(text(b)?),
            _ => {}
        }
    }
    key.zip(value).ok_or_else(|| "a header without key or value".to_owned())
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text that is no UTF-8".to_owned())
}

/// As protobuf writes an `int32`: sign-extended.
fn signed(value: i32) -> u64 {
    i64::from(value) as u64
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, id: u64, value: u64) {
    varint(out, id << 3);
    varint(out, value);
}

fn field(out: &mut Vec<u8>, id: u64, bytes: &[u8]) {
    varint(out, id << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Skipped,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or("a number is cut off")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is longer than ten bytes".to_owned())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("a field is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Field<'a>), String> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.take(8).map(|_| Field::Skipped)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| "a field is too long")?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Skipped)?,
            other => return Err(format!("wire type {other}")),
        };
        Ok((tag >> 3, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_the_bytes_that_the_python_sdk_writes() {
        // `Frame` of lark-oapi's pbbp2_pb2 with service 7 and one header, serialised by its own protobuf runtime.
        let bytes = b"\x08\x00\x10\x00\x18\x07\x20\x00\x2a\x0c\x0a\x04type\x12\x04ping";
        let ping = Frame { service: 7, headers: vec![("type".to_owned(), "ping".to_owned())], ..Frame::default() };
        assert_eq!(ping.encode(), bytes);
        assert_eq!(Frame::decode(bytes), Ok(ping));
    }

    #[test]
    fn what_is_cut_off_or_lacks_a_required_field_is_refused() {
        let whole = Frame { service: -1, payload: Some(vec![1; 300]), ..Frame::default() };
        let bytes = whole.encode();
        assert_eq!(Frame::decode(&bytes), Ok(whole));
        assert!(Frame::decode(&bytes[..bytes.len() - 1]).is_err());
        assert_eq!(Frame::decode(&bytes[2..]), Err("the required field 1 is missing".to_owned()));
    }
}
