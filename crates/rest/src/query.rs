//! QUERY: the parameters behind the `?`: only those a route knows, each once, each what it must be.

use crate::{
    problem::Problem,
    route::{Kind, Param, Route},
};

/// Values by name.
///
/// # Errors
/// 422: one is unknown, there twice, or not what it must be.
pub(crate) fn read(route: &'static Route, query: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut values: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(param) = route.query.iter().find(|param| param.name == name) else {
            return Err(Problem::nearest("?", &name, route.query.iter().map(|param| param.name)));
        };
        if values.iter().any(|(known, _)| *known == param.name) {
            return Err(Problem::wrong(param.name, "rest-twice"));
        }
        check(param, &value)?;
        values.push((param.name, value.into_owned()));
    }
    Ok(values)
}

fn check(param: &Param, value: &str) -> Result<(), Problem> {
    let wrong = |key| Problem::wrong(param.name, key);
    match param.kind {
        Kind::Text(_) if value.is_empty() => Err(wrong("rest-too-short").set("bound", "1")),
        Kind::Text(most) if value.chars().count() > most => Err(wrong("rest-too-long").set("bound", most.to_string())),
        Kind::Text(_) => Ok(()),
        Kind::Number(least, most) => {
            let digits = !value.is_empty() && value.len() < 20 && value.bytes().all(|byte| byte.is_ascii_digit());
            let number: Option<u64> = value.parse().ok().filter(|_| digits);
            let number = number.ok_or_else(|| wrong("rest-kind").set("wanted", "integer"))?;
            match number {
                number if number < least => Err(wrong("rest-too-small").set("bound", least.to_string())),
                number if number > most => Err(wrong("rest-too-great").set("bound", most.to_string())),
                _ => Ok(()),
            }
        }
        Kind::Flag if matches!(value, "true" | "false") => Ok(()),
        Kind::Flag => Err(wrong("rest-one-of").set("choices", "true, false")),
        Kind::OneOf(choices) if choices.contains(&value) => Ok(()),
        Kind::OneOf(choices) => Err(wrong("rest-one-of").set("choices", choices.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    #[test]
    fn only_what_is_known_and_fits_passes() {
        let route = &routes::messages::ROUTES[0];
        assert!(read(route, "limit=5&text=%E4%BD%A0%E5%A5%BD").is_ok());
        for bad in ["limit=0", "limit=201", "limit=+5", "limit=", "limit=1&limit=2", "limt=5", "text=", "limit=5.0"] {
            assert_eq!(read(route, bad).err().map(|problem| problem.code), Some("W514"), "{bad}");
        }
    }
}
