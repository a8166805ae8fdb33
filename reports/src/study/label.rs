//! Short names for contenders.
//!
//! A spec names every parameter, so that a row can be run again. People who compare contenders need only
//! what sets them apart: the strategy, and those parameters whose values differ among its contenders in
//! the book, in the spec's own order. `iblt:bits=48,check=16,k=4,size=tow` is `iblt:size=tow` in a book
//! whose other tables differ in `size` only, and `iblt` in a book without others. The page lists label and
//! spec side by side.

use std::collections::{BTreeMap, BTreeSet};

/// The short name of a contender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The whole of it: `iblt:bits=48,size=tow`. Unique in its book.
    pub text: String,
    /// What stands before the colon: `iblt`.
    pub family: String,
    /// Names of the parameters in `text`: `bits,size`. Empty where the family's members do not all have them.
    pub keys: String,
    /// Their values: `48,tow`; with their names where `keys` is empty.
    pub values: String,
}

type Params<'s> = Vec<(&'s str, &'s str)>;

fn parsed(spec: &str) -> (&str, Params<'_>) {
    let (family, rest) = spec.split_once(':').unwrap_or((spec, ""));
    let params = rest.split(',').filter(|part| !part.is_empty());
    (family, params.map(|part| part.split_once('=').unwrap_or((part, ""))).collect())
}

fn value<'s>(params: &Params<'s>, key: &str) -> Option<&'s str> {
    params.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
}

/// Labels of specs that are all different, in their order.
pub fn labels(specs: &[&str]) -> Vec<Label> {
    let parts: Vec<(&str, Params<'_>)> = specs.iter().map(|spec| parsed(spec)).collect();
    let mut families: BTreeMap<&str, Vec<&Params<'_>>> = BTreeMap::new();
    for (family, params) in &parts {
        families.entry(family).or_default().push(params);
    }
    let mut labels: Vec<Label> =
        parts.iter().map(|(family, params)| label(family, params, &families[family])).collect();
    // Specs that differ in nothing but order or repetition keep their full text. Each round settles at
    // least one, and specs differ, so the rounds end.
    loop {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let twice: BTreeSet<String> =
            labels.iter().filter(|one| !seen.insert(&one.text)).map(|one| one.text.clone()).collect();
        if twice.is_empty() {
            return labels;
        }
        for (one, spec) in labels.iter_mut().zip(specs).filter(|(one, _)| twice.contains(&one.text)) {
            one.text = (*spec).to_owned();
            one.keys = String::new();
            one.values = spec.get(one.family.len() + 1..).unwrap_or("").to_owned();
        }
    }
}

fn label(family: &str, params: &Params<'_>, siblings: &[&Params<'_>]) -> Label {
    let varies = |key: &str| siblings.iter().any(|other| value(other, key) != value(params, key));
    let kept: Vec<&(&str, &str)> = params.iter().filter(|(key, _)| varies(key)).collect();
    let named = |(key, value): &(&str, &str)| {
        if value.is_empty() { (*key).to_owned() } else { format!("{key}={value}") }
    };
    let tail = kept.iter().map(|part| named(part)).collect::<Vec<_>>().join(",");
    let keys_of = |params: &Params<'_>| params.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(",");
    let alike = siblings.iter().all(|other| keys_of(other) == keys_of(params));
    let join =
        |part: fn(&(&str, &str)) -> String| kept.iter().map(|one| part(one)).collect::<Vec<_>>().join(",");
    Label {
        text: if tail.is_empty() { family.to_owned() } else { format!("{family}:{tail}") },
        family: family.to_owned(),
        keys: if alike { join(|(key, _)| (*key).to_owned()) } else { String::new() },
        values: if alike { join(|(_, value)| (*value).to_owned()) } else { tail },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(specs: &[&str]) -> Vec<String> {
        labels(specs).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn what_all_siblings_share_is_left_out() {
        let specs = ["iblt:bits=48,k=4,size=tow", "riblt:batch=4,bits=64", "iblt:bits=32,k=4,size=tow"];
        assert_eq!(texts(&specs), ["iblt:bits=48", "riblt", "iblt:bits=32"]);
        let all = labels(&specs);
        assert_eq!((all[0].keys.as_str(), all[0].values.as_str()), ("bits", "48"));
        assert_eq!((all[1].keys.as_str(), all[1].values.as_str()), ("", ""));
    }

    #[test]
    fn a_parameter_that_some_lack_is_shown() {
        let all = labels(&["a:x=1", "a:x=1,y=2", "a"]);
        assert_eq!(all.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["a:x=1", "a:x=1,y=2", "a"]);
        assert_eq!((all[1].keys.as_str(), all[1].values.as_str()), ("", "x=1,y=2"));
    }

    #[test]
    fn what_cannot_be_shortened_stays() {
        assert_eq!(texts(&["a:x=1,y=2", "a:y=2,x=1"]), ["a:x=1,y=2", "a:y=2,x=1"]);
        assert_eq!(texts(&["a:", "a", ""]), ["a:", "a", ""]);
    }

    proptest! {
        #[test]
        fn labels_differ_whenever_specs_do(specs in prop::collection::btree_set("[ab]?:?([xy]?=?[01]?,?){0,4}", 0..12)) {
            let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
            let labels: BTreeSet<String> = texts(&specs).into_iter().collect();
            prop_assert_eq!(labels.len(), specs.len());
        }
    }
}
