//! The operations that every declared entity has.

use syncline_model::schema::{Entity, Operation, Verb};

/// Of each kind one, but for replacing: changes name what they change. A record's path names it by its key,
/// under the key's own name, so that there is no doubt which field it is.
pub(crate) fn of(entity: &Entity, path: &str) -> Vec<Operation> {
    let (name, singular, parameter) = (&entity.name, &entity.singular, &entity.key);
    let item = format!("{path}/{{{parameter}}}");
    let own = |verb, method: &str, id: String| Operation {
        verb,
        method: method.to_owned(),
        path: path.to_owned(),
        id: Some(id),
        key_parameter: None,
        field_parameters: Vec::new(),
        envelope: None,
        status: None,
        public: false,
    };
    let of_item = |verb, method, id| Operation {
        path: item.clone(),
        key_parameter: Some(parameter.clone()),
        ..own(verb, method, id)
    };
    vec![
        own(Verb::List, "GET", format!("list_{name}")),
        of_item(Verb::Get, "GET", format!("get_{singular}")),
        own(Verb::Create, "POST", format!("create_{singular}")),
        of_item(Verb::Update, "PATCH", format!("update_{singular}")),
        of_item(Verb::Delete, "DELETE", format!("delete_{singular}")),
    ]
}
