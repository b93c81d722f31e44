//! CONTACTS: people by id, mobile or department, what the app may see, and groups of them.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, page};
use crate::{
    refusal::{Refusal, refused, violated},
    state::{Department, Group, Person, State},
};

fn told(person: &Person) -> Value {
    let avatar = &person.avatar;
    json!({
        "open_id": person.open_id, "union_id": person.union_id, "user_id": person.user_id, "name": person.name,
        "en_name": person.en_name, "email": person.email, "mobile": person.mobile, "mobile_visible": true,
        "gender": person.gender, "city": person.city, "country": "CN", "department_ids": person.departments,
        "avatar": {
            "avatar_72": format!("{avatar}~72x72.jpg"), "avatar_240": format!("{avatar}~240x240.jpg"),
            "avatar_640": format!("{avatar}~640x640.jpg"), "avatar_origin": avatar,
        },
        "status": {"is_frozen": false, "is_resigned": false, "is_activated": true, "is_exited": false, "is_unjoin": false},
        "employee_type": 1, "is_tenant_manager": false, "job_title": "",
    })
}

/// An id that is not one of its kind, and the code for it.
fn unknown(kind: &str) -> Refusal {
    match kind {
        "open_id" => refused(99_992_351, "The request contains an open_id that is not valid."),
        "union_id" => refused(99_992_352, "The request contains a union_id that is not valid."),
        _ => refused(99_992_353, "The request contains a user_id that is not valid."),
    }
}

fn visible<'a>(state: &'a State, kind: &str, id: &str) -> Result<&'a Person, Refusal> {
    let person = state.person(kind, id).ok_or_else(|| unknown(kind))?;
    match person.hidden {
        true => Err(refused(41_050, "no user authority error")),
        false => Ok(person),
    }
}

pub(super) fn user(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("user_id_type", &[])?;
    Ok(Answer::Data(json!({"user": told(visible(state, kind, call.param(0))?)})))
}

pub(super) fn batch(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("user_id_type", &[])?;
    let ids = call.queries("user_ids");
    if ids.is_empty() || ids.len() > 50 {
        return Err(violated("user_ids", "must have 1 to 50 items"));
    }
    // Whom the app may not see is left out.
    let items: Vec<Value> = ids.iter().filter_map(|id| visible(state, kind, id).ok()).map(told).collect();
    Ok(Answer::Data(json!({ "items": items })))
}

pub(super) fn batch_get_id(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("user_id_type", &[])?;
    let (emails, mobiles) = (call.list("emails"), call.list("mobiles"));
    if emails.len() > 50 || mobiles.len() > 50 {
        return Err(violated("emails", "the max len is 50"));
    }
    let digits = |text: &str| text.trim_start_matches("+86").replace([' ', '-'], "");
    let mut list = Vec::new();
    let seen = || state.people.values().filter(|person| !person.hidden);
    for email in emails {
        let found = seen().find(|person| !person.email.is_empty() && person.email.eq_ignore_ascii_case(&email));
        list.push(with_id(json!({ "email": email }), found, kind));
    }
    for mobile in mobiles {
        let found = seen().find(|person| !person.mobile.is_empty() && digits(&person.mobile) == digits(&mobile));
        list.push(with_id(json!({ "mobile": mobile }), found, kind));
    }
    Ok(Answer::Data(json!({ "user_list": list })))
}

fn with_id(mut entry: Value, found: Option<&Person>, kind: &str) -> Value {
    if let Some(id) = found.and_then(|person| person.id(kind)) {
        entry["user_id"] = json!(id);
    }
    entry
}

pub(super) fn by_department(state: &mut State, call: &Call) -> Answered {
    call.id_type("user_id_type", &[])?;
    let department = call.query("department_id").ok_or_else(|| violated("department_id", "is required"))?;
    let is_of = |person: &&Person| !person.hidden && person.departments.iter().any(|id| id == department);
    let all = state.people.values().filter(is_of).map(told).collect();
    page(call, 50, all).map(Answer::Data)
}

/// The departments below one.
pub(super) fn departments(state: &mut State, call: &Call) -> Answered {
    call.id_type("user_id_type", &[])?;
    if !matches!(call.query("department_id_type"), None | Some("open_department_id")) {
        return Err(violated("department_id_type", "only open_department_id is known"));
    }
    let parent = call.param(0);
    if parent != "0" && !state.departments.contains_key(parent) {
        return Err(refused(40_004, "no dept authority error"));
    }
    let told = |one: &Department| {
        json!({
            "name": one.name, "open_department_id": one.open_department_id, "department_id": one.open_department_id,
            "parent_department_id": one.parent, "status": {"is_deleted": false},
        })
    };
    let all = state.below(parent, call.query("fetch_child") == Some("true")).into_iter().map(told).collect();
    page(call, 50, all).map(Answer::Data)
}

/// Of an app that may see everybody: the departments below the root, and the people of none.
pub(super) fn scopes(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("user_id_type", &[])?;
    let is_in_one = |person: &Person| person.departments.iter().any(|id| state.departments.contains_key(id));
    let seen = state.people.values().filter(|person| !person.hidden && !is_in_one(person));
    let departments = state.below("0", false).into_iter().map(|one| json!({"department": one.open_department_id}));
    let people = seen.filter_map(|person| person.id(kind)).map(|id| json!({"user": id}));
    let paged = page(call, 100, departments.chain(people).collect())?;
    let of = |kind: &str| -> Vec<&Value> {
        paged["items"].as_array().into_iter().flatten().filter_map(|item| item.get(kind)).collect()
    };
    let groups: Vec<&String> = state.groups.keys().collect();
    Ok(Answer::Data(json!({
        "department_ids": of("department"), "group_ids": groups, "user_ids": of("user"), "has_more": paged["has_more"],
        "page_token": paged["page_token"],
    })))
}

fn group_json(group: &Group) -> Value {
    json!({
        "id": group.id, "name": group.name, "description": group.description, "member_user_count": group.members.len(),
        "member_department_count": 0,
    })
}

pub(super) fn groups(state: &mut State, call: &Call) -> Answered {
    let all = state.groups.values().map(group_json).collect();
    renamed(page(call, 100, all)?, "grouplist")
}

pub(super) fn groups_of(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("member_id_type", &[])?;
    let member = call.query("member_id").ok_or_else(|| violated("member_id", "is required"))?;
    let open_id = visible(state, kind, member)?.open_id.clone();
    let of = state.groups.values().filter(|group| group.members.contains(&open_id));
    let all = of.map(|group| json!(group.id)).collect();
    renamed(page(call, 1000, all)?, "group_list")
}

/// The same page under the name that this call has for it.
fn renamed(mut page: Value, name: &str) -> Answered {
    page[name] = page["items"].take();
    if let Some(members) = page.as_object_mut() {
        members.remove("items");
    }
    Ok(Answer::Data(page))
}

pub(super) fn create_group(state: &mut State, call: &Call) -> Answered {
    let name = call.text("name")?.to_owned();
    if name.chars().count() > 100 {
        return Err(refused(42_013, "group name exceed limit"));
    }
    if state.groups.values().any(|group| group.name == name) {
        return Err(refused(47_009, "duplicated name error"));
    }
    let id = match call.maybe("group_id") {
        Some(id) => id.to_owned(),
        None => state.id("g"),
    };
    let description = call.maybe("description").unwrap_or_default().to_owned();
    state.groups.insert(id.clone(), Group { id: id.clone(), name, description, members: Vec::new() });
    Ok(Answer::Data(json!({ "group_id": id })))
}

pub(super) fn delete_group(state: &mut State, call: &Call) -> Answered {
    match state.groups.remove(call.param(0)) {
        Some(_) => Ok(Answer::Data(json!({}))),
        None => Err(refused(42_002, "invalid group_id")),
    }
}

/// The group and the person of a call about both.
fn member(state: &State, call: &Call) -> Result<(String, String), Refusal> {
    if call.maybe("member_type").is_some_and(|kind| kind != "user") {
        return Err(violated("member_type", "is not user"));
    }
    let kind = call.maybe("member_id_type").unwrap_or("open_id").to_owned();
    let open_id = visible(state, &kind, call.text("member_id")?)?.open_id.clone();
    match state.groups.contains_key(call.param(0)) {
        true => Ok((call.param(0).to_owned(), open_id)),
        false => Err(refused(42_002, "invalid group_id")),
    }
}

pub(super) fn add_to_group(state: &mut State, call: &Call) -> Answered {
    let (id, open_id) = member(state, call)?;
    if let Some(group) = state.groups.get_mut(&id)
        && !group.members.contains(&open_id)
    {
        group.members.push(open_id);
    }
    Ok(Answer::Data(json!({})))
}

pub(super) fn remove_from_group(state: &mut State, call: &Call) -> Answered {
    let (id, open_id) = member(state, call)?;
    if let Some(group) = state.groups.get_mut(&id) {
        group.members.retain(|member| *member != open_id);
    }
    Ok(Answer::Data(json!({})))
}

pub(super) fn group_members(state: &mut State, call: &Call) -> Answered {
    let kind = call.id_type("member_id_type", &[])?;
    let group = state.groups.get(call.param(0)).ok_or_else(|| refused(42_002, "invalid group_id"))?;
    let people = group.members.iter().filter_map(|id| state.people.get(id));
    let all = people
        .map(|person| {
            json!({"member_id": person.id(kind).unwrap_or_default(), "member_type": "user", "member_id_type": kind})
        })
        .collect();
    renamed(page(call, 100, all)?, "memberlist")
}
