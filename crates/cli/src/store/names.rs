//! Whom a name means that is not written out, or otherwise.

use wechaty::store::SqliteLook;
use wechaty_catalogue::Args;

use crate::failure::Failure;

/// So many are named where there are several.
const NAMED: usize = 10;

/// The name as the store has it.
///
/// # Errors
/// Several are meant, or none (exit code 2).
pub(super) fn meant(moment: &SqliteLook<'_>, name: &str, bot: &str) -> Result<String, Failure> {
    one_of(&moment.names().map_err(|error| super::failure(&error))?, name, bot)
}

/// `all`: names, each with its id.
fn one_of(all: &[(String, String)], name: &str, bot: &str) -> Result<String, Failure> {
    let wanted = name.to_lowercase();
    let fits =
        |fit: &dyn Fn(&str) -> bool| all.iter().filter(|(name, _)| fit(&name.to_lowercase())).collect::<Vec<_>>();
    let same = fits(&|name| name == wanted);
    let mut found = if same.is_empty() { fits(&|name| name.starts_with(&wanted)) } else { same };
    if wanted.is_empty() {
        found.clear();
    }
    // A name says more than an id.
    found.sort_unstable_by_key(|(name, id)| (name == id, name, id));
    let Some((first, id)) = found.first() else {
        let failure = Failure::usage("W186").set("id", name).set("name", bot);
        return Err(match wechaty_config::nearest(name, all.iter().map(|(name, _)| name.as_str())) {
            Some(near) => failure.tell("did-you-mean", Args::new().set("name", near)),
            None => failure,
        });
    };
    if found.iter().all(|(_, other)| other == id) || found.iter().all(|(other, _)| other == first) {
        return Ok(first.clone());
    }
    let named =
        found.iter().take(NAMED).map(|(name, id)| if name == id { id.clone() } else { format!("{name} ({id})") });
    let mut named: Vec<_> = named.collect();
    if found.len() > NAMED {
        named.push("…".to_owned());
    }
    Err(Failure::usage("W204").set("name", name).set("names", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use wechaty_catalogue::Lang;

    use super::*;

    #[test]
    fn a_beginning_is_enough_where_it_means_one() {
        let all =
            [("Alice", "wx1"), ("Alina", "wx2"), ("BOB", "bob-1"), ("wx1", "wx1"), ("wx2", "wx2"), ("王小明", "wx3")];
        let all = all.map(|(name, id)| (name.to_owned(), id.to_owned()));
        let meant = |name: &str| one_of(&all, name, "shop").map_err(|failure| failure.render(Lang::En, false));
        assert_eq!(meant("alice").as_deref(), Ok("Alice"));
        assert_eq!(meant("ALIC").as_deref(), Ok("Alice"));
        assert_eq!(meant("bo").as_deref(), Ok("BOB"));
        assert_eq!(meant("王").as_deref(), Ok("王小明"));
        assert_eq!(meant("wx2").as_deref(), Ok("wx2"));
        let told = meant("ali").expect_err("two");
        assert!(told.contains("[W204]") && told.contains("Alice (wx1), Alina (wx2)"), "{told}");
        let told = meant("wx").expect_err("several ids");
        assert!(told.contains("wx1, wx2"), "{told}");
        let told = meant("Alcie").expect_err("nobody");
        assert!(told.contains("[W186]") && told.contains("`Alice`"), "{told}");
        assert!(meant("").expect_err("nobody").contains("[W186]"));
        // Two of one name in two places are found together, as those of an exact name.
        let twins = [("Team", "r1"), ("Team", "r2")].map(|(name, id)| (name.to_owned(), id.to_owned()));
        assert_eq!(one_of(&twins, "tea", "shop").ok().as_deref(), Some("Team"));
    }
}
