//! Who there is in a company, whatever department they are in.

use std::collections::BTreeSet;

use wechaty_lark_fake::{Department, Fault, Person, Trouble};
use wechaty_puppet::{Clock, ContactId, Directory};

use crate::{sink::Running, stage::Stage};

#[tokio::test(flavor = "multi_thread")]
async fn people_of_departments_below_departments_are_contacts_each_once() {
    let stage = Stage::new(false).await;
    let running = Running::ready(stage.make(), Clock::system()).await;
    let before = running.puppet.contacts().await.expect("a list");
    let people: BTreeSet<ContactId> = stage.fake.with(|state| {
        let mut department =
            |parent: &str| state.add_department(Department { parent: parent.into(), ..Department::default() });
        let (school, shop) = (department(""), department(""));
        // More than a page, and one far below.
        let classes: Vec<String> = (0..60).map(|_| department(&school)).collect();
        let group = department(&classes[59]);
        let places = [&school, &shop, &classes[0], &classes[59], &group];
        let mut add = |departments: Vec<String>| {
            state.add_person(Person { name: "P".into(), departments, ..Person::default() }).open_id.into()
        };
        let mut people: BTreeSet<ContactId> = places.iter().map(|place| add(vec![place.to_string()])).collect();
        // A class of many, and somebody of two departments.
        people.extend((0..70).map(|_| add(vec![classes[1].clone()])));
        people.insert(add(vec![shop.clone(), group.clone()]));
        people
    });
    // So many calls may be too fast.
    let trouble = Trouble::Throttle { reset: 0, old: false };
    let path = "/open-apis/contact/v3/users/find_by_department".into();
    stage.fake.with(|state| state.faults.push(Fault { path, method: String::new(), after: 3, times: 2, trouble }));
    let all = running.puppet.contacts().await.expect("a list");
    let unique: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!((unique.len(), all.len()), (before.len() + people.len(), before.len() + people.len()));
    assert!(people.is_subset(&unique), "{:?}", people.difference(&unique).collect::<Vec<_>>());
}
