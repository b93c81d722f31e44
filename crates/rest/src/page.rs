//! PAGE: long lists in pieces: an opaque cursor that says where the next one begins.

use axum::http::{HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer,
    call::Call,
    problem::Problem,
    route::{Done, Kind, Param},
};

/// How many items a page has, unless somebody asks for another number.
const USUAL: u64 = 50;
/// How many it may have.
pub(crate) const MOST: u64 = 200;

/// The parameters of every list.
pub(crate) const LIMIT: Param = Param { name: "limit", what: "How many at most", kind: Kind::Number(1, MOST) };
/// Where the page begins.
pub(crate) const CURSOR: Param =
    Param { name: "cursor", what: "Where to go on: `next` of the page before, as it is", kind: Kind::Text(2048) };

/// Which page is asked for.
pub(crate) struct Page {
    pub(crate) limit: usize,
    /// What the page before ended with.
    pub(crate) after: Option<String>,
}

impl Page {
    /// # Errors
    /// 404: there is no such cursor.
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        let limit = usize::try_from(call.number("limit").unwrap_or(USUAL)).unwrap_or(1);
        let after = match call.asked("cursor") {
            Some(cursor) => Some(read(cursor).ok_or_else(|| Problem::unknown("cursor", cursor))?),
            None => None,
        };
        Ok(Self { limit, after })
    }

    /// A page of what has an order by its names, and whether there is more behind it.
    pub(crate) fn cut<T>(&self, all: Vec<T>, name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        let (order, next) = self.order(all.iter().map(name).collect());
        let mut all: Vec<_> = all.into_iter().map(Some).collect();
        (order.into_iter().filter_map(|place| all[place].take()).collect(), next)
    }

    /// Which of those with these names are on the page, and what it ends with if there is more.
    fn order(&self, names: Vec<&str>) -> (Vec<usize>, Option<String>) {
        let after = |place: &usize| self.after.as_ref().is_none_or(|after| names[*place] > after.as_str());
        let mut order: Vec<usize> = (0..names.len()).filter(after).collect();
        order.sort_by_key(|place| names[*place]);
        let more = order.len() > self.limit;
        order.truncate(self.limit);
        let next = order.last().filter(|_| more).map(|last| names[*last].to_owned());
        (order, next)
    }
}

/// The answer: items, and where to go on. `next`: what this page ended with.
pub(crate) fn answer(call: &Call, items: &[impl Serialize], next: Option<String>) -> Done {
    let next = next.map(|next| URL_SAFE_NO_PAD.encode(format!("1{next}")));
    let mut response = answer::json(&json!({ "items": items, "next": next }))?;
    if let Some(next) = next {
        let link = format!("<{}>; rel=\"next\"", address(call, &next));
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// Where the next page is: as this one, from the door's own address.
fn address(call: &Call, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| *name != "cursor") {
        query.append_pair(name, value);
    }
    query.append_pair("cursor", cursor);
    format!("/api{}?{}", call.parts.uri.path(), query.finish())
}

/// What is in a cursor; the first character is the version of its form.
fn read(cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix('1').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_also_when_the_last_one_has_gone() {
        let all = || ["b", "a", "d", "c", "e"].map(str::to_owned).to_vec();
        let page =
            |after: Option<&str>, all| Page { limit: 2, after: after.map(str::to_owned) }.cut(all, |one: &String| one);
        assert_eq!(page(None, all()), (vec!["a".into(), "b".into()], Some("b".into())));
        let without_b = all().into_iter().filter(|one| one != "b").collect();
        assert_eq!(page(Some("b"), without_b), (vec!["c".into(), "d".into()], Some("d".into())));
        assert_eq!(page(Some("d"), all()), (vec!["e".into()], None));
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        assert_eq!(read(&URL_SAFE_NO_PAD.encode("1房间@harbour")).as_deref(), Some("房间@harbour"));
        for bad in ["", "*", "AAAA", "x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
