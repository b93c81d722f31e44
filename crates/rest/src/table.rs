//! TABLE: every route there is, from which requests are answered and openapi.json is made.

use crate::{events, route::Route, routes, webhook};

/// All routes, by subject.
pub(crate) const ALL: &[&[Route]] = &[
    routes::sends::ROUTES,
    routes::conversations::ROUTES,
    routes::messages::ROUTES,
    routes::own::ROUTES,
    routes::contacts::ROUTES,
    routes::tags::ROUTES,
    routes::rooms::ROUTES,
    routes::members::ROUTES,
    routes::friendships::ROUTES,
    routes::invitations::ROUTES,
    routes::posts::ROUTES,
    routes::files::ROUTES,
    routes::accounts::ROUTES,
    routes::dead_letters::ROUTES,
    events::ROUTES,
    routes::tickets::ROUTES,
    webhook::ROUTES,
];

/// One after the other.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    ALL.iter().flat_map(|routes| routes.iter())
}
