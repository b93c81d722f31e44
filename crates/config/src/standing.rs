//! STANDING: what stands in for settings that are told of already, while a puppet looks at the others.

use wechaty_puppet::{Declaration, Setting, SettingKind, Settings, SettingsError};

/// A text that is a token, a name and a host as well.
const TEXT: &str = "insecure_00000000-0000-4000-8000-000000000000";

/// Which settings something stands in for, and how often that was changed.
#[derive(Clone, Default)]
pub(crate) struct Standing(Vec<(&'static Setting, usize)>);

impl Standing {
    pub(crate) fn is_for(&self, setting: &Setting) -> bool {
        self.0.iter().any(|(other, _)| other.key == setting.key)
    }

    /// Puts the next in its place, at last nothing. False: there was nothing already.
    pub(crate) fn next(&mut self, setting: &'static Setting, puppet: &Declaration, settings: &mut Settings) -> bool {
        let index = match self.0.iter_mut().find(|(other, _)| other.key == setting.key) {
            Some((_, index)) => {
                *index += 1;
                *index
            }
            None => {
                self.0.push((setting, 0));
                0
            }
        };
        let all = stand_ins(setting);
        *settings = with(puppet, settings, setting.key, all.get(index).copied());
        index <= all.len()
    }

    /// Leaves out one that nothing is told of, so that the puppet does not stop before it has come to another. False: there
    /// is no such.
    pub(crate) fn without_one(&mut self, puppet: &Declaration, settings: &mut Settings) -> bool {
        let rest = puppet.settings.iter().filter(|one| settings.get(one.key).is_some() && !self.is_for(one));
        for one in rest {
            let without = with(puppet, settings, one.key, None);
            let stops_at = (puppet.build)(&without).err().and_then(|error| about(puppet, &error));
            if stops_at.is_none_or(|other| other.key != one.key && !self.is_for(other)) {
                self.0.push((one, stand_ins(one).len()));
                *settings = without;
                return true;
            }
        }
        false
    }

    /// Whether it is a fault by a switch alone that is told of itself: nobody knows its right position.
    pub(crate) fn hangs_on_a_switch(&self, fault: &Setting, puppet: &Declaration, settings: &Settings) -> bool {
        let switches = self.0.iter().filter(|(one, _)| matches!(one.kind, SettingKind::Bool | SettingKind::Choice(_)));
        let positions = switches.flat_map(|(one, _)| stand_ins(one).into_iter().map(move |position| (one, position)));
        positions.into_iter().any(|(switch, position)| {
            let (mut others, mut settings) = (self.clone(), with(puppet, settings, switch.key, Some(position)));
            loop {
                let Err(error) = (puppet.build)(&settings) else { return true };
                match about(puppet, &error) {
                    Some(other) if other.key != fault.key && others.next(other, puppet, &mut settings) => {}
                    _ => return false,
                }
            }
        })
    }

    /// Whether nothing could be put in the place of one.
    pub(crate) fn lacks(&self, settings: &Settings) -> bool {
        self.0.iter().any(|(setting, _)| settings.get(setting.key).is_none())
    }
}

/// What a puppet may take for a setting, the likeliest first.
fn stand_ins(setting: &Setting) -> Vec<&'static str> {
    let of_kind: &[&'static str] = match setting.kind {
        SettingKind::Bool => &["true", "false"],
        SettingKind::Choice(choices) => choices,
        SettingKind::Integer => &["1", "100"],
        SettingKind::Path => &["."],
        SettingKind::Url => &["https://localhost"],
        _ => &[TEXT],
    };
    let others = of_kind.iter().copied().filter(|value| Some(*value) != setting.default);
    setting.default.into_iter().chain(others).collect()
}

fn with(puppet: &Declaration, settings: &Settings, key: &str, value: Option<&str>) -> Settings {
    puppet.settings.iter().fold(Settings::new(), |all, one| {
        match if one.key == key { value } else { settings.get(one.key) } {
            Some(value) => all.set(one.key, value),
            None => all,
        }
    })
}

/// Which setting an error is about.
pub(crate) fn about(puppet: &Declaration, error: &SettingsError) -> Option<&'static Setting> {
    let key = match error {
        SettingsError::Invalid { key, .. } | SettingsError::Missing { key } => *key,
        _ => return None,
    };
    puppet.settings.iter().find(|setting| setting.key == key)
}
