//! DEPTH: JSON that is nested deeper than anybody nests, cut down before it is read: one event of anybody must not make an answer
//! unreadable.

use std::borrow::Cow;

/// What lies deeper is `null`; serde_json gives up at 128.
const MOST: usize = 100;

/// The same JSON without what lies too deep.
pub(crate) fn shallow(json: &[u8]) -> Cow<'_, [u8]> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let mut cut: Option<Vec<u8>> = None;
    for (at, &byte) in json.iter().enumerate() {
        let was_deep = depth > MOST;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (was_deep, depth > MOST) {
            (false, true) => cut.get_or_insert_with(|| json[..at].to_vec()).extend_from_slice(b"null"),
            (false, false) => cut.iter_mut().for_each(|cut| cut.push(byte)),
            // Its end included.
            (true, _) => {}
        }
    }
    cut.map_or(Cow::Borrowed(json), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_lies_too_deep_is_cut_and_nothing_else() {
        let deep = format!(r#"{{"a":[1,"]}}\"[{{",{}7{}],"b":2}}"#, "[".repeat(5_000), "]".repeat(5_000));
        let read: Value = serde_json::from_slice(&shallow(deep.as_bytes())).expect("JSON");
        assert_eq!((&read["a"][1], &read["b"]), (&Value::from("]}\"[{"), &Value::from(2)));
        let flat = br#"{"a":[{"b":"\\"}]}"#;
        assert!(matches!(shallow(flat), Cow::Borrowed(same) if same == flat));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for bad in ["]]]]", "[[", "\"\\", &"[".repeat(300)] {
            assert!(serde_json::from_slice::<Value>(&shallow(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
