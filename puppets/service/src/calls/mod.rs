//! CALLS: each capability as the calls of the contract.

mod contact;
mod load;
mod message;
mod people;
mod room;

/// A call with a request, as a function of the client.
macro_rules! call {
    ($method:ident($request:expr)) => {{
        let request = $request;
        move |client: &crate::link::Client| client.$method(request)
    }};
}
pub(crate) use call;
