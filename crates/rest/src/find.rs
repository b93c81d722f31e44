//! FIND: which route an address means.

use axum::http::Method;

use crate::{route::Route, table};

/// A route, and what the address says to it.
pub(crate) struct Found {
    pub(crate) route: &'static Route,
    /// Values of the path by name, still encoded.
    pub(crate) path: Vec<(&'static str, String)>,
    /// The account that the address names, still encoded.
    pub(crate) named: Option<String>,
}

/// The route of a path below `/api/v1`.
///
/// # Errors
/// What can be done with the address; nothing: there is none.
pub(crate) fn find(path: &str, method: &Method) -> Result<Found, Vec<&'static str>> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let plain = matching(path, None);
    let named = path.strip_prefix("/accounts/").and_then(|rest| rest.split_once('/'));
    let named = named.filter(|(account, _)| !account.is_empty());
    let all = match named {
        Some((account, _)) if plain.is_empty() => {
            let rest = &path["/accounts/".len() + account.len()..];
            let mut all = matching(rest, Some(account));
            all.retain(|found| found.route.account);
            all
        }
        _ => plain,
    };
    // Words stand before values: `/contacts/self` is no contact of this id.
    let best = all.iter().map(|found| shape(found.route.path)).min();
    let all: Vec<Found> = all.into_iter().filter(|found| Some(shape(found.route.path)) == best).collect();
    let mut allowed: Vec<_> = all.iter().map(|found| found.route.verb.as_str()).collect();
    allowed.sort_unstable();
    allowed.dedup();
    all.into_iter().find(|found| found.route.verb.as_str() == method.as_str()).ok_or(allowed)
}

/// For each segment, whether it is a value.
fn shape(path: &str) -> Vec<bool> {
    path.split('/').map(|part| part.starts_with('{')).collect()
}

fn matching(path: &str, named: Option<&str>) -> Vec<Found> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |route: &'static Route| {
        let mut values = Vec::new();
        let mut wanted = route.path.split('/');
        for part in &parts {
            let wanted = wanted.next()?;
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !part.is_empty() => values.push((name, (*part).to_owned())),
                None if wanted == *part => {}
                _ => return None,
            }
        }
        if wanted.next().is_some() {
            return None;
        }
        Some(Found { route, path: values, named: named.map(str::to_owned) })
    };
    table::all().filter_map(fits).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn id(method: Method, path: &str) -> Option<&'static str> {
        find(path, &method).ok().map(|found| found.route.id)
    }

    #[test]
    fn words_stand_before_values_and_an_account_may_be_named() {
        assert_eq!(id(Method::GET, "/contacts/self"), Some("contactSelf"));
        assert_eq!(id(Method::GET, "/contacts/bob"), Some("contactPayload"));
        assert_eq!(id(Method::DELETE, "/contacts/-/tags/x"), Some("tagContactDelete"));
        assert_eq!(id(Method::DELETE, "/contacts/bob/tags/x"), Some("tagContactRemove"));
        assert_eq!(id(Method::HEAD, "/rooms"), Some("roomList"));
        let found = find("/accounts/shop/rooms/a%2Fb", &Method::GET).ok().unwrap();
        assert_eq!((found.route.id, found.named.as_deref()), ("roomPayload", Some("shop")));
        assert_eq!(found.path, [("id", "a%2Fb".to_owned())]);
    }

    #[test]
    fn what_is_not_there_is_told_from_what_cannot_be_done() {
        for nothing in
            ["", "/", "/room", "/rooms/", "/rooms//topic", "/accounts/shop/accounts", "/accounts//rooms", "/v1/rooms"]
        {
            assert_eq!(find(nothing, &Method::GET).err(), Some(Vec::new()), "{nothing}");
        }
        assert_eq!(find("/rooms/x", &Method::POST).err(), Some(vec!["DELETE", "GET"]));
        assert_eq!(find("/contacts/-/tags/x", &Method::PUT).err(), Some(vec!["DELETE"]));
    }

    #[test]
    fn no_two_operations_have_one_name_or_one_address() {
        let ids: BTreeSet<_> = table::all().map(|route| route.id).collect();
        let addresses: BTreeSet<_> = table::all().map(|route| (route.verb, route.path)).collect();
        assert_eq!((ids.len(), addresses.len()), (table::all().count(), table::all().count()));
    }

    #[test]
    fn every_operation_says_who_may_and_where_it_belongs() {
        for route in table::all() {
            assert!(route.scope.is_some() && !route.tag.is_empty() && route.path.starts_with('/'), "{}", route.id);
        }
    }
}
